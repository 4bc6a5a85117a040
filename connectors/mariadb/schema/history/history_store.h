/// Where the schema history is kept: what was recorded is read back after a restart, to know the tables as they were at
/// the place in the binlog where streaming goes on. Threads: one an object.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/mariadb/kafka/topic_io.h"
#include "connectors/mariadb/schema/history/history_record.h"

namespace millrace::mariadb {

/// From `schema.history.internal` and its keys.
struct HistoryOptions {
  enum class Kind { kKafka, kFile, kMemory } kind = Kind::kMemory;
  std::string file;
  std::string topic;
  KafkaOptions kafka;               ///< of reading and writing; the client settings of each below
  KafkaOptions consumer, producer;  ///< with `.consumer.*` and `.producer.*`
  bool store_only_captured_tables = false, store_only_captured_databases = false;
  std::vector<std::string> warnings;  ///< for the log: classes that are not known, settings without effect

  /// kInvalidConfig: a key that the chosen store needs is missing.
  static Result<HistoryOptions> parse(const sdk::Config& config);
};

class HistoryStore {
 public:
  static Result<std::unique_ptr<HistoryStore>> open(const HistoryOptions& options);
  virtual ~HistoryStore() = default;
  /// Whether anything was ever recorded; a missing topic or file has nothing.
  virtual Result<bool> empty() = 0;
  /// Durable when it returns (but for memory).
  virtual Status append(const HistoryRecord& record) = 0;
  /// All records in order; a Status of `visit` ends it.
  virtual Status read(const std::function<Status(const HistoryRecord&)>& visit) = 0;
};

struct Recovered {
  size_t read = 0, applied = 0;
};
/// Replays what was recorded of `server` (topic.prefix) at or before `stop`. Statements that Debezium recorded without
/// table changes because it could not read them are read again here.
Result<Recovered> recover(HistoryStore& store, const std::string& server, const HistoryPosition& stop,
                          SchemaRegistry& registry);

}  // namespace millrace::mariadb
