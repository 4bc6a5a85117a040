#include "converters/string_converter.h"

#include <fmt/format.h>

#include "converters/civil_date.h"
#include "converters/json_text.h"
#include "core/invariant.h"
#include "core/java_text.h"

namespace millrace {
namespace {

/// java.util.Date.toString in UTC.
void append_date(std::string& out, int64_t epoch_ms) {
  static constexpr std::string_view kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t days = floor_div(epoch_ms, kDayMs), ms = epoch_ms - days * kDayMs;
  const auto [year, month, day] = civil_from_days(days);
  const int64_t seconds = ms / 1000;
  out += fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}", kDays[static_cast<size_t>(((days % 7) + 7) % 7)],
                     kMonths[static_cast<size_t>(month - 1)], day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                     year < 1 ? 1 - year : year);
}

void append_base64(std::string& out, std::string_view bytes) {
  JsonBuffer buffer;
  buffer.put_base64(bytes);
  out.append(buffer.text().substr(1, buffer.text().size() - 2));
}

void append_struct(std::string& out, const Schema* schema, const Value& value) {
  out += "Struct{";
  bool first = true;
  for (uint32_t i = 0; schema != nullptr && i < value.size && i < schema->fields().size(); ++i) {
    const Field& field = schema->fields()[i];
    const Value* item = &value.u.items[i];
    if (is_null(*item) && field.schema->default_value() != nullptr) item = field.schema->default_value();
    if (is_null(*item)) continue;
    if (!first) out += ',';
    first = false;
    out.append(field.name).append("=");
    append_java_text(out, field.schema.get(), *item);
  }
  out += '}';
}

void append_items(std::string& out, const Schema* schema, const Value& value) {
  const bool map = value.kind == MR_MAP;
  const auto items = items_of(value);
  out += map ? '{' : '[';
  for (size_t i = 0; i < items.size(); ++i) {
    const bool key = map && i % 2 == 0;
    if (i != 0) out += map && !key ? "=" : ", ";
    append_java_text(out, schema == nullptr ? nullptr : key ? schema->key_schema() : schema->value_schema(), items[i]);
  }
  out += map ? '}' : ']';
}

}  // namespace

void append_java_text(std::string& out, const Schema* schema, const Value& value) {
  switch (value.kind) {
    case MR_NULL:
      out += "null";
      return;
    case MR_BOOLEAN:
      out += value.u.i64 != 0 ? "true" : "false";
      return;
    case MR_INT32:
      if (schema != nullptr && schema->is_date()) return append_date(out, value.u.i64 * kDayMs);
      if (schema != nullptr && schema->is_time()) return append_date(out, value.u.i64);
      [[fallthrough]];
    case MR_INT8:
    case MR_INT16:
    case MR_INT64:
      if (schema != nullptr && schema->is_timestamp()) return append_date(out, value.u.i64);
      out += std::to_string(value.u.i64);
      return;
    case MR_TIMESTAMP:
      return append_date(out, value.u.i64);
    case MR_FLOAT32:
      out += java_float_text(static_cast<float>(value.u.f64));
      return;
    case MR_FLOAT64:
      out += java_double_text(value.u.f64);
      return;
    case MR_STRING:
      out += bytes_of(value);
      return;
    case MR_BYTES:
      return append_base64(out, bytes_of(value));
    case MR_DECIMAL:
      return append_java_decimal(out, bytes_of(value), value.scale);
    case MR_STRUCT:
      return append_struct(out, schema, value);
    default:
      return append_items(out, schema, value);
  }
}

const ConfigDef& StringConverter::config_def() {
  static const ConfigDef def = [] {
    auto made = ConfigDef::create(
        {{.name = "converter.type",
          .importance = ConfigImportance::kLow,
          .documentation = "How this converter will be used."},
         {.name = "converter.encoding",
          .default_value = "UTF-8",
          .importance = ConfigImportance::kHigh,
          .documentation = "The name of the Java character set to use for encoding strings as byte arrays.",
          .width = ConfigWidth::kMedium,
          .display_name = "Encoding"}});
    invariant(made.has_value(), "StringConverter's options fit their own rules");
    return std::move(*made);
  }();
  return def;
}

Status StringConverter::configure(const ConfigMap& settings, bool is_key) {
  auto found = settings.find(is_key ? "key.converter.encoding" : "value.converter.encoding");
  if (found == settings.end()) found = settings.find("converter.encoding");
  if (found == settings.end()) return {};
  const std::string name(java_trim(found->second));
  encoder_ = Charset::open(name);
  decoder_ = Charset::open(name);
  if (encoder_ != nullptr) return {};
  return fail(Error{ErrorCode::kInvalidConfig,
                    "Unsupported encoding " + name,
                    "org.apache.kafka.common.errors.SerializationException",
                    {},
                    {}});
}

Expected<bool> StringConverter::from_connect(std::string_view, const Schema* schema, const Value& value,
                                             std::string& out) {
  if (is_null(value)) return false;
  if (value.kind == MR_STRING) {
    encoder_->encode(bytes_of(value), out);
    return true;
  }
  text_.clear();
  append_java_text(text_, schema, value);
  encoder_->encode(text_, out);
  return true;
}

Expected<SchemaAndValue> StringConverter::to_connect(std::string_view, std::optional<std::string_view> bytes,
                                                     Arena& arena) {
  if (!bytes) return SchemaAndValue{schema_.get(), null_value()};
  return SchemaAndValue{schema_.get(), string_value(decoder_->decode(*bytes, arena))};
}

}  // namespace millrace
