/// A record between a connector and the converters. Everything but the schemas is borrowed from the batch it is in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "data/schema.h"

namespace millrace {

struct ConnectHeader {
  std::string_view key;
  const Schema* schema = nullptr;
  Value value{};
};

/// A key or a value with its schema; `schema` null = schemaless. The schema is kept alive by whoever made the record
/// (a task's schema table or a converter's cache).
struct SchemaAndValue {
  const Schema* schema = nullptr;
  Value value{};
};

struct ConnectRecord {
  enum class Kind : uint8_t { kSource, kSink };

  Kind kind = Kind::kSource;
  std::string_view topic;
  int32_t partition = -1;  ///< -1 = not decided yet (sources only)
  SchemaAndValue key, value;
  std::optional<int64_t> timestamp_ms;
  std::vector<ConnectHeader> headers;  ///< in order, duplicates allowed; a task reuses one record, and so its vector
  int64_t offset = -1;                 ///< sinks: where the record was read
};

}  // namespace millrace
