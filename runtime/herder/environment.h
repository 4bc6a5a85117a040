/// What all connectors of a worker share.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "core/logger.h"
#include "runtime/config_providers.h"
#include "runtime/config_store.h"
#include "runtime/herder/stage.h"
#include "runtime/metrics/startup_counters.h"
#include "runtime/offset_store.h"
#include "runtime/plugin_host.h"
#include "runtime/status_store.h"
#include "runtime/task_factory.h"
#include "runtime/worker_config.h"
#include "runtime/worker_task.h"

namespace millrace {

/// Threads: any. Outlives the connectors.
struct HerderEnvironment {
  const WorkerConfig& config;
  const std::string worker_id;
  LogClient& client;
  const PluginHost& plugins;
  OffsetStore& offsets;
  ConfigStore& configs;
  StatusStore& statuses;
  const ConfigProviders providers;
  const TaskFactory factory;
  const Logger logger;
  /// Asks for ManagedConnector::attend() on another thread, after a while.
  std::function<void(const std::string& connector, std::chrono::milliseconds delay)> look_again;
  /// Tasks that did not stop in time; co-owned by their threads.
  mutable Guarded<std::vector<std::shared_ptr<WorkerTask>>> left_behind;
  /// Of instances whose plugin did not stop in time: requested when it has.
  mutable Guarded<std::vector<std::shared_ptr<StopSignal>>> left_behind_connectors;
  mutable StartupCounters startups{};
  mutable StageKeeper stages{};
};

/// A setting, or `fallback` when it is absent.
std::string setting_of(const ConfigMap& config, const std::string& key, std::string fallback = {});

}  // namespace millrace
