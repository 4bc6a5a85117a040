/// Kafka's record batch v2: built once by the writer, stored and served byte for byte, read in place by the reader.
/// Layout: docs/formats/record-batch.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/bytes.h"
#include "core/error.h"
#include "protocol/compression.h"
#include "protocol/record_batch_format.h"

namespace millrace {

/// Null is not empty: a null value is a tombstone.
using NullableBytes = std::optional<BytesView>;

struct RecordHeader {
  BytesView key;  ///< UTF-8
  NullableBytes value;
};

/// The headers of a record as they stand in the batch (after the count), so that they can be forwarded as they are.
struct RawHeaders {
  int32_t count = 0;
  BytesView bytes;
};

/// Walks encoded headers: `for (HeaderIterator it(record.headers); it.next(header);)`. Headers of a RecordView have
/// been checked, so false is always the end.
class HeaderIterator {
 public:
  explicit HeaderIterator(const RawHeaders& headers)
      : at_(headers.bytes.data()), end_(at_ + headers.bytes.size()), left_(headers.count) {}
  bool next(RecordHeader& header);

 private:
  const char* at_;
  const char* end_;
  int32_t left_;
};

/// A record in place. The views live as long as the batch's bytes (or, with a codec, the iterator's scratch buffer).
struct RecordView {
  int64_t offset = 0;
  int64_t timestamp = 0;  ///< ms; the batch's append time under LogAppendTime
  NullableBytes key;
  NullableBytes value;
  RawHeaders headers;
};

struct BatchOptions {
  CompressionOptions compression = {};
  int64_t producer_id = batch_format::kNoProducerId;
  int16_t producer_epoch = batch_format::kNoProducerEpoch;
  int32_t base_sequence = batch_format::kNoSequence;
  bool transactional = false;
  bool control = false;
  size_t bytes_reserved = 16 * 1024;  ///< first size of the buffer; it grows
};

/// Builds one batch in one growing buffer: no allocation per record.
/// Threads: one. A moved-from builder may only be assigned to or destroyed.
class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(BatchOptions options = {});
  RecordBatchBuilder(RecordBatchBuilder&&) noexcept = default;
  RecordBatchBuilder& operator=(RecordBatchBuilder&&) noexcept = default;

  /// Adds a record; the bytes are copied. Not after finish().
  void append(int64_t timestamp_ms, NullableBytes key, NullableBytes value, std::span<const RecordHeader> headers = {});
  void append(int64_t timestamp_ms, NullableBytes key, NullableBytes value, const RawHeaders& headers);

  int32_t record_count() const { return record_count_; }
  bool empty() const { return record_count_ == 0; }
  /// Bytes so far, before compression; the size of the batch after finish().
  size_t size_bytes() const { return buffer_.size(); }
  int64_t max_timestamp() const { return max_timestamp_; }

  /// For idempotent producers that learn their sequence late. Not after finish().
  void set_producer(int64_t producer_id, int16_t producer_epoch, int32_t base_sequence);

  /// Compresses, fills in the header and the CRC. Idempotent. Errors: kInternal when the codec refuses its level.
  Status finish();
  bool finished() const { return finished_; }

  /// The finished batch; base offset 0 and leader epoch -1 are for the log to fill in (they lie outside the CRC).
  BytesView bytes() const { return buffer_; }
  /// Hands the finished batch over without a copy; the builder is then as moved-from.
  std::string take() { return std::move(buffer_); }

 private:
  void begin_record(int64_t timestamp_ms, size_t key_value_bytes, size_t header_bytes);
  BatchOptions options_;
  std::string buffer_;
  int32_t record_count_ = 0;
  int64_t base_timestamp_ = 0;
  int64_t max_timestamp_ = batch_format::kNoTimestamp;
  bool finished_ = false;
};

/// The header of a batch in place. Cheap to copy. Lives as long as the bytes it was made from.
class RecordBatchView {
 public:
  /// The batch at the start of `bytes`. Errors: kCorruption for a length or magic that cannot be, or when `bytes` ends
  /// inside the batch. The CRC and the records are not looked at.
  static Expected<RecordBatchView> parse(BytesView bytes);

