#include "broker/broker.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/kafka_metadata.h"
#include "core/json_text.h"

namespace millrace {
namespace {

constexpr std::string_view kCatalogueFile = "topics.json";
constexpr std::string_view kMetaFile = "meta.properties";
constexpr std::string_view kClusterIdKey = "cluster.id=";
constexpr int32_t kPartitionsMax = 100'000;

bool is_internal(std::string_view name) { return name == kOffsetsTopic || name == kTransactionsTopic; }

int32_t internal_partitions(const BrokerOptions& options, std::string_view name) {
  return name == kOffsetsTopic ? options.offsets_partitions : options.transactions_partitions;
}

TopicConfigs internal_configs(std::string_view name) {
  return {{"cleanup.policy", "compact"},
          {"compression.type", name == kOffsetsTopic ? "producer" : "uncompressed"},
          {"segment.bytes", "104857600"}};
}

tl::unexpected<Error> unknown_topic(std::string_view name) {
  return fail(Error{ErrorCode::kNotFound,
                    fmt::format("topic {} does not exist", name),
                    "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                    {},
                    {}});
}

Status check_partitions(const std::string& name, int32_t partitions) {
  if (partitions >= 1 && partitions <= kPartitionsMax) return {};
  return fail(Error{
      ErrorCode::kInvalidConfig,
      fmt::format("topic {}: {} partitions were asked for, 1 to {} are possible", name, partitions, kPartitionsMax),
      "org.apache.kafka.common.errors.InvalidPartitionsException",
      {},
      {}});
}

}  // namespace

Broker::Broker(FileSystem& fs, Clock& clock, Logger logger, BrokerOptions options)
    : fs_(fs), clock_(clock), logger_(std::move(logger)), options_(std::move(options)) {}

Broker::~Broker() = default;

Expected<std::unique_ptr<Broker>> Broker::open(FileSystem& fs, Clock& clock, Logger logger, BrokerOptions options) {
  std::unique_ptr<Broker> broker(new Broker(fs, clock, std::move(logger), std::move(options)));
  if (auto loaded = broker->load(); !loaded) return fail(std::move(loaded.error()));
  return broker;
}

Status Broker::load() {
  // The catalogue is read first: it says with which configuration the logs are opened.
  if (auto loaded = load_catalogue(); !loaded) return loaded;
  if (auto loaded = load_kafka_metadata(); !loaded) return loaded;
  LogManager::Options log_options;
  log_options.directory = options_.directory;
  log_options.background = options_.background;
  log_options.ignored = {std::string(kClusterMetadataTopic)};
  log_options.config_of = [this](const std::string& topic) {
    const auto found = topics_.find(topic);
    auto config = log_config(topic, found == topics_.end() ? TopicConfigs{} : found->second.configs);
    return config ? *config : options_.log_defaults;
  };
  auto logs = LogManager::open(fs_, clock_, logger_, std::move(log_options));
  if (!logs) return fail(std::move(logs.error()));
  logs_ = std::move(*logs);
  if (auto loaded = load_cluster_id(); !loaded) return loaded;
  if (auto adopted = adopt_folders(); !adopted) return adopted;
  for (const auto& [name, info] : topics_) publish(info);
  announce_topics();
  return {};
}

Status Broker::load_catalogue() {
  const Path path = options_.directory / kCatalogueFile;
  if (!fs_.exists(path)) return {};
  auto content = fs_.read_file(path);
  if (!content) return fail(std::move(content.error()));
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (!json.is_object() || !json.contains("topics") || !json["topics"].is_object()) {
    return fail(
        ErrorCode::kCorruption,
        fmt::format(
            "{} is not the topic catalogue it should be: restore it, or remove it to rebuild it from the folders",
            path.string()));
  }
  for (const auto& [name, entry] : json["topics"].items()) {
    TopicInfo info{name, entry.value("id", ""), entry.value("partitions", 1), is_internal(name), {}};
    if (entry.contains("configs")) info.configs = entry["configs"].get<TopicConfigs>();
    topics_[name] = std::move(info);
  }
  return {};
}

/// Takes over what Kafka knew of topics that are not in the catalogue. Their partitions are counted by adopt_folders().
Status Broker::load_kafka_metadata() {
  auto found = read_kafka_topics(fs_, options_.directory);
  if (!found) return fail(std::move(found.error()));
  for (auto& [name, topic] : *found) {
    if (topics_.contains(name)) continue;
    std::erase_if(topic.configs, [&, &topic_name = name](const auto& config) {
      const auto applied = apply_topic_configs(options_.log_defaults, {config});
      if (!applied) {
        logger_.warn("topic_config_not_taken_over",
                     {{"topic", topic_name}, {"config", config.first}, {"reason", applied.error().message}});
      }
      return !applied.has_value();
    });
    topics_[name] = {name, topic.id, 0, is_internal(name), std::move(topic.configs)};
  }
  return {};
}

/// Rendered without a tree: a connector may create thousands of topics, and each writes all of them.
Status Broker::write_catalogue() {
  std::string text = R"({"version":1,"topics":{)";
  const char* separator = "\n";
  for (const auto& [name, info] : topics_) {
    text += std::exchange(separator, ",\n");
    append_json_string(text, name);
    text += R"(:{"id":)";
    append_json_string(text, info.id);
    fmt::format_to(std::back_inserter(text), R"(,"partitions":{},"configs":{{)", info.partitions);
    for (const auto& [key, value] : info.configs) {
      if (text.back() != '{') text += ',';
      append_json_string(text, key);
      text += ':';
      append_json_string(text, value);
    }
    text += "}}";
  }
  return fs_.write_file_atomically(options_.directory / kCatalogueFile, text + "}}\n");
}

Status Broker::load_cluster_id() {
  const Path path = options_.directory / kMetaFile;
  if (fs_.exists(path)) {
    auto content = fs_.read_file(path);
    if (!content) return fail(std::move(content.error()));
    const size_t at = content->find(kClusterIdKey);
    if (at != std::string::npos) {
      const size_t start = at + kClusterIdKey.size();
      cluster_id_ = content->substr(start, content->find_first_of("\r\n", start) - start);
      return {};
    }
  }
  cluster_id_ = make_topic_id();
  return fs_.write_file_atomically(
      path, fmt::format("version=1\n{}{}\nnode.id=1\ndirectory.id={}\n", kClusterIdKey, cluster_id_, make_topic_id()));
}

/// Takes in partition folders without an entry, and completes topics whose creation was cut short.
Status Broker::adopt_folders() {
  bool changed = false;
  for (const PartitionKey& key : logs_->partitions()) {
    TopicInfo& info = topics_[key.first];
    if (info.partitions > key.second) continue;
    if (info.name.empty()) {
      auto id =
          read_topic_id(fs_, options_.directory / fmt::format("{}-{}", key.first, key.second) / "partition.metadata");
      info = {key.first, id && *id ? **id : make_topic_id(), 0, is_internal(key.first), {}};
      // The group's partition is a hash modulo the partition count, so that count is fixed. Here folders appear on
      // first use; Kafka makes them all at once, so that of its topics (load_kafka_metadata) the folders are the count.
      if (is_internal(key.first)) info.partitions = internal_partitions(options_, key.first);
    }
    info.partitions = std::max(info.partitions, key.second + 1);
    changed = true;
  }
  // Kafka knew them, but this directory has no partition of theirs.
  std::erase_if(topics_, [](const auto& each) { return each.second.partitions == 0; });
  for (const auto& [name, info] : topics_) {
    for (int32_t partition = 0; partition < info.partitions && !is_internal(name); ++partition) {
      if (logs_->find(name, partition) != nullptr) continue;
      auto config = log_config(name, info.configs);
      if (!config) return fail(std::move(config.error()));
      if (auto made = logs_->create(name, partition, *config, info.id); !made) return fail(std::move(made.error()));
    }
  }
  return changed ? write_catalogue() : Status{};
}

Expected<LogConfig> Broker::log_config(const std::string& topic, const TopicConfigs& configs) const {
  LogConfig defaults = options_.log_defaults;
  if (is_internal(topic)) {
    defaults.segment_bytes = 104'857'600;
    defaults.cleanup_delete = false;
    defaults.cleanup_compact = true;
  }
  return apply_topic_configs(defaults, configs);
}

Expected<TopicInfo> Broker::create_topic(const std::string& name, int32_t partitions, const TopicConfigs& configs) {
  Expected<TopicInfo> created = [&] {
    std::lock_guard lock(mutex_);
    return create_locked(name, partitions, configs);
  }();
  if (created) announce_topics();
  return created;
}

Expected<TopicInfo> Broker::create_locked(const std::string& name, int32_t partitions, const TopicConfigs& configs) {
  if (auto checked = check_topic_name(name); !checked) return fail(std::move(checked.error()));
  if (topics_.contains(name)) {
    return fail(Error{ErrorCode::kAlreadyExists,
                      fmt::format("Topic '{}' already exists.", name),
                      "org.apache.kafka.common.errors.TopicExistsException",
                      {},
                      {}});
  }
  if (partitions == -1) partitions = options_.partitions_default;
  if (auto checked = check_partitions(name, partitions); !checked) return fail(std::move(checked.error()));
  auto config = log_config(name, configs);
  if (!config) return fail(std::move(config.error()));
  if (config->durability == Durability::kPageCache) {
    logger_.warn(
        "durability_loosened",
        {{"topic", name}, {"why", "flush.messages is larger than 1: a power cut may lose acknowledged records"}});
  }
  const TopicInfo info{name, make_topic_id(), partitions, is_internal(name), configs};
  topics_[name] = info;
  // The catalogue first: a crash in between leaves a topic whose missing folders are made at the next start.
  if (auto written = write_catalogue(); !written) {
    topics_.erase(name);
    return fail(std::move(written.error()));
  }
  for (int32_t partition = 0; partition < partitions && !is_internal(name); ++partition) {
    if (auto made = logs_->create(name, partition, *config, info.id); !made) return fail(std::move(made.error()));
  }
  publish(info);
  logger_.info("topic_created", {{"topic", name}, {"partitions", partitions}});
  return info;
}

Expected<TopicInfo> Broker::topic_or_create(const std::string& name) {
  if (auto known = topic(name)) return known;
  if (!options_.auto_create_topics) return unknown_topic(name);
  auto created = create_topic(name, -1, {});
  if (!created && created.error().code == ErrorCode::kAlreadyExists) return topic(name);
  return created;
}

Expected<TopicInfo> Broker::topic(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return unknown_topic(name);
  return found->second;
}

std::vector<TopicInfo> Broker::topics() const {
  std::lock_guard lock(mutex_);
  std::vector<TopicInfo> all;
  for (const auto& [name, info] : topics_) all.push_back(info);
  return all;
}

Status Broker::delete_topic(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return unknown_topic(name);
    if (found->second.internal)
      return fail(ErrorCode::kInvalidConfig, fmt::format("topic {} is internal and cannot be deleted", name));
    const TopicInfo info = found->second;
    index_.remove(name);
    // Folders first: what a crash leaves is adopted again, a half-deleted topic rather than a lost catalogue entry.
    for (int32_t partition = 0; partition < info.partitions; ++partition) {
      if (auto removed = logs_->remove(name, partition); !removed) return removed;
    }
    topics_.erase(name);
    if (auto written = write_catalogue(); !written) return written;
  }
  announce_deletion(name);
  announce_topics();
  logger_.info("topic_deleted", {{"topic", name}});
  return {};
}

