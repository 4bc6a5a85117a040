// kafka-transactions: lists, describes and aborts transactions.
#include <fmt/format.h>

#include <algorithm>

#include "core/clock.h"
#include "protocol/messages/describe_producers.h"
#include "protocol/messages/describe_transactions.h"
#include "protocol/messages/list_transactions.h"
#include "protocol/messages/write_txn_markers.h"
#include "tools/admin_tool.h"
#include "tools/text_table.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int64_t kMinuteMs = 60'000;

OptionSpec number(std::string_view name, std::string_view description, OptionType type = OptionType::kLong) {
  return {.name = name, .argument = name, .description = description, .type = type};
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-transactions";
  spec.description =
      "This tool is used to analyze the transactional state of producers in the cluster: list, describe, "
      "describe-producers, abort, find-hanging.";
  spec.style = CommandSpec::Style::kArgparse;
  spec.positionals = true;
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      {.name = "transactional-id",
       .argument = "transactional-id",
       .description = "With describe: the transactional id."},
      {.name = "topic", .argument = "topic", .description = "The topic."},
      number("partition", "The partition.", OptionType::kInteger),
      number("broker-id", "The broker to ask or to search.", OptionType::kInteger),
      number("start-offset", "With abort: where the transaction starts."),
      number("producer-id", "With abort, for brokers before 3.0: the producer."),
      number("producer-epoch", "With abort, for brokers before 3.0: its epoch.", OptionType::kInteger),
      number("coordinator-epoch", "With abort, for brokers before 3.0: the epoch.", OptionType::kInteger),
      number("duration-filter", "With list: only transactions that have run for longer than so many milliseconds."),
      {.name = "transactional-id-pattern",
       .argument = "pattern",
       .description = "With list: only ids that match the regular expression."},
      {.name = "max-transaction-timeout",
       .argument = "minutes",
       .description = "With find-hanging: transactions that run for longer.",
       .type = OptionType::kInteger,
       .default_value = "15"},
  };
  return spec;
}

struct Producer {
  PartitionName partition;
  int64_t id = -1;
  int32_t epoch = -1;
  int32_t last_sequence = -1;
  int64_t last_timestamp = -1;
  int32_t coordinator_epoch = -1;
  int64_t start_offset = -1;
};

struct Transaction {
  std::string id;
  int16_t error = 0;
  std::string state;
  int32_t timeout_ms = 0;
  int64_t start_ms = -1;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  std::set<PartitionName> partitions;
};

class TransactionsTool {
 public:
  TransactionsTool(const ToolIo& io, const ParsedOptions& options, WireClient& client)
      : io_(io), options_(options), client_(client) {}

  Status run(const std::string& action) {
    if (action == "list") return list();
    if (action == "describe") return describe();
    if (action == "describe-producers") return describe_producers();
    return action == "abort" ? abort() : find_hanging();
  }

 private:
  Status list() {
    auto brokers = client_.brokers();
    if (!brokers) return fail(std::move(brokers.error()));
    ListTransactionsRequest request;
    const std::string pattern = options_.text("transactional-id-pattern");
    request.duration_filter = options_.number("duration-filter");
    request.transactional_id_pattern = std::nullopt;
    if (!pattern.empty()) request.transactional_id_pattern = pattern;
    const int16_t version_min = !pattern.empty() ? 2 : request.duration_filter >= 0 ? 1 : 0;
    TextTable table({"TransactionalId", "Coordinator", "ProducerId", "TransactionState"});
    for (const WireBroker& broker : *brokers) {
      auto answer = client_.call<ListTransactionsResponse>(broker.id, request, version_min);
      if (!answer) return fail(std::move(answer.error()));
      if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
      for (const auto& state : answer->message.transaction_states) {
        table.add({std::string(state.transactional_id), std::to_string(broker.id), std::to_string(state.producer_id),
                   std::string(state.transaction_state)});
      }
    }
    io_.print(table.text());
    return {};
  }

