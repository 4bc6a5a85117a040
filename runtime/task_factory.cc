#include "runtime/task_factory.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/failed_task.h"
#include "runtime/sink_task.h"
#include "runtime/source_task.h"

namespace millrace {
namespace {

std::string text_of(const ConfigMap& config, const std::string& key, std::string fallback = {}) {
  const auto at = config.find(key);
  return at == config.end() ? fallback : at->second;
}

std::string task_id(const WorkerTask::Identity& identity) {
  return fmt::format("{}-{}", identity.connector, identity.task);
}

}  // namespace

Expected<std::shared_ptr<WorkerTask>> TaskFactory::make(const std::string& connector, const ConfigMap& connector_config,
                                                        int id, const ConfigMap& task_config) const {
  auto plugin = services_.plugins.find(text_of(connector_config, "connector.class"));
  if (!plugin) return fail(std::move(plugin.error()));
  const Request request{**plugin, {connector, id, worker_id_}, connector_config, task_config};
  auto task = (*plugin)->type == ConnectorType::kSource ? make_source(request) : make_sink(request);
  if (task) return task;
  return std::make_shared<FailedTask>(**plugin, request.identity, task_config, ErrorPolicy::from(connector_config),
                                      logger_, std::move(task.error()));
}

Expected<std::shared_ptr<WorkerTask>> TaskFactory::make_source(const Request& request) const {
  const ConfigMap& config = request.connector_config;
  const std::string id = task_id(request.identity);
  SourceTask::Pipeline pipeline;
  auto producer = ProducerSettings::from(config_.all, config, "connector-producer-" + id);
  if (!producer) return fail(std::move(producer.error()));
  pipeline.producer = std::move(*producer);
  auto converters = ConverterSet::create(config_.all, config);
  if (!converters) return fail(std::move(converters.error()));
  pipeline.converters = std::move(*converters);
  auto transforms = TransformationChain::create(config);
  if (!transforms) return fail(std::move(transforms.error()));
  pipeline.transforms = std::move(*transforms);
  auto creation = TopicCreation::from(config_.all, config);
  if (!creation) return fail(std::move(creation.error()));
  pipeline.topic_creation = std::move(*creation);
  if (pipeline.topic_creation) {
    if (auto fine = check_admin_settings(config_.all, config); !fine) return fail(std::move(fine.error()));
  }
  auto exactly_once =
      ExactlyOnce::from(config_.all, config, request.identity.connector, request.identity.task, pipeline.producer);
  if (!exactly_once) return fail(std::move(exactly_once.error()));
  pipeline.exactly_once = std::move(*exactly_once);
  return std::make_shared<SourceTask>(request.plugin, request.identity, request.task_config, ErrorPolicy::from(config),
                                      logger_, std::move(pipeline),
                                      SourceTask::Services{services_.client, services_.offsets});
}

Expected<std::shared_ptr<WorkerTask>> TaskFactory::make_sink(const Request& request) const {
  const ConfigMap& config = request.connector_config;
  const ErrorPolicy policy = ErrorPolicy::from(config);
  const std::string id = task_id(request.identity);
  SinkTask::Options options;
  options.topics = split_list(text_of(config, "topics"));
  options.topics_regex = text_of(config, "topics.regex");
  auto consumer =
      consumer_settings(config_.all, config, "connect-" + request.identity.connector, "connector-consumer-" + id);
  if (!consumer) return fail(std::move(consumer.error()));
  options.consumer = std::move(*consumer);
  options.commit_interval = std::min(config_.offset_flush_interval, kOffsetInterval);
  if (!policy.dead_letter_topic.empty()) {
    auto producer = ProducerSettings::from(config_.all, config, "connector-dlq-producer-" + id);
    if (!producer) return fail(std::move(producer.error()));
    options.dead_letters = std::move(*producer);
    if (auto fine = check_admin_settings(config_.all, config); !fine) return fail(std::move(fine.error()));
  }
  SinkTask::Pipeline pipeline;
  auto converters = ConverterSet::create(config_.all, config);
  if (!converters) return fail(std::move(converters.error()));
  pipeline.converters = std::move(*converters);
  auto transforms = TransformationChain::create(config);
  if (!transforms) return fail(std::move(transforms.error()));
  pipeline.transforms = std::move(*transforms);
  return std::make_shared<SinkTask>(request.plugin, request.identity, request.task_config, policy, logger_,
                                    std::move(pipeline), services_.client, std::move(options));
}

std::string TaskFactory::sink_group(const std::string& connector, const ConfigMap& connector_config) const {
  return text_of(connector_config, "consumer.override.group.id",
                 text_of(config_.all, "consumer.group.id", "connect-" + connector));
}

}  // namespace millrace
