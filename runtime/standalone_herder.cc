#include "runtime/standalone_herder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/connector_config.h"
#include "runtime/validation.h"

namespace millrace {

using namespace std::chrono_literals;

namespace {

std::string text_of(const ConfigMap& config, const std::string& key, std::string fallback = {}) {
  const auto at = config.find(key);
  return at == config.end() ? fallback : at->second;
}

int tasks_max_of(const ConfigMap& config) {
  const std::string text = text_of(config, "tasks.max", "1");
  int value = 1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::max(value, 1);
}

tl::unexpected<Error> not_found(const std::string& name) {
  return fail(ErrorCode::kNotFound, fmt::format("Connector {} not found", name));
}

}  // namespace

StandaloneHerder::StandaloneHerder(const WorkerConfig& config, std::string worker_id, WorkerInfo info,
                                   Services services, Logger logger)
    : config_(config),
      worker_id_(std::move(worker_id)),
      info_(std::move(info)),
      services_(services),
      logger_(std::move(logger)),
      factory_(config_, worker_id_, {services_.client, services_.plugins, services_.offsets}, logger_) {
  background_ = std::thread([this] { run_background(); });
  committer_ = std::thread([this] { run_commits(); });
}

StandaloneHerder::~StandaloneHerder() { stop(); }

void StandaloneHerder::start(const std::vector<std::string>& replaced_by_files) {
  std::lock_guard operation(operations_);
  for (auto& [name, stored] : services_.configs.connectors()) {
    if (std::find(replaced_by_files.begin(), replaced_by_files.end(), name) != replaced_by_files.end()) continue;
    auto entry = std::make_shared<Entry>();
    entry->config = stored.config;
    entry->target = stored.target;
    {
      std::lock_guard lock(entries_mutex_);
      entries_[name] = entry;
    }
    start_entry(name, entry);
  }
}

void StandaloneHerder::stop() {
  if (stopped_.exchange(true)) return;
  {
    std::lock_guard lock(background_mutex_);
    background_stop_ = true;
    background_wake_.notify_all();
  }
  background_.join();
  committer_.join();
  std::lock_guard operation(operations_);
  std::vector<EntryPtr> all;
  {
    std::lock_guard lock(entries_mutex_);
    for (const auto& [name, entry] : entries_) all.push_back(entry);
  }
  // All are told first, then all are waited for: the time-out is for the whole worker.
  for (const EntryPtr& entry : all) {
    for (const auto& task : entry->tasks) task->request_stop();
  }
  for (const EntryPtr& entry : all) {
    stop_tasks(entry);
    stop_connector(entry);
  }
}

bool StandaloneHerder::tasks_left_behind() const {
  std::lock_guard lock(entries_mutex_);
  return std::any_of(left_behind_.begin(), left_behind_.end(),
                     [](const auto& task) { return !task->await_end(std::chrono::steady_clock::now()); });
}

Status StandaloneHerder::health() {
  if (ready_) return {};
  return fail(ErrorCode::kUnavailable, "Worker is still starting up.");
}

// ---- starting and stopping
// -----------------------------------------------------------------------------------------------

void StandaloneHerder::start_entry(const std::string& name, const EntryPtr& entry) {
  if (entry->target != TargetState::kStarted) {
    std::lock_guard lock(entries_mutex_);
    entry->state = entry->target == TargetState::kPaused ? State::kPaused : State::kStopped;
    auto plugin = services_.plugins.find(text_of(entry->config, "connector.class"));
    if (plugin) {
      entry->type = (*plugin)->type;
      entry->version = (*plugin)->version;
    }
    return;
  }
  if (auto started = start_connector(name, entry); !started) fail_connector(name, entry, started.error());
}

Status StandaloneHerder::start_connector(const std::string& name, const EntryPtr& entry) {
  auto plugin = services_.plugins.find(text_of(entry->config, "connector.class"));
  if (!plugin) return fail(std::move(plugin.error()));
  WorkerConnector::Callbacks callbacks{
      .request_reconfiguration = [this, name] { later(0ms, name); },
      .raise_error =
          [this, name, weak = std::weak_ptr<Entry>(entry)](Error error) {
            if (const EntryPtr still = weak.lock()) fail_connector(name, still, error);
          },
  };
  if (!entry->connector) {
    auto made = std::make_unique<WorkerConnector>(**plugin, name, entry->config, services_.offsets,
                                                  std::move(callbacks), logger_);
    std::lock_guard lock(entries_mutex_);
    entry->type = (*plugin)->type;
    entry->version = (*plugin)->version;
    entry->connector = std::move(made);
  }
  if (auto started = entry->connector->start(); !started) return started;
  auto configs = entry->connector->task_configs(tasks_max_of(entry->config),
                                                text_of(entry->config, "tasks.max.enforce", "true") != "false");
  if (!configs) return fail(std::move(configs.error()));
  {
    std::lock_guard lock(entries_mutex_);
    if (entry->state != State::kFailed || entry->failed_starts > 0) {
      entry->state = State::kRunning;
      entry->trace.clear();
    }
    entry->failed_starts = 0;
  }
  return start_tasks(name, entry, std::move(*configs));
}

Status StandaloneHerder::start_tasks(const std::string& name, const EntryPtr& entry, std::vector<ConfigMap> configs) {
  std::vector<std::shared_ptr<WorkerTask>> tasks;
  for (size_t id = 0; id < configs.size(); ++id) {
    auto task = factory_.make(name, entry->config, static_cast<int>(id), configs[id]);
    if (!task) return fail(std::move(task.error()));
    tasks.push_back(std::move(*task));
  }
  for (const auto& task : tasks) WorkerTask::launch(task);
  std::lock_guard lock(entries_mutex_);
  entry->task_configs = std::move(configs);
  entry->tasks = std::move(tasks);
  return {};
}

void StandaloneHerder::stop_tasks(const EntryPtr& entry) {
  const auto deadline = std::chrono::steady_clock::now() + config_.shutdown_timeout;
  for (const auto& task : entry->tasks) task->request_stop();
  for (const auto& task : entry->tasks) {
    if (!task->await_end(deadline)) {
      logger_.warn("task_left_behind", {{"connector", task->connector_name()},
                                        {"task", task->status().id},
                                        {"reason", "it did not stop within task.shutdown.graceful.timeout.ms"}});
      std::lock_guard lock(entries_mutex_);
      left_behind_.push_back(task);
    }
  }
  std::lock_guard lock(entries_mutex_);
  for (const auto& task : entry->tasks) entry->topics.merge(task->active_topics());
  entry->tasks.clear();
}

void StandaloneHerder::stop_connector(const EntryPtr& entry) {
  if (entry->connector) entry->connector->stop();
}

void StandaloneHerder::fail_connector(const std::string& name, const EntryPtr& entry, const Error& error) {
  logger_.error("connector_failed", {{"connector", name}, {"error", error_trace(error)}});
  int attempt = 0;
  {
    std::lock_guard lock(entries_mutex_);
    entry->state = State::kFailed;
    entry->trace = error_trace(error);
    attempt = entry->failed_starts++;
  }
  if (error.retriable() && ErrorPolicy::from(entry->config).auto_restart) {
    later(std::min<std::chrono::milliseconds>(500ms * (1 << std::min(attempt, 6)), 30s), name);
  }
}

// ---- what REST reads
// -------------------------------------------------------------------------------------------------------

StandaloneHerder::EntryPtr StandaloneHerder::find(const std::string& name) const {
  std::lock_guard lock(entries_mutex_);
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : at->second;
}

Expected<StandaloneHerder::EntryPtr> StandaloneHerder::find_or_404(const std::string& name) const {
  EntryPtr entry = find(name);
  if (!entry) return not_found(name);
  return entry;
}

ConnectorInfo StandaloneHerder::info_of(const std::string& name, const Entry& entry) const {
  std::lock_guard lock(entries_mutex_);
  ConnectorInfo info{name, entry.config, {}, entry.type};
  for (size_t id = 0; id < entry.task_configs.size(); ++id) info.tasks.push_back(static_cast<int>(id));
  return info;
}

ConnectorStatus StandaloneHerder::status_of(const std::string& name, const Entry& entry) const {
  std::lock_guard lock(entries_mutex_);
  ConnectorStatus status;
  status.name = name;
  status.type = entry.type;
  status.connector = {0, entry.state, worker_id_, entry.trace, entry.version, 0};
  for (const auto& task : entry.tasks) status.tasks.push_back(task->status());
  return status;
}

Expected<std::vector<std::string>> StandaloneHerder::connectors() {
  std::lock_guard lock(entries_mutex_);
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

Expected<ConnectorInfo> StandaloneHerder::connector_info(const std::string& name) {
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  return info_of(name, **entry);
}

Expected<ConnectorStatus> StandaloneHerder::connector_status(const std::string& name) {
  const EntryPtr entry = find(name);
  if (!entry) return fail(ErrorCode::kNotFound, fmt::format("No status found for connector {}", name));
  return status_of(name, *entry);
}

Expected<ConnectorStatus::Part> StandaloneHerder::task_status(const std::string& name, int task) {
  const EntryPtr entry = find(name);
  if (entry) {
    for (ConnectorStatus::Part& part : status_of(name, *entry).tasks) {
      if (part.id == task) return std::move(part);
    }
  }
  return fail(ErrorCode::kNotFound, fmt::format("No status found for task {}-{}", name, task));
}

Expected<std::vector<TaskInfo>> StandaloneHerder::task_configs(const std::string& name) {
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  std::lock_guard lock(entries_mutex_);
  std::vector<TaskInfo> tasks;
  for (size_t id = 0; id < (*entry)->task_configs.size(); ++id)
    tasks.push_back({static_cast<int>(id), (*entry)->task_configs[id]});
  return tasks;
}

Expected<std::vector<std::string>> StandaloneHerder::active_topics(const std::string& name) {
  std::set<std::string> topics;
  if (const EntryPtr entry = find(name)) {
    std::lock_guard lock(entries_mutex_);
    topics = entry->topics;
    for (const auto& task : entry->tasks) topics.merge(task->active_topics());
  }
  return std::vector<std::string>(topics.begin(), topics.end());
}

Status StandaloneHerder::reset_active_topics(const std::string& name) {
  if (const EntryPtr entry = find(name)) {
    std::lock_guard lock(entries_mutex_);
    entry->topics.clear();
    for (const auto& task : entry->tasks) task->reset_active_topics();
  }
  return {};
}

std::vector<PluginInfo> StandaloneHerder::plugins(bool connectors_only) {
  std::vector<PluginInfo> all;
  for (const ConnectorPlugin* plugin : services_.plugins.connectors()) {
    all.push_back({plugin->class_name, std::string(connector_type_name(plugin->type)), plugin->version});
  }
  if (connectors_only) return all;
  const BuiltInComponents components;
  constexpr std::pair<ComponentKind, const char*> kKinds[] = {{ComponentKind::kTransformation, "transformation"},
                                                              {ComponentKind::kPredicate, "predicate"},
                                                              {ComponentKind::kConverter, "converter"},
                                                              {ComponentKind::kHeaderConverter, "header_converter"}};
  for (const auto& [kind, type] : kKinds) {
    for (const std::string_view name : components.classes(kind))
      all.push_back({std::string(name), type, info_.version});
  }
  return all;
}

Expected<std::vector<ConfigKeyInfo>> StandaloneHerder::plugin_config(const std::string& plugin) {
  auto found = services_.plugins.find(plugin);
  if (auto component = component_key_infos(BuiltInComponents(), plugin); !found && component)
    return std::move(*component);
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("Unknown plugin {}.", plugin));
  return plugin_key_infos(**found);
}

// ---- what REST changes
// -----------------------------------------------------------------------------------------------------

namespace {
/// Kafka Connect's refusal of settings without connector.class.
Status require_class(const RawConfig& config) {
  const auto class_name = config.find("connector.class");
  if (class_name != config.end() && class_name->second) return {};
  std::string settings;
  for (const auto& [key, value] : config)
    settings += fmt::format("{}{}={}", settings.empty() ? "" : ", ", key, value.value_or("null"));
  return fail(ErrorCode::kInvalidConfig, fmt::format("Connector config {{{}}} contains no connector type", settings));
}
}  // namespace

Expected<ConfigInfos> StandaloneHerder::validate(const std::string& plugin_name, const RawConfig& config) {
  if (auto has_class = require_class(config); !has_class) return fail(std::move(has_class.error()));
  auto plugin = services_.plugins.find(plugin_name);
  if (!plugin) return fail(std::move(plugin.error()));
  const auto ask_plugin = [&](const ConfigMap& settings) -> Expected<std::vector<std::pair<std::string, std::string>>> {
    if ((*plugin)->table.validate == nullptr) return std::vector<std::pair<std::string, std::string>>{};
    ValidationContext context(text_of(settings, "name"), logger_.named("validate"));
    const ConfigView view(settings);
    mr_error error{};
    if (auto ok = to_status((*plugin)->table.validate(&context, view.get(), &error), error); !ok)
      return fail(std::move(ok.error()));
    return std::move(context.errors);
  };
  return validate_connector(**plugin, config, ask_plugin);
}

Expected<Herder::Created> StandaloneHerder::put_connector(const std::string& name, const RawConfig& raw,
                                                          TargetState initial, bool replace) {
  if (auto has_class = require_class(raw); !has_class) return fail(std::move(has_class.error()));
  auto infos = validate(*raw.at("connector.class"), raw);
  if (!infos) {
    Error error = std::move(infos.error());
    if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict)
      error.code = ErrorCode::kInternal;  // Kafka answers 500
    return fail(std::move(error));
  }
  if (infos->error_count > 0) return fail(ErrorCode::kInvalidConfig, validation_error_message(*infos));

