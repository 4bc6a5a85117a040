#include "runtime/herder/task_set.h"

#include <fmt/format.h>

namespace millrace {

std::string setting_of(const ConfigMap& config, const std::string& key, std::string fallback) {
  const auto at = config.find(key);
  return at == config.end() ? std::move(fallback) : at->second;
}

Expected<std::shared_ptr<WorkerTask>> TaskSet::make(int id, const ConfigMap& connector_config,
                                                    const ConfigMap& task_config, bool paused) const {
  auto made = environment_.factory.make(connector_, connector_config, id, task_config);
  if (!made) return made;
  (*made)->set_paused(paused);
  (*made)->observe({.state_changed =
                        [this, id, started = false](State state, const std::string& trace) mutable {
                          // As Kafka counts: a failure before it first ran is a failed start.
                          if (!started && (state == State::kRunning || state == State::kFailed)) {
                            started = state == State::kRunning;
                            environment_.startups.tasks.count(started);
                          }
                          environment_.statuses.put_task(connector_, id, state, trace);
                        },
                    .topic_used = [this, id](const std::string& topic) { topic_used_(id, topic); }});
  return made;
}

TaskSet::Slot TaskSet::launch(int id, Expected<std::shared_ptr<WorkerTask>> made) const {
  if (made) {
    WorkerTask::launch(*made);
    return {std::move(*made), {}, false};
  }
  Slot slot{nullptr, error_trace(made.error()), false};
  environment_.startups.tasks.count(false);
  environment_.logger.error("task_failed", {{"connector", connector_}, {"task", id}, {"error", slot.trace}});
  environment_.statuses.put_task(connector_, id, State::kFailed, slot.trace);
  return slot;
}

void TaskSet::replace_all(const ConfigMap& connector_config, const std::vector<ConfigMap>& task_configs, bool paused) {
  stop(Statuses::kForget);
  std::vector<Slot> slots;
  const auto connector = environment_.providers.resolve(connector_config);
  for (size_t i = 0; i < task_configs.size(); ++i) {
    const int id = static_cast<int>(i);
    const auto task = environment_.providers.resolve(task_configs[i]);
    if (!connector || !task) {
      slots.push_back(launch(id, fail(connector ? task.error() : connector.error())));
    } else {
      slots.push_back(launch(id, make(id, *connector, *task, paused)));
    }
  }
  std::lock_guard lock(mutex_);
  slots_ = std::move(slots);
}

Status TaskSet::restart(int task, const ConfigMap& connector_config, const ConfigMap& task_config, bool paused) {
  const auto index = static_cast<size_t>(task);
  const auto connector = environment_.providers.resolve(connector_config);
  const auto own = environment_.providers.resolve(task_config);
  if (!connector || !own) {
    std::lock_guard lock(mutex_);
    slots_[index].restarting = false;
    Error error = connector ? own.error() : connector.error();
    error.code = ErrorCode::kInternal;
    return fail(std::move(error));
  }
  if (const auto old = slots_[index].task) end({old});
  auto made = make(task, *connector, *own, paused);
  Status outcome;
  if (!made)
    outcome = fail(
        Error(made.error()).wrap(ErrorCode::kInternal, fmt::format("Failed to start task: {}-{}", connector_, task)));
  Slot slot = launch(task, std::move(made));
  std::lock_guard lock(mutex_);
  slots_[index] = std::move(slot);
  return outcome;
}

void TaskSet::set_paused(bool paused) {
  for (const auto& task : tasks()) task->set_paused(paused);
}

void TaskSet::request_stop() const {
  for (const auto& task : tasks()) task->request_stop();
}

void TaskSet::end(const std::vector<std::shared_ptr<WorkerTask>>& tasks) const {
  const auto deadline = std::chrono::steady_clock::now() + environment_.config.shutdown_timeout;
  for (const auto& task : tasks) task->request_stop();
  for (const auto& task : tasks) {
    if (task->await_end(deadline)) continue;
    environment_.logger.warn("task_left_behind",
                             {{"connector", connector_},
                              {"task", task->status().id},
                              {"reason", "it did not stop within task.shutdown.graceful.timeout.ms"}});
    task->observe({});
    environment_.left_behind.with([&](auto& all) { all.push_back(task); });
  }
}

void TaskSet::stop(Statuses statuses) {
  end(tasks());
  size_t count = 0;
  {
    std::lock_guard lock(mutex_);
    count = slots_.size();
    slots_.clear();
  }
  if (statuses == Statuses::kKeep) return;
  for (size_t id = 0; id < count; ++id) environment_.statuses.remove_task(connector_, static_cast<int>(id));
}

bool TaskSet::empty() const {
  std::lock_guard lock(mutex_);
  return slots_.empty();
}

Status TaskSet::post_signal(const std::string& json) const {
  const auto running = tasks();
  if (running.empty())
    return fail(ErrorCode::kConflict,
                fmt::format("Connector {} has no running task that could take a signal", connector_));
  Status refused;
  bool taken = false;
  for (const auto& task : running) {
    Status posted = task->post_signal(json);
    taken |= posted.has_value();
    if (!posted) refused = std::move(posted);
  }
  return taken ? Status{} : refused;
}

std::vector<ConnectorStatus::Part> TaskSet::status() const {
  std::lock_guard lock(mutex_);
  std::vector<ConnectorStatus::Part> parts;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    ConnectorStatus::Part part{static_cast<int>(i), State::kFailed, environment_.worker_id, slot.trace, {}, 0};
    if (slot.task) part = slot.task->status();
    if (slot.restarting) part.state = State::kRestarting;
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::shared_ptr<WorkerTask>> TaskSet::tasks() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<WorkerTask>> running;
  for (const Slot& slot : slots_) {
    if (slot.task) running.push_back(slot.task);
  }
  return running;
}

void TaskSet::mark_restarting(int task) {
  std::lock_guard lock(mutex_);
  const auto index = static_cast<size_t>(task);
  if (index < slots_.size()) slots_[index].restarting = true;
}

void TaskSet::forget_topics() const {
  for (const auto& task : tasks()) task->forget_topics();
}

}  // namespace millrace
