/// Time zones as java.time knows them: offsets like +05:30 and the regions of the system's zoneinfo.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace::debezium {

/// Threads: any (immutable). All times are seconds since the epoch.
class Zone {
 public:
  /// `+hh:mm` or `+hh:mm:ss`. Errors: kInvalidConfig when an hour, minute or second is out of range.
  static Expected<Zone> from_offset(std::string_view text);
  /// From the system's zoneinfo (the folder that TZDIR names, or /usr/share/zoneinfo). Errors: kNotFound.
  static Expected<Zone> from_region(std::string_view name);

  /// Seconds east of UTC at an instant.
  int32_t offset_at(int64_t instant) const;
  /// Seconds east of UTC when clocks show `local`; what clocks show twice or never has the offset before the change.
  int32_t offset_at_local(int64_t local) const;

 private:
  struct Change {
    int64_t at;
    int32_t before, after;
  };
  friend class ZoneFile;

  int32_t first_offset_ = 0;
  std::vector<Change> changes_;
  bool repeats_ = false;  // the changes go on for ever: later years are as those 400 years before
};

}  // namespace millrace::debezium