  std::lock_guard operation(operations_);
  if (stopped_) return fail(ErrorCode::kUnavailable, "Worker is shutting down");
  const EntryPtr old = find(name);
  if (old && !replace) return fail(ErrorCode::kAlreadyExists, fmt::format("Connector {} already exists", name));
  auto entry = std::make_shared<Entry>();
  for (const auto& [key, value] : raw) {
    if (value) entry->config[key] = *value;
  }
  entry->config["name"] = name;
  entry->target = old ? old->target : initial;
  if (auto stored = services_.configs.put(name, entry->config, old ? std::nullopt : std::optional(initial)); !stored) {
    return fail(std::move(stored.error()).wrap("Error writing connector configuration to Kafka"));
  }
  if (old && entry->target == TargetState::kPaused) {
    // Paused tasks keep what they run until they are resumed, as in Kafka Connect.
    stop_connector(old);
    std::lock_guard lock(entries_mutex_);
    entry->tasks = std::move(old->tasks);
    entry->task_configs = std::move(old->task_configs);
  } else if (old) {
    stop_tasks(old);
    stop_connector(old);
  }
  {
    std::lock_guard lock(entries_mutex_);
    if (old) entry->topics = old->topics;
    entries_[name] = entry;
  }
  start_entry(name, entry);
  return Created{old == nullptr, info_of(name, *entry)};
}

