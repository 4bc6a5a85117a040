// kafka-leader-election and kafka-reassign-partitions: which brokers lead and hold partitions.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/messages/alter_partition_reassignments.h"
#include "protocol/messages/elect_leaders.h"
#include "protocol/messages/list_partition_reassignments.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int32_t kTimeoutMs = 30'000;
using nlohmann::json;
using Assignment = std::map<PartitionName, std::vector<int32_t>>;

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

/// The entries of {"partitions": [{"topic": …, "partition": …, "replicas": […]}]}. Errors: kInvalidConfig.
Expected<Assignment> read_partitions(const ToolIo& io, const std::string& path, bool with_replicas) {
  auto text = io.files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  const auto document = json::parse(*text, nullptr, false);
  if (!document.is_object() || !document.contains("partitions") || !document["partitions"].is_array())
    return fail(terse(fmt::format("{}: it must be JSON with the list \"partitions\"", path)));
  Assignment partitions;
  for (const auto& entry : document["partitions"]) {
    const bool whole = entry.is_object() && entry.contains("topic") && entry["topic"].is_string() &&
                       entry.contains("partition") && entry["partition"].is_number_integer() &&
                       (!with_replicas || (entry.contains("replicas") && entry["replicas"].is_array()));
    if (!whole) return fail(terse(fmt::format("{}: {} lacks a field", path, entry.dump())));
    std::vector<int32_t> replicas;
    if (with_replicas) {
      for (const auto& id : entry["replicas"]) {
        if (!id.is_number_integer()) return fail(terse(fmt::format("{}: {} is no broker id", path, id.dump())));
        replicas.push_back(id.get<int32_t>());
      }
    }
    const PartitionName partition{entry["topic"].get<std::string>(), entry["partition"].get<int32_t>()};
    if (!partitions.emplace(partition, std::move(replicas)).second)
      return fail(terse(
          fmt::format("Partition reassignment contains duplicate topic partitions: {}", partition_text(partition))));
  }
  return partitions;
}

CommandSpec election_command() {
  CommandSpec spec;
  spec.program = "kafka-leader-election";
  spec.description =
      "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are "
      "preferred replicas and unclean replicas.";
  spec.options = {
      bootstrap_option(),
      {.name = "admin.config",
       .argument = "config file",
       .description = "Property file with settings of the client.",
       .aliases = {"command-config"}},
      {.name = "path-to-json-file", .argument = "Path to JSON file", .description = "Partitions to elect leaders for."},
      {.name = "topic", .argument = "topic name", .description = "Topic of --partition."},
      {.name = "partition",
       .argument = "partition id",
       .description = "Partition of --topic.",
       .type = OptionType::kInteger},
      flag("all-topic-partitions", "Elect leaders for all partitions."),
      {.name = "election-type",
       .argument = "election type",
       .description = "REQUIRED: preferred or unclean.",
       .required = true},
  };
  return spec;
}

