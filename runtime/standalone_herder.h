/// The herder of a worker that runs alone: connectors are kept in the config topic and started here.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/log_client.h"
#include "core/logger.h"
#include "runtime/config_store.h"
#include "runtime/offset_store.h"
#include "runtime/plugin_host.h"
#include "runtime/source_task.h"
#include "runtime/task_factory.h"
#include "runtime/worker_config.h"
#include "runtime/worker_connector.h"

namespace millrace {

/// Threads: any. Operations that change something run one at a time; reading a status never waits for them.
class StandaloneHerder final : public Herder {
 public:
  struct Services {
    LogClient& client;
    const PluginHost& plugins;
    OffsetStore& offsets;
    ConfigStore& configs;
  };
  /// `worker_id` is host:port of the advertised listener. The services outlive the herder.
  StandaloneHerder(const WorkerConfig& config, std::string worker_id, WorkerInfo info, Services services,
                   Logger logger);
  /// Stops everything, as stop().
  ~StandaloneHerder() override;

  /// Starts the stored connectors, except those in `replaced_by_files`, which the command line will put.
  void start(const std::vector<std::string>& replaced_by_files);
  /// Start-up is over: /health says so.
  void set_ready() { ready_ = true; }
  /// Sources stop, sinks flush and commit, all within task.shutdown.graceful.timeout.ms. The stored state is kept.
  void stop();
  /// Whether threads of tasks that would not stop still run, and so still use the plugins and the services.
  bool tasks_left_behind() const;

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
  Expected<std::vector<std::string>> active_topics(const std::string& name) override;
  Status reset_active_topics(const std::string& name) override;
  Expected<std::vector<ConnectorOffset>> offsets(const std::string& name) override;
  Expected<std::string> alter_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) override;
  Expected<std::string> reset_offsets(const std::string& name) override;
  std::vector<PluginInfo> plugins(bool connectors_only) override;
  Expected<std::vector<ConfigKeyInfo>> plugin_config(const std::string& plugin) override;
  Expected<ConfigInfos> validate(const std::string& plugin, const RawConfig& config) override;

 private:
  /// One connector and what runs of it.
  struct Entry {
    ConfigMap config;
    TargetState target = TargetState::kStarted;
    ConnectorType type = ConnectorType::kUnknown;
    State state = State::kUnassigned;
    std::string trace, version;
    std::unique_ptr<WorkerConnector> connector;
    std::vector<ConfigMap> task_configs;
    std::vector<std::shared_ptr<WorkerTask>> tasks;  // co-owned by their threads
    std::set<std::string> topics;                    // written or read by tasks that are gone
    int failed_starts = 0;                           // in a row, for passing trouble
  };
  using EntryPtr = std::shared_ptr<Entry>;  // co-owned by the map and by an operation that has let go of the lock

  EntryPtr find(const std::string& name) const;
  Expected<EntryPtr> find_or_404(const std::string& name) const;

  // Operations; the caller holds operations_.
  void start_entry(const std::string& name, const EntryPtr& entry);
  Status start_connector(const std::string& name, const EntryPtr& entry);
  Status start_tasks(const std::string& name, const EntryPtr& entry, std::vector<ConfigMap> configs);
  /// Stops one task and starts it anew with the same configuration.
  Status replace_task(const std::string& name, const EntryPtr& entry, int id);
  void stop_tasks(const EntryPtr& entry);
  void stop_connector(const EntryPtr& entry);
  void fail_connector(const std::string& name, const EntryPtr& entry, const Error& error);
  Status require_stopped(const std::string& name, const Entry& entry) const;
  ConnectorInfo info_of(const std::string& name, const Entry& entry) const;
  ConnectorStatus status_of(const std::string& name, const Entry& entry) const;
  Status alter_sink_offsets(const std::string& name, const Entry& entry, const std::vector<ConnectorOffset>& offsets);

  // The background thread: reconfiguration requests, retries of failed starts, and the storing of source offsets.
  void run_background();
  void later(std::chrono::milliseconds delay, std::string connector);
  void reconfigure(const std::string& name);
  void run_commits();

  const WorkerConfig& config_;
  const std::string worker_id_;
  const WorkerInfo info_;
  const Services services_;
  const Logger logger_;
  const TaskFactory factory_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopped_{false};

  std::mutex operations_;             // one change at a time; may be held for long
  mutable std::mutex entries_mutex_;  // guards entries_ and the members of each Entry; held for moments
  std::map<std::string, EntryPtr> entries_;
  std::vector<std::shared_ptr<WorkerTask>> left_behind_;  // did not stop in time; co-owned by their threads

  std::mutex background_mutex_;
  std::condition_variable background_wake_;
  std::multimap<std::chrono::steady_clock::time_point, std::string> requests_;  // connectors to look at again
  bool background_stop_ = false;
  std::thread background_, committer_;
};

}  // namespace millrace
