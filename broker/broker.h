/// The embedded, single-node broker without its sockets: topics with their configs and ids, and their partition logs.
/// The topic catalogue is the file topics.json of the log directory, replaced
/// atomically; partition folders that are not in it (copied in from Kafka) are adopted.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/topic_config.h"
#include "broker/topic_index.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/logger.h"
#include "log/log_manager.h"

namespace millrace {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionsTopic = "__transaction_state";

struct BrokerOptions {
  Path directory;                        ///< log.dirs
  int32_t partitions_default = 1;        ///< num.partitions
  bool auto_create_topics = true;        ///< auto.create.topics.enable
  int32_t offsets_partitions = 50;       ///< offsets.topic.num.partitions, for a new directory
  int32_t transactions_partitions = 50;  ///< transaction.state.log.num.partitions, for a new directory
  LogConfig log_defaults = {};
  bool background = true;  ///< retention and checkpoints on a thread
};

struct TopicInfo {
  std::string name;
  std::string id;
  int32_t partitions = 0;
  bool internal = false;
  TopicConfigs configs;
};

/// Told of changes of the topics, on the thread that made them, after the change is stored and outside the broker's
/// lock. Must not add or remove listeners.
class TopicListener {
 public:
  virtual ~TopicListener() = default;
  /// A topic was created or deleted, or has more partitions.
  virtual void on_topics_changed() = 0;
  /// Comes before the on_topics_changed() of a deletion.
  virtual void on_topic_deleted(const std::string& /*name*/) {}
};

/// Threads: any. Must not outlive FileSystem and Clock.
class Broker {
 public:
  /// Errors: those of LogManager::open(), and kCorruption for a damaged catalogue.
  static Expected<std::unique_ptr<Broker>> open(FileSystem& fs, Clock& clock, Logger logger, BrokerOptions options);
  ~Broker();
  /// Makes everything durable and marks the directory clean. Errors: kUnavailable.
  Status close();

  /// `partitions` -1 = the default. Errors: kAlreadyExists, kInvalidConfig (name, partitions, configs), kUnavailable.
  Expected<TopicInfo> create_topic(const std::string& name, int32_t partitions, const TopicConfigs& configs);
  /// Describes the topic, creating it where auto.create.topics.enable allows. Errors: kNotFound, kInvalidConfig,
  /// kUnavailable.
  Expected<TopicInfo> topic_or_create(const std::string& name);
  Expected<TopicInfo> topic(const std::string& name) const;  ///< kNotFound
  std::vector<TopicInfo> topics() const;                     ///< by name
  /// Deletes the topic, its data and the offsets committed for it. Errors: kNotFound, kInvalidConfig for internal
  /// topics.
  Status delete_topic(const std::string& name);
  /// Adds partitions. Errors: kNotFound, kInvalidConfig unless `partitions` is larger than now.
  Status grow_topic(const std::string& name, int32_t partitions);
  /// Replaces the topic's own configs. Errors: kNotFound, kInvalidConfig.
  Status set_topic_configs(const std::string& name, const TopicConfigs& configs);
  /// Replaces BrokerOptions::log_defaults, for the topics that there are too.
  void set_log_defaults(const LogConfig& defaults);

  /// kNotFound for an unknown topic or partition. Partitions of internal topics get their folder on first use.
  Expected<std::shared_ptr<PartitionLog>> log(const std::string& topic, int32_t partition);

  void add_listener(TopicListener* listener);
  /// Waits for a call that is under way.
  void remove_listener(TopicListener* listener);

  /// For requests: a topic with its logs by name or id, null when there is none. Cheap, and waits for nobody.
  std::shared_ptr<const TopicEntry> find_topic(std::string_view name) const { return index_.find(name); }
  std::shared_ptr<const TopicEntry> find_topic(const Uuid& id) const { return index_.find(id); }

  const std::string& cluster_id() const { return cluster_id_; }
  const BrokerOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  const Logger& logger() const { return logger_; }

 private:
  Broker(FileSystem& fs, Clock& clock, Logger logger, BrokerOptions options);
  Status load();
  Status load_catalogue();
  Status load_kafka_metadata();
  Status load_cluster_id();
  Status adopt_folders();
  Status write_catalogue();
  Expected<TopicInfo> create_locked(const std::string& name, int32_t partitions, const TopicConfigs& configs);
  Expected<LogConfig> log_config(const std::string& topic, const TopicConfigs& configs) const;
  void publish(const TopicInfo& info);
  void announce_topics();
  void announce_deletion(const std::string& name);

  FileSystem& fs_;
  Clock& clock_;
  Logger logger_;
  BrokerOptions options_;
  std::string cluster_id_;
  mutable std::mutex mutex_;
  std::map<std::string, TopicInfo> topics_;
  std::unique_ptr<LogManager> logs_;
  TopicIndex index_;  // follows topics_
  std::mutex listeners_mutex_;
  std::vector<TopicListener*> listeners_;
};

}  // namespace millrace
