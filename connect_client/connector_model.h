/// What a worker tells about connectors, as plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connect_client/connection.h"

namespace millrace::connect {

using Config = std::map<std::string, std::string>;

/// The connector itself or one of its tasks.
struct PartStatus {
  int task = -1;      ///< -1: the connector itself
  std::string state;  ///< RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING
  std::string worker = {};
  std::string trace = {};  ///< empty unless something failed

  bool failed() const { return state == "FAILED"; }
  std::string label() const { return task < 0 ? "connector" : "task " + std::to_string(task); }
};

struct Connector {
  std::string name;
  std::string type = {};  ///< source, sink or unknown
  PartStatus self = {};
  std::vector<PartStatus> tasks = {};  ///< by id
  Config config = {};                  ///< empty when only the status was asked for

  std::string class_name() const;
  /// FAILED when any part has failed, else the connector's own state.
  std::string state() const;
  size_t running_tasks() const;
  /// The connector and its tasks, in this order.
  std::vector<PartStatus> parts() const;
  /// True when the connector is in `wanted` and so are all tasks. RUNNING needs a task; a stopped connector has none.
  bool settled_in(const std::string& wanted) const;
};

/// Members that are absent or of other types are left empty: workers of other versions have more and fewer.
Connector connector_of_status(const Json& status);
Config config_of(const Json& json);
Json to_json(const Config& config);

/// `json[key]` as text; empty if it is none.
std::string text_at(const Json& json, const std::string& key);

/// True when both say the same, whatever the order of members; 3 and "3" are equal, as Connect takes both for numbers.
bool same_value(const Json& a, const Json& b);

}  // namespace millrace::connect
