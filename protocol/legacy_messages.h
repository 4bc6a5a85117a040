/// Message sets of magic 0 and 1, which Kafka wrote before 0.11 and old clients still send: read, checked and turned
/// into record batches; never written. Layout: docs/formats/legacy-messages.md.
/// Threads: pure functions over the caller's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "protocol/record_batch.h"

namespace millrace {

/// Walks whatever batches stand in a buffer (message sets of magic 0 and 1, record batches of magic 2), as Kafka's
/// reader of Produce requests does: a batch that passes the end is the end.
class BatchSequence {
 public:
  explicit BatchSequence(BytesView bytes) : bytes_(bytes) {}
  /// The bytes of the next batch; nothing at the end. Errors: kCorruption for a length or magic that cannot be.
  Expected<std::optional<BytesView>> next();
  size_t position() const { return position_; }

 private:
  BytesView bytes_;
  size_t position_ = 0;
};

/// The magic of a batch that BatchSequence has found.
inline int8_t magic_of(BytesView batch) { return static_cast<int8_t>(batch[batch_format::kMagicAt]); }

/// One entry of a message set: a message, or a wrapper around a compressed set.
class LegacyMessage {
 public:
  /// `batch` is one that BatchSequence has found, of magic 0 or 1.
  explicit LegacyMessage(BytesView batch) : bytes_(batch) {}

  int64_t offset() const { return load_be<int64_t>(bytes_.data()); }  ///< of a wrapper: its last message's
  size_t size_bytes() const { return bytes_.size(); }
  int8_t magic() const { return magic_of(bytes_); }
  uint32_t crc() const { return load_be<uint32_t>(bytes_.data() + 12); }
  int8_t attributes() const { return static_cast<int8_t>(bytes_[17]); }
  Codec codec() const { return static_cast<Codec>(attributes() & batch_format::kCodecMask); }
  bool log_append_time() const { return (attributes() & batch_format::kLogAppendTimeBit) != 0 && magic() > 0; }
  int64_t timestamp() const { return magic() == 0 || bytes_.size() < 26 ? -1 : load_be<int64_t>(bytes_.data() + 18); }
  /// kCorruption when the stored CRC-32 and the bytes differ.
  Status verify_crc() const;

  /// Appends the messages to `records`: the message itself, or those of a wrapper with absolute offsets. They view into
  /// the batch or into `scratch`, which is replaced. Errors carry Kafka's exception class: InvalidRecordException,
  /// CorruptRecordException, IllegalArgumentException (a field passes the message), KafkaException (decompression).
  Status records(std::string& scratch, std::vector<RecordView>& records) const;

 private:
  Status own_record(RecordView& record) const;
  Status inner_records(BytesView set, std::vector<RecordView>& records) const;
  BytesView bytes_;
};

}  // namespace millrace
