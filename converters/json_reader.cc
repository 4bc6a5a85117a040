#include "converters/json_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "converters/json_text.h"

namespace millrace {
namespace {

using Kind = JsonNode::Kind;
using Step = JsonPlan::Step;
constexpr int64_t kDayMs = 86'400'000;

tl::unexpected<Error> bad(std::string message) { return fail(ErrorCode::kBadRecord, std::move(message)); }
tl::unexpected<Error> bad_schema(std::string message) {
  return fail(Error{
      ErrorCode::kBadRecord, std::move(message), "org.apache.kafka.connect.errors.SchemaBuilderException", {}, {}});
}

/// A JSON number taken apart: digits without point, and the power of ten they count.
struct Number {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;

  explicit Number(std::string_view text) {
    negative = text[0] == '-';
    bool fraction = false;
    for (size_t i = negative ? 1 : 0; i < text.size(); ++i) {
      if (text[i] == '.') {
        fraction = true;
      } else if ((text[i] | 0x20) == 'e') {
        exponent += std::strtoll(std::string(text.substr(i + 1)).c_str(), nullptr, 10);
        break;
      } else {
        digits += text[i];
        if (fraction) --exponent;
      }
    }
  }

  /// The whole part's low 64 bits, as Java's narrowing does.
  int64_t wrapped() const {
    uint64_t number = 0;
    const int64_t whole = static_cast<int64_t>(digits.size()) + std::min<int64_t>(exponent, 0);
    for (int64_t i = 0; i < whole; ++i)
      number = number * 10 + static_cast<uint64_t>(digits[static_cast<size_t>(i)] - '0');
    for (int64_t i = 0; i < std::min<int64_t>(exponent, 64); ++i) number *= 10;  // 10^64 has 64 zero bits
    return static_cast<int64_t>(negative ? 0 - number : number);
  }
};

/// The narrowed whole number; 0 for what is no number.
int64_t integer_of(const JsonNode& node) { return node.is_number() ? Number(node.text).wrapped() : 0; }

bool fits_int32(const JsonNode& node) {
  if (node.kind != Kind::kInteger || node.text.size() > 11) return false;
  const int64_t number = integer_of(node);
  return number >= INT32_MIN && number <= INT32_MAX;
}

double floating_of(const JsonNode& node, bool single) {
  if (!node.is_number()) return 0;
  const std::string text(node.text);
  const double number =
      single ? static_cast<double>(std::strtof(text.c_str(), nullptr)) : std::strtod(text.c_str(), nullptr);
  // BigDecimal has no negative zero, so only a number that underflows keeps its sign.
  if (number == 0 && text.substr(0, text.find_first_of("eE")).find_first_of("123456789") == std::string::npos) return 0;
  return number;
}

class ValueReader {
 public:
  ValueReader(JsonReadOptions options, Arena& arena) : options_(options), arena_(arena) {}

  Expected<Value> read(const JsonPlan& plan, const JsonNode* node) {
    if (plan.step == Step::kAny) return node == nullptr ? Expected<Value>(null_value()) : any(*node);
    if (node == nullptr || node->kind == Kind::kNull || node->kind == Kind::kMissing) {
      if (plan.default_value != nullptr && options_.replace_null_with_default) return *plan.default_value;
      if (plan.optional) return null_value();
      return bad(fmt::format("Invalid null value for required {} field", type_name(plan.schema->type())));
    }
    switch (plan.step) {
      case Step::kBoolean:
        return boolean_value(node->kind == Kind::kBoolean && node->flag);
      case Step::kInt8:
        return scalar(MR_INT8, static_cast<int8_t>(integer_of(*node)));
      case Step::kInt16:
        return scalar(MR_INT16, static_cast<int16_t>(integer_of(*node)));
      case Step::kInt32:
        return scalar(MR_INT32, static_cast<int32_t>(integer_of(*node)));
      case Step::kInt64:
        return scalar(MR_INT64, integer_of(*node));
      case Step::kFloat32:
        return floating(MR_FLOAT32, floating_of(*node, true));
      case Step::kFloat64:
        return floating(MR_FLOAT64, floating_of(*node, false));
      case Step::kString:
        return node->is_string() ? string_value(node->text) : null_value();
      case Step::kBytes:
        return bytes(*node);
      case Step::kArray:
        return array(plan, *node);
      case Step::kMap:
        return map(plan, *node);
      case Step::kStruct:
        return record(plan, *node);
      case Step::kDecimal:
        return decimal(plan, *node);
      default:
        return date(plan, *node);
    }
  }