Status elect(const ToolIo& io, const ParsedOptions& options) {
  std::string type = options.text("election-type");
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (type != "PREFERRED" && type != "UNCLEAN")
    return fail(terse(fmt::format("{} is no election type: preferred or unclean", options.text("election-type"))));
  ElectLeadersRequest request;
  request.election_type = type == "UNCLEAN" ? 1 : 0;
  request.timeout_ms = kTimeoutMs;
  Assignment partitions;
  if (options.has("path-to-json-file")) {
    auto read = read_partitions(io, options.text("path-to-json-file"), false);
    if (!read) return fail(std::move(read.error()));
    partitions = std::move(*read);
  } else if (options.has("topic")) {
    partitions[{options.text("topic"), static_cast<int32_t>(options.number("partition"))}] = {};
  }
  if (options.has("all-topic-partitions")) {
    request.topic_partitions = std::nullopt;
  } else {
    for (const auto& [partition, replicas] : partitions) {
      if (request.topic_partitions->empty() || request.topic_partitions->back().topic != partition.first)
        request.topic_partitions->push_back({partition.first, {}});
      request.topic_partitions->back().partitions.push_back(partition.second);
    }
  }
  auto client = open_admin(io, options.text("bootstrap-server"), options.text("admin.config"));
  if (!client) return fail(std::move(client.error()));
  auto answer = (*client)->call<ElectLeadersResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
  std::vector<std::string> done, same, failed;
  for (const auto& topic : answer->message.replica_election_results) {
    for (const auto& result : topic.partition_result) {
      const std::string name = partition_text({std::string(topic.topic), result.partition_id});
      if (result.error_code == 0) {
        done.push_back(name);
      } else if (result.error_code == code_of(KafkaError::kElectionNotNeeded)) {
        same.push_back(name);
      } else {
        const Error error = wire_error(result.error_code, result.error_message.value_or(""));
        failed.push_back(fmt::format("Error completing leader election ({}) for partition: {}: {}: {}\n", type, name,
                                     error.exception, error.message));
      }
    }
  }
  if (!done.empty())
    io.print(
        fmt::format("Successfully completed leader election ({}) for partitions {}\n", type, fmt::join(done, ", ")));
  if (!same.empty()) io.print(fmt::format("Valid replica already elected for partitions {}\n", fmt::join(same, ", ")));
  for (const std::string& line : failed) io.print(line);
  return failed.empty() ? Status{} : fail(terse(fmt::format("{} replica(s) could not be elected", failed.size())));
}

CommandSpec reassign_command() {
  CommandSpec spec;
  spec.program = "kafka-reassign-partitions";
  spec.description = "This tool helps to move topic partitions between replicas.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("list", "Show the reassignments that are under way."),
      flag("verify", "Tell whether the reassignment of --reassignment-json-file is done."),
      flag("execute", "Begin the reassignment of --reassignment-json-file."),
      flag("cancel", "Cancel the reassignment of --reassignment-json-file."),
      flag("generate", "Propose where the topics of --topics-to-move-json-file could lie."),
      {.name = "reassignment-json-file",
       .argument = "manual assignment json file path",
       .description = "{\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"replicas\": [1]}], \"version\": 1}"},
      {.name = "topics-to-move-json-file",
       .argument = "topics to reassign json file path",
       .description = "{\"topics\": [{\"topic\": \"foo\"}], \"version\": 1}"},
      {.name = "broker-list", .argument = "brokerlist", .description = "With --generate: the brokers."},
      flag("disable-rack-aware", "Accepted."),
      flag("additional", "With --execute: beside reassignments that are under way."),
      flag("preserve-throttles", "Accepted: nothing is throttled."),
      {.name = "throttle",
       .argument = "throttle",
       .description = "Accepted: nothing is throttled.",
       .type = OptionType::kLong},
      {.name = "replica-alter-log-dirs-throttle",
       .argument = "throttle",
       .description = "Accepted: nothing is throttled.",
       .type = OptionType::kLong},
      {.name = "timeout", .argument = "timeout", .description = "Accepted.", .type = OptionType::kLong},
  };
  std::erase(spec.options.front().aliases, "broker-list");
  return spec;
}

Expected<std::map<std::string, TopicLayout>> layouts_of(WireClient& client, const Assignment& partitions) {
  std::set<std::string> topics;
  for (const auto& [partition, replicas] : partitions) topics.insert(partition.first);
  const std::vector<std::string> names(topics.begin(), topics.end());
  return describe_topics(client, &names);
}

json assignment_json(const Assignment& partitions) {
  json list = json::array();
  for (const auto& [partition, replicas] : partitions) {
    list.push_back({{"topic", partition.first},
                    {"partition", partition.second},
                    {"replicas", replicas},
                    {"log_dirs", std::vector<std::string>(replicas.size(), "any")}});
  }
  return {{"version", 1}, {"partitions", list}};
}

const TopicLayout::Partition* find_partition(const std::map<std::string, TopicLayout>& layouts,
                                             const PartitionName& partition) {
  const auto topic = layouts.find(partition.first);
  if (topic == layouts.end()) return nullptr;
  const auto found = std::ranges::find(topic->second.partitions, partition.second, &TopicLayout::Partition::index);
  return found == topic->second.partitions.end() ? nullptr : &*found;
}

