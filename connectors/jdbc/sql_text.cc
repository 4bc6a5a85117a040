#include "connectors/jdbc/sql_text.h"

#include <charconv>
#include <cstdio>

#include "connectors/jdbc/decimal.h"

namespace millrace::jdbc {
namespace {

constexpr std::string_view kLogicalPrefix = "org.apache.kafka.connect.data.";

std::string date_text(const Civil& civil) {
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", civil.year, civil.month, civil.day);
  return text;
}

std::string time_text(const Civil& civil) {
  char text[32];
  std::snprintf(text, sizeof(text), "%02u:%02u:%02u.%03u", civil.hour, civil.minute, civil.second, civil.micros / 1000);
  return text;
}

template <class Number>
std::string shortest(Number number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

}  // namespace

std::string_view connect_logical(const mr_schema& schema) {
  const std::string_view name = sdk::view(schema.name);
  return name.starts_with(kLogicalPrefix) ? name.substr(kLogicalPrefix.size()) : std::string_view();
}

std::string logical_time_text(const mr_schema& schema, const mr_value& value, const WriteOptions& options) {
  const std::string_view name = connect_logical(schema);
  if (value.kind < MR_INT8 || value.kind > MR_INT64) return "";
  if (name == "Date") {
    const WallClock clock{options.date_zone, options.clock.calendar};
    return date_text(clock.civil_of(value.u.i64 * 86400, 0));
  }
  if (name != "Time" && name != "Timestamp") return "";
  const int64_t millis = value.u.i64;
  const int64_t seconds = millis >= 0 ? millis / 1000 : -((999 - millis) / 1000);
  const Civil civil = options.clock.civil_of(seconds, static_cast<uint32_t>((millis - seconds * 1000) * 1000));
  return name == "Time" ? time_text(civil) : date_text(civil) + " " + time_text(civil);
}

std::string number_text(const mr_value& value) {
  switch (value.kind) {
    case MR_INT8:
    case MR_INT16:
    case MR_INT32:
    case MR_INT64:
      return std::to_string(value.u.i64);
    case MR_FLOAT32:
      return shortest(static_cast<float>(value.u.f64));
    case MR_FLOAT64:
      return shortest(value.u.f64);
    case MR_DECIMAL: {
      char text[kDecimalTextMax];
      return {text, decimal_text({value.u.bytes, value.size}, value.scale, text)};
    }
    default:
      return "";
  }
}

std::string joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0) out += separator;
    out += names[i];
  }
  return out;
}

std::string enclosed(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) out.append(c == mark ? 2 : 1, c);
  return out + mark;
}

}  // namespace millrace::jdbc
