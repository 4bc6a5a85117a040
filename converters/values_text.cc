#include "converters/values_text.h"

#include <fmt/format.h>

#include <iterator>

#include "converters/civil_date.h"
#include "converters/json_text.h"
#include "converters/string_converter.h"

namespace millrace {
namespace {

void append_element(std::string& out, const Schema* schema, const Value& value);

/// As Java chooses: a time before the second day, a date at midnight, else both.
void append_moment(std::string& out, int64_t epoch_ms) {
  const int64_t days = floor_div(epoch_ms, kDayMs), ms = epoch_ms - days * kDayMs;
  const bool date = epoch_ms >= kDayMs, time = !date || ms != 0;
  const auto to = std::back_inserter(out);
  if (date) {
    const CivilDate civil = civil_from_days(days);
    fmt::format_to(to, "{:04}-{:02}-{:02}", civil.year, civil.month, civil.day);
  }
  if (date && time) out += 'T';
  if (time) fmt::format_to(to, "{:02}:{:02}:{:02}.{:03}Z", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_base64(std::string& out, std::string_view bytes, bool quoted) {
  JsonBuffer buffer;
  buffer.put_base64(bytes);
  const std::string_view text = buffer.text();
  out += quoted ? text : text.substr(1, text.size() - 2);
}

void append_array(std::string& out, const Schema* schema, const Value& value) {
  out += '[';
  for (const Value& item : items_of(value)) {
    if (&item != value.u.items) out += ',';
    append_element(out, schema == nullptr ? nullptr : schema->value_schema(), item);
  }
  out += ']';
}

void append_map(std::string& out, const Schema* schema, const Value& value) {
  out += '{';
  const auto items = items_of(value);
  for (size_t i = 0; i < items.size(); i += 2) {
    if (i != 0) out += ',';
    append_element(out, schema == nullptr ? nullptr : schema->key_schema(), items[i]);
    out += ':';
    append_element(out, schema == nullptr ? nullptr : schema->value_schema(), items[i + 1]);
  }
  out += '}';
}

void append_struct(std::string& out, const Schema* schema, const Value& value) {
  out += '{';
  for (uint32_t i = 0; schema != nullptr && i < value.size && i < schema->fields().size(); ++i) {
    const Field& field = schema->fields()[i];
    const Value* fallback = field.schema->default_value();
    const Value& item = is_null(value.u.items[i]) && fallback != nullptr ? *fallback : value.u.items[i];
    if (i != 0) out += ',';
    append_quoted(out, field.name);
    out += ':';
    append_element(out, field.schema.get(), item);
  }
  out += '}';
}

void append(std::string& out, const Schema* schema, const Value& value, bool quoted) {
  switch (value.kind) {
    case MR_STRING:
      if (quoted) return append_quoted(out, bytes_of(value));
      out += bytes_of(value);
      return;
    case MR_BYTES:
      return append_base64(out, bytes_of(value), quoted);
    case MR_ARRAY:
      return append_array(out, schema, value);
    case MR_MAP:
      return append_map(out, schema, value);
    case MR_STRUCT:
      return append_struct(out, schema, value);
    case MR_TIMESTAMP:
      return append_moment(out, value.u.i64);
    case MR_INT32:
      if (schema != nullptr && schema->is_date()) return append_moment(out, value.u.i64 * kDayMs);
      if (schema != nullptr && schema->is_time()) return append_moment(out, value.u.i64);
      break;
    case MR_INT64:
      if (schema != nullptr && schema->is_timestamp()) return append_moment(out, value.u.i64);
      break;
    default:
      break;
  }
  append_java_text(out, nullptr, value);
}

void append_element(std::string& out, const Schema* schema, const Value& value) { append(out, schema, value, true); }

}  // namespace

void append_values_text(std::string& out, const Schema* schema, const Value& value) {
  append(out, schema, value, false);
}

}  // namespace millrace
