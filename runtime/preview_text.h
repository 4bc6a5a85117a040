/// The JSON of a preview's records. Threads: one.
#pragma once

#include <string>
#include <string_view>

#include "converters/json_converter.h"
#include "data/record.h"

namespace millrace {

/// A JSON string; what is not UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// Prints records with their schemas, in the envelope that JsonConverter writes.
class PreviewText {
 public:
  PreviewText();
  /// `{"topic":…,"partition":…,"timestamp":…,"key":{"schema","payload"},"value":{…},"headers":[…]` without the closing
  /// brace, so that more members may follow.
  std::string record(const ConnectRecord& record);
  /// {"schema":…,"payload":…}, or null.
  std::string value(const Schema* schema, const Value& value);

 private:
  JsonConverter converter_;
};

}  // namespace millrace
