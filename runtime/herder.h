/// What the REST API asks of a worker or of a whole group of workers: connectors as the user sees them. The standalone
/// herder runs everything in this process; a distributed one agrees with other workers first.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "runtime/config_infos.h"

namespace millrace {

/// Settings as stored and as handed to plugins.
using ConfigMap = std::map<std::string, std::string>;
/// Settings as a client sent them: JSON null stays apart from absent (PATCH deletes the key; validation objects).
using RawConfig = std::map<std::string, std::optional<std::string>>;

enum class ConnectorType { kSource, kSink, kUnknown };
std::string_view connector_type_name(ConnectorType type);  ///< source, sink, unknown

/// States of connectors and tasks, spelled as REST spells them.
enum class State { kUnassigned, kRunning, kPaused, kStopped, kFailed, kRestarting };
std::string_view state_name(State state);

/// What the user wants of a connector.
enum class TargetState { kStarted, kPaused, kStopped };

struct ConnectorInfo {
  std::string name;
  ConfigMap config;
  std::vector<int> tasks;  ///< task numbers
  ConnectorType type = ConnectorType::kUnknown;
};

struct ConnectorStatus {
  /// What a task tells of its work: a name with a text or, without one, a number.
  struct Progress {
    std::string name;
    std::optional<std::string> text;
    double number = 0;
  };
  struct Part {
    int id = 0;  ///< of a task
    State state = State::kUnassigned;
    std::string worker_id;
    std::string trace;    ///< empty = none
    std::string version;  ///< of the plugin; empty = unknown
    int restarts = 0;     ///< automatic restarts since it last ran well; shown under an extra member when not 0
    std::vector<Progress> progress = {};  ///< of a task, as its plugin told last; an extra member, too
  };
  std::string name;
  Part connector;
  std::vector<Part> tasks;  ///< by id
  ConnectorType type = ConnectorType::kUnknown;
};

struct TaskInfo {
  int task = 0;
  ConfigMap config;
};

struct PluginInfo {
  std::string class_name;
  std::string type;     ///< sink, source, transformation, predicate, converter, header_converter
  std::string version;  ///< empty = undefined, left out
};

struct WorkerInfo {
  std::string version, commit, kafka_cluster_id;
};

struct RestartRequest {
  bool include_tasks = false;
  bool only_failed = false;
};

/// One partition of a source or sink and where it stands; both texts are JSON objects, offset empty = null (reset).
struct ConnectorOffset {
  std::string partition;
  std::string offset;
};

/// Errors carry Kafka Connect's message texts; the code gives the HTTP status (kNotFound 404, kAlreadyExists and
/// kConflict 409, kInvalidConfig 400, others 500). Threads: any; calls may wait for tasks to stop.
class Herder {
 public:
  virtual ~Herder() = default;

  virtual WorkerInfo worker_info() = 0;
  /// Waits until start-up is over, or kUnavailable while it lasts longer than ten seconds.
  virtual Status health() = 0;

  virtual Expected<std::vector<std::string>> connectors() = 0;
  /// Kafka's message texts: Connector X not found.
  virtual Expected<ConnectorInfo> connector_info(const std::string& name) = 0;
  virtual Expected<ConnectorStatus> connector_status(const std::string& name) = 0;
  virtual Expected<ConnectorStatus::Part> task_status(const std::string& name, int task) = 0;
  virtual Expected<std::vector<TaskInfo>> task_configs(const std::string& name) = 0;

  struct Created {
    bool created = false;
    ConnectorInfo info;
  };
  /// Validates, stores and starts. `replace` false: kAlreadyExists when the name is taken. The config must hold `name`.
  virtual Expected<Created> put_connector(const std::string& name, const RawConfig& config, TargetState initial,
                                          bool replace) = 0;
  /// Merges; null values delete keys.
  virtual Expected<ConnectorInfo> patch_connector(const std::string& name, const RawConfig& patch) = 0;
  virtual Status delete_connector(const std::string& name) = 0;

  virtual Status set_target_state(const std::string& name, TargetState target) = 0;
  /// The plan that is being carried out, with RESTARTING parts; both flags false: only the connector, synchronously.
  virtual Expected<ConnectorStatus> restart_connector(const std::string& name, RestartRequest request) = 0;
  virtual Status restart_task(const std::string& name, int task) = 0;
  /// Gives a signal, a JSON object {"id", "type", "data"}, to the connector's running tasks. It is not stored: one that
  /// a task has not taken when it or the worker ends is gone. Errors: kNotFound; kConflict when no task takes signals.
  virtual Status post_signal(const std::string& name, const std::string& json) = 0;

  virtual Expected<std::vector<std::string>> active_topics(const std::string& name) = 0;
  virtual Status reset_active_topics(const std::string& name) = 0;

  virtual Expected<std::vector<ConnectorOffset>> offsets(const std::string& name) = 0;
  /// Returns the message for the user.
  virtual Expected<std::string> alter_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) = 0;
  virtual Expected<std::string> reset_offsets(const std::string& name) = 0;

  virtual std::vector<PluginInfo> plugins(bool connectors_only) = 0;
  /// Key definitions of a plugin. Errors: kNotFound `Unknown plugin X.`
  virtual Expected<std::vector<ConfigKeyInfo>> plugin_config(const std::string& plugin) = 0;
  virtual Expected<ConfigInfos> validate(const std::string& plugin, const RawConfig& config) = 0;
  /// What a connector of this configuration would do, with nothing written: the JSON of runtime/preview.h from a
  /// request body as it reads them. Takes seconds. Errors: kInvalidConfig, kNotFound for the plugin, what the plugin
  /// fails with.
  virtual Expected<std::string> preview(const std::string& plugin, const std::string& body, size_t rows) = 0;
};

}  // namespace millrace
