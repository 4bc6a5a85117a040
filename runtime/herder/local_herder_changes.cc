// What REST changes, and what the herder does by itself afterwards.
#include <fmt/format.h>

#include "runtime/herder/local_herder.h"

namespace millrace {
namespace {

tl::unexpected<Error> not_found(const std::string& name) {
  return fail(ErrorCode::kNotFound, fmt::format("Connector {} not found", name));
}

tl::unexpected<Error> unknown(const std::string& name) {
  return fail(ErrorCode::kNotFound, fmt::format("Unknown connector: {}", name));
}

}  // namespace

void LocalHerder::attend(const std::string& name) {
  if (stopped_) return;
  auto held = hold(name);
  if (!held || stopped_) return;
  held->connector->attend();
  held->connector->restart_planned();
}

void LocalHerder::carry_out(const ConnectorPtr& connector) {
  // Only a start may take long.
  if (!standalone() && connector->target() == TargetState::kStarted) return queue_.add(connector->name());
  connector->attend();
  connector->restart_planned();
}

Status LocalHerder::validated(const std::string& name, const RawConfig& config) {
  const auto stage = environment_.stages.begin(fmt::format("validating the config of connector {}", name));
  return validation_.require_valid(config);
}

Expected<Herder::Created> LocalHerder::put_connector(const std::string& name, const RawConfig& raw, TargetState initial,
                                                     bool replace) {
  if (auto valid = validated(name, raw); !valid) return fail(std::move(valid.error()));
  ConfigMap config;
  for (const auto& [key, value] : raw) {
    if (value) config[key] = *value;
  }
  config["name"] = name;
  if (const ConnectorPtr old = find(name)) {
    if (!replace) return fail(ErrorCode::kAlreadyExists, fmt::format("Connector {} already exists", name));
    old->interrupt();
  }
  const Held held = hold_or_reserve(name);
  const bool exists = held.connector->presence() == ManagedConnector::Presence::kPresent;
  if (exists && !replace) return fail(ErrorCode::kAlreadyExists, fmt::format("Connector {} already exists", name));
  return store(held, std::move(config), initial);
}

Expected<Herder::Created> LocalHerder::store(const Held& held, ConfigMap config, TargetState initial) {
  ManagedConnector& connector = *held.connector;
  const bool created = connector.presence() != ManagedConnector::Presence::kPresent;
  Status stored = fail(ErrorCode::kUnavailable, "Worker is shutting down");
  if (!stopped_) {
    const auto stage = environment_.stages.begin(
        fmt::format("writing a config for connector {} to the config topic", connector.name()));
    stored = environment_.configs.put(connector.name(), config, created ? std::optional(initial) : std::nullopt);
    if (!stored) stored.error() = std::move(stored.error()).wrap("Error writing connector configuration to Kafka");
  }
  if (!stored) {
    if (created) forget(held.connector);
    return fail(std::move(stored.error()));
  }
  connector.set_config(config);
  if (created) {
    connector.set_target(initial);
    connector.set_presence(ManagedConnector::Presence::kPresent);
  }
  carry_out(held.connector);
  return Created{created, connector.info()};
}

Expected<ConnectorInfo> LocalHerder::patch_connector(const std::string& name, const RawConfig& patch) {
  const auto held = hold(name);
  if (!held) return not_found(name);
  RawConfig merged;
  for (const auto& [key, value] : held->connector->config()) merged[key] = value;
  for (const auto& [key, value] : patch) {
    if (value) {
      merged[key] = value;
    } else {
      merged.erase(key);
    }
  }
  if (const auto given = merged.find("name"); given != merged.end() && given->second != name) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("Connector name configuration ({}) doesn't match connector name in the URL ({})",
                            given->second.value_or("null"), name));
  }
  if (auto valid = validated(name, merged); !valid) return fail(std::move(valid.error()));
  ConfigMap config;
  for (const auto& [key, value] : merged) config[key] = value.value_or("");
  config["name"] = name;
  auto stored = store(*held, std::move(config), held->connector->target());
  if (!stored) return fail(std::move(stored.error()));
  return std::move(stored->info);
}

