#include "log/batch_rewriter.h"

#include <algorithm>

#include "core/crc32c.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

namespace format = batch_format;

void append_varint(std::string& out, int32_t value) {
  char raw[kVarintBytesMax];
  out.append(raw, static_cast<size_t>(write_varint(raw, value) - raw));
}

void append_nullable(std::string& out, const NullableBytes& bytes) {
  append_varint(out, bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) out.append(*bytes);
}

size_t nullable_size(const NullableBytes& bytes) {
  return bytes ? varint_size(static_cast<int32_t>(bytes->size())) + bytes->size() : varint_size(-1);
}

/// The delta of two times; wraps as Java does.
int64_t difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

void append_record(std::string& out, const RecordView& record, int64_t timestamp_delta, int32_t offset_delta) {
  const size_t length = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(record.key) +
                        nullable_size(record.value) + varint_size(record.headers.count) + record.headers.bytes.size();
  append_varint(out, static_cast<int32_t>(length));
  out.push_back(0);
  char raw[kVarlongBytesMax];
  out.append(raw, static_cast<size_t>(write_varlong(raw, timestamp_delta) - raw));
  append_varint(out, offset_delta);
  append_nullable(out, record.key);
  append_nullable(out, record.value);
  append_varint(out, record.headers.count);
  out.append(record.headers.bytes);
}

/// Fills in what a rewritten header does not share with the old one, and the CRC over it all.
void finish_header(std::string& out, size_t start, int16_t attributes, int64_t base_timestamp, int64_t max_timestamp,
                   int32_t count) {
  char* header = out.data() + start;
  store_be(header + format::kLengthAt, static_cast<int32_t>(out.size() - start - format::kLogOverhead));
  store_be(header + format::kAttributesAt, attributes);
  store_be(header + format::kBaseTimestampAt, base_timestamp);
  store_be(header + format::kMaxTimestampAt, max_timestamp);
  store_be(header + format::kRecordCountAt, count);
  const BytesView covered = BytesView(out).substr(start + format::kAttributesAt);
  store_be(out.data() + start + format::kCrcAt, crc32c(covered));
}

}  // namespace

Status append_retained_batch(const RecordBatchView& batch, std::span<const RecordView> retained,
                             int64_t delete_horizon_ms, std::string& out) {
  const bool horizon = delete_horizon_ms >= 0;
  const int64_t base_timestamp = horizon ? delete_horizon_ms : retained.front().timestamp;
  int64_t max_timestamp = format::kNoTimestamp;
  std::string records;
  for (const RecordView& record : retained) {
    max_timestamp = std::max(max_timestamp, record.timestamp);
    append_record(records, record, difference(record.timestamp, base_timestamp),
                  static_cast<int32_t>(record.offset - batch.base_offset()));
  }
  const size_t start = out.size();
  out.append(batch.bytes().substr(0, format::kHeaderBytes));
  if (auto done = compress({batch.codec(), {}}, records, out); !done) return done;
  constexpr int16_t kKept =
      format::kCodecMask | format::kLogAppendTimeBit | format::kTransactionalBit | format::kControlBit;
  const auto attributes =
      static_cast<int16_t>((batch.attributes() & kKept) | (horizon ? format::kDeleteHorizonBit : 0));
  finish_header(out, start, attributes, base_timestamp, batch.log_append_time() ? batch.max_timestamp() : max_timestamp,
                static_cast<int32_t>(retained.size()));
  return {};
}

void append_empty_batch(const RecordBatchView& batch, std::string& out) {
  const size_t start = out.size();
  out.append(batch.bytes().substr(0, format::kHeaderBytes));
  constexpr int16_t kKept = format::kLogAppendTimeBit | format::kTransactionalBit | format::kControlBit;
  finish_header(out, start, static_cast<int16_t>(batch.attributes() & kKept), format::kNoTimestamp,
                batch.max_timestamp(), 0);
}

}  // namespace millrace
