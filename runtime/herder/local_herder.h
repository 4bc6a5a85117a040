/// The herder of a worker that has its group for itself, in both of Kafka Connect's modes. Standalone, a creation
/// answers when the connector has started; distributed, it answers when the configuration is stored and the start goes
/// on by itself. The texts of refusals differ as they do in Kafka Connect.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/herder.h"
#include "runtime/herder/connector_validation.h"
#include "runtime/herder/managed_connector.h"
#include "runtime/herder/offset_committer.h"
#include "runtime/herder/offset_requests.h"
#include "runtime/herder/work_queue.h"
#include "runtime/metrics/metrics_sampler.h"

namespace millrace {

/// Threads: any. Operations on one connector run one at a time, those on different connectors side by side; reading
/// waits for no operation.
class LocalHerder final : public Herder {
 public:
  struct Services {
    LogClient& client;
    const PluginHost& plugins;
    OffsetStore& offsets;
    ConfigStore& configs;
    StatusStore& statuses;
    ConfigProviders providers = {};
    OffsetFileKeeper* offset_file = nullptr;  ///< optional; of standalone workers
  };
  /// `worker_id` is host:port of the advertised listener. Configuration and services outlive the herder.
  LocalHerder(const WorkerConfig& config, std::string worker_id, WorkerInfo info, Services services, Logger logger);
  /// Stops everything, as stop().
  ~LocalHerder() override;

  /// Starts the stored connectors, except those in `replaced_by_files`, which the command line will put. Returns at
  /// once; they start side by side.
  void start(const std::vector<std::string>& replaced_by_files);
  /// Start-up is over: /health says so.
  void set_ready() { ready_ = true; }
  /// Sources stop, sinks flush and commit, all within task.shutdown.graceful.timeout.ms. The stored state is kept.
  void stop();
  /// Whether tasks or connectors that would not stop still run, and so still use the plugins and the services.
  bool left_behind() const;

  /// What the page of metrics shows of a connector.
  struct Reading {
    std::string class_name;
    ConnectorStatus status;
    std::vector<std::shared_ptr<WorkerTask>> tasks;  // co-owned by the connector's set of tasks
  };
  /// Of all connectors, by name. Waits for no operation; nor do the others.
  std::vector<Reading> readings() const;
  const std::string& worker_id() const { return environment_.worker_id; }
  const StartupCounters& startups() const { return environment_.startups; }
  MetricsSampler& sampler() const { return sampler_; }
  /// What it does or did last, as Kafka Connect says it when a request times out; may be empty.
  std::string stage() const { return environment_.stages.summary(); }

  WorkerInfo worker_info() override { return info_; }
  Status health() override;
  Expected<std::vector<std::string>> connectors() override;
  Expected<ConnectorInfo> connector_info(const std::string& name) override;
  Expected<ConnectorStatus> connector_status(const std::string& name) override;
  Expected<ConnectorStatus::Part> task_status(const std::string& name, int task) override;
  Expected<std::vector<TaskInfo>> task_configs(const std::string& name) override;
  Expected<Created> put_connector(const std::string& name, const RawConfig& config, TargetState initial,
                                  bool replace) override;
  Expected<ConnectorInfo> patch_connector(const std::string& name, const RawConfig& patch) override;
  Status delete_connector(const std::string& name) override;
  Status set_target_state(const std::string& name, TargetState target) override;
  Expected<ConnectorStatus> restart_connector(const std::string& name, RestartRequest request) override;
  Status restart_task(const std::string& name, int task) override;
  Status post_signal(const std::string& name, const std::string& json) override;
  Expected<std::vector<std::string>> active_topics(const std::string& name) override;
  Status reset_active_topics(const std::string& name) override;
  Expected<std::vector<ConnectorOffset>> offsets(const std::string& name) override;
  Expected<std::string> alter_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) override;
  Expected<std::string> reset_offsets(const std::string& name) override;
  std::vector<PluginInfo> plugins(bool connectors_only) override;
  Expected<std::vector<ConfigKeyInfo>> plugin_config(const std::string& plugin) override;
  Expected<ConfigInfos> validate(const std::string& plugin, const RawConfig& config) override;
  Expected<std::string> preview(const std::string& plugin, const std::string& body, size_t rows) override;

 private:
  using ConnectorPtr = std::shared_ptr<ManagedConnector>;  // co-owned by the map and by operations under way
  /// A connector that is there, held for an operation.
  struct Held {
    ConnectorPtr connector;
    std::unique_lock<std::mutex> operation;
  };

  bool standalone() const { return environment_.config.mode == WorkerMode::kStandalone; }
  ConnectorPtr find(const std::string& name) const;
  Expected<ConnectorPtr> find_or_404(const std::string& name) const;
  std::vector<ConnectorPtr> all() const;
  /// Waits for the operation under way. Nothing if there is no such connector.
  std::optional<Held> hold(const std::string& name) const;
  /// As hold(), for an operation that ends the present run: it does not wait for a start.
  std::optional<Held> hold_to_end(const std::string& name) const;
  /// As hold(), or takes the name: presence kReserved.
  Held hold_or_reserve(const std::string& name);
  void forget(const ConnectorPtr& connector);

  Expected<Created> store(const Held& held, ConfigMap config, TargetState initial);
  /// What a request has asked for happens before its answer (standalone) or after it (distributed).
  void carry_out(const ConnectorPtr& connector);
  void attend(const std::string& name);
  Status validated(const std::string& name, const RawConfig& config);
  Status missing_task(const std::string& name, int task) const;
  Status tracking_disabled() const;

  const WorkerInfo info_;
  HerderEnvironment environment_;
  const ConnectorValidation validation_;
  const OffsetRequests offset_requests_;
  OffsetFileKeeper* const offset_file_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopped_{false};

  mutable std::mutex mutex_;  // guards connectors_; held for moments
  std::map<std::string, ConnectorPtr> connectors_;
  WorkQueue queue_;
  mutable MetricsSampler sampler_;
  OffsetCommitter committer_;  // its thread feeds the sampler, too
};

}  // namespace millrace
