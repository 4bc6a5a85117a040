/// The records of __consumer_offsets and __transaction_state as JSON and text, for kafka-dump-log's decoders and
/// kafka-console-consumer's formatters. Formats: protocol/messages/*_records.msg.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "protocol/record_batch.h"

namespace millrace {

/// What a coordinator's record says.
struct CoordinatorRecord {
  std::string key_name;  ///< message of the key: "OffsetCommitKey"; empty for a key type that nobody knows
  int16_t key_version = 0;
  std::string key;  ///< JSON of the fields
  int16_t value_version = 0;
  std::optional<std::string> value;  ///< JSON of the fields; nothing for a tombstone
  bool value_known = true;           ///< false when the value's version is newer than its message
};

enum class CoordinatorTopic { kOffsets, kTransactions };

/// Errors: kBadRecord without a key, or with bytes that end early.
Expected<CoordinatorRecord> decode_coordinator_record(CoordinatorTopic topic, NullableBytes key, NullableBytes value);

/// The two parts that kafka-dump-log prints behind `key:` and `payload:`.
struct DecodedText {
  std::optional<std::string> key;
  std::optional<std::string> payload;
};

/// `--offsets-decoder`: JSON with type and data; subscriptions and assignments of consumer groups are decoded too.
DecodedText offsets_record_text(int64_t offset, NullableBytes key, NullableBytes value);
/// `--transaction-log-decoder`: Kafka's `transaction_metadata::…` text.
DecodedText transaction_record_text(int64_t offset, NullableBytes key, NullableBytes value);

}  // namespace millrace
