// kafka-cluster, kafka-metadata-quorum, kafka-features: what a cluster is.
#include <fmt/format.h>

#include "core/clock.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/describe_cluster.h"
#include "protocol/messages/describe_quorum.h"
#include "protocol/messages/unregister_broker.h"
#include "protocol/messages/update_features.h"
#include "tools/admin_tool.h"
#include "tools/text_table.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

CommandSpec command(std::string_view program, std::string_view description, std::vector<OptionSpec> options) {
  CommandSpec spec;
  spec.program = program;
  spec.description = description;
  spec.style = CommandSpec::Style::kArgparse;
  spec.positionals = true;
  spec.options = std::move(options);
  spec.options.push_back(bootstrap_option());
  return spec;
}

/// Runs `act` with a client; messages as Kafka's tools of this kind write them.
template <class Act>
int with_client(const ToolIo& io, const ParsedOptions& options, std::string_view config_option, Act act) {
  auto client = open_admin(io, options.text("bootstrap-server"), options.text(config_option));
  const Status done = client ? act(**client) : fail(std::move(client.error()));
  if (done) return kToolOk;
  io.print_error(error_text(done.error()) + "\n");
  return kToolFailed;
}

Expected<std::string> cluster_id(WireClient& client) {
  auto answer = client.call<DescribeClusterResponse>(WireClient::kAnyBroker, DescribeClusterRequest{});
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
  return std::string(answer->message.cluster_id);
}

Status unregister(const ToolIo& io, WireClient& client, int32_t id) {
  UnregisterBrokerRequest request;
  request.broker_id = id;
  auto answer = client.call<UnregisterBrokerResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0)
    return fail(wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
  io.print(fmt::format("Broker {} is no longer registered.\n", id));
  return {};
}

constexpr std::string_view kMetadataTopic = "__cluster_metadata";

using QuorumAnswer = WireAnswer<DescribeQuorumResponse>;
using Replica = DescribeQuorumResponse::ReplicaState;

Expected<QuorumAnswer> ask_quorum(WireClient& client) {
  DescribeQuorumRequest request;
  auto& topic = request.topics.emplace_back();
  topic.topic_name = kMetadataTopic;
  topic.partitions.push_back({0});
  auto answer = client.call<DescribeQuorumResponse>(WireClient::kAnyBroker, request);
  if (!answer) return answer;
  int16_t code = answer->message.error_code;
  const bool told = !answer->message.topics.empty() && !answer->message.topics.front().partitions.empty();
  if (code == 0 && told) code = answer->message.topics.front().partitions.front().error_code;
  if (code != 0) return fail(wire_error(code));
  if (!told) return fail(terse("the broker tells nothing about its metadata quorum"));
  return answer;
}

