// kafka-topics: lists, describes, creates, alters and deletes topics.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/hash.h"
#include "protocol/messages/create_partitions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/describe_configs.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr std::string_view kToolClass = "org.apache.kafka.tools.TopicCommand";
constexpr int8_t kTopicResource = 2;
constexpr int8_t kDefaultSource = 5;
constexpr int32_t kTimeoutMs = 60'000;

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-topics";
  spec.description = "Create, delete, describe, or change a topic.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("list", "List all available topics."),
      flag("create", "Create a new topic."),
      flag("delete", "Delete a topic."),
      flag("alter", "Alter the number of partitions."),
      flag("describe", "List details for the given topics."),
      {.name = "topic",
       .argument = "topic",
       .description = "The topic to create, alter, describe or delete; a regular expression, except for --create."},
      {.name = "topic-id", .argument = "topic-id", .description = "The id of the topic to describe."},
      {.name = "config",
       .argument = "name=value",
       .description = "A config of the topic that is created; may come several times.",
       .repeatable = true},
      {.name = "delete-config",
       .argument = "name",
       .description = "No longer supported: use kafka-configs.",
       .repeatable = true},
      {.name = "partitions",
       .argument = "# of partitions",
       .description = "The number of partitions of the topic that is created or altered.",
       .type = OptionType::kInteger},
      {.name = "replication-factor",
       .argument = "replication factor",
       .description = "The replication factor of the topic that is created; the cluster's default when absent.",
       .type = OptionType::kInteger},
      {.name = "replica-assignment",
       .argument = "broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , ...",
       .description = "Brokers by partition for the topic that is created or altered."},
      flag("under-replicated-partitions", "With --describe: only partitions that lack replicas."),
      flag("unavailable-partitions", "With --describe: only partitions without a leader."),
      flag("under-min-isr-partitions", "With --describe: only partitions below min.insync.replicas."),
      flag("at-min-isr-partitions", "With --describe: only partitions at min.insync.replicas."),
      flag("topics-with-overrides", "With --describe: only topics with configs of their own."),
      flag("if-exists", "With --alter, --delete, --describe: an absent topic is no error."),
      flag("if-not-exists", "With --create: an existing topic is no error."),
      flag("exclude-internal", "With --list and --describe: leave out internal topics."),
      {.name = "partition-size-limit-per-response",
       .argument = "maximum number of partitions in one response",
       .description = "Accepted; the broker's pages are followed.",
       .type = OptionType::kInteger},
  };
  return spec;
}

/// Where Java's HashMap puts `key` among `size` others: the order in which Kafka's tool shows configs, which scripts
/// that compare its lines rely on.
uint32_t java_map_bucket(std::string_view key, size_t size) {
  uint32_t buckets = 16;
  while (size * 4 > size_t{buckets} * 3) buckets *= 2;
  const auto hash = static_cast<uint32_t>(java_string_hash(key));
  return (hash ^ (hash >> 16)) & (buckets - 1);
}

class TopicsTool {
 public:
  TopicsTool(const ToolIo& io, const ParsedOptions& options, WireClient& client)
      : io_(io), options_(options), client_(client) {}

  Status run() {
    if (options_.has("create")) return create();
    if (options_.has("alter")) return alter();
    if (options_.has("list")) return list();
    if (options_.has("describe")) return describe();
    return remove();
  }

 private:
  /// The names that --topic means, or all. Errors: kNotFound when it means none, unless that is fine.
  Expected<std::vector<std::string>> names(bool none_is_fine) {
    auto all = describe_topics(client_, nullptr);
    if (!all) return fail(std::move(all.error()));
    const bool chosen = options_.has("topic");
    auto matches = topic_filter(chosen ? options_.text("topic") : ".*");
    if (!matches) return fail(std::move(matches.error()));
    std::vector<std::string> found;
    for (const auto& [name, topic] : *all) {
      if ((*matches)(name) && !(topic.internal && options_.has("exclude-internal"))) found.push_back(name);
    }
    if (found.empty() && chosen && !none_is_fine) return absent(options_.text("topic"));
    return found;
  }
  static tl::unexpected<Error> absent(const std::string& topic) {
    return fail(Error{ErrorCode::kNotFound,
                      fmt::format("Topic '{}' does not exist as expected", topic),
                      "java.lang.IllegalArgumentException",
                      {},
                      {}});
  }

  Status list() {
    auto found = names(true);
    if (!found) return fail(std::move(found.error()));
    for (const std::string& name : *found) io_.print(name + "\n");
    return {};
  }

