/// Kafka's converters of one plain type: raw bytes, big-endian numbers, one-byte booleans. All read optional schemas.
#pragma once

#include "converters/converter.h"

namespace millrace {

/// Threads and lifetimes as in converter.h.
class ByteArrayConverter final : public Converter {
 public:
  Status configure(const ConfigMap&, bool) override { return {}; }
  Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                              std::string& out) override;
  Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                      Arena& arena) override;

 private:
  const SchemaPtr schema_ = plain_schema(Type::kBytes, true);
};

class BooleanConverter final : public Converter {
 public:
  Status configure(const ConfigMap&, bool) override { return {}; }
  Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                              std::string& out) override;
  Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                      Arena& arena) override;

 private:
  const SchemaPtr schema_ = plain_schema(Type::kBoolean, true);
};

/// Short, Integer, Long, Float and Double.
class NumberConverter final : public Converter {
 public:
  explicit NumberConverter(Type type) : schema_(plain_schema(type, true)) {}
  Status configure(const ConfigMap&, bool) override { return {}; }
  Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                              std::string& out) override;
  Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                      Arena& arena) override;

 private:
  const SchemaPtr schema_;
};

}  // namespace millrace
