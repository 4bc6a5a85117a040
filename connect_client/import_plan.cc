#include "connect_client/import_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect_client/config_diff.h"
#include "connect_client/text.h"

namespace millrace::connect {
namespace {

std::string_view step_word(ImportStep step) {
  switch (step) {
    case ImportStep::kCreate:
      return "create";
    case ImportStep::kSetOffsets:
      return "set offsets";
    case ImportStep::kNothing:
      return "nothing: done";
    case ImportStep::kRunningHere:
      return "nothing: runs here";
    default:
      return "refused";
  }
}

bool away(const Error& error) { return error.code == ErrorCode::kUnavailable; }

Status check_config(WorkerApi& here, ImportPlan& plan) {
  auto problems = here.validate(plan.old.config);
  if (!problems) {
    if (away(problems.error())) return fail(std::move(problems.error()));
    plan.class_known = problems.error().code != ErrorCode::kNotFound;
    plan.problems.push_back(problems.error().message);
    return {};
  }
  plan.class_known = true;
  plan.config_valid = problems->empty();
  for (const ConfigProblem& problem : *problems) plan.problems.push_back(problem.key + ": " + problem.message);
  return {};
}

/// What is here under the name already decides what is left to do.
Status compare(WorkerApi& here, ImportPlan& plan) {
  const std::string& name = plan.old.name;
  auto config = here.find_config(name);
  if (!config) return fail(std::move(config.error()));
  if (!*config) return {};
  if (const auto changes = diff(plan.old.config, **config); !changes.empty()) {
    std::string keys;
    for (const ConfigChange& change : changes) keys += (keys.empty() ? "" : ", ") + change.key;
    plan.problems.push_back(fmt::format(
        "there is another '{}' here; it differs in: {}. Delete it, or leave this one out with --only", name, keys));
    return {};
  }
  auto status = here.status(name);
  if (!status) return fail(std::move(status.error()));
  if (status->self.state != "STOPPED") {
    plan.step = ImportStep::kRunningHere;
    return {};
  }
  auto offsets = here.offsets(name);
  if (!offsets) return fail(std::move(offsets.error()));
  plan.step = holds_offsets(*offsets, plan.offsets) ? ImportStep::kNothing : ImportStep::kSetOffsets;
  return {};
}

}  // namespace

std::string wanted_state(const Connector& connector) {
  const std::string& state = connector.self.state;
  return state == "PAUSED" || state == "STOPPED" ? state : "RUNNING";
}

bool holds_offsets(const Json& here, const Json& offsets) {
  return std::ranges::all_of(offsets, [&](const Json& wanted) {
    return std::ranges::any_of(here, [&](const Json& each) { return same_value(each, wanted); });
  });
}

Status refresh_offsets(WorkerApi& old, ImportPlan& plan) {
  auto status = old.status(plan.old.name);
  if (!status) return fail(std::move(status.error()));
  plan.moving = !status->settled_in("STOPPED");
  auto offsets = old.offsets(plan.old.name);
  if (!offsets) return fail(std::move(offsets.error()));
  plan.offsets = std::move(*offsets);
  return {};
}

Expected<ImportPlan> plan_import(WorkerApi& old, WorkerApi& here, const Connector& connector) {
  ImportPlan plan;
  plan.old = connector;
  plan.old.config.try_emplace("name", connector.name);
  plan.old_state = wanted_state(connector);
  if (Status read = refresh_offsets(old, plan); !read) {
    if (away(read.error())) return fail(std::move(read.error()));
    plan.problems.push_back(
        fmt::format("its offsets cannot be read: {} (needs Kafka Connect 3.5 or newer)", read.error().message));
  }
  for (const std::string& provider : providers_of(plan.old.config))
    plan.warnings.push_back(
        fmt::format("uses variables of the configuration provider '{0}', carried over as they are; this worker needs "
                    "config.providers={0} with the same contents",
                    provider));
  if (connector.state() == "FAILED") plan.warnings.push_back("has failed there; see: millrace connectors errors");
  if (Status checked = check_config(here, plan); !checked) return fail(std::move(checked.error()));
  if (Status compared = compare(here, plan); !compared) {
    if (away(compared.error())) return fail(std::move(compared.error()));
    plan.problems.push_back(compared.error().message);
  }
  if (!plan.problems.empty()) plan.step = ImportStep::kRefused;
  return plan;
}

std::string plan_table(const std::vector<ImportPlan>& plans, bool colour) {
  Table table({"CONNECTOR", "TYPE", "STATE THERE", "CLASS HERE", "CONFIG HERE", "OFFSETS", "TO DO"});
  for (const ImportPlan& plan : plans) {
    std::vector<std::string> notes;
    for (const std::string& problem : plan.problems) notes.push_back("refused: " + problem);
    for (const std::string& warning : plan.warnings) notes.push_back("warning: " + warning);
    table.add(
        {plan.old.name, plan.old.type, plan.old.state(), plan.class_known ? "known" : "unknown",
         plan.config_valid ? "valid" : "invalid",
         fmt::format("{}{}", plan.offsets.size(), plan.moving ? ", moving" : ""), std::string(step_word(plan.step))},
        std::move(notes));
  }
  return table.text(colour);
}

Json plan_json(const ImportPlan& plan) {
  return {{"name", plan.old.name},
          {"type", plan.old.type},
          {"state_there", plan.old.state()},
          {"class_known", plan.class_known},
          {"config_valid", plan.config_valid},
          {"offsets", plan.offsets},
          {"moving", plan.moving},
          {"to_do", step_word(plan.step)},
          {"problems", plan.problems},
          {"warnings", plan.warnings}};
}

}  // namespace millrace::connect