Expected<ConnectorInfo> StandaloneHerder::patch_connector(const std::string& name, const RawConfig& patch) {
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  RawConfig merged;
  for (const auto& [key, value] : info_of(name, **entry).config) merged[key] = value;
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
  auto put = put_connector(name, merged, (*entry)->target, true);
  if (!put) return fail(std::move(put.error()));
  return std::move(put->info);
}

Status StandaloneHerder::delete_connector(const std::string& name) {
  std::lock_guard operation(operations_);
  const EntryPtr entry = find(name);
  if (!entry) return not_found(name);
  if (auto removed = services_.configs.remove(name); !removed) return removed;
  stop_tasks(entry);
  stop_connector(entry);
  std::lock_guard lock(entries_mutex_);
  entries_.erase(name);
  return {};
}

Status StandaloneHerder::set_target_state(const std::string& name, TargetState target) {
  std::lock_guard operation(operations_);
  const EntryPtr entry = find(name);
  if (!entry) return fail(ErrorCode::kNotFound, fmt::format("Unknown connector {}", name));
  if (auto stored = services_.configs.put_target(name, target); !stored) return stored;
  const TargetState before = entry->target;
  entry->target = target;
  if (target == TargetState::kStopped) {
    stop_tasks(entry);
    stop_connector(entry);
    std::lock_guard lock(entries_mutex_);
    entry->task_configs.clear();
    entry->state = State::kStopped;
    entry->trace.clear();
    return {};
  }
  if (target == TargetState::kPaused) {
    stop_connector(entry);
    for (const auto& task : entry->tasks) task->set_paused(true);
    std::lock_guard lock(entries_mutex_);
    if (entry->state != State::kFailed) entry->state = State::kPaused;
    return {};
  }
  if (before == TargetState::kStarted) return {};
  if (entry->tasks.empty() || !entry->connector) {  // the latter: configured anew while it was paused
    stop_tasks(entry);
    start_entry(name, entry);
    return {};
  }
  if (entry->connector) {
    if (auto started = entry->connector->start(); !started) {
      fail_connector(name, entry, started.error());
      return {};
    }
  }
  for (const auto& task : entry->tasks) task->set_paused(false);
  {
    std::lock_guard lock(entries_mutex_);
    if (entry->state != State::kFailed) entry->state = State::kRunning;
  }
  later(0ms, name);  // what the plugin saw while it was paused may need other tasks
  return {};
}

