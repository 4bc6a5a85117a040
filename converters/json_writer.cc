#include "converters/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converters/converter.h"
#include "core/java_text.h"

namespace millrace {
namespace {

using Step = JsonPlan::Step;
constexpr int64_t kDayMs = 86'400'000;

std::string_view schema_type(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "boolean";
    case Type::kInt8:
      return "int8";
    case Type::kInt16:
      return "int16";
    case Type::kInt32:
      return "int32";
    case Type::kInt64:
      return "int64";
    case Type::kFloat32:
      return "float";
    case Type::kFloat64:
      return "double";
    case Type::kString:
      return "string";
    case Type::kBytes:
      return "bytes";
    case Type::kArray:
      return "array";
    case Type::kMap:
      return "map";
    case Type::kStruct:
      return "struct";
  }
  return "";
}

/// The kind of value that a step takes; MR_NULL for steps that look themselves.
uint8_t kind_of(Step step) {
  return step >= Step::kBoolean && step <= Step::kStruct ? static_cast<uint8_t>(step) : uint8_t{MR_NULL};
}
static_assert(static_cast<int>(Step::kBoolean) == MR_BOOLEAN && static_cast<int>(Step::kStruct) == MR_STRUCT);

}  // namespace

bool JsonWriter::fail_with(std::string message) {
  error_ = std::move(message);
  return false;
}

bool JsonWriter::wrong_type(const JsonPlan& plan, const Value& value) {
  if (plan.step == Step::kBytes)
    return fail_with(fmt::format("Invalid type for bytes type: class {}", java_class(value)));
  return fail_with(fmt::format("Invalid type for {}: class {}", type_name(plan.schema->type()), java_class(value)));
}

Expected<std::string_view> JsonWriter::payload(const JsonPlan& plan, const Value& value) {
  out_.clear();
  if (!write(plan, value)) return fail(ErrorCode::kBadRecord, std::move(error_));
  return out_.text();
}

Expected<std::string> JsonWriter::envelope(const Schema* schema) {
  out_.clear();
  out_.put("{\"schema\":");
  if (!write_schema(schema, nullptr)) return fail(ErrorCode::kBadRecord, std::move(error_));
  out_.put(",\"payload\":");
  return std::string(out_.text());
}

bool JsonWriter::write(const JsonPlan& plan, const Value& value) {
  if (is_null(value)) return write_null(plan);
  if (const uint8_t kind = kind_of(plan.step); kind != MR_NULL && kind != value.kind) return wrong_type(plan, value);
  switch (plan.step) {
    case Step::kAny:
      return write_any(value);
    case Step::kBoolean:
      out_.put(value.u.i64 != 0 ? std::string_view("true") : std::string_view("false"));
      return true;
    case Step::kInt8:
    case Step::kInt16:
    case Step::kInt32:
    case Step::kInt64:
      out_.put_integer(value.u.i64);
      return true;
    case Step::kFloat32:
    case Step::kFloat64:
      write_floating(value);
      return true;
    case Step::kString:
      out_.put_string(bytes_of(value));
      return true;
    case Step::kBytes:
      out_.put_base64(bytes_of(value));
      return true;
    case Step::kArray:
      return write_array(plan, value);
    case Step::kMap:
      return write_map(&plan, value);
    case Step::kStruct:
      return write_struct(plan, value);
    case Step::kDecimal:
      return write_decimal(plan, value);
    case Step::kDate:
    case Step::kTime:
    case Step::kTimestamp:
    case Step::kOddLogical:
      return write_date(plan, value);
  }
  return false;
}

bool JsonWriter::write_null(const JsonPlan& plan) {
  if (plan.default_value != nullptr && options_.replace_null_with_default) {
    // The original compares the schema of a struct's default with the schema that has the default: they always differ.
    if (plan.step == Step::kStruct) return fail_with("Mismatching schema.");
    return write(plan, *plan.default_value);
  }
  if (!plan.optional)
    return fail_with("Conversion error: null value for field that is required and has no default value");
  out_.put("null");
  return true;
}

void JsonWriter::write_floating(const Value& value) {
  const bool quoted = !std::isfinite(value.u.f64);
  char* to = out_.room(kJavaNumberBytesMax + 2);
  if (quoted) *to++ = '"';
  to = value.kind == MR_FLOAT32 ? write_java_float(to, static_cast<float>(value.u.f64))
                                : write_java_double(to, value.u.f64);
  if (quoted) *to++ = '"';
  out_.advance(to);
}

