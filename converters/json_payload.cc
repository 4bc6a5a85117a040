#include "converters/json_payload.h"

#include <charconv>
#include <cstring>

#include "converters/json_reader.h"
#include "converters/json_text.h"

namespace millrace {
namespace {

using Step = JsonPlan::Step;
constexpr int64_t kDayMs = 86'400'000;
/// Well below the complete reader's bound, which then decides exactly.
constexpr int kDepthMax = 500;
constexpr size_t kNumberBytesMax = 500;
constexpr uint8_t kUnset = 0xFF;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool ends_number(char c) { return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

bool JsonPayloadReader::read(const JsonPlan& plan, std::string_view text, Arena& arena, Value& out, size_t& used) {
  at_ = text.data();
  end_ = text.data() + text.size();
  arena_ = &arena;
  depth_ = 0;
  items_.clear();
  if (!value(plan, out)) return false;
  used = static_cast<size_t>(at_ - text.data());
  return true;
}

void JsonPayloadReader::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool JsonPayloadReader::take(char c) {
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

/// Behind an element: a comma (more follows) or the closing bracket.
bool JsonPayloadReader::next_or_close(char close, bool& closed) {
  skip_space();
  closed = at_ != end_ && *at_ == close;
  if (!closed && (at_ == end_ || *at_ != ',')) return false;
  ++at_;
  if (!closed) skip_space();
  return true;
}

bool JsonPayloadReader::literal(std::string_view word) {
  if (static_cast<size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) return false;
  at_ += word.size();
  return at_ == end_ || ends_number(*at_);
}

bool JsonPayloadReader::string(std::string_view& out) {
  return take('"') && read_json_string(at_, end_, *arena_, out) == nullptr;
}

bool JsonPayloadReader::integer(int64_t& out) {
  const bool negative = take('-');
  const char* start = at_;
  uint64_t number = 0;
  while (at_ != end_ && is_digit(*at_)) number = number * 10 + static_cast<uint64_t>(*at_++ - '0');
  const auto digits = at_ - start;
  if (digits == 0 || digits > 19 || (digits > 1 && *start == '0')) return false;
  if (digits == 19 && number > static_cast<uint64_t>(INT64_MAX)) return false;
  if (at_ != end_ && !ends_number(*at_)) return false;
  out = negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
  return true;
}

/// The number at this place in JSON's strict grammar; empty if there is none.
std::string_view JsonPayloadReader::number_token(bool& whole) {
  const char* start = at_;
  const auto digits = [&] {
    const char* first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ - first;
  };
  whole = true;
  take('-');
  const char* first = at_;
  const auto count = digits();
  if (count == 0 || (count > 1 && *first == '0')) return {};
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    whole = false;
    if (digits() == 0) return {};
  }
  if (at_ != end_ && (*at_ | 0x20) == 'e') {
    ++at_;
    whole = false;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    const auto exponent = digits();
    if (exponent == 0 || exponent > 4) return {};
  }
  const auto size = static_cast<size_t>(at_ - start);
  if (size > kNumberBytesMax || (at_ != end_ && !ends_number(*at_))) return {};
  return {start, size};
}

bool JsonPayloadReader::floating_point(mr_kind kind, Value& out) {
  bool whole = false;
  const std::string_view text = number_token(whole);
  if (text.empty()) return false;
  double number = 0;
  std::from_chars_result result{};
  if (kind == MR_FLOAT32) {
    float single = 0;
    result = std::from_chars(text.data(), text.data() + text.size(), single);
    number = static_cast<double>(single);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), number);
  }
  if (result.ec != std::errc()) return false;
  if (number == 0) number = 0;  // a JSON number becomes a BigDecimal first, which has no negative zero
  out = floating(kind, number == 0 ? 0.0 : number);
  return true;
}

bool JsonPayloadReader::decimal(const JsonPlan& plan, Value& out) {
  if (*at_ != '"') {  // a plain number with a scale of its own
    bool whole = false;
    const std::string_view text = number_token(whole);
    if (text.empty() || text.find_first_of("eE") != std::string_view::npos) return false;
    char digits[kNumberBytesMax];
    size_t count = 0, scale = 0;
    for (const char c : text) {
      if (is_digit(c)) digits[count++] = c;
    }
    if (const size_t point = text.find('.'); point != std::string_view::npos) scale = text.size() - point - 1;
    out = bytes_value(MR_DECIMAL, unscaled_of({digits, count}, text[0] == '-', *arena_), static_cast<int16_t>(scale));
    return true;
  }
  std::string_view text;
  if (!plan.scale || *plan.scale < INT16_MIN || *plan.scale > INT16_MAX || !string(text)) return false;
  const auto bytes = decode_base64(text, *arena_);
  if (!bytes || bytes->empty()) return false;
  out = bytes_value(MR_DECIMAL, shortest_unscaled(*bytes), static_cast<int16_t>(*plan.scale));
  return true;
}

bool JsonPayloadReader::null_for(const JsonPlan& plan, Value& out) const {
  if (plan.default_value != nullptr && replace_null_with_default_) {
    out = *plan.default_value;
    return true;
  }
  out = null_value();
  return plan.optional;
}

bool JsonPayloadReader::value(const JsonPlan& plan, Value& out) {
  if (at_ == end_ || depth_ > kDepthMax) return false;
  if (plan.step == Step::kAny) return any(out);
  if (*at_ == 'n') return literal("null") && null_for(plan, out);
  int64_t number = 0;
  std::string_view text;
  switch (plan.step) {
    case Step::kBoolean:
      out = boolean_value(*at_ == 't');
      return literal(*at_ == 't' ? "true" : "false");
    case Step::kInt8:
      if (!integer(number)) return false;
      out = scalar(MR_INT8, static_cast<int8_t>(number));
      return true;
    case Step::kInt16:
      if (!integer(number)) return false;
      out = scalar(MR_INT16, static_cast<int16_t>(number));
      return true;
    case Step::kInt32:
      if (!integer(number)) return false;
      out = scalar(MR_INT32, static_cast<int32_t>(number));
      return true;
    case Step::kDate:
    case Step::kTime:
      if (!integer(number) || number < INT32_MIN || number > INT32_MAX) return false;
      if (plan.step == Step::kTime && (number < 0 || number > kDayMs)) return false;
      out = scalar(MR_INT32, number);
      return true;
    case Step::kInt64:
    case Step::kTimestamp:
      if (!integer(number)) return false;
      out = int64_value(number);
      return true;
    case Step::kFloat32:
      return floating_point(MR_FLOAT32, out);
    case Step::kFloat64:
      return floating_point(MR_FLOAT64, out);
    case Step::kString:
      if (!string(text)) return false;
      out = string_value(text);
      return true;
    case Step::kBytes: {
      if (!string(text)) return false;
      const auto bytes = decode_base64(text, *arena_);
      if (bytes) out = bytes_value(MR_BYTES, *bytes);
      return bytes.has_value();
    }
    case Step::kDecimal:
      return decimal(plan, out);
    case Step::kArray:
      return array(plan.value.get(), out);
    case Step::kMap:
      return plan.string_keys ? object(plan.value.get(), out) : pairs(plan, out);
    case Step::kStruct:
      return record(plan, out);
    default:
      return false;
  }
}

bool JsonPayloadReader::any(Value& out) {
  std::string_view text;
  switch (*at_) {
    case 'n':
      out = null_value();
      return literal("null");
    case 't':
      out = boolean_value(true);
      return literal("true");
    case 'f':
      out = boolean_value(false);
      return literal("false");
    case '"':
      if (!string(text)) return false;
      out = string_value(text);
      return true;
    case '[':
      return array(nullptr, out);
    case '{':
      return object(nullptr, out);
    default:
      break;
  }
  const char* start = at_;
  int64_t number = 0;
  if (integer(number)) {
    out = int64_value(number);
    return true;
  }
  at_ = start;
  bool whole = false;
  if (number_token(whole).empty() || whole) return false;
  at_ = start;
  return floating_point(MR_FLOAT64, out);
}

/// The member whose name stands here; leaves the place behind the colon. Usually it is the expected one.
bool JsonPayloadReader::member_index(const JsonPlan& plan, size_t expected, size_t& index) {
  if (expected < plan.members.size()) {
    const std::string_view key = plan.members[expected].key();
    if (static_cast<size_t>(end_ - at_) > key.size() && std::memcmp(at_, key.data(), key.size()) == 0) {
      at_ += key.size();
      index = expected;
      skip_space();
      return true;
    }
  }
  std::string_view name;
  if (!string(name)) return false;
  skip_space();
  if (!take(':')) return false;
  skip_space();
  for (size_t i = 0; i < plan.members.size(); ++i) {
    index = (expected + i) % plan.members.size();
    if (plan.members[index].name == name) return true;
  }
  return false;  // a member that the schema does not know
}

bool JsonPayloadReader::record(const JsonPlan& plan, Value& out) {
  if (!take('{')) return false;
  skip_space();
  const size_t count = plan.members.size();
  Value* values = arena_->allocate_array<Value>(count);
  for (size_t i = 0; i < count; ++i) values[i].kind = kUnset;
  ++depth_;
  bool closed = take('}');
  for (size_t expected = 0; !closed;) {
    size_t index = 0;
    if (!member_index(plan, expected, index) || !value(*plan.members[index].plan, values[index])) return false;
    expected = index + 1;
    if (!next_or_close('}', closed)) return false;
  }
  --depth_;
  for (size_t i = 0; i < count; ++i) {
    if (values[i].kind == kUnset && !null_for(*plan.members[i].plan, values[i])) return false;
  }
  out = items_value(MR_STRUCT, {values, count});
  return true;
}

bool JsonPayloadReader::array(const JsonPlan* elements, Value& out) {
  if (!take('[')) return false;
  skip_space();
  ++depth_;
  const size_t base = items_.size();
  bool closed = take(']');
  while (!closed) {
    Value item{};
    if (at_ == end_ || depth_ > kDepthMax) return false;
    if (!(elements == nullptr ? any(item) : value(*elements, item))) return false;
    items_.push_back(item);
    if (!next_or_close(']', closed)) return false;
  }
  --depth_;
  const size_t count = items_.size() - base;
  Value* items = arena_->allocate_array<Value>(count);
  std::copy_n(items_.begin() + static_cast<ptrdiff_t>(base), count, items);
  items_.resize(base);
  out = items_value(MR_ARRAY, {items, count});
  return true;
}

bool JsonPayloadReader::object(const JsonPlan* values, Value& out) {
  if (!take('{')) return false;
  skip_space();
  ++depth_;
  const size_t base = items_.size();
  bool closed = take('}');
  while (!closed) {
    std::string_view name;
    if (!string(name)) return false;
    skip_space();
    if (!take(':')) return false;
    skip_space();
    Value item{};
    if (at_ == end_ || depth_ > kDepthMax) return false;
    if (!(values == nullptr ? any(item) : value(*values, item))) return false;
    items_.push_back(string_value(name));
    items_.push_back(item);
    if (!next_or_close('}', closed)) return false;
  }
  --depth_;
  const size_t count = items_.size() - base;
  Value* items = arena_->allocate_array<Value>(count);
  std::copy_n(items_.begin() + static_cast<ptrdiff_t>(base), count, items);
  items_.resize(base);
  out = items_value(MR_MAP, {items, 2 * drop_duplicate_keys(items, count / 2)});
  return true;
}

bool JsonPayloadReader::pairs(const JsonPlan& plan, Value& out) {
  if (!take('[')) return false;
  skip_space();
  ++depth_;
  const size_t base = items_.size();
  bool closed = take(']');
  while (!closed) {
    Value key{}, item{};
    if (!take('[')) return false;
    skip_space();
    if (!value(*plan.key, key)) return false;
    skip_space();
    if (!take(',')) return false;
    skip_space();
    if (!value(*plan.value, item)) return false;
    skip_space();
    if (!take(']')) return false;
    items_.push_back(key);
    items_.push_back(item);
    if (!next_or_close(']', closed)) return false;
  }
  --depth_;
  const size_t count = items_.size() - base;
  Value* items = arena_->allocate_array<Value>(count);
  std::copy_n(items_.begin() + static_cast<ptrdiff_t>(base), count, items);
  items_.resize(base);
  out = items_value(MR_MAP, {items, 2 * drop_duplicate_keys(items, count / 2)});
  return true;
}

}  // namespace millrace
