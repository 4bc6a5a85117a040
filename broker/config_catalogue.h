/// What DescribeConfigs lists and the AlterConfigs APIs take: the configs of topics, brokers, groups and client metrics
/// subscriptions with types, defaults and documentation, and the dynamic ones that are set.
///
/// Dynamic configs of topics belong to the topic catalogue (broker.h). Those of brokers, groups and client metrics
/// subscriptions are kept in broker-configs.json of the log directory, replaced atomically with each change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/topic_config.h"
#include "core/config_def.h"
#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

/// The numbers are those of the wire.
enum class ConfigResourceType : int8_t {
  kUnknown = 0,
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};
enum class ConfigSource : int8_t {
  kTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kBrokerLogger = 6,
  kClientMetrics = 7,
  kGroup = 8,
};

/// A config of a broker or group.
struct ConfigDefinition {
  std::string_view name;
  ConfigType type;
  const char* default_value;  ///< null = none
  std::string_view documentation;
  bool dynamic = false;  ///< may be changed while the broker runs
};

/// By name: topic_config_definitions() and those of Kafka 3.
std::span<const TopicConfigDefinition> listed_topic_configs();
std::span<const ConfigDefinition> broker_config_definitions();
std::span<const ConfigDefinition> group_config_definitions();
/// Null when unknown.
const ConfigDefinition* broker_config(std::string_view name);
/// All names of the broker setting `name`, in order of precedence, at least itself (log.retention.{ms,minutes,hours}).
std::vector<std::string_view> broker_config_names(std::string_view name);
inline ConfigType config_type(TopicConfigType type) { return static_cast<ConfigType>(static_cast<int>(type) - 1); }
/// The number that the wire has for a type.
inline int8_t wire_config_type(ConfigType type) { return static_cast<int8_t>(static_cast<int>(type) + 1); }

/// The topic configs that broker settings (log.retention.hours, message.max.bytes, ...) make the default.
/// Errors: kInvalidConfig for a value that is no number where hours or minutes are counted.
Expected<TopicConfigs> topic_defaults(const ConfigMap& settings);

/// Threads: any. Must not outlive the FileSystem.
class BrokerConfigs {
 public:
  /// `settings` are those of server.properties. Errors: kCorruption for a file that cannot be read, kUnavailable.
  static Expected<std::unique_ptr<BrokerConfigs>> open(FileSystem& fs, Path directory, int32_t node_id,
                                                       ConfigMap settings);

  const ConfigMap& settings() const { return settings_; }
  /// What is set for a broker ("" = all brokers), a group or a client metrics subscription.
  ConfigMap dynamic(ConfigResourceType type, const std::string& name) const;
  /// The names for which something is set.
  std::vector<std::string> names(ConfigResourceType type) const;
  /// Replaces what is set, checked before by check(). Errors: kUnavailable.
  Status replace(ConfigResourceType type, const std::string& name, const ConfigMap& configs);
  /// Whether `configs` may be set for the resource, with Kafka's words. Errors: kInvalidConfig.
  Status check(ConfigResourceType type, const std::string& name, const ConfigMap& configs) const;

  /// All broker configs in force that are not defaults: of this broker, of all brokers, of the settings.
  ConfigMap effective() const;
  /// One of them, else its default, else nothing.
  std::optional<std::string> value(std::string_view name) const;
  bool is_true(std::string_view name) const { return value(name) == "true"; }
  /// `listener` is called after each change of a broker's configs, by the thread that made it. Before threads start.
  void on_change(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

 private:
  using Key = std::pair<ConfigResourceType, std::string>;
  BrokerConfigs(FileSystem& fs, Path directory, int32_t node_id, ConfigMap settings);
  Status load();
  Status write_locked() const;
  Status check_broker(const std::string& name, const ConfigMap& configs) const;

  FileSystem& fs_;
  const Path path_;
  const int32_t node_id_;
  const ConfigMap settings_;
  mutable std::mutex mutex_;
  std::map<Key, ConfigMap> dynamic_;
  std::vector<std::function<void()>> listeners_;
};

}  // namespace millrace
