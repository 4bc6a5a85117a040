#include "converters/json_tree.h"

#include <fmt/format.h>

#include <string>
#include <unordered_map>

#include "converters/json_text.h"

namespace millrace {
namespace {

constexpr int kDepthMax = 1000;
constexpr size_t kNumberBytesMax = 1000;
constexpr uint32_t kLinearSearchMax = 16;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class TreeParser {
 public:
  TreeParser(std::string_view text, Arena& arena)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), arena_(arena) {}

  Expected<const JsonNode*> document() {
    JsonNode* node = make();
    skip_space();
    if (at_ == end_) return node;
    if (!value(*node, 0)) {
      return fail(ErrorCode::kBadRecord, fmt::format("{} at byte {}", error_, at_ - begin_ + 1));
    }
    return node;
  }

 private:
  JsonNode* make() { return new (arena_.allocate(sizeof(JsonNode), alignof(JsonNode))) JsonNode(); }
  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  bool wrong(std::string message) {
    if (error_.empty()) error_ = std::move(message);
    return false;
  }
  bool unexpected(std::string_view wanted) {
    if (at_ == end_) return wrong(fmt::format("Unexpected end-of-input: {}", wanted));
    return wrong(
        fmt::format("Unexpected character (code {}): {}", static_cast<int>(static_cast<uint8_t>(*at_)), wanted));
  }

  bool value(JsonNode& node, int depth) {
    node.begin = at_;
    if (at_ == end_) return unexpected("expected a value");
    switch (*at_) {
      case '{':
        return object(node, depth + 1);
      case '[':
        return array(node, depth + 1);
      case '"':
        node.kind = JsonNode::Kind::kString;
        return string(node.text);
      case 't':
        node.flag = true;
        [[fallthrough]];
      case 'f':
        node.kind = JsonNode::Kind::kBoolean;
        return word(node.flag ? "true" : "false");
      case 'n':
        node.kind = JsonNode::Kind::kNull;
        return word("null");
      default:
        return number(node, depth);
    }
  }

  bool string(std::string_view& out) {
    ++at_;
    if (const char* why = read_json_string(at_, end_, arena_, out)) return wrong(why);
    return true;
  }

  bool word(std::string_view expected) {
    const std::string_view rest(at_, static_cast<size_t>(end_ - at_));
    const auto part_of_word = [](char c) {
      return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '$' ||
             static_cast<uint8_t>(c) >= 0x80;
    };
    if (!rest.starts_with(expected) || (rest.size() > expected.size() && part_of_word(rest[expected.size()]))) {
      return wrong(
          "Unrecognized token: was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')");
    }
    at_ += expected.size();
    return true;
  }

  bool number(JsonNode& node, int depth) {
    node.kind = JsonNode::Kind::kInteger;
    const char* start = at_;
    if (*at_ == '-') ++at_;
    if (at_ == end_ || !is_digit(*at_)) return unexpected("expected a value");
    while (at_ + 1 < end_ && *at_ == '0' && is_digit(at_[1])) ++at_;
    const char* first_digit = at_;
    digits();
    if (at_ != end_ && *at_ == '.') {
      node.kind = JsonNode::Kind::kFraction;
      ++at_;
      if (at_ == end_ || !is_digit(*at_)) return unexpected("Decimal point not followed by a digit");
      digits();
    }
    if (at_ != end_ && (*at_ | 0x20) == 'e') {
      node.kind = JsonNode::Kind::kFraction;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      const char* exponent = at_;
      if (at_ == end_ || !is_digit(*at_)) return unexpected("Exponent indicator not followed by a digit");
      digits();
      if (at_ - exponent > 9) return wrong("Exponent of a number out of range");
    }
    const auto size = static_cast<size_t>(at_ - first_digit);
    if (size > kNumberBytesMax)
      return wrong(fmt::format("Number value length ({}) exceeds the maximum allowed ({})", size, kNumberBytesMax));
    if (depth == 0 && at_ != end_ && !is_space(*at_)) return unexpected("Expected space separating root-level values");
    if (*start != '-') {
      node.text = {first_digit, size};
    } else if (first_digit == start + 1) {
      node.text = {start, size + 1};
    } else {  // -007: the sign joins the digits
      node.text = arena_.copy("-" + std::string(first_digit, size));
    }
    return true;
  }
  void digits() {
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }

  bool too_deep(int depth) {
    return wrong(fmt::format("Document nesting depth ({}) exceeds the maximum allowed ({})", depth, kDepthMax));
  }

  bool array(JsonNode& node, int depth) {
    node.kind = JsonNode::Kind::kArray;
    if (depth > kDepthMax) return too_deep(depth);
    ++at_;
    skip_space();
    JsonNode** link = &node.first;
    for (bool first = true; first || at_ == end_ || *at_ != ']'; first = false) {
      if (first && at_ != end_ && *at_ == ']') break;
      if (!first) {
        if (at_ == end_ || *at_ != ',') return unexpected("was expecting comma to separate Array entries");
        ++at_;
        skip_space();
      }
      JsonNode* element = make();
      if (!value(*element, depth)) return false;
      *link = element;
      link = &element->next;
      ++node.count;
      skip_space();
    }
    ++at_;
    return true;
  }