/// Moves under way, as text lines of --list.
Expected<std::map<PartitionName, std::string>> under_way(WireClient& client) {
  ListPartitionReassignmentsRequest request;
  request.timeout_ms = kTimeoutMs;
  auto answer = client.call<ListPartitionReassignmentsResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0)
    return fail(wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
  std::map<PartitionName, std::string> moves;
  for (const auto& topic : answer->message.topics) {
    for (const auto& partition : topic.partitions) {
      const PartitionName key{std::string(topic.name), partition.partition_index};
      const auto part = [](std::string_view word, const std::vector<int32_t>& ids) {
        return ids.empty() ? "" : fmt::format(" {}: {}.", word, join(ids));
      };
      moves[key] =
          fmt::format("{}: replicas: {}.{}{}", partition_text(key), join(partition.replicas),
                      part("adding", partition.adding_replicas), part("removing", partition.removing_replicas));
    }
  }
  return moves;
}

Status list_moves(const ToolIo& io, WireClient& client) {
  auto moves = under_way(client);
  if (!moves) return fail(std::move(moves.error()));
  io.print(moves->empty() ? "No partition reassignments found.\n" : "Current partition reassignments:\n");
  for (const auto& [partition, line] : *moves) io.print(line + "\n");
  return {};
}

Status verify(const ToolIo& io, WireClient& client, const Assignment& wanted) {
  auto moves = under_way(client);
  if (!moves) return fail(std::move(moves.error()));
  auto layouts = layouts_of(client, wanted);
  if (!layouts) return fail(std::move(layouts.error()));
  io.print("Status of partition reassignment:\n");
  for (const auto& [partition, replicas] : wanted) {
    const auto* now = find_partition(*layouts, partition);
    const std::vector<int32_t> current = now == nullptr ? std::vector<int32_t>{} : now->replicas;
    const std::string name = partition_text(partition);
    if (moves->contains(partition)) {
      io.print(fmt::format("Reassignment of partition {} is still in progress.\n", name));
    } else if (current == replicas) {
      io.print(fmt::format("Reassignment of partition {} is completed.\n", name));
    } else {
      io.print(fmt::format("There is no active reassignment of partition {}, but replica set is {} rather than {}.\n",
                           name, join(current), join(replicas)));
    }
  }
  io.print("\n");
  return {};
}

Status execute(const ToolIo& io, WireClient& client, const Assignment& wanted, bool cancel) {
  auto layouts = layouts_of(client, wanted);
  if (!layouts) return fail(std::move(layouts.error()));
  AlterPartitionReassignmentsRequest request;
  request.timeout_ms = kTimeoutMs;
  Assignment current;
  for (const auto& [partition, replicas] : wanted) {
    if (request.topics.empty() || request.topics.back().name != partition.first)
      request.topics.emplace_back().name = partition.first;
    auto& out = request.topics.back().partitions.emplace_back();
    out.partition_index = partition.second;
    if (!cancel) out.replicas = replicas;
    if (const auto* now = find_partition(*layouts, partition)) current[partition] = now->replicas;
  }
  if (!cancel)
    io.print(
        fmt::format("Current partition replica assignment\n\n{}\n\nSave this to use as the "
                    "--reassignment-json-file option during rollback\n",
                    assignment_json(current).dump()));
  auto answer = client.call<AlterPartitionReassignmentsResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0)
    return fail(wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
  std::vector<std::string> done, failed;
  for (const auto& topic : answer->message.responses) {
    for (const auto& result : topic.partitions) {
      const std::string name = partition_text({std::string(topic.name), result.partition_index});
      if (result.error_code == 0) {
        done.push_back(name);
      } else if (!cancel || result.error_code != code_of(KafkaError::kNoReassignmentInProgress)) {
        failed.push_back(
            fmt::format("{}: {}", name, wire_error(result.error_code, result.error_message.value_or("")).message));
      }
    }
  }
  if (!failed.empty())
    return fail(terse(fmt::format("Error {} partition(s):\n{}", cancel ? "cancelling reassignment of" : "reassigning",
                                  fmt::join(failed, "\n"))));
  if (cancel && done.empty()) {
    io.print("None of the specified partition reassignments are active.\n");
  } else {
    io.print(fmt::format("Successfully {} partition reassignment{} for {}{}\n", cancel ? "cancelled" : "started",
                         done.size() == 1 ? "" : "s", cancel ? ": " : "", fmt::join(done, ",")));
  }
  return {};
}