  /// The lists of brokers in --replica-assignment, by partition. Errors: kInvalidConfig.
  Expected<std::vector<std::vector<int32_t>>> assignment() const {
    std::vector<std::vector<int32_t>> partitions;
    for (const std::string& part : split(options_.text("replica-assignment"))) {
      std::vector<int32_t>& brokers = partitions.emplace_back();
      for (const std::string& id : split(part, ':')) {
        if (id.find_first_not_of("0123456789") != std::string::npos)
          return fail(ErrorCode::kInvalidConfig, fmt::format("'{}' in --replica-assignment is no broker id", id));
        brokers.push_back(std::atoi(id.c_str()));
      }
    }
    return partitions;
  }

  Status create() {
    const std::string name = options_.text("topic");
    if (name.find_first_of("._") != std::string::npos) {
      io_.print(
          "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. "
          "To avoid issues it is best to use either, but not both.\n");
    }
    CreateTopicsRequest request;
    request.timeout_ms = kTimeoutMs;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = static_cast<int32_t>(options_.number("partitions"));
    topic.replication_factor = static_cast<int16_t>(options_.number("replication-factor"));
    auto replicas = assignment();
    if (!replicas) return fail(std::move(replicas.error()));
    for (size_t i = 0; i < replicas->size(); ++i)
      topic.assignments.push_back({static_cast<int32_t>(i), std::move((*replicas)[i])});
    const std::vector<std::string> configs = options_.values("config");
    for (const std::string& config : configs) {
      const size_t equals = config.find('=');
      if (equals == std::string::npos)
        return fail(ErrorCode::kInvalidConfig,
                    "requirement failed: Invalid topic config: all configs to be added must be in the format "
                    "\"key=val\".");
      topic.configs.push_back(
          {std::string_view(config).substr(0, equals), std::string_view(config).substr(equals + 1)});
    }
    auto answer = client_.call<CreateTopicsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.topics) {
      if (result.error_code == code_of(KafkaError::kTopicAlreadyExists) && options_.has("if-not-exists")) return {};
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    io_.print(fmt::format("Created topic {}.\n", name));
    return {};
  }

  Status alter() {
    auto found = names(options_.has("if-exists"));
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return {};
    auto replicas = assignment();
    if (!replicas) return fail(std::move(replicas.error()));
    auto layouts = describe_topics(client_, &*found);
    if (!layouts) return fail(std::move(layouts.error()));
    CreatePartitionsRequest request;
    request.timeout_ms = kTimeoutMs;
    for (const std::string& name : *found) {
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.count = static_cast<int32_t>(options_.number("partitions"));
      topic.assignments = std::nullopt;
      if (replicas->empty()) continue;
      topic.assignments.emplace();
      // The list names the partitions that are there too.
      for (size_t i = (*layouts)[name].partitions.size(); i < replicas->size(); ++i)
        topic.assignments->push_back({(*replicas)[i]});
    }
    auto answer = client_.call<CreatePartitionsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.results) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  Status remove() {
    auto found = names(options_.has("if-exists"));
    if (!found) return fail(std::move(found.error()));
    DeleteTopicsRequest request;
    request.timeout_ms = kTimeoutMs;
    for (const std::string& name : *found) {
      request.topic_names.push_back(name);
      request.topics.emplace_back().name = name;
    }
    if (found->empty()) return {};
    auto answer = client_.call<DeleteTopicsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.responses) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  Status describe() {
    auto found = options_.has("topic-id") ? name_of_id() : names(options_.has("if-exists"));
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) return {};
    auto layouts = describe_topics(client_, &*found);
    if (!layouts) return fail(std::move(layouts.error()));
    if (auto read = read_configs(*found); !read) return read;
    for (const auto& [name, topic] : *layouts) {
      if (topic.error == 0) print(topic);
    }
    return {};
  }

  Expected<std::vector<std::string>> name_of_id() {
    const std::string id = options_.text("topic-id");
    auto all = describe_topics(client_, nullptr);
    if (!all) return fail(std::move(all.error()));
    for (const auto& [name, topic] : *all) {
      if (topic.id.text() == id) return std::vector<std::string>{name};
    }
    if (options_.has("if-exists")) return std::vector<std::string>{};
    return fail(Error{ErrorCode::kNotFound,
                      fmt::format("TopicId '{}' does not exist as expected", id),
                      "java.lang.IllegalArgumentException",
                      {},
                      {}});
  }

  Status read_configs(const std::vector<std::string>& topics) {
    DescribeConfigsRequest request;
    for (const std::string& name : topics) {
      auto& resource = request.resources.emplace_back();
      resource.resource_type = kTopicResource;
      resource.resource_name = name;
      resource.configuration_keys = std::nullopt;
    }
    auto answer = client_.call<DescribeConfigsResponse>(WireClient::kAnyBroker, request, 1);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.results) {
      const std::string topic(result.resource_name);
      std::vector<std::pair<std::string_view, std::string>> own;
      for (const auto& config : result.configs) {
        if (config.name == "min.insync.replicas")
          min_isr_[topic] = std::atoi(std::string(config.value.value_or("1")).c_str());
        if (config.config_source != kDefaultSource)
          own.emplace_back(config.name, fmt::format("{}={}", config.name, config.value.value_or("null")));
      }
      std::ranges::stable_sort(
          own, {}, [size = result.configs.size()](const auto& config) { return java_map_bucket(config.first, size); });
      std::string& configs = configs_[topic];
      for (const auto& [name, text] : own) configs.append(configs.empty() ? "" : ",").append(text);
    }
    return {};
  }

  bool only_some_partitions() const {
    for (const char* name : {"under-replicated-partitions", "unavailable-partitions", "under-min-isr-partitions",
                             "at-min-isr-partitions"}) {
      if (options_.has(name)) return true;
    }
    return false;
  }
  bool shown(const TopicLayout& topic, const TopicLayout::Partition& partition) const {
    if (!only_some_partitions()) return true;
    const size_t wanted = std::min(static_cast<size_t>(min_isr_.at(topic.name)), partition.replicas.size());
    return (options_.has("under-replicated-partitions") && partition.isr.size() < partition.replicas.size()) ||
           (options_.has("unavailable-partitions") && partition.leader < 0) ||
           (options_.has("under-min-isr-partitions") && partition.isr.size() < wanted) ||
           (options_.has("at-min-isr-partitions") && partition.isr.size() == wanted);
  }

  void print(const TopicLayout& topic) {
    const bool overrides_only = options_.has("topics-with-overrides");
    const std::string& configs = configs_[topic.name];
    if (!only_some_partitions() && !(overrides_only && configs.empty())) {
      const size_t factor = topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
      const std::string id = topic.id.is_zero() ? "" : fmt::format("\tTopicId: {}", topic.id.text());
      io_.print(fmt::format("Topic: {}{}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", topic.name, id,
                            topic.partitions.size(), factor, configs));
    }
    if (overrides_only) return;
    for (const auto& partition : topic.partitions) {
      if (!shown(topic, partition)) continue;
      const auto elr = [&](const std::vector<int32_t>& list) { return partition.has_elr ? join(list) : "N/A"; };
      io_.print(fmt::format(
          "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n", topic.name,
          partition.index, partition.leader < 0 ? "none" : std::to_string(partition.leader), join(partition.replicas),
          join(partition.isr), elr(partition.elr), elr(partition.last_known_elr)));
    }
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
  std::map<std::string, std::string> configs_;
  std::map<std::string, int> min_isr_;
};

