#include "runtime/herder/managed_connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "runtime/connector_config.h"

namespace millrace {
namespace {

/// Kafka Connect gives the instance of a connector this long to stop.
constexpr std::chrono::milliseconds kConnectorGrace{5'000};

int tasks_max_of(const ConfigMap& config) {
  const std::string text = setting_of(config, "tasks.max", "1");
  int value = 1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::max(value, 1);
}

}  // namespace

ManagedConnector::ManagedConnector(std::string name, const HerderEnvironment& environment)
    : name_(std::move(name)),
      environment_(environment),
      logger_(environment.logger.named(name_)),
      tasks_(name_, environment, [this](int task, const std::string& topic) { note_topic(task, topic); }) {}

ManagedConnector::~ManagedConnector() { stop_instance(); }

void ManagedConnector::restore(const ConfigStore::StoredConnector& stored, std::set<std::string> topics) {
  set_config(stored.config);
  const auto last = environment_.statuses.connector(name_);
  visible_.with([&](Visible& visible) {
    visible.presence = Presence::kPresent;
    visible.target = stored.target;
    visible.task_configs = stored.tasks;
    visible.state_known = true;
    // What it failed with is shown until it has been tried anew.
    if (last && last->state == State::kFailed && stored.target == TargetState::kStarted) {
      visible.state = State::kFailed;
      visible.trace = last->trace;
    }
  });
  topics_.with([&](auto& known) { known = std::move(topics); });
}

void ManagedConnector::set_config(const ConfigMap& config) {
  const auto resolved = environment_.providers.resolve(config);
  auto plugin = environment_.plugins.find(setting_of(resolved ? *resolved : config, "connector.class"));
  visible_.with([&](Visible& visible) {
    visible.config = config;
    visible.type = plugin ? (*plugin)->type : ConnectorType::kUnknown;
    visible.version = plugin ? (*plugin)->version : std::string();
    visible.class_name = plugin ? (*plugin)->class_name : setting_of(config, "connector.class");
  });
  instance_stale_ = true;
  start_wanted_ = true;
}

// ---- towards what the user wants

void ManagedConnector::attend() {
  if (presence() != Presence::kPresent) return;
  if (instance_stale_.exchange(false)) stop_instance();
  switch (target()) {
    case TargetState::kStarted:
      return become_started();
    case TargetState::kPaused:
      return become_paused();
    case TargetState::kStopped:
      return become_stopped();
  }
}

void ManagedConnector::become_started() {
  tasks_.set_paused(false);
  if (failed() && !start_wanted_) return;
  // What is stored goes on while the instance waits for what it needs.
  if (const auto stored = visible_.with([](const Visible& visible) { return visible.task_configs; });
      tasks_.empty() && !stored.empty())
    run_tasks(stored);
  if (!instance_) {
    if (auto started = start_instance(); !started) return interrupted_ ? start_later() : fail_with(started.error());
  }
  if (auto renewed = renew_tasks(); !renewed) fail_with(renewed.error());
}

void ManagedConnector::become_paused() {
  stop_instance();
  tasks_.set_paused(true);
  if (const auto stored = visible_.with([](const Visible& visible) { return visible.task_configs; });
      tasks_.empty() && !stored.empty())
    run_tasks(stored);
  if (!failed()) set_state(State::kPaused);
}

void ManagedConnector::become_stopped() {
  const auto stage = environment_.stages.begin(fmt::format("stopping the tasks of connector {}", name_));
  tasks_.stop(TaskSet::Statuses::kForget);
  stop_instance();
  visible_.with([](Visible& visible) {
    visible.task_configs.clear();
    visible.restarts = 0;
  });
  tasks_run_with_.reset();
  start_wanted_ = true;
  set_state(State::kStopped);
}

void ManagedConnector::shut_down() {
  const auto stage = environment_.stages.begin(fmt::format("stopping connector {} and its tasks", name_));
  tasks_.stop(TaskSet::Statuses::kKeep);
  stop_instance();
  if (!failed()) set_state(State::kUnassigned);
}

// ---- the instance

Status ManagedConnector::start_instance() {
  const auto stage = environment_.stages.begin(fmt::format("starting connector {}", name_));
  start_wanted_ = false;
  interrupted_ = false;
  Status made = make_instance();
  if (made || !interrupted_) environment_.startups.connectors.count(made.has_value());
  return made;
}

Status ManagedConnector::make_instance() {
  auto resolved = environment_.providers.resolve(config());
  if (!resolved) return fail(std::move(resolved.error()));
  auto plugin = environment_.plugins.find(setting_of(*resolved, "connector.class"));
  if (!plugin) return fail(std::move(plugin.error()));
  if (auto fine = check_options(**plugin, *resolved); !fine) return fine;
  const auto raise = [this](Error error) {
    raised_ = true;
    instance_stale_ = true;
    fail_with(error);
  };
  const std::weak_ptr<ManagedConnector> weak = weak_from_this();  // the plugin's threads may call late
  WorkerConnector::Callbacks callbacks{
      .request_reconfiguration =
          [weak] {
            if (const auto self = weak.lock()) self->environment_.look_again(self->name_, {});
          },
      .raise_error =
          [weak, raise](Error error) {
            if (const auto self = weak.lock()) raise(std::move(error));
          },
  };
  auto instance = std::make_unique<WorkerConnector>(**plugin, name_, *resolved, environment_.offsets,
                                                    std::move(callbacks), environment_.logger);
  raised_ = false;
  interruptible_.with([&](WorkerConnector*& current) { current = instance.get(); });
  const Status started = instance->start();
  if (!started) {
    interruptible_.with([](WorkerConnector*& current) { current = nullptr; });
    return started;
  }
  instance_ = std::move(instance);
  resolved_config_ = std::move(*resolved);
  return {};
}

Status ManagedConnector::check_options(const ConnectorPlugin& plugin, const ConfigMap& resolved) const {
  // A connector with code of its own looks at its settings itself.
  if (plugin.table.connector_create != nullptr) return {};
  auto options = ConfigDef::create(plugin_keys(plugin.table));
  if (!options) return fail(std::move(options.error()));
  auto parsed = options->parse(resolved);
  if (parsed) return {};
  Error error = std::move(parsed.error());
  if (error.exception.empty()) error.exception = "org.apache.kafka.common.config.ConfigException";
  return fail(std::move(error));
}

void ManagedConnector::stop_instance() {
  interruptible_.with([](WorkerConnector*& current) { current = nullptr; });
  if (!instance_) return;
  const auto stage = environment_.stages.begin(fmt::format("stopping connector {}", name_));
  // On a thread of its own: a plugin that does not return must not hold what the user wants next.
  const auto ended = std::make_shared<StopSignal>();  // co-owned by that thread
  std::thread([instance = std::move(instance_), ended]() mutable {
    instance.reset();
    ended->request();
  }).detach();
  if (ended->wait_for(std::min(kConnectorGrace, environment_.config.shutdown_timeout))) return;
  logger_.warn("connector_left_behind", {{"connector", name_}, {"reason", "its plugin did not stop in time"}});
  environment_.left_behind_connectors.with([&](auto& all) { all.push_back(ended); });
}

void ManagedConnector::start_later() {
  // Whoever interrupted it goes on with it; should that fail, it is started after all.
  start_wanted_ = true;
  environment_.look_again(name_, std::chrono::seconds(1));
}

void ManagedConnector::fail_with(const Error& error) {
  logger_.error("connector_failed", {{"connector", name_}, {"error", error_trace(error)}});
  set_state(State::kFailed, error_trace(error));
  if (!error.retriable() || !ErrorPolicy::from(config()).auto_restart) return;
  start_wanted_ = true;
  visible_.with([](Visible& visible) { ++visible.restarts; });
  const auto delay = backoff_.with([](Backoff& backoff) { return backoff.next(); });
  environment_.look_again(name_, std::max(delay, error.retry_after));
}

// ---- the tasks

Status ManagedConnector::renew_tasks() {
  const ConfigMap current = config();
  auto configs = [&] {
    const auto stage = environment_.stages.begin(fmt::format("generating task configs for connector {}", name_));
    return instance_->task_configs(tasks_max_of(resolved_config_),
                                   setting_of(resolved_config_, "tasks.max.enforce", "true") != "false");
  }();
  if (!configs) return fail(std::move(configs.error()));
  if (!raised_) {
    backoff_.with([](Backoff& backoff) { backoff.reset(); });
    const bool running = visible_.with([](Visible& visible) {
      visible.restarts = 0;
      return visible.state == State::kRunning;
    });
    if (!running) set_state(State::kRunning);
  }
  hide_secrets(*configs);
  const bool same = visible_.with([&](const Visible& visible) { return visible.task_configs == *configs; });
  if (same && tasks_run_with_ == current && (!tasks_.empty() || configs->empty())) return {};
  if (!same) {
    if (auto stored = environment_.configs.put_tasks(name_, *configs); !stored)
      return fail(std::move(stored.error()).wrap("Error writing task configurations to Kafka"));
    logger_.info("tasks_configured", {{"connector", name_}, {"tasks", configs->size()}});
  }
  run_tasks(std::move(*configs));
  return {};
}

void ManagedConnector::hide_secrets(std::vector<ConfigMap>& task_configs) const {
  for (const auto& [key, shown] : config()) {
    const auto resolved = resolved_config_.find(key);
    if (resolved == resolved_config_.end() || resolved->second == shown) continue;
    for (ConfigMap& task : task_configs) {
      if (const auto at = task.find(key); at != task.end() && at->second == resolved->second) at->second = shown;
    }
  }
}

void ManagedConnector::run_tasks(std::vector<ConfigMap> configs) {
  const ConfigMap current = config();
  const auto stage = environment_.stages.begin(fmt::format("restarting the tasks of connector {}", name_));
  tasks_.replace_all(current, configs, target() == TargetState::kPaused);
  tasks_run_with_ = current;
  visible_.with([&](Visible& visible) { visible.task_configs = std::move(configs); });
}

// ---- restarts

ConnectorStatus ManagedConnector::plan_restart(RestartRequest request) {
  const auto chosen = [&](State state) { return !request.only_failed || state == State::kFailed; };
  ConnectorStatus status = this->status();
  Plan plan = plan_.value_or(Plan{});
  if (chosen(status.connector.state)) {
    plan.instance = true;
    status.connector.state = State::kRestarting;
    visible_.with([](Visible& visible) { visible.restarting = true; });
  }
  for (ConnectorStatus::Part& part : status.tasks) {
    if (!request.include_tasks || !chosen(part.state)) continue;
    if (std::find(plan.tasks.begin(), plan.tasks.end(), part.id) == plan.tasks.end()) plan.tasks.push_back(part.id);
    part.state = State::kRestarting;
    tasks_.mark_restarting(part.id);
  }
  plan_ = std::move(plan);
  return status;
}

void ManagedConnector::restart_planned() {
  if (!plan_) return;
  const Plan plan = *std::exchange(plan_, std::nullopt);
  if (plan.instance) {
    if (auto restarted = restart_instance(); !restarted)
      logger_.warn("restart_failed", {{"connector", name_}, {"error", restarted.error().message}});
  }
  for (const int task : plan.tasks) {
    if (auto restarted = restart_task(task); !restarted)
      logger_.warn("restart_failed", {{"connector", name_}, {"task", task}, {"error", restarted.error().message}});
  }
}

Status ManagedConnector::restart_instance() {
  const auto restarting_is_over = [](Visible& visible) { visible.restarting = false; };
  stop_instance();
  instance_stale_ = false;
  if (target() != TargetState::kStarted) {
    attend();
    visible_.with(restarting_is_over);
    return {};
  }
  if (auto resolved = environment_.providers.resolve(config()); !resolved) {
    start_wanted_ = true;
    set_state(State::kUnassigned);
    visible_.with(restarting_is_over);
    resolved.error().code = ErrorCode::kInternal;
    return fail(std::move(resolved.error()));
  }
  Status done = start_instance();
  if (done) done = renew_tasks();
  visible_.with(restarting_is_over);
  if (done) return {};
  fail_with(done.error());
  return fail(ErrorCode::kInternal, fmt::format("Failed to start connector: {}", name_));
}

Status ManagedConnector::restart_task(int task) {
  const auto stored = visible_.with([](const Visible& visible) { return visible.task_configs; });
  const auto index = static_cast<size_t>(task);
  if (task < 0 || index >= stored.size() || index >= tasks_.status().size())
    return fail(ErrorCode::kNotFound, fmt::format("Unknown task: {}-{}", name_, task));
  const auto stage = environment_.stages.begin(fmt::format("restarting task {}-{}", name_, task));
  return tasks_.restart(task, config(), stored[index], target() == TargetState::kPaused);
}

}  // namespace millrace
