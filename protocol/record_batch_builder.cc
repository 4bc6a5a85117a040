#include <algorithm>

#include "core/crc32c.h"
#include "core/invariant.h"
#include "protocol/record_batch.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

namespace format = batch_format;

size_t nullable_size(const NullableBytes& bytes) {
  return bytes ? varint_size(static_cast<int32_t>(bytes->size())) + bytes->size() : varint_size(-1);
}

void append_count(std::string& to, int32_t count) {
  char bytes[kVarintBytesMax];
  to.append(bytes, static_cast<size_t>(write_varint(bytes, count) - bytes));
}

/// Appends, into room reserved before: growing the buffer first would fill it with zeros.
void append_nullable(std::string& to, const NullableBytes& bytes) {
  append_count(to, bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) to.append(*bytes);
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(BatchOptions options) : options_(options) {
  buffer_.reserve(std::max(options.bytes_reserved, format::kHeaderBytes));
  buffer_.resize(format::kHeaderBytes);
}

/// Makes room for a whole record and appends what precedes the key.
void RecordBatchBuilder::begin_record(int64_t timestamp_ms, size_t key_value_bytes, size_t header_bytes) {
  invariant(!finished_, "append after finish");
  if (record_count_ == 0) base_timestamp_ = timestamp_ms;
  max_timestamp_ = std::max(max_timestamp_, timestamp_ms);
  const int64_t timestamp_delta = timestamp_ms - base_timestamp_;
  const size_t length = 1 + varlong_size(timestamp_delta) + varint_size(record_count_) + key_value_bytes + header_bytes;
  const size_t end = buffer_.size() + varint_size(static_cast<int32_t>(length)) + length;
  if (end > buffer_.capacity()) buffer_.reserve(std::max(end, buffer_.capacity() * 2));
  char front[2 * kVarintBytesMax + kVarlongBytesMax + 1];
  char* to = write_varint(front, static_cast<int32_t>(length));
  *to++ = 0;  // attributes: unused
  to = write_varlong(to, timestamp_delta);
  to = write_varint(to, record_count_);
  buffer_.append(front, static_cast<size_t>(to - front));
  ++record_count_;
}

void RecordBatchBuilder::append(int64_t timestamp_ms, NullableBytes key, NullableBytes value,
                                std::span<const RecordHeader> headers) {
  size_t header_bytes = varint_size(static_cast<int32_t>(headers.size()));
  for (const RecordHeader& header : headers) header_bytes += nullable_size(header.key) + nullable_size(header.value);
  begin_record(timestamp_ms, nullable_size(key) + nullable_size(value), header_bytes);
  append_nullable(buffer_, key);
  append_nullable(buffer_, value);
  append_count(buffer_, static_cast<int32_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    append_nullable(buffer_, header.key);
    append_nullable(buffer_, header.value);
  }
}

void RecordBatchBuilder::append(int64_t timestamp_ms, NullableBytes key, NullableBytes value,
                                const RawHeaders& headers) {
  begin_record(timestamp_ms, nullable_size(key) + nullable_size(value),
               varint_size(headers.count) + headers.bytes.size());
  append_nullable(buffer_, key);
  append_nullable(buffer_, value);
  append_count(buffer_, headers.count);
  buffer_.append(headers.bytes);
}

void RecordBatchBuilder::set_producer(int64_t producer_id, int16_t producer_epoch, int32_t base_sequence) {
  invariant(!finished_, "set_producer after finish");
  options_.producer_id = producer_id;
  options_.producer_epoch = producer_epoch;
  options_.base_sequence = base_sequence;
}

Status RecordBatchBuilder::finish() {
  if (finished_) return {};
  if (options_.compression.codec != Codec::kNone) {
    std::string compressed(format::kHeaderBytes, '\0');
    const BytesView records = BytesView(buffer_).substr(format::kHeaderBytes);
    if (auto done = compress(options_.compression, records, compressed); !done) return done;
    buffer_ = std::move(compressed);
  }
  auto attributes = static_cast<int16_t>(options_.compression.codec);
  if (options_.transactional) attributes = static_cast<int16_t>(attributes | format::kTransactionalBit);
  if (options_.control) attributes = static_cast<int16_t>(attributes | format::kControlBit);
  char* header = buffer_.data();
  store_be<int64_t>(header + format::kBaseOffsetAt, 0);
  store_be(header + format::kLengthAt, static_cast<int32_t>(buffer_.size() - format::kLogOverhead));
  store_be<int32_t>(header + format::kPartitionLeaderEpochAt, -1);
  header[format::kMagicAt] = format::kMagic;
  store_be(header + format::kAttributesAt, attributes);
  store_be(header + format::kLastOffsetDeltaAt, record_count_ - 1);
  store_be(header + format::kBaseTimestampAt, base_timestamp_);
  store_be(header + format::kMaxTimestampAt, max_timestamp_);
  store_be(header + format::kProducerIdAt, options_.producer_id);
  store_be(header + format::kProducerEpochAt, options_.producer_epoch);
  store_be(header + format::kBaseSequenceAt, options_.base_sequence);
  store_be(header + format::kRecordCountAt, record_count_);
  store_be(header + format::kCrcAt, crc32c(BytesView(buffer_).substr(format::kAttributesAt)));
  finished_ = true;
  return {};
}

}  // namespace millrace
