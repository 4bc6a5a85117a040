#include "runtime/herder/local_herder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/component_catalog.h"
#include "runtime/connector_config.h"
#include "runtime/preview.h"

namespace millrace {
namespace {

std::chrono::nanoseconds monotonic() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

LocalHerder::LocalHerder(const WorkerConfig& config, std::string worker_id, WorkerInfo info, Services services,
                         Logger logger)
    : info_(std::move(info)),
      environment_{config,
                   worker_id,
                   services.client,
                   services.plugins,
                   services.offsets,
                   services.configs,
                   services.statuses,
                   std::move(services.providers),
                   TaskFactory(config, worker_id, {services.client, services.plugins, services.offsets}, logger),
                   logger,
                   [this](const std::string& name, std::chrono::milliseconds delay) { queue_.add(name, delay); },
                   Guarded<std::vector<std::shared_ptr<WorkerTask>>>(),
                   Guarded<std::vector<std::shared_ptr<StopSignal>>>()},
      validation_(services.plugins, environment_.providers, validation_rules(config), logger),
      offset_requests_(environment_),
      offset_file_(services.offset_file),
      queue_([this](const std::string& name) { attend(name); }),
      sampler_({config.metrics_window, config.metrics_samples}, environment_.startups, monotonic()),
      committer_(
          std::min(config.offset_flush_interval, kOffsetInterval),
          [this] {
            std::vector<std::shared_ptr<WorkerTask>> tasks;
            for (const ConnectorPtr& connector : all()) {
              const auto own = connector->tasks();
              tasks.insert(tasks.end(), own.begin(), own.end());
            }
            sampler_.tick(tasks, monotonic());
            return tasks;
          },
          offset_file_, logger) {}

LocalHerder::~LocalHerder() { stop(); }

void LocalHerder::start(const std::vector<std::string>& replaced_by_files) {
  auto topics = environment_.statuses.topics();
  std::set<std::string> names;
  for (const auto& [name, stored] : environment_.configs.connectors()) {
    names.insert(name);
    if (std::find(replaced_by_files.begin(), replaced_by_files.end(), name) != replaced_by_files.end()) continue;
    auto connector = std::make_shared<ManagedConnector>(name, environment_);
    connector->restore(stored, std::move(topics[name]));
    std::lock_guard lock(mutex_);
    connectors_[name] = connector;
  }
  environment_.statuses.keep_only(names);
  for (const ConnectorPtr& connector : all()) queue_.add(connector->name());
}

void LocalHerder::stop() {
  if (stopped_.exchange(true)) return;
  const auto connectors = all();
  for (const ConnectorPtr& connector : connectors) connector->interrupt();
  queue_.stop();
  committer_.stop();
  // All are told first, then all are waited for: the time-out is for the whole worker.
  for (const ConnectorPtr& connector : connectors) connector->request_stop();
  for (const ConnectorPtr& connector : connectors) {
    const auto operation = connector->operation();
    connector->shut_down();
  }
  environment_.statuses.flush();
  if (offset_file_ != nullptr) offset_file_->flush();
}

bool LocalHerder::left_behind() const {
  const bool tasks = environment_.left_behind.with([](const auto& all) {
    return std::any_of(all.begin(), all.end(),
                       [](const auto& task) { return !task->await_end(std::chrono::steady_clock::now()); });
  });
  return tasks || environment_.left_behind_connectors.with([](const auto& all) {
    return std::any_of(all.begin(), all.end(), [](const auto& ended) { return !ended->requested(); });
  });
}

Status LocalHerder::health() {
  if (ready_) return {};
  return fail(ErrorCode::kUnavailable, stage());  // REST says that it is still starting up
}

// ---- finding and holding

LocalHerder::ConnectorPtr LocalHerder::find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto at = connectors_.find(name);
  if (at == connectors_.end() || at->second->presence() != ManagedConnector::Presence::kPresent) return nullptr;
  return at->second;
}

Expected<LocalHerder::ConnectorPtr> LocalHerder::find_or_404(const std::string& name) const {
  ConnectorPtr connector = find(name);
  if (!connector) return fail(ErrorCode::kNotFound, fmt::format("Connector {} not found", name));
  return connector;
}

std::vector<LocalHerder::ConnectorPtr> LocalHerder::all() const {
  std::lock_guard lock(mutex_);
  std::vector<ConnectorPtr> connectors;
  for (const auto& [name, connector] : connectors_) connectors.push_back(connector);
  return connectors;
}

std::optional<LocalHerder::Held> LocalHerder::hold(const std::string& name) const {
  const ConnectorPtr connector = find(name);
  if (!connector) return std::nullopt;
  Held held{connector, connector->operation()};
  if (connector->presence() != ManagedConnector::Presence::kPresent) return std::nullopt;
  return held;
}

std::optional<LocalHerder::Held> LocalHerder::hold_to_end(const std::string& name) const {
  if (const ConnectorPtr connector = find(name)) connector->interrupt();
  return hold(name);
}

LocalHerder::Held LocalHerder::hold_or_reserve(const std::string& name) {
  while (true) {
    ConnectorPtr connector;
    {
      std::lock_guard lock(mutex_);
      ConnectorPtr& known = connectors_[name];
      if (!known) known = std::make_shared<ManagedConnector>(name, environment_);
      connector = known;
    }
    Held held{connector, connector->operation()};
    if (connector->presence() != ManagedConnector::Presence::kGone) return held;
  }
}

void LocalHerder::forget(const ConnectorPtr& connector) {
  connector->set_presence(ManagedConnector::Presence::kGone);
  std::lock_guard lock(mutex_);
  connectors_.erase(connector->name());
}

std::vector<LocalHerder::Reading> LocalHerder::readings() const {
  std::vector<Reading> readings;
  for (const ConnectorPtr& connector : all()) {
    if (connector->presence() == ManagedConnector::Presence::kPresent)
      readings.push_back({connector->class_name(), connector->status(), connector->tasks()});
  }
  return readings;
}

// ---- what REST reads

Expected<std::vector<std::string>> LocalHerder::connectors() {
  std::vector<std::string> names;
  for (const ConnectorPtr& connector : all()) {
    if (connector->presence() == ManagedConnector::Presence::kPresent) names.push_back(connector->name());
  }
  return names;
}

Expected<ConnectorInfo> LocalHerder::connector_info(const std::string& name) {
  auto connector = find_or_404(name);
  if (!connector) return fail(std::move(connector.error()));
  return (*connector)->info();
}

Expected<ConnectorStatus> LocalHerder::connector_status(const std::string& name) {
  const ConnectorPtr connector = find(name);
  auto status = connector ? connector->known_status() : std::nullopt;
  if (!status) return fail(ErrorCode::kNotFound, fmt::format("No status found for connector {}", name));
  return std::move(*status);
}

Expected<ConnectorStatus::Part> LocalHerder::task_status(const std::string& name, int task) {
  if (const ConnectorPtr connector = find(name)) {
    for (ConnectorStatus::Part& part : connector->status().tasks) {
      if (part.id == task) return std::move(part);
    }
  }
  return fail(ErrorCode::kNotFound, fmt::format("No status found for task {}-{}", name, task));
}

Expected<std::vector<TaskInfo>> LocalHerder::task_configs(const std::string& name) {
  auto connector = find_or_404(name);
  if (!connector) return fail(std::move(connector.error()));
  return (*connector)->task_configs();
}

Status LocalHerder::tracking_disabled() const {
  return fail(ErrorCode::kConflict, "Topic tracking is disabled.");  // REST answers 403
}

Expected<std::vector<std::string>> LocalHerder::active_topics(const std::string& name) {
  if (!environment_.config.topic_tracking_enable) return fail(tracking_disabled().error());
  const ConnectorPtr connector = find(name);
  return connector ? connector->topics() : std::vector<std::string>();
}

Status LocalHerder::reset_active_topics(const std::string& name) {
  if (!environment_.config.topic_tracking_enable) return tracking_disabled();
  if (!environment_.config.topic_tracking_allow_reset)
    return fail(ErrorCode::kConflict, "Topic tracking reset is disabled.");
  if (const ConnectorPtr connector = find(name)) connector->reset_topics();
  return {};
}

std::vector<PluginInfo> LocalHerder::plugins(bool connectors_only) {
  std::vector<PluginInfo> all;
  for (const ConnectorPlugin* plugin : environment_.plugins.connectors()) {
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

Expected<std::vector<ConfigKeyInfo>> LocalHerder::plugin_config(const std::string& plugin) {
  auto found = environment_.plugins.find(plugin);
  if (auto component = component_key_infos(BuiltInComponents(), plugin); !found && component)
    return std::move(*component);
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("Unknown plugin {}.", plugin));
  return plugin_key_infos(**found);
}

Expected<ConfigInfos> LocalHerder::validate(const std::string& plugin, const RawConfig& config) {
  return validation_.validate(plugin, config);
}

Expected<std::string> LocalHerder::preview(const std::string& plugin_name, const std::string& body, size_t rows) {
  auto plugin = environment_.plugins.find(plugin_name);
  if (!plugin) return fail(std::move(plugin.error()));
  auto request = PreviewRequest::parse(body, rows);
  if (!request) return fail(std::move(request.error()));
  RawConfig config(request->config.begin(), request->config.end());
  config.try_emplace("name", "preview");
  config.try_emplace("connector.class", plugin_name);
  if (auto valid = validation_.require_valid(config); !valid) return fail(std::move(valid.error()));
  request->config.emplace("name", "preview");
  auto resolved = environment_.providers.resolve(request->config);
  if (!resolved) return fail(std::move(resolved.error()));
  request->config = std::move(*resolved);
  return preview_connector(**plugin, *request, {environment_.config.all, environment_.client, environment_.logger});
}

Expected<std::vector<ConnectorOffset>> LocalHerder::offsets(const std::string& name) {
  auto connector = find_or_404(name);
  if (!connector) return fail(std::move(connector.error()));
  return offset_requests_.read(**connector);
}

}  // namespace millrace