Status generate(const ToolIo& io, WireClient& client, const ParsedOptions& options) {
  auto text = io.files.read_file(options.text("topics-to-move-json-file"));
  if (!text) return fail(std::move(text.error()));
  const auto document = json::parse(*text, nullptr, false);
  if (!document.is_object() || !document.contains("topics") || !document["topics"].is_array())
    return fail(terse("--topics-to-move-json-file must be JSON with the list \"topics\""));
  std::vector<std::string> names;
  for (const auto& entry : document["topics"]) names.push_back(entry.value("topic", ""));
  std::vector<int32_t> brokers;
  for (const std::string& id : split(options.text("broker-list"))) brokers.push_back(std::atoi(id.c_str()));
  if (brokers.empty()) return fail(terse("--broker-list must name brokers, as in 1,2"));
  auto layouts = describe_topics(client, &names);
  if (!layouts) return fail(std::move(layouts.error()));
  Assignment current, proposed;
  size_t at = 0;
  for (const auto& [name, topic] : *layouts) {
    for (const auto& partition : topic.partitions) {
      current[{name, partition.index}] = partition.replicas;
      auto& replicas = proposed[{name, partition.index}];
      for (size_t i = 0; i < std::min(partition.replicas.size(), brokers.size()); ++i)
        replicas.push_back(brokers[(at + i) % brokers.size()]);
      ++at;
    }
  }
  io.print(
      fmt::format("Current partition replica assignment\n{}\n\nProposed partition reassignment configuration\n{}\n",
                  assignment_json(current).dump(), assignment_json(proposed).dump()));
  return {};
}

Status reassign(const ToolIo& io, const ParsedOptions& options) {
  auto client = open_admin(io, options);
  if (!client) return fail(std::move(client.error()));
  if (options.has("list")) return list_moves(io, **client);
  if (options.has("generate")) return generate(io, **client, options);
  auto wanted = read_partitions(io, options.text("reassignment-json-file"), true);
  if (!wanted) return fail(std::move(wanted.error()));
  if (options.has("verify")) return verify(io, **client, *wanted);
  return execute(io, **client, *wanted, options.has("cancel"));
}

}  // namespace

int run_leader_election(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = election_command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const int chosen = (options->has("topic") ? 1 : 0) + (options->has("path-to-json-file") ? 1 : 0) +
                     (options->has("all-topic-partitions") ? 1 : 0);
  std::string wrong;
  if (chosen != 1)
    wrong = "One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file";
  if (options->has("topic") != options->has("partition"))
    wrong = "Missing required option(s): topic and partition belong together";
  const Status done = wrong.empty() ? elect(io, *options) : fail(terse(wrong));
  if (done) return kToolOk;
  io.print_error(error_text(done.error()) + "\n");
  return kToolFailed;
}

int run_reassign_partitions(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = reassign_command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  int actions = 0;
  for (const char* action : {"generate", "execute", "verify", "cancel", "list"})
    actions += options->has(action) ? 1 : 0;
  if (actions != 1)
    return usage_error(spec, io,
                       "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list");
  if (options->has("generate") && !options->has("topics-to-move-json-file"))
    return usage_error(spec, io, "Missing required argument \"[topics-to-move-json-file]\"");
  if (!options->has("generate") && !options->has("list") && !options->has("reassignment-json-file"))
    return usage_error(spec, io, "Missing required argument \"[reassignment-json-file]\"");
  const Status done = reassign(io, *options);
  if (done) return kToolOk;
  io.print(fmt::format("Error: {}\n", error_text(done.error())));
  return kToolFailed;
}

}  // namespace millrace