  /// A view of `bytes` that the caller has measured (at least a header), whatever their magic: recovery keeps such
  /// batches.
  static RecordBatchView unchecked(BytesView bytes) { return RecordBatchView(bytes); }

  /// kCorruption when the stored CRC and the bytes differ.
  Status verify_crc() const;

  BytesView bytes() const { return bytes_; }
  size_t size_bytes() const { return bytes_.size(); }
  int64_t base_offset() const { return at<int64_t>(batch_format::kBaseOffsetAt); }
  int64_t last_offset() const { return base_offset() + last_offset_delta(); }
  int64_t next_offset() const { return last_offset() + 1; }
  int32_t leader_epoch() const { return at<int32_t>(batch_format::kPartitionLeaderEpochAt); }
  int8_t magic() const { return at<int8_t>(batch_format::kMagicAt); }
  uint32_t crc() const { return at<uint32_t>(batch_format::kCrcAt); }
  int16_t attributes() const { return at<int16_t>(batch_format::kAttributesAt); }
  int32_t last_offset_delta() const { return at<int32_t>(batch_format::kLastOffsetDeltaAt); }
  int64_t base_timestamp() const { return at<int64_t>(batch_format::kBaseTimestampAt); }
  int64_t max_timestamp() const { return at<int64_t>(batch_format::kMaxTimestampAt); }
  int64_t producer_id() const { return at<int64_t>(batch_format::kProducerIdAt); }
  int16_t producer_epoch() const { return at<int16_t>(batch_format::kProducerEpochAt); }
  int32_t base_sequence() const { return at<int32_t>(batch_format::kBaseSequenceAt); }
  int32_t record_count() const { return at<int32_t>(batch_format::kRecordCountAt); }
  /// The sequence of the last record; wraps from 2147483647 to 0. -1 without sequences.
  int32_t last_sequence() const;
  Codec codec() const { return static_cast<Codec>(attributes() & batch_format::kCodecMask); }
  bool log_append_time() const { return (attributes() & batch_format::kLogAppendTimeBit) != 0; }
  bool transactional() const { return (attributes() & batch_format::kTransactionalBit) != 0; }
  bool control() const { return (attributes() & batch_format::kControlBit) != 0; }
  /// Set by compaction: base_timestamp() is then the time from which tombstones may go.
  bool has_delete_horizon() const { return (attributes() & batch_format::kDeleteHorizonBit) != 0; }
  /// The records, compressed when codec() says so.
  BytesView payload() const { return bytes_.substr(batch_format::kHeaderBytes); }

 private:
  explicit RecordBatchView(BytesView bytes) : bytes_(bytes) {}
  template <class T>
  T at(size_t position) const {
    return load_be<T>(bytes_.data() + position);
  }
  BytesView bytes_;
};

/// Walks the records of a batch, checking every length against the bytes that are there:
/// `RecordView record; while (it.next(record)) …; if (!it.status()) …`
/// Threads: one. Lives as long as the batch and, with a codec, `scratch`.
class RecordIterator {
 public:
  /// With a codec the records are decompressed into `scratch` (replaced, kept by the caller; the records view into it).
  /// Errors: kBadRecord for a damaged stream or a negative record count.
  static Expected<RecordIterator> open(const RecordBatchView& batch, std::string& scratch);

  /// False at the end or at the first damaged record: status() tells which.
  bool next(RecordView& record);
  /// kBadRecord, naming batch and record, once next() has met damage.
  const Status& status() const { return status_; }
  /// Where the record starts that next() has returned or found damaged.
  const char* position() const { return start_; }

 private:
  RecordIterator(const RecordBatchView& batch, BytesView records);
  bool damaged(std::string_view what);
  const char* at_;
  const char* start_ = at_;
  const char* end_;
  int32_t left_;
  int32_t count_;
  int64_t base_offset_;
  int64_t base_timestamp_;
  int64_t append_time_;  // of the batch under LogAppendTime
  bool log_append_time_;
  Status status_;
};

}  // namespace millrace
