/// What the SQL of all databases writes alike: numbers and Connect's dates and times.
/// Threads: any (pure).
#pragma once

#include <string>
#include <vector>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

/// "Decimal", "Date", "Time", "Timestamp" for Connect's logical types, else empty.
std::string_view connect_logical(const mr_schema& schema);

/// yyyy-MM-dd, HH:mm:ss.SSS or both for a value of Connect's Date, Time or Timestamp in the zones of `options`, without
/// quotes; empty for all else.
std::string logical_time_text(const mr_schema& schema, const mr_value& value, const WriteOptions& options);

/// An integer, floating point or decimal number; empty for all else.
std::string number_text(const mr_value& value);

/// `text` between two `mark`s, those within it doubled: a quoted name, or a text where backslashes mean nothing.
std::string enclosed(std::string_view text, char mark);

/// `names` with `separator` between them.
std::string joined(const std::vector<std::string>& names, std::string_view separator);

}  // namespace millrace::jdbc
