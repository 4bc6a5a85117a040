/// Batches as compaction leaves them: with fewer records, or with none. Base offset, last offset delta, sequence and
/// epochs stay, so that nothing that is counted by them moves.
#pragma once

#include <span>
#include <string>

#include "core/error.h"
#include "protocol/record_batch.h"

namespace millrace {

/// Appends to `out` the batch with only the `retained` records (at least one, at their old offsets). With
/// `delete_horizon_ms` >= 0 the header carries the horizon as base timestamp, and bit 6.
/// Errors: kInternal from the codec.
Status append_retained_batch(const RecordBatchView& batch, std::span<const RecordView> retained,
                             int64_t delete_horizon_ms, std::string& out);

/// Appends to `out` the batch without records, which only keeps its offsets and its producer's sequence.
void append_empty_batch(const RecordBatchView& batch, std::string& out);

}  // namespace millrace
