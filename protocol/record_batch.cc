#include "protocol/record_batch.h"

#include <fmt/format.h>

#include "core/crc32c.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

namespace format = batch_format;

/// Reads a nullable byte string; every negative length is null, as Kafka reads it. nullptr when it does not fit.
const char* read_nullable(const char* at, const char* end, NullableBytes& bytes) {
  int32_t length = 0;
  at = read_varint(at, end, length);
  if (at == nullptr) return nullptr;
  if (length < 0) {
    bytes.reset();
    return at;
  }
  if (length > end - at) return nullptr;
  bytes.emplace(at, static_cast<size_t>(length));
  return at + length;
}

}  // namespace

bool HeaderIterator::next(RecordHeader& header) {
  if (left_ <= 0) return false;
  --left_;
  NullableBytes key;
  at_ = read_nullable(at_, end_, key);
  if (at_ == nullptr || !key) return false;
  header.key = *key;
  at_ = read_nullable(at_, end_, header.value);
  return at_ != nullptr;
}

Expected<RecordBatchView> RecordBatchView::parse(BytesView bytes) {
  if (bytes.size() < format::kHeaderBytes) {
    return fail(ErrorCode::kCorruption, fmt::format("{} bytes are too few for a record batch", bytes.size()));
  }
  const auto length = load_be<int32_t>(bytes.data() + format::kLengthAt);
  const auto offset = load_be<int64_t>(bytes.data());
  if (length < static_cast<int32_t>(format::kHeaderBytes - format::kLogOverhead)) {
    return fail(ErrorCode::kCorruption, fmt::format("batch at offset {}: length {} is too small", offset, length));
  }
  if (static_cast<size_t>(length) > bytes.size() - format::kLogOverhead) {
    return fail(ErrorCode::kCorruption, fmt::format("batch at offset {}: length {} passes the end, {} bytes are there",
                                                    offset, length, bytes.size() - format::kLogOverhead));
  }
  if (bytes[format::kMagicAt] != format::kMagic) {
    return fail(ErrorCode::kCorruption,
                fmt::format("batch at offset {}: magic is {}, only {} is supported", offset,
                            static_cast<int>(bytes[format::kMagicAt]), static_cast<int>(format::kMagic)));
  }
  return RecordBatchView(bytes.substr(0, format::kLogOverhead + static_cast<size_t>(length)));
}

Status RecordBatchView::verify_crc() const {
  const uint32_t computed = crc32c(bytes_.substr(format::kAttributesAt));
  if (computed == crc()) return {};
  return fail(ErrorCode::kCorruption,
              fmt::format("batch at offset {}: crc of the bytes is {:08x}, the header says {:08x}", base_offset(),
                          computed, crc()));
}

int32_t RecordBatchView::last_sequence() const {
  if (base_sequence() < 0) return format::kNoSequence;
  const int64_t last = int64_t{base_sequence()} + last_offset_delta();
  return static_cast<int32_t>(last > INT32_MAX ? last - INT32_MAX - 1 : last);
}

Expected<RecordIterator> RecordIterator::open(const RecordBatchView& batch, std::string& scratch) {
  if (batch.record_count() < 0) {
    return fail(ErrorCode::kBadRecord, fmt::format("batch at offset {}: record count {} is negative",
                                                   batch.base_offset(), batch.record_count()));
  }
  if (batch.codec() == Codec::kNone) return RecordIterator(batch, batch.payload());
  if (batch.record_count() == 0) return RecordIterator(batch, {});  // compaction leaves empty batches behind
  if (auto done = decompress(batch.codec(), batch.payload(), scratch); !done) {
    return fail(std::move(done.error()).wrap(fmt::format("batch at offset {}", batch.base_offset())));
  }
  return RecordIterator(batch, scratch);
}

RecordIterator::RecordIterator(const RecordBatchView& batch, BytesView records)
    : at_(records.data()),
      end_(records.data() + records.size()),
      left_(batch.record_count()),
      count_(batch.record_count()),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      append_time_(batch.max_timestamp()),
      log_append_time_(batch.log_append_time()) {}

bool RecordIterator::damaged(std::string_view what) {
  status_ = fail(ErrorCode::kBadRecord, fmt::format("batch at offset {}: record {} of {}: {}", base_offset_,
                                                    count_ - left_ + 1, count_, what));
  left_ = 0;
  at_ = end_;
  return false;
}

bool RecordIterator::next(RecordView& record) {
  start_ = at_;
  if (left_ == 0) {
    if (count_ > 0 && at_ != end_) return damaged("bytes follow the last record: the record count is wrong");
    return false;
  }
  int32_t length = 0;
  const char* at = read_varint(at_, end_, length);
  if (at == nullptr || length < 0 || length > end_ - at) return damaged("the length does not fit the batch");
  const char* const end = at + length;
  if (at == end) return damaged("the record is empty");
  ++at;  // attributes: unused
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  if ((at = read_varlong(at, end, timestamp_delta)) == nullptr) return damaged("the timestamp is cut");
  if ((at = read_varint(at, end, offset_delta)) == nullptr) return damaged("the offset is cut");
  if ((at = read_nullable(at, end, record.key)) == nullptr) return damaged("the key does not fit the record");
  if ((at = read_nullable(at, end, record.value)) == nullptr) return damaged("the value does not fit the record");
  int32_t header_count = 0;
  if ((at = read_varint(at, end, header_count)) == nullptr) return damaged("the header count is cut");
  if (header_count < 0 || header_count > end - at) return damaged("the header count does not fit the record");
  record.headers = {header_count, BytesView(at, static_cast<size_t>(end - at))};
  for (int32_t i = 0; i < header_count; ++i) {
    NullableBytes key, value;
    if ((at = read_nullable(at, end, key)) == nullptr || !key) return damaged("a header key is null or does not fit");
    if ((at = read_nullable(at, end, value)) == nullptr) return damaged("a header value does not fit");
  }
  if (at != end) return damaged("bytes follow the headers");
  record.offset = base_offset_ + offset_delta;
  // Deltas wrap in Java; unsigned arithmetic does the same without undefined behaviour.
  record.timestamp =
      log_append_time_
          ? append_time_
          : static_cast<int64_t>(static_cast<uint64_t>(base_timestamp_) + static_cast<uint64_t>(timestamp_delta));
  at_ = end;
  --left_;
  return true;
}

}  // namespace millrace
