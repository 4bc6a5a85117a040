#include "runtime/worker_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace {

using namespace std::chrono_literals;

namespace {
constexpr size_t kSignalsMax = 1'000;  // that wait for a task
}

std::chrono::milliseconds Backoff::next() {
  const auto ceiling = std::min<std::chrono::milliseconds>(250ms * (1 << std::min(attempt_, 6)), 10s);
  ++attempt_;
  std::uniform_int_distribution<int64_t> jitter(ceiling.count() * 3 / 4, ceiling.count());
  return std::chrono::milliseconds(jitter(random_));
}

WorkerTask::WorkerTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy,
                       Logger logger)
    : plugin_(plugin),
      identity_(std::move(identity)),
      config_(std::move(task_config)),
      policy_(std::move(policy)),
      logger_(logger.named(fmt::format("{}|task-{}", identity_.connector, identity_.task))) {}

void WorkerTask::launch(const std::shared_ptr<WorkerTask>& self) {
  std::thread([self] { self->run(); }).detach();  // await_end() is the join; a hung plugin must not hang the worker
}

void WorkerTask::run() {
  while (!stop_.requested()) {
    const auto began = std::chrono::steady_clock::now();
    Status outcome = execute();
    nothing_runs();
    if (outcome || stop_.requested()) break;
    const Error& error = outcome.error();
    const bool again = error.retriable() && policy_.auto_restart;
    set_state(State::kFailed, error_trace(error));
    logger_.error("task_failed", {{"error", error_trace(error)}, {"restarts", again ? "automatically" : "no"}});
    if (!again || stop_.wait_for(delay_after(std::chrono::steady_clock::now() - began, error))) break;
    visible_.with([](Visible& visible) { ++visible.restarts; });
  }
  const size_t dropped = signals_.with([](Signals& signals) { return std::exchange(signals.waiting, {}).size(); });
  if (dropped > 0) logger_.warn("signals_dropped", {{"count", dropped}, {"reason", "the task has ended"}});
  if (visible_.with([](const Visible& visible) { return visible.state; }) != State::kFailed)
    set_state(State::kUnassigned);
  ended_.request();
}

/// Nobody tells of progress or takes signals until the plugin's task runs again. Signals that wait are its next ones.
void WorkerTask::nothing_runs() {
  visible_.with([](Visible& visible) { visible.progress.clear(); });
  signals_.with([](Signals& signals) { signals.asked_for = false; });
}

std::chrono::milliseconds WorkerTask::delay_after(std::chrono::steady_clock::duration run, const Error& error) {
  constexpr auto kRanWell = 1min;
  if (run > kRanWell) {
    restart_backoff_.reset();
    visible_.with([](Visible& visible) { visible.restarts = 0; });
  }
  return std::max(restart_backoff_.next(), error.retry_after);
}

void WorkerTask::observe(Events events) {
  events_.with([&](Events& current) { current = std::move(events); });
}

void WorkerTask::set_paused(bool paused) {
  paused_ = paused;
  if (paused) {
    unpaused_.reset();
  } else {
    unpaused_.request();
  }
  interrupt_blocking();
}

void WorkerTask::request_stop() {
  stop_.request();
  unpaused_.request();
  interrupt_blocking();
  plugin_task_.with([&](void*& object) {
    if (object != nullptr && plugin_.table.task_interrupt != nullptr) plugin_.table.task_interrupt(object);
  });
}

bool WorkerTask::await_end(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return ended_.wait_for(std::max(left, 0ms));
}

ConnectorStatus::Part WorkerTask::status() const {
  return visible_.with([&](const Visible& visible) {
    return ConnectorStatus::Part{identity_.task,  visible.state,    identity_.worker_id, visible.trace,
                                 plugin_.version, visible.restarts, visible.progress};
  });
}

void WorkerTask::set_progress(std::span<const mr_progress> items) {
  std::vector<ConnectorStatus::Progress> progress;
  for (const mr_progress& item : items) {
    auto& told =
        progress.emplace_back(ConnectorStatus::Progress{std::string(item.name.data, item.name.size), {}, item.number});
    if (item.text.data != nullptr) told.text.emplace(item.text.data, item.text.size);
  }
  visible_.with([&](Visible& visible) { visible.progress = std::move(progress); });
}