 private:
  Expected<Value> any(const JsonNode& node) {
    switch (node.kind) {
      case Kind::kMissing:
      case Kind::kNull:
        return null_value();
      case Kind::kBoolean:
        return boolean_value(node.flag);
      case Kind::kInteger:
        return int64_value(integer_of(node));
      case Kind::kFraction:
        return floating(MR_FLOAT64, floating_of(node, false));
      case Kind::kString:
        return string_value(node.text);
      case Kind::kArray:
        return list(nullptr, node);
      case Kind::kObject:
        return object(nullptr, node);
    }
    return null_value();
  }

  static Expected<Value> bytes_error() { return bad("Invalid bytes field"); }
  Expected<Value> bytes(const JsonNode& node) {
    if (!node.is_string()) return null_value();
    const auto decoded = decode_base64(node.text, arena_);
    if (!decoded) return bytes_error();
    return bytes_value(MR_BYTES, *decoded);
  }

  Expected<Value> list(const JsonPlan* elements, const JsonNode& node) {
    Value* items = arena_.allocate_array<Value>(node.count);
    size_t count = 0;
    for (const JsonNode* at = node.first; at != nullptr; at = at->next) {
      auto item = elements == nullptr ? any(*at) : read(*elements, at);
      if (!item) return item;
      items[count++] = *item;
    }
    return items_value(MR_ARRAY, {items, count});
  }
  Expected<Value> array(const JsonPlan& plan, const JsonNode& node) { return list(plan.value.get(), node); }

  Expected<Value> object(const JsonPlan* values, const JsonNode& node) {
    Value* items = arena_.allocate_array<Value>(size_t{2} * node.count);
    size_t count = 0;
    for (const JsonNode* at = node.first; at != nullptr; at = at->next) {
      auto item = values == nullptr ? any(*at) : read(*values, at);
      if (!item) return item;
      items[count++] = string_value(at->name);
      items[count++] = *item;
    }
    return items_value(MR_MAP, {items, count});
  }

  Expected<Value> map(const JsonPlan& plan, const JsonNode& node) {
    if (plan.string_keys) {
      if (node.kind != Kind::kObject) {
        return bad(
            fmt::format("Maps with string fields should be encoded as JSON objects, but found {}", node.kind_name()));
      }
      return object(plan.value.get(), node);
    }
    if (node.kind != Kind::kArray) {
      return bad(fmt::format("Maps with non-string fields should be encoded as JSON array of tuples, but found {}",
                             node.kind_name()));
    }
    Value* items = arena_.allocate_array<Value>(size_t{2} * node.count);
    size_t count = 0;
    for (const JsonNode* at = node.first; at != nullptr; at = at->next) {
      if (at->kind != Kind::kArray)
        return bad(fmt::format("Found invalid map entry instead of array tuple: {}", at->kind_name()));
      if (at->count != 2)
        return bad(fmt::format("Found invalid map entry, expected length 2 but found :{}", at->count));
      auto key = read(*plan.key, at->first);
      if (!key) return key;
      auto value = read(*plan.value, at->first->next);
      if (!value) return value;
      items[count++] = *key;
      items[count++] = *value;
    }
    return items_value(MR_MAP, {items, 2 * drop_duplicate_keys(items, count / 2)});
  }

  Expected<Value> record(const JsonPlan& plan, const JsonNode& node) {
    if (node.kind != Kind::kObject)
      return bad(fmt::format("Structs should be encoded as JSON objects, but found {}", node.kind_name()));
    Value* items = arena_.allocate_array<Value>(plan.members.size());
    for (size_t i = 0; i < plan.members.size(); ++i) {
      const auto& member = plan.members[i];
      auto item = read(*member.plan, node.member(member.name));
      if (!item) return item;
      if (auto status = check_nulls(*member.plan, *item, fmt::format("field: \"{}\"", member.name)); !status) {
        return fail(std::move(status.error()));
      }
      items[i] = *item;
    }
    return items_value(MR_STRUCT, {items, plan.members.size()});
  }

 public:
  /// Connect checks a value when it enters a struct: a coercion may have made a null where none is allowed.
  static Status check_nulls(const JsonPlan& plan, const Value& value, const std::string& place) {
    if (plan.step == Step::kAny) return {};
    if (is_null(value)) {
      if (plan.optional) return {};
      return bad(fmt::format("Invalid value: null used for required {}, schema type: {}", place,
                             type_name(plan.schema->type())));
    }
    if (plan.step != Step::kArray && plan.step != Step::kMap) return {};
    const auto items = items_of(value);
    for (size_t i = 0; i < items.size(); ++i) {
      const bool key = plan.step == Step::kMap && i % 2 == 0;
      const std::string inner = (plan.step == Step::kArray ? "element of array "
                                 : key                     ? "key of map "
                                                           : "value of map ") +
                                place;
      if (auto status = check_nulls(key ? *plan.key : *plan.value, items[i], inner); !status) return status;
    }
    return {};
  }

