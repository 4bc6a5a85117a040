/// Constants of Kafka's record batch v2 (magic 2), the same on the wire and on disk: docs/formats/record-batch.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::batch_format {

inline constexpr size_t kBaseOffsetAt = 0;             // int64
inline constexpr size_t kLengthAt = 8;                 // int32: bytes after this field
inline constexpr size_t kPartitionLeaderEpochAt = 12;  // int32
inline constexpr size_t kMagicAt = 16;                 // int8
inline constexpr size_t kCrcAt = 17;                   // uint32: CRC-32C of everything from kAttributesAt on
inline constexpr size_t kAttributesAt = 21;            // int16
inline constexpr size_t kLastOffsetDeltaAt = 23;       // int32
inline constexpr size_t kBaseTimestampAt = 27;         // int64
inline constexpr size_t kMaxTimestampAt = 35;          // int64
inline constexpr size_t kProducerIdAt = 43;            // int64
inline constexpr size_t kProducerEpochAt = 51;         // int16
inline constexpr size_t kBaseSequenceAt = 53;          // int32
inline constexpr size_t kRecordCountAt = 57;           // int32
inline constexpr size_t kHeaderBytes = 61;

/// Base offset and length: what precedes the bytes that `length` counts.
inline constexpr size_t kLogOverhead = 12;
/// A length below this (the smallest record of magic 0) is corruption rather than a cut file.
inline constexpr int32_t kLengthMin = 14;
inline constexpr int8_t kMagic = 2;

inline constexpr int16_t kCodecMask = 0x07;
inline constexpr int16_t kLogAppendTimeBit = 0x08;
inline constexpr int16_t kTransactionalBit = 0x10;
inline constexpr int16_t kControlBit = 0x20;
inline constexpr int16_t kDeleteHorizonBit = 0x40;

inline constexpr int16_t kControlAbort = 0;
inline constexpr int16_t kControlCommit = 1;

inline constexpr int64_t kNoProducerId = -1;
inline constexpr int16_t kNoProducerEpoch = -1;
inline constexpr int32_t kNoSequence = -1;
inline constexpr int64_t kNoTimestamp = -1;

}  // namespace millrace::batch_format
