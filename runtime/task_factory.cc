#include "runtime/task_factory.h"

#include <charconv>

#include "runtime/sink_task.h"
#include "runtime/source_task.h"

namespace millrace {
namespace {

std::string text_of(const ConfigMap& config, const std::string& key, std::string fallback = {}) {
  const auto at = config.find(key);
  return at == config.end() ? fallback : at->second;
}

}  // namespace

Expected<std::shared_ptr<WorkerTask>> TaskFactory::make(const std::string& connector, const ConfigMap& connector_config,
                                                        int id, const ConfigMap& task_config) const {
  auto plugin = services_.plugins.find(text_of(connector_config, "connector.class"));
  if (!plugin) return fail(std::move(plugin.error()));
  auto converters = ConverterSet::create(config_.all, connector_config);
  if (!converters) return fail(std::move(converters.error()));
  const ErrorPolicy policy = ErrorPolicy::from(connector_config);
  const WorkerTask::Identity identity{connector, id, worker_id_};
  if ((*plugin)->type == ConnectorType::kSource) {
    return std::make_shared<SourceTask>(**plugin, identity, task_config, policy, logger_, std::move(*converters),
                                        SourceTask::Services{services_.client, services_.offsets});
  }
  SinkTask::Options options;
  options.topics = split_list(text_of(connector_config, "topics"));
  options.topics_regex = text_of(connector_config, "topics.regex");
  options.group = sink_group(connector, connector_config);
  const auto consumer_setting = [&](const std::string& key, const std::string& fallback) {
    return text_of(connector_config, "consumer.override." + key, text_of(config_.all, "consumer." + key, fallback));
  };
  const std::string records = consumer_setting("max.poll.records", "");
  if (!records.empty()) std::from_chars(records.data(), records.data() + records.size(), options.max_poll_records);
  options.from_earliest = consumer_setting("auto.offset.reset", "earliest") != "latest";
  options.commit_interval = std::min(config_.offset_flush_interval, kOffsetInterval);
  return std::make_shared<SinkTask>(**plugin, identity, task_config, policy, logger_, std::move(*converters),
                                    services_.client, std::move(options));
}

std::string TaskFactory::sink_group(const std::string& connector, const ConfigMap& connector_config) const {
  return text_of(connector_config, "consumer.override.group.id",
                 text_of(config_.all, "consumer.group.id", "connect-" + connector));
}

}  // namespace millrace