 private:
  Expected<Value> decimal(const JsonPlan& plan, const JsonNode& node) {
    if (node.is_number()) {
      const Number number(node.text);
      const int64_t scale = -number.exponent;
      if (scale < INT16_MIN || scale > INT16_MAX)
        return bad(fmt::format("Decimal {} has a scale outside of -32768 to 32767", node.text));
      return bytes_value(MR_DECIMAL, unscaled_of(number.digits, number.negative, arena_), static_cast<int16_t>(scale));
    }
    if (!node.is_string()) {
      return bad(
          fmt::format("Invalid type for Decimal, underlying representation should be numeric or bytes but was {}",
                      node.kind_name()));
    }
    const auto decoded = decode_base64(node.text, arena_);
    std::string why;
    if (!decoded || decoded->empty()) {
      why = decoded ? "Zero length BigInteger"
                    : "Cannot access contents of TextNode as binary due to broken Base64 encoding";
    } else if (plan.schema->parameter("scale") == nullptr) {
      why = "Invalid Decimal schema: scale parameter not found.";
    } else if (!plan.scale || *plan.scale < INT16_MIN || *plan.scale > INT16_MAX) {
      why = "Invalid scale parameter found in Decimal schema: ";
    } else {
      return bytes_value(MR_DECIMAL, shortest_unscaled(*decoded), static_cast<int16_t>(*plan.scale));
    }
    return fail(Error{ErrorCode::kBadRecord, std::move(why), {}, {}, {}}.wrap("Invalid bytes for Decimal field"));
  }

  /// Date, Time and Timestamp, and their names over other types than their own, which give a point in time.
  Expected<Value> date(const JsonPlan& plan, const JsonNode& node) {
    const std::string_view name = *plan.schema->name();
    const bool timestamp = name == kTimestampName;
    if (timestamp ? node.kind != Kind::kInteger : !fits_int32(node)) {
      return bad(fmt::format("Invalid type for {}, underlying representation should be {} but was {}",
                             name.substr(name.rfind('.') + 1), timestamp ? "integral" : "integer", node.kind_name()));
    }
    const int64_t number = integer_of(node);
    if (name == kTimeName && (number < 0 || number > kDayMs)) {
      return bad("Time values must use number of milliseconds greater than 0 and less than 86400000");
    }
    if (plan.step == Step::kOddLogical) return scalar(MR_TIMESTAMP, name == kDateName ? number * kDayMs : number);
    return scalar(timestamp ? MR_INT64 : MR_INT32, number);
  }

