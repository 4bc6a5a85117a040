/// All messages of the wire protocol and of the internal topics by name, as JSON and back. For tools, tests and
/// fuzzers: the broker itself uses the structs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

struct MessageInfo {
  enum class Kind { kRequest, kResponse, kRecord };
  std::string_view name;  ///< "ProduceRequest", "OffsetCommitValue"
  Kind kind;
  int16_t api_key;  ///< -1 for records
  int16_t version_min;
  int16_t version_max;
  int16_t flexible_from;
  /// The JSON that Kafka's own converters write, except that `records` holds the batches in base64. `left` gets the
  /// number of bytes behind the message. Errors: kCorruption.
  Expected<std::string> (*to_json)(BytesView bytes, int16_t version, size_t& left);
  /// Errors: kBadRecord for text that is not such JSON.
  Expected<std::string> (*from_json)(std::string_view json, int16_t version);
  /// Decodes and encodes again. Errors: kCorruption.
  Expected<std::string> (*copy)(BytesView bytes, int16_t version);
};

/// In the order of protocol/messages.
std::vector<const MessageInfo*> all_messages();

}  // namespace millrace
