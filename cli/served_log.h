/// The embedded log with its listeners: what `millrace broker` is, and what a worker serves beside its REST API.
#pragma once

#include <memory>

#include "broker/node.h"
#include "broker/server/broker_server.h"
#include "core/clock.h"
#include "core/config_def.h"
#include "core/file_system.h"
#include "core/logger.h"

namespace millrace {

/// Threads: one. Must not outlive FileSystem and Clock.
class ServedLog {
 public:
  enum class Listeners {
    kRequired,  ///< a port in use is an error
    kOptional,  ///< it is a warning, and the log is used from inside the process alone
    kNone,
  };
  /// `settings` are those of server.properties. Errors: kInvalidConfig naming the setting, kConflict when another
  /// process uses the folder, kUnavailable for ports and folders, kCorruption.
  static Expected<std::unique_ptr<ServedLog>> open(FileSystem& fs, Clock& clock, Logger logger,
                                                   const ConfigMap& settings, Listeners listeners);
  /// close(), ignoring errors.
  ~ServedLog();

  Node& node() { return *node_; }
  /// "PLAINTEXT://127.0.0.1:9092", several separated by commas; "none" without listeners.
  std::string addresses() const;
  /// Answers what is under way, makes everything durable and marks the folder clean. Errors: kUnavailable.
  Status close();

 private:
  ServedLog() = default;
  std::unique_ptr<Node> node_;
  std::unique_ptr<BrokerServer> server_;  // null without listeners; uses the node
};

}  // namespace millrace
