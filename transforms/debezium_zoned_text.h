/// ISO 8601 texts with an offset, as java.time reads and writes them: 2018-06-20T15:13:16.945104Z, 15:13:16+02:00.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "data/arena.h"

namespace millrace::debezium {

struct ZonedText {
  int64_t local = 0;  ///< what the clock shows, as seconds since 1970-01-01; without a date: of the day
  int32_t nanos = 0;
  int32_t offset = 0;  ///< seconds east of UTC
};

/// Nothing when malformed.
std::optional<ZonedText> parse_zoned_date_time(std::string_view text);
std::optional<ZonedText> parse_zoned_time(std::string_view text);
/// The same moment at another offset, as text in `arena`.
std::string_view at_offset(const ZonedText& moment, int32_t offset, bool with_date, Arena& arena);

}  // namespace millrace::debezium