Status WorkerTask::post_signal(const std::string& json) {
  return signals_.with([&](Signals& signals) -> Status {
    if (!signals.asked_for)
      return fail(ErrorCode::kConflict,
                  fmt::format("Task {}-{} takes no signals. Its plugin knows none, or it is not running yet",
                              identity_.connector, identity_.task));
    if (signals.waiting.size() >= kSignalsMax)
      return fail(ErrorCode::kConflict, fmt::format("Task {}-{} has {} signals to work on. Try again later",
                                                    identity_.connector, identity_.task, signals.waiting.size()));
    signals.waiting.push_back(json);
    return {};
  });
}

mr_str WorkerTask::take_signal() {
  const bool any = signals_.with([&](Signals& signals) {
    signals.asked_for = true;
    if (signals.waiting.empty()) return false;
    signal_ = std::move(signals.waiting.front());
    signals.waiting.pop_front();
    return true;
  });
  return any ? mr_str{signal_.data(), signal_.size()} : mr_str{nullptr, 0};
}

void WorkerTask::forget_topics() {
  topics_.with([](auto& topics) { topics.clear(); });
}

void WorkerTask::note_active_topic(std::string_view topic) {
  const bool is_new = topics_.with([&](auto& topics) {
    if (topics.contains(topic)) return false;
    topics.emplace(topic);
    return true;
  });
  if (!is_new) return;
  events_.with([&](const Events& events) {
    if (events.topic_used) events.topic_used(std::string(topic));
  });
}

bool WorkerTask::wait_while_paused() {
  if (!paused_) return !stop_.requested();
  set_state(State::kPaused);
  while (paused_ && !stop_.requested()) unpaused_.wait_for(1h);
  if (stop_.requested()) return false;
  set_state(State::kRunning);
  return true;
}

void WorkerTask::set_state(State state, std::string trace) {
  const bool changed = visible_.with([&](Visible& visible) {
    const bool differs = visible.state != state || visible.trace != trace;
    visible.state = state;
    visible.trace = trace;
    return differs;
  });
  if (!changed) return;
  logger_.debug("task_state", {{"state", state_name(state)}});
  events_.with([&](const Events& events) {
    if (events.state_changed) events.state_changed(state, trace);
  });
}

bool WorkerTask::back_off(Backoff& backoff, const Error& error, std::string_view doing) {
  const auto delay = std::max(backoff.next(), error.retry_after);
  logger_.warn(
      "task_retries",
      {{"doing", doing}, {"attempt", backoff.attempts()}, {"next_try_ms", delay.count()}, {"error", error.message}});
  return !stop_.wait_for(delay);
}

Expected<std::unique_ptr<WorkerTask::PluginTask>> WorkerTask::PluginTask::create(WorkerTask& owner) {
  mr_error error{};
  void* object = owner.table().task_create(&owner, &error);
  if (object == nullptr) {
    return fail(ErrorCode::kInternal, fmt::format("the plugin could not create a task: {}",
                                                  error.message[0] != '\0' ? error.message : "no reason given"));
  }
  owner.plugin_task_.with([&](void*& current) { current = object; });
  return std::unique_ptr<PluginTask>(new PluginTask(owner, object));
}

Status WorkerTask::PluginTask::start() {
  const ConfigView config(owner_.config_);
  mr_error error{};
  return to_status(owner_.table().task_start(object_, config.get(), &error), error);
}

WorkerTask::PluginTask::~PluginTask() {
  owner_.plugin_task_.with([](void*& current) { current = nullptr; });
  mr_error error{};
  if (auto stopped = to_status(owner_.table().task_stop(object_, &error), error); !stopped) {
    owner_.logger_.warn("task_stop_failed", {{"error", stopped.error().message}});
  }
  owner_.table().task_destroy(object_);
}

}  // namespace millrace
