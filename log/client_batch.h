/// What a broker checks and puts right in the bytes of a Produce request before they may enter a log, in Kafka's order
/// and with Kafka's exception classes:
///   length, magic, one batch      CorruptRecordException, InvalidRecordException
///   codec the request may use     UnsupportedCompressionTypeException
///   base offset 0                 InvalidRecordException
///   max.message.bytes             RecordTooLargeException
///   CRC                           CorruptRecordException
///   counts, control bit, sequence InvalidRecordException
///   codec, compressed stream      KafkaException (the client sees UNKNOWN_SERVER_ERROR)
///   each record's structure       InvalidRecordException
///   keys in a compacted topic     InvalidRecordException with record errors
///   timestamp bounds              InvalidTimestampException with record errors
/// Put right: the largest timestamp of the header, the codec when compression.type names another, offsets with gaps in
/// compressed batches, and messages of magic 0 and 1.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "log/log_config.h"

namespace millrace {

/// What is wrong with one record of a refused batch: Produce answers these as record_errors.
struct RecordError {
  int32_t index = 0;  ///< in the batch, from 0
  std::string message;
};

struct ClientBatchRules {
  const LogConfig& config;
  std::string_view partition;  ///< "topic-0", for messages
  int64_t now_ms = 0;
  int16_t produce_version = 9;
};

/// The batch to append: `bytes` itself, changed in place, or `rewritten`. Empty when an old request holds no whole
/// message. `errors` may be null. Errors: see above; `bytes` may then have been changed.
Expected<std::span<char>> check_client_batch(std::span<char> bytes, const ClientBatchRules& rules,
                                             std::vector<RecordError>* errors, std::string& rewritten);

}  // namespace millrace
