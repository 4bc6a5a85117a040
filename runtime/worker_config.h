/// The settings of a worker: the .properties file of Kafka Connect, with the keys of the embedded log beside them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/herder.h"

namespace millrace {

struct WorkerConfig {
  ConfigMap all;                  ///< as written; converters and clients take their prefixed keys from here
  std::string bootstrap_servers;  ///< empty = the embedded log
  std::string log_dirs = "./data";
  std::vector<std::string> listeners = {"http://:8083"};
  std::string advertised_host, advertised_port;
  std::vector<std::string> plugin_path;
  std::chrono::milliseconds offset_flush_interval{60'000};
  std::chrono::milliseconds shutdown_timeout{5'000};
  std::string config_topic = "connect-configs";
  std::string offset_topic = "connect-offsets";
  int32_t offset_partitions = 1;  ///< of the offset topic; a worker that runs alone needs no spreading

  /// Errors: kInvalidConfig naming key, value and what is expected.
  static Expected<WorkerConfig> parse(ConfigMap settings);
};

/// Offsets are stored this soon after the acknowledgement, whatever larger offset.flush.interval.ms allows: on the
/// embedded log a store costs one small append, and it bounds what is repeated after a kill.
inline constexpr std::chrono::milliseconds kOffsetInterval{250};

/// One of the folders of a comma-separated list, blanks around elements removed.
std::vector<std::string> split_list(std::string_view text);

}  // namespace millrace
