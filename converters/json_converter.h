/// Kafka's JsonConverter. The schema envelope is most of a record's bytes, so it is handled once per schema: rendered
/// once and copied when writing, recognised by its bytes when reading, so that only payloads are worked on.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "converters/converter.h"
#include "converters/json_payload.h"
#include "converters/json_plan.h"
#include "converters/json_reader.h"
#include "converters/json_writer.h"

namespace millrace {

/// Threads and lifetimes as in converter.h.
class JsonConverter final : public Converter {
 public:
  JsonConverter();
  ~JsonConverter() override;

  static const ConfigDef& config_def();
  Status configure(const ConfigMap& settings, bool is_key) override;
  void new_batch() override;
  Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                              std::string& out) override;
  Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                      Arena& arena) override;

 private:
  /// A schema on its way out. Owns the schema, so that its address cannot come to mean another one.
  struct Outgoing {
    SchemaPtr schema;
    std::unique_ptr<JsonPlan> plan;
    Expected<std::string> envelope;
  };
  /// A schema found in records: all bytes up to the payload, and what they say.
  struct Incoming {
    std::string prefix;
    SchemaPtr schema;
    std::unique_ptr<JsonPlan> plan;
    uint64_t last_batch = 0;
  };

  const Outgoing& outgoing(const Schema* schema);
  bool read_fast(std::string_view bytes, Arena& arena, SchemaAndValue& out);
  bool read_payload(Incoming& known, std::string_view bytes, Arena& arena, SchemaAndValue& out);
  Incoming* find_by_scan(std::string_view bytes);
  Expected<SchemaAndValue> read_completely(std::string_view bytes, Arena& arena);
  Expected<SchemaAndValue> read_envelope(std::string_view bytes, const JsonNode& document, Arena& arena);
  Incoming& keep(std::string prefix, SchemaPtr schema);
  void remember(Incoming& known);

  JsonOptions options_;
  JsonWriter writer_;
  std::unique_ptr<JsonPayloadReader> payloads_;
  const JsonPlan schemaless_{nullptr};
  const Outgoing* last_outgoing_ = nullptr;
  std::unordered_map<const Schema*, Outgoing> outgoing_;
  std::array<Incoming*, 4> recent_{};  // the last ones first, each compared by its bytes
  std::unordered_map<std::string_view, std::unique_ptr<Incoming>> incoming_;
  uint64_t batch_ = 0;
};

}  // namespace millrace
