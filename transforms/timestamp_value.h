/// One timestamp turned into another form, as Connect's TimestampConverter does it.
#pragma once

#include <optional>

#include "transforms/java_date_format.h"
#include "transforms/operand.h"

namespace millrace::smt {

enum class TimestampForm : uint8_t { kString, kUnix, kDate, kTime, kTimestamp };

/// The form that a schema's values have. Errors: kBadRecord.
Expected<TimestampForm> timestamp_form(const Schema& schema);
/// The schema of values in that form.
SchemaPtr timestamp_form_schema(TimestampForm form, bool optional);

struct TimestampTarget {
  TimestampForm form = TimestampForm::kTimestamp;
  std::optional<JavaDateFormat> format;  ///< for strings
  int64_t unix_per_second = 1000;        ///< precision of numbers: 1, 1000, 1'000'000 or 1'000'000'000
  std::string scratch = {};              ///< room for texts
};

/// With a schema, of that form; a null stays null. Errors: kBadRecord with Connect's texts.
Expected<Value> convert_timestamp(TimestampTarget& target, const Schema& schema, TimestampForm from, const Value& value,
                                  Arena& arena);
/// Without a schema: a number, a string or a moment.
Expected<Value> convert_timestamp(TimestampTarget& target, const Value& value, Arena& arena);

}  // namespace millrace::smt