Status Broker::grow_topic(const std::string& name, int32_t partitions) {
  {
    std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return unknown_topic(name);
    if (auto checked = check_partitions(name, partitions); !checked) return checked;
    if (partitions <= found->second.partitions || found->second.internal) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("topic {} has {} partitions: {} is no larger number", name,
                                                         found->second.partitions, partitions));
    }
    auto config = log_config(name, found->second.configs);
    if (!config) return fail(std::move(config.error()));
    const int32_t before = std::exchange(found->second.partitions, partitions);
    if (auto written = write_catalogue(); !written) {
      found->second.partitions = before;
      return written;
    }
    for (int32_t partition = before; partition < partitions; ++partition) {
      if (auto made = logs_->create(name, partition, *config, found->second.id); !made)
        return fail(std::move(made.error()));
    }
    publish(found->second);
  }
  announce_topics();
  return {};
}

Status Broker::set_topic_configs(const std::string& name, const TopicConfigs& configs) {
  std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end()) return unknown_topic(name);
  auto config = log_config(name, configs);
  if (!config) return fail(std::move(config.error()));
  TopicConfigs before = std::exchange(found->second.configs, configs);
  if (auto written = write_catalogue(); !written) {
    found->second.configs = std::move(before);
    return written;
  }
  for (int32_t partition = 0; partition < found->second.partitions; ++partition) {
    if (const auto log = logs_->find(name, partition)) log->set_config(*config);
  }
  return {};
}

