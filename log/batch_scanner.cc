#include "log/batch_scanner.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
/// Offset, length, leader epoch and magic: fewer bytes are the end of the file, as for Kafka's reader.
constexpr size_t kPrefixBytes = batch_format::kMagicAt + 1;

}  // namespace

/// Makes `bytes` bytes from position_ on available in the buffer; the caller has checked that the file has them.
Status BatchScanner::fill(size_t bytes) {
  if (buffer_.size() - buffered_at_ >= bytes) return {};
  const size_t wanted = std::min<size_t>(std::max(bytes, kReadBytes), end_ - position_);
  buffer_.resize(wanted);
  buffered_at_ = 0;
  auto got = file_.read_at(position_, buffer_.data(), wanted);
  if (!got) return fail(std::move(got.error()));
  buffer_.resize(*got);
  if (*got < bytes)
    return fail(ErrorCode::kUnavailable, fmt::format("the file ends at {}, {} was expected", position_ + *got, end_));
  return {};
}

Expected<std::optional<RecordBatchView>> BatchScanner::next() {
  if (end_ - position_ < kPrefixBytes) return std::nullopt;
  if (auto filled = fill(kPrefixBytes); !filled) return fail(std::move(filled.error()));
  const auto length = load_be<int32_t>(buffer_.data() + buffered_at_ + batch_format::kLengthAt);
  if (length < batch_format::kLengthMin) {
    return fail(ErrorCode::kCorruption, fmt::format("batch length {} at position {} is too small", length, position_));
  }
  const size_t size = batch_format::kLogOverhead + static_cast<size_t>(length);
  if (size > end_ - position_) return std::nullopt;
  if (size < batch_format::kHeaderBytes) {
    return fail(ErrorCode::kCorruption,
                fmt::format("batch of {} bytes at position {} has no room for its header", size, position_));
  }
  if (auto filled = fill(size); !filled) return fail(std::move(filled.error()));
  const BytesView bytes(buffer_.data() + buffered_at_, size);
  batch_position_ = position_;
  position_ += size;
  buffered_at_ += size;
  return RecordBatchView::unchecked(bytes);
}

}  // namespace millrace
