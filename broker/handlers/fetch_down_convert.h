/// Record batches as message sets of magic 0 and 1, for Fetch requests that are older than record batches (0 to 3).
#pragma once

#include <string>

#include "core/error.h"
#include "log/partition_log.h"

namespace millrace {

/// The records of `slice` from `offset` on as uncompressed messages of `magic`; headers are lost, and control batches
/// left out. Where the slice holds nothing for such a client, what follows it is taken, so that the client gets on.
/// Errors: UnsupportedCompressionTypeException for zstd, which these clients cannot know; those of reading.
Expected<std::string> down_convert(const PartitionLog& log, int64_t offset, const LogSlice& slice, int8_t magic);

}  // namespace millrace