std::string replicas_text(const DescribeQuorumResponse& answer, const std::vector<Replica>& replicas) {
  std::vector<std::string> texts;
  for (const Replica& replica : replicas) {
    std::vector<std::string> endpoints;
    for (const auto& node : answer.nodes) {
      if (node.node_id != replica.replica_id) continue;
      for (const auto& listener : node.listeners)
        endpoints.push_back(fmt::format("\"{}://{}:{}\"", listener.name, listener.host, listener.port));
    }
    const std::string directory =
        replica.replica_directory_id.is_zero() ? "null" : fmt::format("\"{}\"", replica.replica_directory_id.text());
    const std::string where = endpoints.empty() ? "" : fmt::format(", \"endpoints\": [{}]", fmt::join(endpoints, ", "));
    texts.push_back(fmt::format("{{\"id\": {}, \"directoryId\": {}{}}}", replica.replica_id, directory, where));
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

Status quorum_status(const ToolIo& io, WireClient& client) {
  auto id = cluster_id(client);
  if (!id) return fail(std::move(id.error()));
  auto answer = ask_quorum(client);
  if (!answer) return fail(std::move(answer.error()));
  const auto& quorum = answer->message.topics.front().partitions.front();
  int64_t leader_end = 0, leader_time = -1, slowest_end = INT64_MAX, slowest_time = -1;
  for (const Replica& voter : quorum.current_voters) {
    if (voter.replica_id == quorum.leader_id)
      leader_end = voter.log_end_offset, leader_time = voter.last_caught_up_timestamp;
    if (voter.log_end_offset < slowest_end)
      slowest_end = voter.log_end_offset, slowest_time = voter.last_caught_up_timestamp;
  }
  const bool times = leader_time >= 0 && slowest_time >= 0;
  const int64_t lag_ms = leader_end == slowest_end ? 0 : times ? leader_time - slowest_time : -1;
  io.print(fmt::format(
      "ClusterId:              {}\nLeaderId:               {}\nLeaderEpoch:            {}\nHighWatermark:          {}\n"
      "MaxFollowerLag:         {}\nMaxFollowerLagTimeMs:   {}\nCurrentVoters:          {}\nCurrentObservers:       "
      "{}\n",
      *id, quorum.leader_id, quorum.leader_epoch, quorum.high_watermark, leader_end - slowest_end, lag_ms,
      replicas_text(answer->message, quorum.current_voters), replicas_text(answer->message, quorum.observers)));
  return {};
}

Status quorum_replication(const ToolIo& io, WireClient& client, bool human) {
  auto answer = ask_quorum(client);
  if (!answer) return fail(std::move(answer.error()));
  const auto& quorum = answer->message.topics.front().partitions.front();
  int64_t leader_end = 0;
  for (const Replica& voter : quorum.current_voters) {
    if (voter.replica_id == quorum.leader_id) leader_end = voter.log_end_offset;
  }
  TextTable table(
      {"NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp", "LastCaughtUpTimestamp", "Status"});
  const int64_t now = SystemClock().wall_ms();
  const auto time = [&](int64_t ms) {
    return ms >= 0 && human ? fmt::format("{} ms ago", now - ms) : std::to_string(ms);
  };
  const auto add = [&](const Replica& replica, std::string status) {
    table.add({std::to_string(replica.replica_id), replica.replica_directory_id.text(),
               std::to_string(replica.log_end_offset), std::to_string(leader_end - replica.log_end_offset),
               time(replica.last_fetch_timestamp), time(replica.last_caught_up_timestamp), std::move(status)});
  };
  for (const Replica& voter : quorum.current_voters) {
    if (voter.replica_id == quorum.leader_id) add(voter, "Leader");
  }
  for (const Replica& voter : quorum.current_voters) {
    if (voter.replica_id != quorum.leader_id) add(voter, "Follower");
  }
  for (const Replica& observer : quorum.observers) add(observer, "Observer");
  io.print(table.text());
  return {};
}

/// Kafka's names of the levels of metadata.version that brokers of 3.9 and 4 finalize.
std::string level_text(std::string_view feature, int16_t level) {
  constexpr std::array<std::string_view, 31> kVersions = {
      "",        "3.0-IV1", "3.1-IV0", "3.2-IV0", "3.3-IV0", "3.3-IV1", "3.3-IV2", "3.3-IV3",
      "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0",
      "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1",
      "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0"};
  if (feature != "metadata.version") return std::to_string(level);
  const auto index = static_cast<size_t>(level);
  return level > 0 && index < kVersions.size() ? std::string(kVersions[index]) : fmt::format("UNKNOWN {}", level);
}

Status describe_features(const ToolIo& io, WireClient& client) {
  auto connection = client.connection_to(WireClient::kAnyBroker);
  if (!connection) return fail(std::move(connection.error()));
  ApiVersionsResponse answer;
  WireReader reader((*connection)->versions_body());
  answer.decode(reader, (*connection)->versions_version());
  std::map<std::string_view, int16_t> finalized;
  for (const auto& feature : answer.finalized_features) finalized[feature.name] = feature.max_version_level;
  std::map<std::string_view, std::string> lines;
  const std::string epoch = answer.finalized_features_epoch < 0 ? "-" : std::to_string(answer.finalized_features_epoch);
  for (const auto& feature : answer.supported_features) {
    lines[feature.name] = fmt::format(
        "Feature: {}\tSupportedMinVersion: {}\tSupportedMaxVersion: {}\tFinalizedVersionLevel: {}\tEpoch: {}\n",
        feature.name, level_text(feature.name, feature.min_version), level_text(feature.name, feature.max_version),
        level_text(feature.name, finalized[feature.name]), epoch);
  }
  for (const auto& [name, line] : lines) io.print(line);
  return {};
}

Status update_features(const ToolIo& io, WireClient& client, const ParsedOptions& options, const std::string& verb) {
  UpdateFeaturesRequest request;
  request.validate_only = options.has("dry-run");
  std::map<std::string, int16_t> updates;
  for (const std::string& word : options.values("feature")) {
    const size_t equals = word.find('=');
    if (verb == "disable") {
      updates[word] = 0;
    } else if (equals == std::string::npos) {
      return fail(terse(fmt::format("Can't parse feature=level string {}: equals sign not found.", word)));
    } else {
      updates[word.substr(0, equals)] = static_cast<int16_t>(std::atoi(word.c_str() + equals + 1));
    }
  }
  if (updates.empty()) return fail(terse(fmt::format("You must specify at least one feature to {}", verb)));
  for (const auto& [name, level] : updates) {
    auto& update = request.feature_updates.emplace_back();
    update.feature = name;
    update.max_version_level = level;
    update.upgrade_type = static_cast<int8_t>(verb == "upgrade" ? 1 : options.has("unsafe") ? 3 : 2);
  }
  auto answer = client.call<UpdateFeaturesResponse>(WireClient::kAnyBroker, request);
  if (!answer) return fail(std::move(answer.error()));
  std::map<std::string, Error> failed;
  for (const auto& result : answer->message.results) {
    if (result.error_code != 0)
      failed.emplace(result.feature, wire_error(result.error_code, result.error_message.value_or("")));
  }
  if (answer->message.error_code != 0) {
    for (const auto& [name, level] : updates)
      failed.emplace(name, wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
  }
  const bool dry = request.validate_only;
  for (const auto& [name, level] : updates) {
    if (const auto found = failed.find(name); found != failed.end()) {
      const std::string target = verb == "disable" ? "" : fmt::format(" to {}", level);
      io.print(
          fmt::format("{} {} {}{}. {}\n", dry ? "Can not" : "Could not", verb, name, target, found->second.message));
    } else {
      io.print(fmt::format("{} {} {}d{}.\n", name, dry ? "can be" : "was", verb,
                           verb == "disable" ? "" : fmt::format(" to {}", level)));
    }
  }
  if (failed.empty()) return {};
  return fail(terse(fmt::format("{} out of {} operation(s) failed.", failed.size(), updates.size())));
}

}  // namespace

int run_cluster(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command(
      "kafka-cluster", "The Kafka cluster tool: cluster-id, unregister.",
      {{.name = "config", .argument = "CONFIG", .description = "Property file with settings of the client."},
       {.name = "id", .argument = "ID", .description = "With unregister: the broker.", .type = OptionType::kInteger}});
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const std::string action = options->positionals().empty() ? "" : options->positionals().front();
  if (action == "cluster-id") {
    return with_client(io, *options, "config", [&](WireClient& client) -> Status {
      auto id = cluster_id(client);
      if (!id) return fail(std::move(id.error()));
      io.print(fmt::format("Cluster ID: {}\n", *id));
      return {};
    });
  }
  if (action != "unregister") return usage_error(spec, io, "invalid choice: choose cluster-id or unregister");
  if (!options->has("id")) return usage_error(spec, io, "argument --id is required");
  return with_client(io, *options, "config", [&](WireClient& client) {
    return unregister(io, client, static_cast<int32_t>(options->number("id")));
  });
}

int run_metadata_quorum(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec =
      command("kafka-metadata-quorum", "This tool describes kraft metadata quorum status: describe.",
              {command_config_option(), flag("status", "With describe: a short summary."),
               flag("replication", "With describe: a line a replica."),
               flag("human-readable", "With --replication: times as how long ago.")});
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (options->positionals() != std::vector<std::string>{"describe"})
    return usage_error(spec, io, "invalid choice: choose describe; the only node is the whole quorum");
  if (options->has("status") == options->has("replication")) {
    io.print_error(options->has("status")
                       ? "Only one of --status or --replication should be specified with describe sub-command\n"
                       : "One of --status or --replication must be specified with describe sub-command\n");
    return kToolFailed;
  }
  return with_client(io, *options, "command-config", [&](WireClient& client) {
    return options->has("status") ? quorum_status(io, client)
                                  : quorum_replication(io, client, options->has("human-readable"));
  });
}

int run_features(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command(
      "kafka-features", "This tool manages feature flags in Kafka: describe, upgrade, downgrade, disable.",
      {command_config_option(),
       {.name = "feature", .argument = "name=level", .description = "The feature to change.", .repeatable = true},
       flag("dry-run", "Only check."),
       flag("unsafe", "With downgrade and disable: even if it loses metadata.")});
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const std::string action = options->positionals().empty() ? "" : options->positionals().front();
  if (action != "describe" && action != "upgrade" && action != "downgrade" && action != "disable")
    return usage_error(spec, io, "invalid choice: choose describe, upgrade, downgrade or disable");
  return with_client(io, *options, "command-config", [&](WireClient& client) {
    return action == "describe" ? describe_features(io, client) : update_features(io, client, *options, action);
  });
}

}  // namespace millrace