Expected<ConnectorStatus> StandaloneHerder::restart_connector(const std::string& name, RestartRequest request) {
  std::lock_guard operation(operations_);
  const EntryPtr entry = find(name);
  if (!entry) return fail(ErrorCode::kNotFound, fmt::format("Unknown connector: {}", name));
  ConnectorStatus plan = status_of(name, *entry);
  const auto chosen = [&](State state) { return !request.only_failed || state == State::kFailed; };
  const bool with_connector = chosen(plan.connector.state);
  std::vector<int> task_ids;
  for (ConnectorStatus::Part& part : plan.tasks) {
    if (!request.include_tasks || !chosen(part.state)) continue;
    task_ids.push_back(part.id);
    part.state = State::kRestarting;
  }
  if (with_connector) {
    plan.connector.state = State::kRestarting;
    stop_connector(entry);
    Status started;
    if (entry->target == TargetState::kStarted) {
      if (entry->tasks.empty()) {
        {
          std::lock_guard lock(entries_mutex_);
          entry->connector.reset();
          entry->state = State::kUnassigned;
        }
        started = start_connector(name, entry);
        task_ids.clear();
      } else {
        started = entry->connector->start();
        std::lock_guard lock(entries_mutex_);
        if (started) {
          entry->state = State::kRunning;
          entry->trace.clear();
        }
      }
    }
    if (!started) {
      fail_connector(name, entry, started.error());
      if (!request.include_tasks && !request.only_failed) {
        return fail(ErrorCode::kInternal, fmt::format("Failed to start connector: {}", name));
      }
    }
  }
  for (const int id : task_ids) {
    if (auto restarted = replace_task(name, entry, id); !restarted) return fail(std::move(restarted.error()));
  }
  return plan;
}

