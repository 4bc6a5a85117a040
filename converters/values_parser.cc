#include "converters/values_parser.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "converters/civil_date.h"
#include "converters/values_literals.h"
#include "converters/values_text.h"
#include "core/java_text.h"

namespace millrace {
namespace {

constexpr size_t kSchemasMax = 1000;

bool is_temporal(const Schema* schema) {
  return schema != nullptr && (schema->is_date() || schema->is_time() || schema->is_timestamp());
}

int64_t epoch_ms(const Schema* schema, const Value& value) {
  return schema->is_date() ? value.u.i64 * kDayMs : value.u.i64;
}

/// A value fitted to another schema, or (nothing) one that does not fit. Values are shared where nothing changes.
class Fitting {
 public:
  explicit Fitting(Arena& arena) : arena_(arena) {}

  std::optional<Value> fit(const Schema* from, const Value& value, const Schema* to) {
    if (to == nullptr) return loosened(from, value);
    if (is_null(value)) return std::nullopt;
    if (from == to) return value;
    switch (to->type()) {
      case Type::kInt8:
      case Type::kInt16:
      case Type::kInt32:
      case Type::kInt64:
        return integer(from, value, to);
      case Type::kFloat32:
      case Type::kFloat64:
        return number(from, value, to);
      case Type::kArray:
      case Type::kMap:
        return items(from, value, to);
      default:
        if (from != nullptr || value.kind != static_cast<uint8_t>(to->type())) return std::nullopt;
        return value;
    }
  }

  /// The form without a schema: only dates and times need another.
  Value loosened(const Schema* from, const Value& value) {
    if (is_null(value) || !needs_loosening(from)) return value;
    if (is_temporal(from)) return scalar(MR_TIMESTAMP, epoch_ms(from, value));
    const auto old = items_of(value);
    Value* fresh = arena_.allocate_array<Value>(old.size());
    for (size_t i = 0; i < old.size(); ++i) fresh[i] = loosened(item_schema(from, i), old[i]);
    return items_value(static_cast<mr_kind>(value.kind), {fresh, old.size()});
  }

 private:
  static bool needs_loosening(const Schema* schema) {
    return is_temporal(schema) ||
           (schema != nullptr && (needs_loosening(schema->key_schema()) || needs_loosening(schema->value_schema())));
  }
  static const Schema* item_schema(const Schema* schema, size_t index) {
    if (schema == nullptr) return nullptr;
    return schema->type() == Type::kMap && index % 2 == 0 ? schema->key_schema() : schema->value_schema();
  }
  static bool is_integer(const Schema* from, const Value& value) {
    return value.kind >= MR_INT8 && value.kind <= MR_INT64 && !is_temporal(from);
  }

  static std::optional<Value> integer(const Schema* from, const Value& value, const Schema* to) {
    const auto kind = static_cast<mr_kind>(to->type());
    if (is_temporal(from)) {
      if (!to->is_timestamp()) return std::nullopt;
      return scalar(kind, epoch_ms(from, value));
    }
    if (!is_integer(from, value) || value.kind > kind) return std::nullopt;
    return scalar(kind, value.u.i64);
  }

  static std::optional<Value> number(const Schema* from, const Value& value, const Schema* to) {
    const bool single = to->type() == Type::kFloat32;
    double number = value.u.f64;
    if (is_integer(from, value)) {
      number = single ? static_cast<double>(static_cast<float>(value.u.i64)) : static_cast<double>(value.u.i64);
    } else if (value.kind != MR_FLOAT32 && (single || value.kind != MR_FLOAT64)) {
      return std::nullopt;
    }
    return floating(static_cast<mr_kind>(to->type()), number);
  }

  std::optional<Value> items(const Schema* from, const Value& value, const Schema* to) {
    if (value.kind != static_cast<uint8_t>(to->type())) return std::nullopt;
    const auto old = items_of(value);
    Value* fresh = arena_.allocate_array<Value>(old.size());
    for (size_t i = 0; i < old.size(); ++i) {
      const auto item = fit(item_schema(from, i), old[i], item_schema(to, i));
      if (!item) return std::nullopt;
      fresh[i] = *item;
    }
    return items_value(static_cast<mr_kind>(value.kind), {fresh, old.size()});
  }

