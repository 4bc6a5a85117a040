/// The calls of Kafka Connect's REST API that the commands need, with values instead of JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect_client/connector_model.h"

namespace millrace::connect {

/// An error of a configuration, at its key.
struct ConfigProblem {
  std::string key;
  std::string message;
};

/// Errors are those of Connection::call; a name that does not exist comes with the nearest one that does.
/// Threads: one.
class WorkerApi {
 public:
  explicit WorkerApi(Connection& connection) : connection_(connection) {}

  /// Sorted by name, with status and configuration.
  Expected<std::vector<Connector>> connectors();
  Expected<std::vector<std::string>> names();  ///< sorted
  Expected<Connector> status(const std::string& name);
  Expected<Config> config(const std::string& name);
  /// Nothing when there is no connector of that name.
  Expected<std::optional<Config>> find_config(const std::string& name);

  /// `initial_state` empty: the worker's default, and nothing that workers before 3.7 do not know.
  Status create(const std::string& name, const Config& config, const std::string& initial_state);
  Status update(const std::string& name, const Config& config);
  Status remove(const std::string& name);
  /// pause, resume or stop.
  Status change_state(const std::string& name, std::string_view verb);

  Expected<Json> offsets(const std::string& name);  ///< the list under "offsets"
  /// The worker's sentence. `offsets` is a list of {"partition","offset"}.
  Expected<std::string> set_offsets(const std::string& name, const Json& offsets);
  Expected<std::string> reset_offsets(const std::string& name);

  /// What the worker finds wrong; empty when nothing is. Errors: kNotFound when it does not know the class.
  Expected<std::vector<ConfigProblem>> validate(const Config& config);

  Connection& connection() { return connection_; }
  /// "/connectors/<name><suffix>", encoded.
  static std::string path(const std::string& name, std::string_view suffix = "");
  /// As Connection::call; adds the nearest name to an error that says that `name` is not there.
  Expected<Json> call(const std::string& name, std::string_view method, const std::string& path,
                      const Json* body = nullptr);

 private:
  Connection& connection_;
};

}  // namespace millrace::connect
