/// A source connector for tests of the herder. Its settings say what it does: `start.fails` (unavailable, internal),
/// `start.failures` (how often; always when absent), `start.waits` (until the gate of the test opens), `tasks` (how
/// many), `stop.waits` (until the test notes "stop"), `task.fails`, `emits` (records to this topic, once a task).
#pragma once

#include <millrace/abi.h>

#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "data/value.h"
#include "runtime/fake_plugin.h"
#include "runtime/plugin_bridge.h"

namespace millrace {

/// What the connectors of a test share. One at a time.
class FakeWorld {
 public:
  FakeWorld() { current() = this; }
  ~FakeWorld() { current() = nullptr; }
  static FakeWorld*& current() {
    static FakeWorld* world = nullptr;
    return world;
  }

  void open_gate() {
    std::lock_guard lock(mutex_);
    open_ = true;
  }
  bool gate_is_open() {
    std::lock_guard lock(mutex_);
    return open_;
  }
  void note(const std::string& what) {
    std::lock_guard lock(mutex_);
    ++counts_[what];
    changed_.notify_all();
  }
  int count(const std::string& what) {
    std::lock_guard lock(mutex_);
    return counts_[what];
  }
  /// Waits until something has been noted so often.
  bool wait_for(const std::string& what, int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return counts_[what] >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  std::map<std::string, int> counts_;
};

namespace fake_connector {

struct Instance {
  mr_context* context;
  ConfigMap config;
  bool emitted = false;
  std::string setting(const std::string& key) const {
    const auto at = config.find(key);
    return at == config.end() ? std::string() : at->second;
  }
};

inline ConfigMap to_map(const mr_config* config) {
  ConfigMap map;
  for (size_t i = 0; i < config->count; ++i)
    map[std::string(view(config->pairs[i].key))] = std::string(view(config->pairs[i].value));
  return map;
}

inline int32_t refuse(mr_error* error, const std::string& kind) {
  const int32_t code = kind == "unavailable" ? MR_UNAVAILABLE : MR_INTERNAL;
  error->code = code;
  std::snprintf(error->message, sizeof(error->message), "as told: %s", kind.c_str());
  return code;
}

inline void* create(mr_context* context, mr_error*) { return new Instance{context, {}}; }
inline void destroy(void* object) { delete static_cast<Instance*>(object); }

inline int32_t start(void* object, const mr_config* config, mr_error* error) {
  auto& self = *static_cast<Instance*>(object);
  self.config = to_map(config);
  const std::string name = self.setting("name");
  FakeWorld& world = *FakeWorld::current();
  world.note("start " + name);
  if (self.setting("start.waits") == "true") {
    while (!world.gate_is_open()) {
      if (plugin_host_table().wait(self.context, 5) != 0) return refuse(error, "unavailable");
    }
  }
  const std::string fails = self.setting("start.fails");
  const std::string failures = self.setting("start.failures");
  if (fails.empty() || (!failures.empty() && world.count("start " + name) > std::stoi(failures))) return MR_OK;
  return refuse(error, fails);
}

inline int32_t task_configs(void* object, int32_t, mr_error*) {
  auto& self = *static_cast<Instance*>(object);
  const std::string wanted = self.setting("tasks");
  const int tasks = wanted.empty() ? 1 : std::stoi(wanted);
  for (int i = 0; i < tasks; ++i) {
    ConfigMap config = self.config;
    config["number"] = std::to_string(i);
    const ConfigView task(config);
    plugin_host_table().add_task_config(self.context, task.get());
  }
  return MR_OK;
}

inline int32_t stop(void* object, mr_error*) {
  if (static_cast<Instance*>(object)->setting("stop.waits") == "true") FakeWorld::current()->wait_for("stop", 1);
  return MR_OK;
}

inline int32_t task_stop(void*, mr_error*) { return MR_OK; }

inline int32_t task_start(void* object, const mr_config* config, mr_error* error) {
  auto& self = *static_cast<Instance*>(object);
  self.config = to_map(config);
  FakeWorld::current()->note("task " + self.setting("name"));
  FakeWorld::current()->note("password " + self.setting("password"));
  return self.setting("task.fails").empty() ? int32_t{MR_OK} : refuse(error, self.setting("task.fails"));
}

inline int32_t poll(void* object, mr_error* error) {
  auto& self = *static_cast<Instance*>(object);
  const std::string topic = self.setting("emits");
  if (!topic.empty() && !self.emitted) {
    mr_record record{};
    record.topic = to_mr_str(topic);
    record.partition = -1;
    record.timestamp_ms = MR_NO_TIMESTAMP;
    record.value.kind = MR_NULL;
    record.key.kind = MR_NULL;
    self.emitted = true;
    return plugin_host_table().emit(self.context, &record, 1, error);
  }
  plugin_host_table().wait(self.context, 1000);
  return MR_OK;
}

inline int32_t alter_offset(mr_context*, const mr_config*, const mr_value*, const mr_value* offset, mr_error* error) {
  if (offset->kind == MR_NULL) return MR_OK;
  return items_of(*offset).size() == 2 ? int32_t{MR_OK} : refuse(error, "one member, please");
}

}  // namespace fake_connector

inline ConnectorPlugin fake_connector_plugin() {
  static const std::array<mr_config_key, 1> keys = {fake_key("tasks", MR_TYPE_INT, MR_LOW)};
  static const std::array<mr_config_key, 1> with_default = [] {
    auto all = keys;
    all[0].default_value = to_mr_str("1");
    return all;
  }();
  ConnectorPlugin plugin;
  plugin.class_name = "FakeConnector";
  plugin.names = {"FakeConnector"};
  plugin.type = ConnectorType::kSource;
  plugin.version = "1";
  mr_connector_v1& table = plugin.table;
  table.kind = MR_SOURCE;
  table.config = with_default.data();
  table.config_count = with_default.size();
  table.connector_create = fake_connector::create;
  table.connector_start = fake_connector::start;
  table.connector_task_configs = fake_connector::task_configs;
  table.connector_stop = fake_connector::stop;
  table.connector_destroy = fake_connector::destroy;
  table.task_create = fake_connector::create;
  table.task_start = fake_connector::task_start;
  table.task_stop = fake_connector::task_stop;
  table.task_destroy = fake_connector::destroy;
  table.poll = fake_connector::poll;
  table.alter_offset = fake_connector::alter_offset;
  return plugin;
}

}  // namespace millrace