bool JsonWriter::write_any(const Value& value) {
  switch (value.kind) {
    case MR_BOOLEAN:
      out_.put(value.u.i64 != 0 ? std::string_view("true") : std::string_view("false"));
      return true;
    case MR_INT8:
    case MR_INT16:
    case MR_INT32:
    case MR_INT64:
      out_.put_integer(value.u.i64);
      return true;
    case MR_FLOAT32:
    case MR_FLOAT64:
      write_floating(value);
      return true;
    case MR_STRING:
      out_.put_string(bytes_of(value));
      return true;
    case MR_BYTES:
      out_.put_base64(bytes_of(value));
      return true;
    case MR_MAP:
      return write_map(nullptr, value);
    case MR_STRUCT:
      return fail_with("Mismatching schema.");
    case MR_ARRAY:
      break;
    default:
      return fail_with(fmt::format("Java class class {} does not have corresponding schema type.", java_class(value)));
  }
  out_.put('[');
  bool first = true;
  for (const Value& item : items_of(value)) {
    if (!first) out_.put(',');
    first = false;
    if (is_null(item)) {
      out_.put("null");
    } else if (!write_any(item)) {
      return false;
    }
  }
  out_.put(']');
  return true;
}

bool JsonWriter::write_struct(const JsonPlan& plan, const Value& value) {
  if (value.size != plan.members.size()) return fail_with("Mismatching schema.");
  if (plan.memo == nullptr) return write_members(plan, value, 0, nullptr);
  JsonMemo& memo = *plan.memo;
  if (memo.idle > 0) {
    --memo.idle;
    return write_members(plan, value, 0, nullptr);
  }
  constexpr uint32_t kIdleStructs = 64;
  const size_t same = same_members(plan, value);
  if (memo.known != 0 && same < plan.members.size() / 2) memo.idle = kIdleStructs;
  memo.known = same;
  return write_members(plan, value, same, &memo);
}

/// Writes the members from `first` on; those before it stand in the memo, which then knows all of them.
bool JsonWriter::write_members(const JsonPlan& plan, const Value& value, size_t first, JsonMemo* memo) {
  const size_t begin = out_.size();
  if (first == 0) {
    out_.put('{');
  } else {
    out_.put(std::string_view(memo->text).substr(0, memo->members[first - 1].end));
  }
  const size_t copied = out_.size() - begin;
  for (size_t i = first; i < plan.members.size(); ++i) {
    const JsonPlan::Member& member = plan.members[i];
    out_.put_blocks(i != 0, member.padded, member.key_size);
    const Value& field = value.u.items[i];
    const size_t start = out_.size();
    // The most frequent ones without a call.
    if (member.plan->step == Step::kString && field.kind == MR_STRING) {
      out_.put_string(bytes_of(field));
    } else if (member.plan->step == Step::kInt64 && field.kind == MR_INT64) {
      out_.put_integer(field.u.i64);
    } else if (!write(*member.plan, field)) {
      return false;
    }
    if (memo != nullptr) {
      const bool escaped = field.kind == MR_STRING && out_.text().substr(start).find('\\') != std::string_view::npos;
      memo->members[i] = {field.kind, escaped, static_cast<uint32_t>(out_.size() - begin), field.u.i64};
    }
  }
  if (memo != nullptr) {
    constexpr size_t kKeptBytes = 4096;
    const bool keep = out_.size() - begin <= kKeptBytes;
    memo->text.resize(first == 0 ? 0 : copied);
    if (keep) memo->text.append(out_.text().substr(begin + memo->text.size()));
    memo->known = keep ? plan.members.size() : first;
  }
  out_.put('}');
  return true;
}

/// How many of the first members have the text that the memo holds.
size_t JsonWriter::same_members(const JsonPlan& plan, const Value& value) {
  const JsonMemo& memo = *plan.memo;
  for (size_t i = 0; i < memo.known; ++i) {
    const JsonMemo::Member& known = memo.members[i];
    const Value& field = value.u.items[i];
    if (field.kind != known.kind) return i;
    if (field.kind == MR_NULL) continue;
    if (field.kind >= MR_BOOLEAN && field.kind <= MR_FLOAT64) {
      if (field.u.i64 != known.number) return i;
      continue;
    }
    if (field.kind != MR_STRING) return i;
    // Compared with what was written, which is the bytes themselves where nothing had to be escaped: the text of a line
    // end is also that of a backslash and an n, but not what those are written as.
    if (known.escaped) return i;
    const size_t begin = (i == 0 ? 1 : memo.members[i - 1].end + 1) + plan.members[i].key_size;
    if (known.end - begin != field.size + size_t{2}) return i;
    if (std::memcmp(memo.text.data() + begin + 1, field.u.bytes, field.size) != 0) return i;
  }
  return memo.known;
}

bool JsonWriter::write_array(const JsonPlan& plan, const Value& value) {
  out_.put('[');
  for (uint32_t i = 0; i < value.size; ++i) {
    if (i != 0) out_.put(',');
    if (!write(*plan.value, value.u.items[i])) return false;
  }
  out_.put(']');
  return true;
}