  Arena& arena_;
};

/// The schema that elements have in common: the wider of two numbers, the later of two with the same type.
class CommonSchema {
 public:
  void add(const Schema* next) {
    if (next == nullptr || mixed_) return;
    if (common_ == nullptr || common_->type() == next->type()) {
      common_ = next;
    } else if (is_number(common_->type()) && is_number(next->type())) {
      common_ = common_->type() > next->type() ? common_ : next;
    } else {
      common_ = nullptr;
      mixed_ = true;
    }
  }
  /// nullptr if there is none.
  const Schema* get() const { return common_; }

 private:
  static_assert(Type::kInt8 < Type::kInt64 && Type::kInt64 < Type::kFloat32 && Type::kFloat32 < Type::kFloat64);
  static bool is_number(Type type) { return type >= Type::kInt8 && type <= Type::kFloat64; }

  const Schema* common_ = nullptr;
  bool mixed_ = false;
};

SchemaPtr shared(const Schema* schema) { return schema == nullptr ? nullptr : schema->shared_from_this(); }

class Parser {
 public:
  Parser(std::string_view text, SchemaPool& schemas, Arena& arena)
      : text_(text), schemas_(schemas), arena_(arena), fitting_(arena) {}

  ParsedText whole() {
    const std::optional<ParsedText> found = top();
    if (too_deep_) return {nullptr, null_value(), true};
    return found ? *found : ParsedText{plain_schema(Type::kString).get(), string_value(text_)};
  }

 private:
  struct Item {
    const Schema* schema;
    Value value;
  };

  std::optional<ParsedText> top() {
    if (text_.empty()) return std::nullopt;
    if (const auto word = constant(); word && !has_next()) return word;
    at_ = 0;
    if (consume("[")) return array();
    if (consume("{")) return map();
    return literal(next());
  }

  std::optional<ParsedText> element() {
    if (consume("\"")) return quoted();
    if (const auto word = constant()) return word;
    if (consume("[")) return array();
    if (consume("{")) return map();
    return literal(next());
  }

  std::optional<ParsedText> constant() {
    if (consume("null")) return ParsedText{};
    if (consume("true")) return ParsedText{plain_schema(Type::kBoolean).get(), boolean_value(true)};
    if (consume("false")) return ParsedText{plain_schema(Type::kBoolean).get(), boolean_value(false)};
    return std::nullopt;
  }

