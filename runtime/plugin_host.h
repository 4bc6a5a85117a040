/// Finds connector plugins (shared libraries of plugin.path and the built-in folder), loads them and answers by class
/// name. A library that does not fit is refused with a reason; the worker runs on without it.
#pragma once

#include <millrace/abi.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file_system.h"
#include "core/logger.h"
#include "runtime/herder.h"

namespace millrace {

/// One connector of a loaded library. Lives as long as the process: libraries are never unloaded.
struct ConnectorPlugin {
  std::string class_name;          ///< shown in /connector-plugins
  std::vector<std::string> names;  ///< all names that select it, class_name first
  ConnectorType type = ConnectorType::kUnknown;
  std::string version;
  Path library;
  mr_connector_v1 table{};  ///< copied; members the plugin's minor version lacks are NULL
};

/// Threads: any, after scan().
class PluginHost {
 public:
  /// `host` is the function table handed to every plugin (runtime/plugin_bridge.h).
  PluginHost(FileSystem& files, const mr_host_v1& host, Logger logger)
      : files_(files), host_(host), logger_(std::move(logger)) {}

  /// Loads every *.so in `folder` and its direct subfolders. Libraries that are refused are logged and listed in
  /// refused(). An absent folder is only a warning.
  void scan(const Path& folder);
  /// Loads one library. Errors: kInvalidConfig with what is wrong and what to do.
  Status load(const Path& library);

  /// A connector that is linked in: of tests.
  void add(ConnectorPlugin plugin) { plugins_.push_back(std::make_unique<ConnectorPlugin>(std::move(plugin))); }

  /// By exact class name, alias, or simple name with or without `Connector`, as Kafka Connect resolves them.
  /// Errors: kNotFound and kConflict (ambiguous) with Kafka Connect's texts.
  Expected<const ConnectorPlugin*> find(std::string_view name) const;
  /// Sinks first, then sources, each by class name.
  std::vector<const ConnectorPlugin*> connectors() const;

  struct Refusal {
    Path library;
    std::string reason;
  };
  const std::vector<Refusal>& refused() const { return refused_; }

 private:
  FileSystem& files_;
  const mr_host_v1& host_;
  Logger logger_;
  std::vector<std::unique_ptr<ConnectorPlugin>> plugins_;
  std::vector<Refusal> refused_;
};

}  // namespace millrace
