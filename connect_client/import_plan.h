/// What the import of one connector finds on both sides.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "connect_client/worker_api.h"

namespace millrace::connect {

enum class ImportStep {
  kCreate,       ///< not here yet
  kSetOffsets,   ///< here with the same configuration, but stopped at another place
  kNothing,      ///< here, at the same place
  kRunningHere,  ///< here and not stopped: it is left alone
  kRefused,      ///< it cannot be taken over; `problems` says why
};

struct ImportPlan {
  Connector old;          ///< configuration and states in the old cluster
  std::string old_state;  ///< RUNNING, PAUSED or STOPPED: what its users want, whatever has failed
  Json offsets = Json::array();
  bool moving = false;  ///< not STOPPED there, so that the offsets are not final
  bool class_known = false;
  bool config_valid = false;
  ImportStep step = ImportStep::kCreate;
  std::vector<std::string> problems = {};  ///< why it is refused
  std::vector<std::string> warnings = {};  ///< what to look at
};

/// The state that a connector's users have asked for: one that has failed or is on its way was meant to run.
std::string wanted_state(const Connector& connector);

/// True when each partition of `offsets` is in `here` with the same offset.
bool holds_offsets(const Json& here, const Json& offsets);

/// Looks at one connector. Only reads. Errors: kUnavailable when one of the workers does not answer; whatever else is
/// wrong is a problem of the plan.
Expected<ImportPlan> plan_import(WorkerApi& old, WorkerApi& here, const Connector& connector);

/// Reads offsets and state again, after the connector was stopped there.
Status refresh_offsets(WorkerApi& old, ImportPlan& plan);

/// Connectors in a table, problems and warnings below each.
std::string plan_table(const std::vector<ImportPlan>& plans, bool colour);
Json plan_json(const ImportPlan& plan);

}  // namespace millrace::connect
