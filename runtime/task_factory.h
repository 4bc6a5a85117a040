/// Makes the tasks of a connector: from its configuration to a SourceTask or SinkTask with converters, transformations
/// and clients.
#pragma once

#include <memory>
#include <string>

#include "client/log_client.h"
#include "core/logger.h"
#include "runtime/offset_store.h"
#include "runtime/plugin_host.h"
#include "runtime/worker_config.h"
#include "runtime/worker_task.h"

namespace millrace {

/// Threads: any. The worker's configuration and the services outlive the factory and the tasks.
class TaskFactory {
 public:
  struct Services {
    LogClient& client;
    const PluginHost& plugins;
    OffsetStore& offsets;
  };
  TaskFactory(const WorkerConfig& config, std::string worker_id, Services services, Logger logger)
      : config_(config), worker_id_(std::move(worker_id)), services_(services), logger_(std::move(logger)) {}

  /// A task that has not been launched. A configuration that it cannot be made with (transformations, client settings)
  /// makes a task that fails when launched, as in Kafka Connect. Errors: kNotFound when there is no such plugin.
  Expected<std::shared_ptr<WorkerTask>> make(const std::string& connector, const ConfigMap& connector_config, int id,
                                             const ConfigMap& task_config) const;

  /// The consumer group of a sink: connect-<name>, unless the connector or the worker names another.
  std::string sink_group(const std::string& connector, const ConfigMap& connector_config) const;

 private:
  struct Request {
    const ConnectorPlugin& plugin;
    WorkerTask::Identity identity;
    const ConfigMap& connector_config;
    const ConfigMap& task_config;
  };
  Expected<std::shared_ptr<WorkerTask>> make_source(const Request& request) const;
  Expected<std::shared_ptr<WorkerTask>> make_sink(const Request& request) const;

  const WorkerConfig& config_;
  const std::string worker_id_;
  const Services services_;
  const Logger logger_;
};

}  // namespace millrace
