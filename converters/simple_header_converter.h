/// Kafka's SimpleHeaderConverter: headers as readable text whose types are guessed when it is read.
#pragma once

#include "converters/converter.h"
#include "converters/values_parser.h"

namespace millrace {

/// Threads and lifetimes as in converter.h. It has no options. Text that cannot be guessed is a string; text nested
/// more deeply than kValuesDepthMax is passed on as bytes.
class SimpleHeaderConverter final : public HeaderConverter {
 public:
  static const ConfigDef& config_def();
  Status configure(const ConfigMap& settings, bool is_key) override;
  void new_batch() override { schemas_.new_batch(); }
  Expected<bool> from_header(std::string_view topic, std::string_view header, const Schema* schema, const Value& value,
                             std::string& out) override;
  Expected<SchemaAndValue> to_header(std::string_view topic, std::string_view header,
                                     std::optional<std::string_view> bytes, Arena& arena) override;

 private:
  SchemaPool schemas_;
};

}  // namespace millrace