Status StandaloneHerder::restart_task(const std::string& name, int task) {
  std::lock_guard operation(operations_);
  const EntryPtr entry = find(name);
  if (!entry) return fail(ErrorCode::kNotFound, fmt::format("Unknown connector: {}", name));
  if (task < 0 || static_cast<size_t>(task) >= entry->tasks.size()) {
    return fail(ErrorCode::kNotFound, fmt::format("Unknown task: {}-{}", name, task));
  }
  return replace_task(name, entry, task);
}

Status StandaloneHerder::replace_task(const std::string& name, const EntryPtr& entry, int id) {
  const auto index = static_cast<size_t>(id);
  entry->tasks[index]->request_stop();
  const bool ended = entry->tasks[index]->await_end(std::chrono::steady_clock::now() + config_.shutdown_timeout);
  auto task = factory_.make(name, entry->config, id, entry->task_configs[index]);
  if (!task) return fail(std::move(task.error()).wrap(fmt::format("Failed to start task: {}-{}", name, id)));
  (*task)->set_paused(entry->target == TargetState::kPaused);
  WorkerTask::launch(*task);
  std::lock_guard lock(entries_mutex_);
  entry->topics.merge(entry->tasks[index]->active_topics());
  if (!ended) left_behind_.push_back(entry->tasks[index]);
  entry->tasks[index] = std::move(*task);
  return {};
}

