/// Finding a batch in a log file by its offset, from a position that an index has given.
#pragma once

#include <cstdint>
#include <optional>

#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

struct BatchPlace {
  uint64_t position = 0;
  uint64_t size_bytes = 0;
  int64_t base_offset = 0;
  int64_t last_offset = 0;
};

/// The first batch at or behind `position` (the start of a batch) whose last offset reaches `offset`; nothing when
/// none before `end` does. Reads headers only, several with one read where they lie close together.
/// Errors: kCorruption for a length that cannot be; kUnavailable from the file.
Expected<std::optional<BatchPlace>> seek_batch(const File& file, uint64_t position, uint64_t end, int64_t offset);

}  // namespace millrace