bool JsonWriter::write_map(const JsonPlan* plan, const Value& value) {
  static const JsonPlan any(nullptr);
  const JsonPlan& keys = plan == nullptr ? any : *plan->key;
  const JsonPlan& values = plan == nullptr ? any : *plan->value;
  const auto items = items_of(value);
  bool as_object = plan != nullptr && plan->string_keys;
  if (keys.step == Step::kAny) {
    as_object = true;
    for (size_t i = 0; i < items.size(); i += 2) as_object = as_object && items[i].kind == MR_STRING;
  }
  out_.put(as_object ? '{' : '[');
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (i != 0) out_.put(',');
    if (!as_object) out_.put('[');
    if (as_object ? !write_map_key(&keys, items[i]) : !write(keys, items[i])) return false;
    out_.put(as_object ? ':' : ',');
    if (!write(values, items[i + 1])) return false;
    if (!as_object) out_.put(']');
  }
  out_.put(as_object ? '}' : ']');
  return true;
}

bool JsonWriter::write_map_key(const JsonPlan* plan, const Value& key) {
  if (key.kind == MR_STRING) {
    out_.put_string(bytes_of(key));
    return true;
  }
  if (!is_null(key)) return wrong_type(*plan, key);
  if (plan->optional && (plan->default_value == nullptr || !options_.replace_null_with_default)) {
    out_.put("\"null\"");
    return true;
  }
  return write_null(*plan);
}

bool JsonWriter::write_decimal(const JsonPlan& plan, const Value& value) {
  if (value.kind != MR_DECIMAL) {
    return fail_with(fmt::format("Invalid type for Decimal, expected BigDecimal but was class {}", java_class(value)));
  }
  if (options_.decimal_numeric) {
    scratch_.clear();
    append_java_decimal(scratch_, bytes_of(value), value.scale);
    out_.put(scratch_);
    return true;
  }
  if (!plan.scale) {
    return fail_with(plan.schema->parameter("scale") == nullptr ? "Invalid Decimal schema: scale parameter not found."
                                                                : "Invalid scale parameter found in Decimal schema: ");
  }
  if (value.scale != *plan.scale) {
    return fail_with(fmt::format(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {}, value has scale {}.",
        *plan.scale, value.scale));
  }
  out_.put_base64(shortest_unscaled(bytes_of(value)));
  return true;
}

bool JsonWriter::write_date(const JsonPlan& plan, const Value& value) {
  const std::string_view name = *plan.schema->name();
  const std::string_view short_name = name.substr(name.rfind('.') + 1);
  const bool own_number = plan.step != Step::kOddLogical && value.kind == static_cast<uint8_t>(plan.schema->type());
  if (!own_number && value.kind != MR_TIMESTAMP) {
    return fail_with(fmt::format("Invalid type for {}, expected Date but was class {}", short_name, java_class(value)));
  }
  int64_t number = value.u.i64;
  if (name == kTimeName && (number < 0 || number > kDayMs)) {
    return fail_with("Kafka Connect Time type should not have any date fields set to non-zero values.");
  }
  if (name == kDateName && !own_number) {
    if (number % kDayMs != 0)
      return fail_with("Kafka Connect Date type should not have any time fields set to non-zero values.");
    number /= kDayMs;
  }
  out_.put_integer(number);
  return true;
}

bool JsonWriter::write_schema(const Schema* schema, const std::string* field) {
  if (schema == nullptr) {
    out_.put("null");
    return true;
  }
  const auto member = [&](std::string_view key, const std::string& text) {
    out_.put(key);
    out_.put_string(text);
  };
  out_.put("{\"type\":\"");
  out_.put(schema_type(schema->type()));
  out_.put('"');
  if (schema->type() == Type::kArray) {
    out_.put(",\"items\":");
    if (!write_schema(schema->value_schema(), nullptr)) return false;
  } else if (schema->type() == Type::kMap) {
    out_.put(",\"keys\":");
    if (!write_schema(schema->key_schema(), nullptr)) return false;
    out_.put(",\"values\":");
    if (!write_schema(schema->value_schema(), nullptr)) return false;
  } else if (schema->type() == Type::kStruct) {
    out_.put(",\"fields\":[");
    bool first = true;
    for (const Field& one : schema->fields()) {
      if (!first) out_.put(',');
      first = false;
      if (!write_schema(one.schema.get(), &one.name)) return false;
    }
    out_.put(']');
  }
  out_.put(schema->optional() ? std::string_view(",\"optional\":true") : std::string_view(",\"optional\":false"));
  if (schema->name()) member(",\"name\":", *schema->name());
  if (schema->version()) {
    out_.put(",\"version\":");
    out_.put_integer(*schema->version());
  }
  if (schema->doc()) member(",\"doc\":", *schema->doc());
  if (!schema->parameters().empty()) {
    out_.put(",\"parameters\":{");
    bool first = true;
    for (const auto& [key, value] : schema->parameters()) {
      if (!first) out_.put(',');
      first = false;
      out_.put_string(key);
      member(":", value);
    }
    out_.put('}');
  }
  if (schema->default_value() != nullptr && !is_null(*schema->default_value())) {
    const JsonPlan plan(schema);
    out_.put(",\"default\":");
    if (plan.step == Step::kStruct) return fail_with("Mismatching schema.");
    if (!write(plan, *plan.default_value)) return false;
  }
  if (field != nullptr) member(",\"field\":", *field);
  out_.put('}');
  return true;
}

}  // namespace millrace