// ---- the background threads
// ---------------------------------------------------------------------------------------------------

void StandaloneHerder::later(std::chrono::milliseconds delay, std::string connector) {
  std::lock_guard lock(background_mutex_);
  requests_.emplace(std::chrono::steady_clock::now() + delay, std::move(connector));
  background_wake_.notify_all();
}

void StandaloneHerder::run_background() {
  std::unique_lock lock(background_mutex_);
  while (!background_stop_) {
    if (requests_.empty()) {
      background_wake_.wait(lock);
      continue;
    }
    const auto due = requests_.begin()->first;
    if (std::chrono::steady_clock::now() < due) {
      background_wake_.wait_until(lock, due);
      continue;
    }
    const std::string name = std::move(requests_.begin()->second);
    requests_.erase(requests_.begin());
    lock.unlock();
    reconfigure(name);
    lock.lock();
  }
}

void StandaloneHerder::reconfigure(const std::string& name) {
  std::lock_guard operation(operations_);
  const EntryPtr entry = find(name);
  if (!entry || stopped_ || entry->target != TargetState::kStarted) return;
  if (entry->state == State::kFailed) {
    if (entry->failed_starts == 0) return;
    logger_.info("connector_restarts", {{"connector", name}, {"attempt", entry->failed_starts}});
    if (auto started = start_connector(name, entry); !started) fail_connector(name, entry, started.error());
    return;
  }
  if (!entry->connector) return;
  auto configs = entry->connector->task_configs(tasks_max_of(entry->config),
                                                text_of(entry->config, "tasks.max.enforce", "true") != "false");
  if (!configs) return fail_connector(name, entry, configs.error());
  if (*configs == entry->task_configs) return;
  logger_.info("tasks_reconfigured", {{"connector", name}, {"tasks", configs->size()}});
  stop_tasks(entry);
  if (auto started = start_tasks(name, entry, std::move(*configs)); !started)
    fail_connector(name, entry, started.error());
}

void StandaloneHerder::run_commits() {
  const auto interval =
      std::max<std::chrono::milliseconds>(std::min(config_.offset_flush_interval, kOffsetInterval), 1ms);
  std::unique_lock lock(background_mutex_);
  while (!background_stop_) {
    background_wake_.wait_for(lock, interval, [&] { return background_stop_; });
    if (background_stop_) break;
    lock.unlock();
    std::vector<std::shared_ptr<WorkerTask>> tasks;
    {
      std::lock_guard entries(entries_mutex_);
      for (const auto& [name, entry] : entries_) tasks.insert(tasks.end(), entry->tasks.begin(), entry->tasks.end());
    }
    for (const auto& task : tasks) {
      auto* source = dynamic_cast<SourceTask*>(task.get());
      if (source == nullptr) continue;
      if (auto committed = source->commit_offsets(); !committed) {
        logger_.warn("offset_commit_failed",
                     {{"connector", task->connector_name()}, {"error", committed.error().message}});
      }
    }
    lock.lock();
  }
}

}  // namespace millrace
