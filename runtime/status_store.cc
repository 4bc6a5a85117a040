#include "runtime/status_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kConnector = "status-connector-";
constexpr std::string_view kTask = "status-task-";
constexpr std::string_view kTopic = "status-topic-";
constexpr std::string_view kOfConnector = ":connector-";
constexpr std::chrono::seconds kRetryAfter{1};

std::string connector_key(const std::string& name) { return fmt::format("{}{}", kConnector, name); }
std::string task_key(const std::string& connector, int task) { return fmt::format("{}{}-{}", kTask, connector, task); }
std::string topic_key(const std::string& topic, const std::string& connector) {
  return fmt::format("{}{}{}{}", kTopic, topic, kOfConnector, connector);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

State state_from(std::string_view name) {
  for (const State state : {State::kRunning, State::kPaused, State::kStopped, State::kFailed, State::kRestarting}) {
    if (state_name(state) == name) return state;
  }
  return State::kUnassigned;
}

/// The connector that a key is about; empty for other keys.
std::string connector_of(std::string_view key) {
  if (key.starts_with(kConnector)) return std::string(key.substr(kConnector.size()));
  if (key.starts_with(kTask)) {
    key.remove_prefix(kTask.size());
    return std::string(key.substr(0, key.rfind('-')));
  }
  if (!key.starts_with(kTopic)) return {};
  // A topic's name has no colon, so the first one ends it.
  const size_t colon = key.find(kOfConnector);
  return colon == key.npos ? std::string() : std::string(key.substr(colon + kOfConnector.size()));
}

}  // namespace

StatusStore::StatusStore(std::unique_ptr<TopicStore> topic, Identity identity, Logger logger)
    : topic_(std::move(topic)), identity_(std::move(identity)), logger_(std::move(logger)) {
  writer_ = std::thread([this] { run(); });
}

StatusStore::~StatusStore() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  writer_.join();
}

std::string StatusStore::status_json(State state, const std::string& trace) const {
  return dump(Json{{"state", state_name(state)},
                   {"trace", trace.empty() ? Json(nullptr) : Json(trace)},
                   {"worker_id", identity_.worker_id},
                   {"generation", identity_.generation}});
}

std::optional<StatusStore::Stored> StatusStore::connector(const std::string& name) const {
  const auto text = topic_->get(connector_key(name));
  const Json json = text ? Json::parse(*text, nullptr, false) : Json();
  if (!json.is_object() || !json.contains("state") || !json["state"].is_string()) return std::nullopt;
  Stored stored;
  stored.state = state_from(json["state"].get<std::string>());
  if (json.contains("trace") && json["trace"].is_string()) stored.trace = json["trace"].get<std::string>();
  return stored;
}

void StatusStore::put_connector(const std::string& name, State state, const std::string& trace) {
  put(connector_key(name), status_json(state, trace));
}

void StatusStore::put_task(const std::string& connector, int task, State state, const std::string& trace) {
  put(task_key(connector, task), status_json(state, trace));
}

void StatusStore::remove_task(const std::string& connector, int task) { put(task_key(connector, task), std::nullopt); }

std::map<std::string, std::string> StatusStore::current() const {
  auto all = topic_->with_prefix("status-");
  for (const auto& [key, value] : waiting_) {
    if (value) {
      all[key] = *value;
    } else {
      all.erase(key);
    }
  }
  return all;
}

void StatusStore::remove_connector(const std::string& name) {
  std::lock_guard lock(mutex_);
  for (const auto& [key, value] : current()) {
    if (connector_of(key) == name) waiting_[key] = std::nullopt;
  }
  changed_.notify_all();
}

void StatusStore::keep_only(const std::set<std::string>& connectors) {
  std::lock_guard lock(mutex_);
  for (const auto& [key, value] : current()) {
    const std::string connector = connector_of(key);
    if (!connector.empty() && !connectors.contains(connector)) waiting_[key] = std::nullopt;
  }
  changed_.notify_all();
}

std::map<std::string, std::set<std::string>> StatusStore::topics() const {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& [key, value] : topic_->with_prefix(kTopic)) {
    const std::string connector = connector_of(key);
    if (connector.empty()) continue;
    found[connector].insert(key.substr(kTopic.size(), key.find(kOfConnector) - kTopic.size()));
  }
  return found;
}

void StatusStore::put_topic(const std::string& connector, int task, const std::string& topic) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Json info = {{"name", topic},
                     {"connector", connector},
                     {"task", task},
                     {"discoverTimestamp", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()}};
  put(topic_key(topic, connector), dump(Json{{"topic", info}}));
}

void StatusStore::remove_topic(const std::string& connector, const std::string& topic) {
  put(topic_key(topic, connector), std::nullopt);
}

void StatusStore::put(std::string key, std::optional<std::string> value) {
  std::lock_guard lock(mutex_);
  waiting_[std::move(key)] = std::move(value);
  changed_.notify_all();
}

void StatusStore::flush() {
  std::unique_lock lock(mutex_);
  // After a failure the writer waits before it tries again; nobody else needs to.
  changed_.wait_for(lock, kRetryAfter * 5, [&] { return waiting_.empty() && !writing_; });
}

void StatusStore::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto batch = std::move(waiting_);
    waiting_.clear();
    writing_ = true;
    lock.unlock();
    std::vector<TopicStore::Entry> entries;
    for (const auto& [key, value] : batch) entries.push_back({key, value});
    const Status written = topic_->write(entries);
    lock.lock();
    writing_ = false;
    if (!written) {
      logger_.warn("status_write_failed", {{"error", written.error().message}});
      if (stopping_) return;
      for (const auto& [key, value] : batch) waiting_.try_emplace(key, value);  // newer ones win
      changed_.wait_for(lock, kRetryAfter, [&] { return stopping_; });
    }
    changed_.notify_all();
  }
}

}  // namespace millrace
