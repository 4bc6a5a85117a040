/// Converters turn Connect data into the bytes of a log record and back. They keep caches, so each task has its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/config_def.h"
#include "data/arena.h"
#include "data/record.h"

namespace millrace {

/// Converts header values.
/// Threads: one. Lifetime of results: a value borrows from the input bytes, the arena and its schema; a schema lives at
/// least until the second new_batch() after it was handed out, and longer while somebody holds its SchemaPtr
/// (Schema::shared_from_this()). Errors of conversion are kBadRecord with Kafka Connect's texts.
class HeaderConverter {
 public:
  virtual ~HeaderConverter() = default;

  /// To be called once, before anything else; `settings` without the prefix (`key.converter.`). Unknown ones are
  /// ignored. Errors: kInvalidConfig.
  virtual Status configure(const ConfigMap& settings, bool is_key) = 0;
  /// Tells that the data of the batch before the last one are no longer used; caches may then shrink to their bound.
  virtual void new_batch() {}

  /// Appends the bytes of a header's value to `out`; false (and nothing appended) for null bytes.
  virtual Expected<bool> from_header(std::string_view topic, std::string_view header, const Schema* schema,
                                     const Value& value, std::string& out) = 0;
  virtual Expected<SchemaAndValue> to_header(std::string_view topic, std::string_view header,
                                             std::optional<std::string_view> bytes, Arena& arena) = 0;
};

/// Converts keys and values (and, as most of Kafka's do, headers in the same way).
class Converter : public HeaderConverter {
 public:
  /// Appends the bytes of a key or value to `out`; false (and nothing appended) for null bytes, a tombstone.
  /// After an error the content of `out` behind its old end is undefined.
  virtual Expected<bool> from_connect(std::string_view topic, const Schema* schema, const Value& value,
                                      std::string& out) = 0;
  virtual Expected<SchemaAndValue> to_connect(std::string_view topic, std::optional<std::string_view> bytes,
                                              Arena& arena) = 0;

  Expected<bool> from_header(std::string_view topic, std::string_view, const Schema* schema, const Value& value,
                             std::string& out) override {
    return from_connect(topic, schema, value, out);
  }
  Expected<SchemaAndValue> to_header(std::string_view topic, std::string_view, std::optional<std::string_view> bytes,
                                     Arena& arena) override {
    return to_connect(topic, bytes, arena);
  }
};

/// A converter by Java's class name or alias: org.apache.kafka.connect.json.JsonConverter, JsonConverter, Json.
/// nullptr if unknown.
std::unique_ptr<Converter> make_converter(std::string_view class_name);
/// As make_converter(), and SimpleHeaderConverter.
std::unique_ptr<HeaderConverter> make_header_converter(std::string_view class_name);
/// Full class name of a name or alias; empty if unknown.
std::string_view converter_class(std::string_view class_name);
/// Full class names of all converters, that for headers only among them, sorted; for GET /connector-plugins.
std::vector<std::string_view> converter_classes();
/// The options of a converter, given its full class name; nullptr if unknown.
const ConfigDef* converter_config(std::string_view class_name);

/// The Java class that Connect's messages name for a value: java.lang.Integer, [B.
std::string_view java_class(const Value& value);

}  // namespace millrace