  Expected<Transaction> describe_id(const std::string& id, int32_t& coordinator) {
    auto node = client_.coordinator(CoordinatorType::kTransaction, id);
    if (!node) return fail(std::move(node.error()));
    coordinator = *node;
    DescribeTransactionsRequest request;
    request.transactional_ids = {id};
    auto answer = client_.call<DescribeTransactionsResponse>(*node, request);
    if (!answer) return fail(std::move(answer.error()));
    Transaction result;
    result.id = id;
    if (answer->message.transaction_states.empty()) return result;
    const auto& wire = answer->message.transaction_states.front();
    result.error = wire.error_code;
    result.state = wire.transaction_state;
    result.timeout_ms = wire.transaction_timeout_ms;
    result.start_ms = wire.transaction_start_time_ms;
    result.producer_id = wire.producer_id;
    result.producer_epoch = wire.producer_epoch;
    for (const auto& topic : wire.topics) {
      for (const int32_t partition : topic.partitions) result.partitions.emplace(topic.topic, partition);
    }
    return result;
  }

  Status describe() {
    int32_t coordinator = -1;
    auto found = describe_id(options_.text("transactional-id"), coordinator);
    if (!found) return fail(std::move(found.error()));
    if (found->error != 0)
      return fail(wire_error(found->error)
                      .wrap(fmt::format("Failed to describe transaction state of transactional-id `{}`", found->id)));
    std::vector<std::string> partitions;
    for (const PartitionName& partition : found->partitions) partitions.push_back(partition_text(partition));
    const bool open = found->start_ms >= 0;
    TextTable table({"CoordinatorId", "TransactionalId", "ProducerId", "ProducerEpoch", "TransactionState",
                     "TransactionTimeoutMs", "CurrentTransactionStartTimeMs", "TransactionDurationMs",
                     "TopicPartitions"});
    table.add({std::to_string(coordinator), found->id, std::to_string(found->producer_id),
               std::to_string(found->producer_epoch), found->state, std::to_string(found->timeout_ms),
               open ? std::to_string(found->start_ms) : "None",
               open ? std::to_string(clock_.wall_ms() - found->start_ms) : "None",
               fmt::format("{}", fmt::join(partitions, ","))});
    io_.print(table.text());
    return {};
  }

  PartitionName partition() const {
    return {options_.text("topic"), static_cast<int32_t>(options_.number("partition"))};
  }

  Expected<int32_t> leader_of(const PartitionName& partition) {
    const std::vector<std::string> names{partition.first};
    auto topics = describe_topics(client_, &names);
    if (!topics) return fail(std::move(topics.error()));
    for (const auto& known : (*topics)[partition.first].partitions) {
      if (known.index == partition.second) return known.leader;
    }
    return fail(wire_error(code_of(KafkaError::kUnknownTopicOrPartition),
                           fmt::format("partition {} does not exist", partition_text(partition))));
  }

  Expected<std::vector<Producer>> producers_of(int32_t node, const std::vector<PartitionName>& partitions) {
    DescribeProducersRequest request;
    for (const PartitionName& partition : partitions) {
      if (request.topics.empty() || request.topics.back().name != partition.first)
        request.topics.push_back({partition.first, {}});
      request.topics.back().partition_indexes.push_back(partition.second);
    }
    auto answer = client_.call<DescribeProducersResponse>(node, request);
    if (!answer) return fail(std::move(answer.error()));
    std::vector<Producer> producers;
    for (const auto& topic : answer->message.topics) {
      for (const auto& result : topic.partitions) {
        const PartitionName key{std::string(topic.name), result.partition_index};
        if (result.error_code != 0)
          return fail(wire_error(result.error_code, result.error_message.value_or(""))
                          .wrap(fmt::format("Failed to describe producers for partition {}", partition_text(key))));
        for (const auto& state : result.active_producers) {
          producers.push_back({key, state.producer_id, state.producer_epoch, state.last_sequence, state.last_timestamp,
                               state.coordinator_epoch, state.current_txn_start_offset});
        }
      }
    }
    return producers;
  }