  std::optional<ParsedText> array() {
    const Depth depth(*this);
    if (too_deep_) return std::nullopt;
    std::vector<Item> items;
    CommonSchema common;
    while (has_next()) {
      if (consume("]")) return array_of(items, common.get());
      if (consume(",")) return std::nullopt;
      const auto item = element();
      if (!item) return std::nullopt;
      common.add(item->schema);
      items.push_back({item->schema, item->value});
      if (!is_next("]") && !consume(",")) return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<ParsedText> array_of(const std::vector<Item>& items, const Schema* common) {
    Value* fitted = arena_.allocate_array<Value>(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const auto value = fitting_.fit(items[i].schema, items[i].value, common);
      if (!value) return std::nullopt;
      fitted[i] = *value;
    }
    const Schema* schema = schemas_.keep({.type = Type::kArray, .value_schema = shared(common)});
    return ParsedText{schema, items_value(MR_ARRAY, {fitted, items.size()})};
  }

  std::optional<ParsedText> map() {
    const Depth depth(*this);
    if (too_deep_) return std::nullopt;
    std::vector<Item> items;  // keys and values in turn
    std::unordered_map<std::string, size_t> keys;
    CommonSchema common_key, common_value;
    while (has_next()) {
      if (consume("}"))
        return map_of(items, common_key.get(), common_key.get() == nullptr ? nullptr : common_value.get());
      if (consume(",")) return std::nullopt;
      const auto key = element();
      if (!key || is_null(key->value) || !consume(":")) return std::nullopt;
      const auto value = element();
      if (!value) return std::nullopt;
      consume(",");
      common_key.add(key->schema);
      common_value.add(value->schema);
      const auto [known, fresh] = keys.try_emplace(identity(*key), items.size());
      if (fresh) {
        items.push_back({key->schema, key->value});
        items.push_back({});
      }
      items[known->second + 1] = {value->schema, value->value};
    }
    return std::nullopt;
  }

  /// What tells keys apart: 1 is not 1.5 and not "1".
  static std::string identity(const ParsedText& key) {
    std::string text(1, static_cast<char>(key.value.kind));
    append_values_text(text, key.schema, key.value);
    return text;
  }

  std::optional<ParsedText> map_of(const std::vector<Item>& items, const Schema* key, const Schema* value) {
    Value* fitted = arena_.allocate_array<Value>(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const auto item = fitting_.fit(items[i].schema, items[i].value, i % 2 == 0 ? key : value);
      if (!item) return std::nullopt;
      fitted[i] = *item;
    }
    const Schema* schema =
        schemas_.keep({.type = Type::kMap, .key_schema = shared(key), .value_schema = shared(value)});
    return ParsedText{schema, items_value(MR_MAP, {fitted, items.size()})};
  }

  /// Behind the opening quote.
  std::optional<ParsedText> quoted() {
    const size_t begin = at_;
    while (has_next()) {
      const size_t token_at = at_;
      if (token(at_) != "\"") continue;
      const std::string_view content = text_.substr(begin, token_at - begin);
      const auto temporal = parse_temporal(content, schemas_);
      return temporal ? temporal : ParsedText{plain_schema(Type::kString).get(), string_value(content)};
    }
    return std::nullopt;
  }

  /// A date, time or number that begins with `word`, the token just read.
  std::optional<ParsedText> literal(std::string_view word) {
    if (word.empty()) return std::nullopt;
    const bool digit = word.front() >= '0' && word.front() <= '9';
    if (digit) {
      if (const auto time = time_of_tokens(word)) return time;
      if (const auto date = parse_temporal(word, schemas_)) return date;
    }
    if (digit || word.front() == '+' || word.front() == '-') return parse_number(word, schemas_, arena_);
    return std::nullopt;
  }

  /// The colons of a time are delimiters, so that it comes in five tokens: 14 : 34 : 54.346Z.
  std::optional<ParsedText> time_of_tokens(std::string_view word) {
    constexpr size_t kLongest = 24;
    if (at_ >= text_.size() || text_[at_] != ':' || word.size() > kLongest) return std::nullopt;
    size_t end = at_;
    for (int i = 0; i < 4; ++i) {
      if (end == text_.size()) return std::nullopt;
      token(end);
      if (end - at_ > 2 * kLongest) return std::nullopt;
    }
    std::array<char, 3 * kLongest> joined;
    const size_t rest = text_.copy(joined.data() + word.copy(joined.data(), word.size()), end - at_, at_);
    const auto time = parse_temporal({joined.data(), word.size() + rest}, schemas_);
    if (time) at_ = end;
    return time;
  }

  bool has_next() const { return at_ < text_.size(); }

  /// A delimiter, or all up to the next one; a backslash takes a delimiter's meaning away. Moves `at` behind it.
  std::string_view token(size_t& at) const {
    const size_t begin = at;
    bool escaped = false;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (!escaped && std::string_view(":,{}[]\"").find(c) != std::string_view::npos) {
        if (at == begin) ++at;
        break;
      }
      escaped = c == '\\' && !escaped;
    }
    return text_.substr(begin, at - begin);
  }

  /// The next token that is not blank, without its outer blanks; empty at the end. Moves `at` behind it.
  std::string_view word(size_t& at) const {
    std::string_view found;
    while (found.empty() && at < text_.size()) found = java_trim(token(at));
    return found;
  }
  std::string_view next() { return word(at_); }
  bool is_next(std::string_view expected) const {
    size_t at = at_;
    return word(at) == expected;
  }
  bool consume(std::string_view expected) {
    size_t at = at_;
    if (word(at) != expected) return false;
    at_ = at;
    return true;
  }

  /// Counts one level of collections while it lives.
  struct Depth {
    explicit Depth(Parser& owner) : parser(owner) {
      if (++parser.depth_ > kValuesDepthMax) parser.too_deep_ = true;
    }
    ~Depth() { --parser.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    Parser& parser;
  };

  std::string_view text_;
  SchemaPool& schemas_;
  Arena& arena_;
  Fitting fitting_;
  size_t at_ = 0;
  int depth_ = 0;
  bool too_deep_ = false;
};

}  // namespace

const Schema* SchemaPool::keep(SchemaParts parts) {
  return schemas_.insert(make_schema(std::move(parts))).first->get();
}

void SchemaPool::new_batch() {
  if (schemas_.size() <= kSchemasMax) return;
  retired_ = std::move(schemas_);
  schemas_.clear();
}

ParsedText parse_values_text(std::string_view text, SchemaPool& schemas, Arena& arena) {
  return Parser(text, schemas, arena).whole();
}

}  // namespace millrace