  JsonReadOptions options_;
  Arena& arena_;
};

/// Fields of a struct schema's JSON form.
Status read_fields(const JsonNode& node, JsonReadOptions options, SchemaParts& parts) {
  const JsonNode* fields = node.member("fields");
  if (fields == nullptr || fields->kind != Kind::kArray)
    return bad("Struct schema's \"fields\" argument is not an array.");
  std::unordered_set<std::string_view> names;
  for (const JsonNode* at = fields->first; at != nullptr; at = at->next) {
    const JsonNode* name = at->member("field");
    if (name == nullptr || !name->is_string()) return bad("Struct schema's field name not specified properly");
    auto schema = read_schema(*at, options);
    if (!schema) return fail(std::move(schema.error()));
    if (name->text.empty()) return bad_schema("fieldName cannot be null.");
    if (!names.insert(name->text).second)
      return bad_schema(fmt::format("Cannot create field because of field name duplication {}", name->text));
    parts.fields.push_back({std::string(name->text), std::move(*schema)});
  }
  return {};
}

Status read_map_schemas(const JsonNode& node, JsonReadOptions options, SchemaParts& parts) {
  const JsonNode* keys = node.member("keys");
  if (keys == nullptr) return bad("Map schema did not specify the key type");
  const JsonNode* values = node.member("values");
  if (values == nullptr) return bad("Map schema did not specify the value type");
  auto key_schema = read_schema(*keys, options);
  if (!key_schema) return fail(std::move(key_schema.error()));
  auto value_schema = read_schema(*values, options);
  if (!value_schema) return fail(std::move(value_schema.error()));
  if (*key_schema == nullptr) return bad_schema("keySchema cannot be null.");
  if (*value_schema == nullptr) return bad_schema("valueSchema cannot be null.");
  parts.key_schema = std::move(*key_schema);
  parts.value_schema = std::move(*value_schema);
  return {};
}

Status read_type(const JsonNode& node, JsonReadOptions options, SchemaParts& parts) {
  static const std::unordered_map<std::string_view, Type> kTypes = {
      {"boolean", Type::kBoolean}, {"int8", Type::kInt8},     {"int16", Type::kInt16},    {"int32", Type::kInt32},
      {"int64", Type::kInt64},     {"float", Type::kFloat32}, {"double", Type::kFloat64}, {"string", Type::kString},
      {"bytes", Type::kBytes},     {"array", Type::kArray},   {"map", Type::kMap},        {"struct", Type::kStruct}};
  const JsonNode* type = node.member("type");
  if (type == nullptr || !type->is_string()) return bad("Schema must contain 'type' field");
  const auto found = kTypes.find(type->text);
  if (found == kTypes.end()) return bad(fmt::format("Unknown schema type: {}", type->text));
  parts.type = found->second;
  if (parts.type == Type::kStruct) return read_fields(node, options, parts);
  if (parts.type == Type::kMap) return read_map_schemas(node, options, parts);
  if (parts.type != Type::kArray) return {};
  const JsonNode* items = node.member("items");
  if (items == nullptr || items->kind == Kind::kNull) return bad("Array schema did not specify the element type");
  auto element = read_schema(*items, options);
  if (!element) return fail(std::move(element.error()));
  parts.value_schema = std::move(*element);
  return {};
}

Status read_default(const JsonNode& node, JsonReadOptions options, SchemaParts& parts) {
  const SchemaPtr so_far = make_schema(parts);
  const JsonPlan plan(so_far.get());
  Arena arena(4096);
  auto value = read_value(plan, &node, options, arena);
  if (!value) return fail(std::move(value.error()));
  if (is_null(*value) && parts.optional) return {};
  auto status = ValueReader::check_nulls(plan, *value, "value");
  // A struct's schema has no default, so in the original it never equals the schema that gets the default.
  if (status && parts.type == Type::kStruct) status = bad("Struct schemas do not match.");
  if (!status) {
    Error outer = std::move(status.error()).wrap("Invalid default value");
    outer.exception = "org.apache.kafka.connect.errors.SchemaBuilderException";
    return fail(std::move(outer));
  }
  parts.default_value = OwnedValue(*value);
  return {};
}

}  // namespace

Expected<SchemaPtr> read_schema(const JsonNode& node, JsonReadOptions options) {
  if (node.kind == Kind::kNull) return SchemaPtr();
  SchemaParts parts;
  if (auto status = read_type(node, options, parts); !status) return fail(std::move(status.error()));
  if (const JsonNode* flag = node.member("optional")) parts.optional = flag->kind == Kind::kBoolean && flag->flag;
  if (const JsonNode* name = node.member("name"); name != nullptr && name->is_string())
    parts.name = std::string(name->text);
  if (const JsonNode* version = node.member("version"); version != nullptr && version->kind == Kind::kInteger) {
    parts.version = static_cast<int32_t>(integer_of(*version));
  }
  if (const JsonNode* doc = node.member("doc"); doc != nullptr && doc->is_string()) parts.doc = std::string(doc->text);
  if (const JsonNode* parameters = node.member("parameters");
      parameters != nullptr && parameters->kind == Kind::kObject) {
    for (const JsonNode* at = parameters->first; at != nullptr; at = at->next) {
      if (!at->is_string()) return bad("Schema parameters must have string values.");
      parts.parameters.emplace_back(std::string(at->name), std::string(at->text));
    }
  }
  if (const JsonNode* value = node.member("default")) {
    if (auto status = read_default(*value, options, parts); !status) return fail(std::move(status.error()));
  }
  return make_schema(std::move(parts));
}

Expected<Value> read_value(const JsonPlan& plan, const JsonNode* node, JsonReadOptions options, Arena& arena) {
  return ValueReader(options, arena).read(plan, node);
}

namespace {
constexpr size_t kSmallMapEntries = 16;

/// Equal values have equal hashes; collections share one, which only costs time.
size_t hash_of(const Value& value) {
  if (value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL)
    return std::hash<std::string_view>{}(bytes_of(value));
  return value.kind >= MR_ARRAY && value.kind <= MR_STRUCT ? value.kind : std::hash<int64_t>{}(value.u.i64);
}
}  // namespace

size_t drop_duplicate_keys(Value* items, size_t entries) {
  size_t kept = 0;
  std::unordered_multimap<size_t, size_t> large;
  for (size_t i = 0; i < entries; ++i) {
    const Value key = items[2 * i], value = items[2 * i + 1];
    size_t same = kept;
    if (entries <= kSmallMapEntries) {
      for (same = 0; same < kept && !equal(items[2 * same], key); ++same) {
      }
    } else {
      const auto [from, to] = large.equal_range(hash_of(key));
      for (auto at = from; at != to; ++at) same = equal(items[2 * at->second], key) ? at->second : same;
      if (same == kept) large.emplace(hash_of(key), kept);
    }
    items[2 * same] = key;
    items[2 * same + 1] = value;
    if (same == kept) ++kept;
  }
  return kept;
}

}  // namespace millrace
