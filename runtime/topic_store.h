/// A small key-value store whose truth is a topic (Kafka Connect's "Kafka-based log"): read from the beginning at
/// start, then written and kept in memory. Connect's internal topics are three of these.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/log_client.h"
#include "core/error.h"

namespace millrace {

/// Threads: any.
class TopicStore {
 public:
  struct Options {
    std::string topic;
    int32_t partitions = 1;
    int16_t replication_factor = 1;
    std::map<std::string, std::string> configs = {};  ///< further settings for its creation
    std::string setting = {};                         ///< the worker's setting that names it, for messages
    bool single_partition = false;                    ///< more partitions than one are an error
  };
  struct Entry {
    std::string key;
    std::optional<std::string> value;  ///< nothing deletes the key
  };

  /// Creates the topic (cleanup.policy=compact) if absent and reads it to the end: what transactions have committed
  /// there. One that a predecessor left open is aborted first, as the topic has one owner. `client` outlives the store.
  /// Errors: kInvalidConfig if the topic exists with another cleanup.policy or too many partitions; kUnavailable.
  static Expected<std::unique_ptr<TopicStore>> open(LogClient& client, Options options);

  std::optional<std::string> get(const std::string& key) const;
  /// All entries whose key begins with `prefix`.
  std::map<std::string, std::string> with_prefix(std::string_view prefix) const;

  /// Writes all entries and returns when they are durable; readers see them only then.
  /// Errors: kUnavailable; nothing is seen then, though some entries may be in the topic.
  Status write(const std::vector<Entry>& entries);
  /// Takes note of entries that somebody else has durably written to the topic: a committed transaction.
  void adopt(const std::vector<Entry>& entries);

  const std::string& topic() const { return options_.topic; }
  int32_t partitions() const { return partitions_; }

 private:
  TopicStore(LogClient& client, Options options) : client_(client), options_(std::move(options)) {}
  Status read_to_end();

  LogClient& client_;
  const Options options_;
  std::unique_ptr<Producer> producer_;
  int32_t partitions_ = 1;
  std::mutex write_mutex_;  // one write at a time keeps memory in the topic's order
  mutable std::mutex mutex_;
  std::map<std::string, std::string> entries_;
};

}  // namespace millrace