void Broker::set_log_defaults(const LogConfig& defaults) {
  std::lock_guard lock(mutex_);
  options_.log_defaults = defaults;
  for (const auto& [name, info] : topics_) {
    const auto config = log_config(name, info.configs);
    if (!config) continue;  // a catalogue written by hand: as at the start, the topic goes on as it was
    for (int32_t partition = 0; partition < info.partitions; ++partition) {
      if (const auto log = logs_->find(name, partition)) log->set_config(*config);
    }
  }
}

Expected<std::shared_ptr<PartitionLog>> Broker::log(const std::string& topic_name, int32_t partition) {
  if (auto found = logs_->find(topic_name, partition)) return found;
  if (!is_internal(topic_name)) {
    return fail(Error{ErrorCode::kNotFound,
                      fmt::format("partition {}-{} does not exist", topic_name, partition),
                      "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                      {},
                      {}});
  }
  std::lock_guard lock(mutex_);
  if (!topics_.contains(topic_name)) {
    auto created = create_locked(topic_name, internal_partitions(options_, topic_name), internal_configs(topic_name));
    if (!created) return fail(std::move(created.error()));
  }
  const TopicInfo& info = topics_.at(topic_name);
  if (partition < 0 || partition >= info.partitions) return unknown_topic(fmt::format("{}-{}", topic_name, partition));
  auto config = log_config(topic_name, info.configs);
  if (!config) return fail(std::move(config.error()));
  auto made = logs_->create(topic_name, partition, *config, info.id);
  if (made) publish(info);
  return made;
}

/// Tells requests what the topic's partitions are now.
void Broker::publish(const TopicInfo& info) {
  auto entry = std::make_shared<TopicEntry>();
  entry->name = info.name;
  entry->id = Uuid::parse(info.id).value_or(Uuid{});
  entry->internal = info.internal;
  entry->logs.reserve(static_cast<size_t>(info.partitions));
  for (int32_t partition = 0; partition < info.partitions; ++partition) {
    entry->logs.push_back(logs_->find(info.name, partition));
  }
  index_.put(std::move(entry));
}

void Broker::announce_topics() {
  std::lock_guard lock(listeners_mutex_);
  for (TopicListener* listener : listeners_) listener->on_topics_changed();
}

void Broker::announce_deletion(const std::string& name) {
  std::lock_guard lock(listeners_mutex_);
  for (TopicListener* listener : listeners_) listener->on_topic_deleted(name);
}

void Broker::add_listener(TopicListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(listener);
}

void Broker::remove_listener(TopicListener* listener) {
  std::lock_guard lock(listeners_mutex_);
  std::erase(listeners_, listener);
}

Status Broker::close() { return logs_ == nullptr ? Status{} : logs_->close(); }

}  // namespace millrace