/// What is wrong with the combination of options; empty when nothing is.
std::string problem(const ParsedOptions& options) {
  int actions = 0;
  for (const char* action : {"list", "create", "delete", "alter", "describe"}) actions += options.has(action) ? 1 : 0;
  if (actions != 1) return "Command must include exactly one action: --list, --describe, --create, --alter or --delete";
  if (const std::string servers = bootstrap_problem(options); !servers.empty()) return servers;
  const bool needs_topic = options.has("create") || options.has("alter") || options.has("delete");
  if (needs_topic && !options.has("topic")) return "Missing required argument \"[topic]\"";
  if (options.has("alter") && !options.has("partitions")) return "Missing required argument \"[partitions]\"";
  if (options.has("create") && options.has("replica-assignment") &&
      (options.has("partitions") || options.has("replication-factor")))
    return "Option \"[replica-assignment]\" can't be used with option \"[partitions]\"";
  return {};
}

}  // namespace

int run_topics(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string wrong = problem(*options); !wrong.empty()) return usage_error(spec, io, wrong);
  const auto failed = [&](const Error& error) {
    io.print(fmt::format("Error while executing topic command : {}\n", error_text(error)));
    log_tool_error(io, error, kToolClass);
    return kToolFailed;
  };
  if (options->has("create") && options->has("partitions") && options->number("partitions") < 1)
    return failed(Error{ErrorCode::kInvalidConfig,
                        "The partitions must be greater than 0",
                        "java.lang.IllegalArgumentException",
                        {},
                        {}});
  if (options->has("replication-factor") &&
      (options->number("replication-factor") < 1 || options->number("replication-factor") > INT16_MAX))
    return failed(Error{ErrorCode::kInvalidConfig,
                        "The replication factor must be between 1 and 32767 inclusive",
                        "java.lang.IllegalArgumentException",
                        {},
                        {}});
  auto client = open_admin(io, *options);
  if (!client) return failed(client.error());
  const Status done = TopicsTool(io, *options, **client).run();
  return done ? kToolOk : failed(done.error());
}

}  // namespace millrace