Status LocalHerder::delete_connector(const std::string& name) {
  const auto held = hold_to_end(name);
  if (!held) return not_found(name);
  if (auto removed = environment_.configs.remove(name); !removed) return removed;
  held->connector->shut_down();
  forget(held->connector);
  environment_.statuses.remove_connector(name);
  return {};
}

Status LocalHerder::set_target_state(const std::string& name, TargetState target) {
  const auto held = target == TargetState::kStarted ? hold(name) : hold_to_end(name);
  if (!held) {
    if (target == TargetState::kStopped && standalone())
      return fail(ErrorCode::kInternal, fmt::format("No connector `{}` configured", name));
    return fail(ErrorCode::kNotFound, fmt::format("Unknown connector {}", name));
  }
  ManagedConnector& connector = *held->connector;
  const TargetState before = connector.target();
  if (before == TargetState::kStarted && target == TargetState::kStarted) return {};
  if (target == TargetState::kStopped && !connector.task_configs().empty()) {
    if (auto emptied = environment_.configs.put_tasks(name, {}); !emptied) return emptied;
  }
  if (auto stored = environment_.configs.put_target(name, target); !stored) return stored;
  connector.set_target(target);
  carry_out(held->connector);
  return {};
}

Expected<ConnectorStatus> LocalHerder::restart_connector(const std::string& name, RestartRequest request) {
  const auto held = hold(name);
  const bool whole_plan = request.include_tasks || request.only_failed;
  if (!held && standalone() && !whole_plan)
    return fail(ErrorCode::kInternal, fmt::format("Unknown connector: {}", name));  // Kafka Connect's is a null pointer
  if (!held) return unknown(name);
  ManagedConnector& connector = *held->connector;
  if (!whole_plan) {
    if (auto restarted = connector.restart_instance(); !restarted) return fail(std::move(restarted.error()));
    return connector.status();
  }
  if (!standalone()) {
    if (auto told = environment_.configs.put_restart(name, request); !told) return fail(std::move(told.error()));
  }
  ConnectorStatus plan = connector.plan_restart(request);
  carry_out(held->connector);
  return plan;
}

Status LocalHerder::restart_task(const std::string& name, int task) {
  const auto held = hold(name);
  if (!held) {
    if (!standalone()) return unknown(name);
    return fail(
        ErrorCode::kInternal,
        fmt::format("Failed to start task {}-{} since it is not a recognizable type (source or sink)", name, task));
  }
  held->connector->restart_planned();  // what was asked for first comes first
  const size_t tasks = held->connector->task_configs().size();
  if (task < 0 || static_cast<size_t>(task) >= tasks) return missing_task(name, task);
  return held->connector->restart_task(task);
}

Status LocalHerder::post_signal(const std::string& name, const std::string& json) {
  const ConnectorPtr connector = find(name);
  return connector ? connector->post_signal(json) : unknown(name);
}

Status LocalHerder::missing_task(const std::string& name, int task) const {
  if (standalone()) return fail(ErrorCode::kNotFound, fmt::format("Task {}-{} not found", name, task));
  // The configuration of a task outlives the stop of its connector; its owner does not.
  if (environment_.configs.remembers_task(name, task)) {
    return fail(ErrorCode::kConflict,
                "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was "
                "underway.");
  }
  return fail(ErrorCode::kNotFound, fmt::format("Unknown task: {}-{}", name, task));
}

Expected<std::string> LocalHerder::alter_offsets(const std::string& name, const std::vector<ConnectorOffset>& offsets) {
  if (offsets.empty()) {
    return fail(ErrorCode::kInvalidConfig, "Partitions / offsets need to be provided for an alter offsets request");
  }
  const auto held = hold(name);
  if (!held) return not_found(name);
  const auto stage = environment_.stages.begin(fmt::format("altering the offsets of connector {}", name));
  auto message = offset_requests_.alter(*held->connector, offsets);
  if (message && offset_file_ != nullptr) offset_file_->flush();
  return message;
}

Expected<std::string> LocalHerder::reset_offsets(const std::string& name) {
  const auto held = hold(name);
  if (!held) return not_found(name);
  const auto stage = environment_.stages.begin(fmt::format("resetting the offsets of connector {}", name));
  auto message = offset_requests_.reset(*held->connector);
  if (message && offset_file_ != nullptr) offset_file_->flush();
  return message;
}

}  // namespace millrace
