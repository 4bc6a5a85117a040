#include "runtime/worker_connector.h"

#include <fmt/format.h>

namespace millrace {

class WorkerConnector::Context final : public BasicContext {
 public:
  Context(std::string name, Logger logger, OffsetStore& offsets, Callbacks callbacks)
      : BasicContext(std::move(name), std::move(logger)), offsets_(offsets), callbacks_(std::move(callbacks)) {}

  void request_reconfiguration() override { callbacks_.request_reconfiguration(); }
  void raise_error(Error error) override { callbacks_.raise_error(std::move(error)); }
  void add_task_config(ConfigMap config) override { task_configs.push_back(std::move(config)); }
  Expected<mr_value> stored_offset(const mr_value& partition) override {
    auto found = offsets_.get(std::string(connector_name()), partition);
    if (!found) return fail(std::move(found.error()));
    lent_ = std::move(*found);
    return lent_.get();
  }
  std::vector<ConfigMap> task_configs;  // of the call under way

 private:
  OffsetStore& offsets_;
  Callbacks callbacks_;
  OwnedValue lent_;
};

namespace {
/// Java's name of the task class, which clients see in task configurations.
std::string task_class(const std::string& connector_class) {
  constexpr std::string_view kSuffix = "Connector";
  if (connector_class.ends_with(kSuffix))
    return connector_class.substr(0, connector_class.size() - kSuffix.size()) + "Task";
  return connector_class + "Task";
}
}  // namespace

WorkerConnector::WorkerConnector(const ConnectorPlugin& plugin, std::string name, ConfigMap config,
                                 OffsetStore& offsets, Callbacks callbacks, Logger logger)
    : plugin_(plugin),
      name_(std::move(name)),
      config_(std::move(config)),
      logger_(logger.named(name_ + "|worker")),
      context_(std::make_unique<Context>(name_, logger_, offsets, std::move(callbacks))) {}

WorkerConnector::~WorkerConnector() {
  stop();
  if (instance_ != nullptr) plugin_.table.connector_destroy(instance_);
}

Status WorkerConnector::start() {
  if (started_) return {};
  const mr_connector_v1& table = plugin_.table;
  if (table.connector_create != nullptr) {
    mr_error error{};
    if (instance_ == nullptr) instance_ = table.connector_create(context_.get(), &error);
    if (instance_ == nullptr)
      return fail(ErrorCode::kInternal, fmt::format("the plugin could not create a connector: {}", error.message));
    const ConfigView view(config_);
    if (auto ok = to_status(table.connector_start(instance_, view.get(), &error), error); !ok) return ok;
  }
  started_ = true;
  return {};
}

Expected<std::vector<ConfigMap>> WorkerConnector::task_configs(int tasks_max, bool enforce_max) {
  context_->task_configs.clear();
  if (instance_ != nullptr) {
    mr_error error{};
    if (auto ok = to_status(plugin_.table.connector_task_configs(instance_, tasks_max, &error), error); !ok)
      return fail(std::move(ok.error()));
  } else {
    const int count = plugin_.type == ConnectorType::kSink ? tasks_max : 1;
    for (int i = 0; i < count; ++i) context_->task_configs.push_back(config_);
  }
  std::vector<ConfigMap> configs = std::move(context_->task_configs);
  if (enforce_max && static_cast<int>(configs.size()) > tasks_max) {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format(
            "The connector {} has generated {} tasks, which is greater than {}, the maximum number of tasks it is "
            "configured to "
            "create. This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by "
            "reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be removed "
            "in a "
            "future release of Kafka Connect.",
            name_, configs.size(), tasks_max));
  }
  for (ConfigMap& config : configs) {
    config["task.class"] = task_class(plugin_.class_name);
    for (const char* key : {"topics", "topics.regex"}) {
      if (const auto at = config_.find(key); plugin_.type == ConnectorType::kSink && at != config_.end())
        config[key] = at->second;
    }
  }
  return configs;
}

void WorkerConnector::interrupt() { context_->stop_signal().request(); }

void WorkerConnector::stop() {
  if (!started_) return;
  started_ = false;
  context_->stop_signal().request();
  if (instance_ == nullptr) return;
  mr_error error{};
  if (auto ok = to_status(plugin_.table.connector_stop(instance_, &error), error); !ok) {
    logger_.warn("connector_stop_failed", {{"error", ok.error().message}});
  }
}

}  // namespace millrace
