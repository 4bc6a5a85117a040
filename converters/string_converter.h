/// Kafka's StringConverter: the text of any value, by Java's toString; reads optional strings.
#pragma once

#include "converters/charset.h"
#include "converters/converter.h"

namespace millrace {

/// Threads and lifetimes as in converter.h. Bytes have no text of their own in Java ([B@1f2a3b); here they are base64.
class StringConverter final : public Converter {
 public:
  static const ConfigDef& config_def();
  Status configure(const ConfigMap& settings, bool is_key) override;
  Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                              std::string& out) override;
  Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                      Arena& arena) override;

 private:
  std::unique_ptr<Charset> encoder_ = Charset::open("UTF-8"), decoder_ = Charset::open("UTF-8");
  const SchemaPtr schema_ = plain_schema(Type::kString, true);
  std::string text_;
};

/// What Java's toString gives for a value under a schema: [a, null], {k=v}, Struct{a=1}, 1.50, Thu Jan 02 03:04:05 UTC
/// 2020.
void append_java_text(std::string& out, const Schema* schema, const Value& value);

}  // namespace millrace