  Status describe_producers() {
    int32_t node = static_cast<int32_t>(options_.number("broker-id"));
    if (!options_.has("broker-id")) {
      auto leader = leader_of(partition());
      if (!leader) return fail(std::move(leader.error()));
      node = *leader;
    }
    auto producers = producers_of(node, {partition()});
    if (!producers) return fail(std::move(producers.error()));
    TextTable table({"ProducerId", "ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence", "LastTimestamp",
                     "CurrentTransactionStartOffset"});
    for (const Producer& producer : *producers) {
      table.add({std::to_string(producer.id), std::to_string(producer.epoch),
                 std::to_string(producer.coordinator_epoch), std::to_string(producer.last_sequence),
                 std::to_string(producer.last_timestamp),
                 producer.start_offset < 0 ? "None" : std::to_string(producer.start_offset)});
    }
    io_.print(table.text());
    return {};
  }

  Status abort() {
    auto leader = leader_of(partition());
    if (!leader) return fail(std::move(leader.error()));
    Producer target{partition(),
                    options_.number("producer-id"),
                    static_cast<int32_t>(options_.number("producer-epoch")),
                    -1,
                    -1,
                    static_cast<int32_t>(options_.number("coordinator-epoch")),
                    -1};
    if (options_.has("start-offset")) {
      auto producers = producers_of(*leader, {partition()});
      if (!producers) return fail(std::move(producers.error()));
      const auto found = std::ranges::find(*producers, options_.number("start-offset"), &Producer::start_offset);
      if (found == producers->end())
        return fail(terse(fmt::format("Could not find any open transactions starting at offset {} on partition {}",
                                      options_.number("start-offset"), partition_text(partition()))));
      target = *found;
    }
    WriteTxnMarkersRequest request;
    auto& marker = request.markers.emplace_back();
    marker.producer_id = target.id;
    marker.producer_epoch = static_cast<int16_t>(target.epoch);
    marker.coordinator_epoch = std::max(target.coordinator_epoch, 0);
    marker.transaction_result = false;
    marker.topics.push_back({target.partition.first, {target.partition.second}});
    auto answer = client_.call<WriteTxnMarkersResponse>(*leader, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.markers) {
      for (const auto& topic : result.topics) {
        for (const auto& outcome : topic.partitions) {
          if (outcome.error_code != 0)
            return fail(wire_error(outcome.error_code)
                            .wrap(fmt::format("Failed to abort the transaction of producer {} on {}", target.id,
                                              partition_text(target.partition))));
        }
      }
    }
    return {};
  }

  /// Partitions by the broker to ask for them.
  Expected<std::map<int32_t, std::vector<PartitionName>>> partitions_to_search() {
    const std::vector<std::string> one{options_.text("topic")};
    auto topics = describe_topics(client_, options_.has("topic") ? &one : nullptr);
    if (!topics) return fail(std::move(topics.error()));
    const auto broker = static_cast<int32_t>(options_.number("broker-id"));
    std::map<int32_t, std::vector<PartitionName>> found;
    for (const auto& [name, topic] : *topics) {
      for (const auto& known : topic.partitions) {
        if (options_.has("partition") && known.index != options_.number("partition")) continue;
        const bool there = std::ranges::find(known.replicas, broker) != known.replicas.end();
        if (options_.has("broker-id") && !there) continue;
        found[options_.has("broker-id") ? broker : known.leader].emplace_back(name, known.index);
      }
    }
    return found;
  }

  Expected<std::vector<Producer>> old_transactions() {
    auto partitions = partitions_to_search();
    if (!partitions) return fail(std::move(partitions.error()));
    const int64_t before = clock_.wall_ms() - options_.number("max-transaction-timeout") * kMinuteMs;
    std::vector<Producer> old;
    for (const auto& [node, list] : *partitions) {
      auto producers = producers_of(node, list);
      if (!producers) return producers;
      for (const Producer& producer : *producers) {
        if (producer.start_offset >= 0 && producer.last_timestamp < before) old.push_back(producer);
      }
    }
    return old;
  }

