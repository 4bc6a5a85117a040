/// The settings of a worker: the .properties file of Kafka Connect, with the keys of the embedded log beside them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/file_system.h"
#include "runtime/client_overrides.h"
#include "runtime/config_suggestions.h"
#include "runtime/herder.h"
#include "runtime/worker_options.h"

namespace millrace {

/// exactly.once.source.support: all workers prepare before one of them enables it.
enum class ExactlyOnceSource { kDisabled, kPreparing, kEnabled };

/// The defaults are those of a worker that runs alone.
struct WorkerConfig {
  ConfigMap all;  ///< variables resolved; converters and clients take their prefixed keys from here
  WorkerMode mode = WorkerMode::kStandalone;
  std::vector<SettingRemark> notices;   ///< settings that have no effect here, to be told once, calmly
  std::vector<SettingRemark> warnings;  ///< settings that nobody knows, probably misspelt

  std::string bootstrap_servers;  ///< empty = the embedded log
  std::string client_id;
  std::string log_dirs = "./millrace-data";
  std::vector<std::string> listeners = {"http://:8083"};
  std::string advertised_host, advertised_port;
  std::vector<std::string> plugin_path;

  std::chrono::milliseconds offset_flush_interval{60'000};
  std::chrono::milliseconds offset_flush_timeout{5'000};
  std::chrono::milliseconds shutdown_timeout{5'000};
  OverridePolicy override_policy = OverridePolicy::kAll;
  bool topic_creation_enable = true;
  bool topic_tracking_enable = true;
  bool topic_tracking_allow_reset = true;

  std::string config_topic = "connect-configs";  ///< has one partition
  std::string offset_topic = "connect-offsets";
  std::string status_topic = "connect-status";
  int32_t offset_partitions = 1;  ///< -1 = the broker's default; a worker that runs alone needs no spreading
  int32_t status_partitions = 1;
  int16_t config_replication = 1, offset_replication = 1, status_replication = 1;  ///< -1 = the broker's default
  /// Settings of those topics (segment.bytes …) as given; cleanup.policy is not among them, it is always compact.
  ConfigMap config_topic_settings, offset_topic_settings, status_topic_settings;

  std::string group_id;  ///< empty when alone
  std::chrono::milliseconds session_timeout{10'000}, heartbeat_interval{3'000}, rebalance_timeout{60'000};
  std::chrono::milliseconds rebalance_delay_max{300'000};  ///< scheduled.rebalance.max.delay.ms
  std::chrono::milliseconds sync_timeout{3'000}, unsync_backoff{300'000};
  std::string connect_protocol = "sessioned";  ///< eager, compatible or sessioned
  ExactlyOnceSource exactly_once_source = ExactlyOnceSource::kDisabled;
  std::string key_algorithm = "HmacSHA256", signature_algorithm = "HmacSHA256";
  std::vector<std::string> verification_algorithms = {"HmacSHA256"};
  int32_t key_bits = 0;  ///< 0 = as the algorithm suggests
  std::chrono::milliseconds key_ttl{3'600'000};

  std::chrono::milliseconds metrics_window{30'000};
  int metrics_samples = 2;

  /// Reads the table of worker_options(), resolves variables of config.providers through `files`.
  /// Errors: kInvalidConfig with Kafka's text, naming key, value and what is expected.
  static Expected<WorkerConfig> parse(ConfigMap settings, WorkerMode mode, FileSystem& files);
  /// The same with the machine's files.
  static Expected<WorkerConfig> parse(ConfigMap settings, WorkerMode mode = WorkerMode::kStandalone);
};

/// Offsets are stored this soon after the acknowledgement, whatever larger offset.flush.interval.ms allows: on the
/// embedded log a store costs one small append, and it bounds what is repeated after a kill.
inline constexpr std::chrono::milliseconds kOffsetInterval{250};

/// Where the log lies when no setting says so: ./millrace-data; ./data where only that holds a log, as earlier versions
/// made it.
std::string default_log_directory(const FileSystem& files);

/// One of the folders of a comma-separated list, blanks around elements removed.
std::vector<std::string> split_list(std::string_view text);

}  // namespace millrace