  bool object(JsonNode& node, int depth) {
    node.kind = JsonNode::Kind::kObject;
    if (depth > kDepthMax) return too_deep(depth);
    ++at_;
    skip_space();
    JsonNode** link = &node.first;
    std::unordered_map<std::string_view, JsonNode*> large;
    for (bool first = true; first || at_ == end_ || *at_ != '}'; first = false) {
      if (first && at_ != end_ && *at_ == '}') break;
      if (!first) {
        if (at_ == end_ || *at_ != ',') return unexpected("was expecting comma to separate Object entries");
        ++at_;
        skip_space();
      }
      JsonNode* member = make();
      if (!named_value(*member, depth)) return false;
      add_member(node, member, link, large);
      skip_space();
    }
    ++at_;
    return true;
  }

  bool named_value(JsonNode& member, int depth) {
    if (at_ == end_ || *at_ != '"') return unexpected("was expecting double-quote to start field name");
    if (!string(member.name)) return false;
    skip_space();
    if (at_ == end_ || *at_ != ':') return unexpected("was expecting a colon to separate field name and value");
    ++at_;
    skip_space();
    return value(member, depth);
  }

  /// A name that came before keeps its place and takes the new value.
  static void add_member(JsonNode& node, JsonNode* member, JsonNode**& link,
                         std::unordered_map<std::string_view, JsonNode*>& large) {
    JsonNode* before = nullptr;
    if (node.count < kLinearSearchMax) {
      for (before = node.first; before != nullptr && before->name != member->name; before = before->next) {
      }
    } else {
      if (large.empty()) {
        for (JsonNode* one = node.first; one != nullptr; one = one->next) large.emplace(one->name, one);
      }
      const auto [found, fresh] = large.emplace(member->name, member);
      before = fresh ? nullptr : found->second;
    }
    if (before != nullptr) {
      JsonNode* next = before->next;
      *before = *member;
      before->next = next;
      return;
    }
    *link = member;
    link = &member->next;
    ++node.count;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  Arena& arena_;
  std::string error_;
};

enum class Encoding { kUtf8, kUtf16Be, kUtf16Le, kUtf32Be, kUtf32Le };

/// A byte order mark, else the zero bytes around the first ASCII character; `mark` gets the size of the mark.
Encoding encoding_of(std::string_view bytes, size_t& mark) {
  const auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 1; };
  mark = 0;
  if (bytes.size() >= 4) {
    mark = 4;
    if (byte(0) == 0 && byte(1) == 0 && byte(2) == 0xFE && byte(3) == 0xFF) return Encoding::kUtf32Be;
    if (byte(0) == 0xFF && byte(1) == 0xFE && byte(2) == 0 && byte(3) == 0) return Encoding::kUtf32Le;
  }
  mark = 3;
  if (byte(0) == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF) return Encoding::kUtf8;
  mark = 2;
  if (byte(0) == 0xFE && byte(1) == 0xFF) return Encoding::kUtf16Be;
  if (byte(0) == 0xFF && byte(1) == 0xFE) return Encoding::kUtf16Le;
  mark = 0;
  if (bytes.size() >= 4 && byte(0) == 0 && byte(1) == 0 && byte(2) == 0) return Encoding::kUtf32Be;
  if (bytes.size() >= 4 && byte(1) == 0 && byte(2) == 0 && byte(3) == 0) return Encoding::kUtf32Le;
  if (bytes.size() >= 2 && byte(0) == 0) return Encoding::kUtf16Be;
  if (bytes.size() >= 2 && byte(1) == 0) return Encoding::kUtf16Le;
  return Encoding::kUtf8;
}

std::string_view to_utf8(std::string_view bytes, Encoding encoding, Arena& arena) {
  const size_t width = encoding == Encoding::kUtf16Be || encoding == Encoding::kUtf16Le ? 2 : 4;
  const bool little = encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf32Le;
  std::string text;
  for (size_t at = 0; at + width <= bytes.size(); at += width) {
    uint32_t point = 0;
    for (size_t i = 0; i < width; ++i)
      point = point << 8 | static_cast<uint8_t>(bytes[at + (little ? width - 1 - i : i)]);
    append_utf8(text, point > 0x10FFFF ? 0xFFFD : point);
  }
  return arena.copy(text);
}

}  // namespace

const JsonNode* JsonNode::member(std::string_view member_name) const {
  if (kind != Kind::kObject) return nullptr;
  const JsonNode* at = first;
  while (at != nullptr && at->name != member_name) at = at->next;
  return at;
}

std::string_view JsonNode::kind_name() const {
  switch (kind) {
    case Kind::kMissing:
      return "MISSING";
    case Kind::kNull:
      return "NULL";
    case Kind::kBoolean:
      return "BOOLEAN";
    case Kind::kInteger:
    case Kind::kFraction:
      return "NUMBER";
    case Kind::kString:
      return "STRING";
    case Kind::kArray:
      return "ARRAY";
    case Kind::kObject:
      return "OBJECT";
  }
  return "";
}

Expected<const JsonNode*> parse_json(std::string_view bytes, Arena& arena) {
  size_t mark = 0;
  const Encoding encoding = encoding_of(bytes, mark);
  bytes.remove_prefix(mark);
  if (encoding != Encoding::kUtf8) bytes = to_utf8(bytes, encoding, arena);
  return TreeParser(bytes, arena).document();
}

}  // namespace millrace
