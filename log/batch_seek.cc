#include "log/batch_seek.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/record_batch.h"

namespace millrace {
namespace {

/// Batches smaller than the default index interval lie together in one read; larger ones have an index entry each.
constexpr size_t kReadBytes = 4096;

}  // namespace

Expected<std::optional<BatchPlace>> seek_batch(const File& file, uint64_t position, uint64_t end, int64_t offset) {
  std::array<char, kReadBytes> buffer;
  uint64_t buffer_at = position;
  size_t buffered = 0;
  while (end - position >= batch_format::kHeaderBytes) {
    if (position - buffer_at + batch_format::kHeaderBytes > buffered) {
      auto got = file.read_at(position, buffer.data(), std::min<uint64_t>(buffer.size(), end - position));
      if (!got) return fail(std::move(got.error()));
      if (*got < batch_format::kHeaderBytes) break;
      buffer_at = position;
      buffered = *got;
    }
    const char* header = buffer.data() + (position - buffer_at);
    const RecordBatchView batch = RecordBatchView::unchecked({header, batch_format::kHeaderBytes});
    const auto length = load_be<int32_t>(header + batch_format::kLengthAt);
    if (length < static_cast<int32_t>(batch_format::kHeaderBytes - batch_format::kLogOverhead)) {
      return fail(ErrorCode::kCorruption, fmt::format("batch length {} at position {} is too small", length, position));
    }
    const uint64_t size = batch_format::kLogOverhead + static_cast<uint64_t>(length);
    if (size > end - position) break;
    if (batch.last_offset() >= offset) return BatchPlace{position, size, batch.base_offset(), batch.last_offset()};
    position += size;
  }
  return std::nullopt;
}

}  // namespace millrace