  /// Transactional ids of producers.
  Expected<std::map<int64_t, std::string>> ids_of(const std::vector<Producer>& producers) {
    ListTransactionsRequest request;
    for (const Producer& producer : producers) request.producer_id_filters.push_back(producer.id);
    request.transactional_id_pattern = std::nullopt;
    auto brokers = client_.brokers();
    if (!brokers) return fail(std::move(brokers.error()));
    std::map<int64_t, std::string> ids;
    for (const WireBroker& broker : *brokers) {
      auto answer = client_.call<ListTransactionsResponse>(broker.id, request);
      if (!answer) return fail(std::move(answer.error()));
      for (const auto& state : answer->message.transaction_states) ids[state.producer_id] = state.transactional_id;
    }
    return ids;
  }

  /// Open on a partition for long, and no coordinator means to end it there.
  Status find_hanging() {
    auto old = old_transactions();
    if (!old) return fail(std::move(old.error()));
    std::map<int64_t, std::string> ids;
    if (!old->empty()) {
      auto found = ids_of(*old);
      if (!found) return fail(std::move(found.error()));
      ids = std::move(*found);
    }
    TextTable table({"Topic", "Partition", "ProducerId", "ProducerEpoch", "CoordinatorEpoch", "StartOffset",
                     "LastTimestamp", "Duration(min)"});
    for (const Producer& producer : *old) {
      if (const auto id = ids.find(producer.id); id != ids.end()) {
        int32_t coordinator = -1;
        auto transaction = describe_id(id->second, coordinator);
        if (!transaction) return fail(std::move(transaction.error()));
        if (transaction->error == 0 && transaction->partitions.contains(producer.partition)) continue;
      }
      table.add({producer.partition.first, std::to_string(producer.partition.second), std::to_string(producer.id),
                 std::to_string(producer.epoch), std::to_string(producer.coordinator_epoch),
                 std::to_string(producer.start_offset), std::to_string(producer.last_timestamp),
                 std::to_string((clock_.wall_ms() - producer.last_timestamp) / kMinuteMs)});
    }
    io_.print(table.text());
    return {};
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
  SystemClock clock_;
};

/// What is wrong with the options for `action`; empty when nothing is.
std::string problem(const ParsedOptions& options, const std::string& action) {
  if (action == "list") return {};
  if (action == "describe") return options.has("transactional-id") ? "" : "argument --transactional-id is required";
  if (action == "find-hanging") {
    if (!options.has("topic") && !options.has("broker-id"))
      return "The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search";
    return options.has("partition") && !options.has("topic")
               ? "The --partition argument requires --topic to be provided"
               : "";
  }
  if (action != "describe-producers" && action != "abort")
    return "invalid choice: choose list, describe, describe-producers, abort or find-hanging";
  if (!options.has("topic")) return "argument --topic is required";
  if (!options.has("partition")) return "argument --partition is required";
  const bool identified = options.has("start-offset") || (options.has("producer-id") && options.has("producer-epoch") &&
                                                          options.has("coordinator-epoch"));
  if (action == "abort" && !identified)
    return "The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or "
           "with "
           "--producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)";
  return {};
}

}  // namespace

int run_transactions(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const std::string action = options->positionals().empty() ? "" : options->positionals().front();
  if (const std::string wrong = problem(*options, action); !wrong.empty()) return usage_error(spec, io, wrong);
  auto client = open_admin(io, *options);
  const Status done = client ? TransactionsTool(io, *options, **client).run(action) : fail(std::move(client.error()));
  if (done) return kToolOk;
  io.print_error(error_text(done.error()) + "\n");
  return kToolFailed;
}

}  // namespace millrace
