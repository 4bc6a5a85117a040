/// How kafka-console-consumer prints records: Kafka's formatter classes by their Java names.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "protocol/record_batch.h"
#include "tools/client_properties.h"

namespace millrace {

struct ConsumedHeader {
  std::string_view key;
  NullableBytes value;
};

/// A record as a client got it; the views are its own.
struct ConsumedRecord {
  enum class Time { kNone, kCreate, kLogAppend };
  int32_t partition = 0;
  int64_t offset = 0;
  Time time_type = Time::kCreate;
  int64_t timestamp = -1;
  NullableBytes key;
  NullableBytes value;
  std::vector<ConsumedHeader> headers;
};

/// Threads: one.
class MessageFormatter {
 public:
  virtual ~MessageFormatter() = default;
  /// Appends `record` to `out`. Errors: kBadRecord for bytes that a deserializer refuses; `out` is then as before.
  virtual Status format(const ConsumedRecord& record, std::string& out) = 0;
};

/// The formatter of a Java class name, full or short, with the `--property` settings of it. Errors: kInvalidConfig for
/// a class that is not there or a bad setting.
Expected<std::unique_ptr<MessageFormatter>> make_formatter(std::string_view class_name,
                                                           const ClientProperties& properties);

/// Bytes as the text that a Java deserializer's result prints, by the deserializer's class name.
class TextDeserializer {
 public:
  /// Errors: kInvalidConfig for an unknown class.
  static Expected<TextDeserializer> create(std::string_view class_name);
  /// Errors: kBadRecord for a size that the type does not have.
  Status append(BytesView bytes, std::string& out) const;

 private:
  enum class Kind { kRaw, kShort, kInteger, kLong, kFloat, kDouble, kBoolean, kByteArray, kVoid };
  explicit TextDeserializer(Kind kind) : kind_(kind) {}
  Kind kind_;
};

}  // namespace millrace
