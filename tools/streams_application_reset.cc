// kafka-streams-application-reset: moves a Kafka Streams application's offsets and deletes its internal topics, so that
// it processes its input once more.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "protocol/messages/delete_topics.h"
#include "protocol/messages/leave_group.h"
#include "tools/admin_tool.h"
#include "tools/group_client.h"
#include "tools/offset_reset.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int32_t kTimeoutMs = 30'000;
constexpr std::array kScenarios = {"to-offset", "to-datetime", "by-duration", "to-earliest",
                                   "to-latest", "from-file",   "shift-by"};

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-streams-application-reset";
  spec.description =
      "Lets a Kafka Streams application process its input once more: moves the offsets of its input topics, to the "
      "earliest ones unless told otherwise, and deletes its internal topics. Local state stores are the application's "
      "to clean up (KafkaStreams#cleanUp).";
  OptionSpec bootstrap = bootstrap_option();
  bootstrap.required = false;
  bootstrap.description = "The server(s) to connect to, HOST1:PORT1,HOST2:PORT2.";
  bootstrap.default_value = "localhost:9092";
  bootstrap.aliases.push_back("bootstrap-servers");
  OptionSpec config = command_config_option();
  config.aliases.push_back("config-file");
  spec.options = {
      std::move(bootstrap),
      std::move(config),
      {.name = "application-id",
       .argument = "id",
       .description = "application.id of the application.",
       .required = true},
      {.name = "input-topics",
       .argument = "list",
       .description = "Input topics, separated by commas, whose offsets are moved.",
       .repeatable = true},
      {.name = "intermediate-topics",
       .argument = "list",
       .description = "Topics that the application both writes and reads; their offsets are moved to the end.",
       .repeatable = true},
      {.name = "internal-topics",
       .argument = "list",
       .description = "Internal topics to delete; all of the application's when absent (see --dry-run).",
       .repeatable = true},
      {.name = "to-offset", .argument = "offset", .description = "Move to this offset.", .type = OptionType::kLong},
      {.name = "to-datetime", .argument = "datetime", .description = "Move to a time: YYYY-MM-DDTHH:mm:SS.sss"},
      {.name = "by-duration", .argument = "duration", .description = "Move back by a duration: PnDTnHnMnS"},
      flag("to-earliest", "Move to the earliest offset; the default."),
      flag("to-latest", "Move to the latest offset."),
      {.name = "from-file",
       .argument = "path to CSV file",
       .description = "Move to the offsets of a file of topic,partition,offset."},
      {.name = "shift-by",
       .argument = "number-of-offsets",
       .description = "Move by a number of offsets, forward or (negative) back.",
       .type = OptionType::kLong},
      flag("force", "Remove members that are still in the group. Stop all instances first."),
      flag("dry-run", "Show what would be done."),
  };
  return spec;
}

std::string list_text(const std::vector<std::string>& topics) { return fmt::format("[{}]", fmt::join(topics, ", ")); }

class StreamsReset {
 public:
  StreamsReset(const ToolIo& io, const ParsedOptions& options, WireClient& client)
      : io_(io), options_(options), client_(client), id_(options.text("application-id")) {}

  /// The exit code: topics that are not there are skipped and told by it.
  Expected<int> run() {
    if (auto alone = leave_members_out(); !alone) return fail(std::move(alone.error()));
    auto topics = describe_topics(client_, nullptr);
    if (!topics) return fail(std::move(topics.error()));
    topics_ = std::move(*topics);
    if (options_.has("dry-run"))
      io_.print("----Dry run displays the actions which will be performed when running Streams Reset Tool----\n");
    auto code = move_offsets();
    if (!code) return code;
    if (auto deleted = delete_internal_topics(); !deleted) return fail(std::move(deleted.error()));
    return code;
  }

 private:
  std::vector<std::string> topics_of(std::string_view option) const {
    std::vector<std::string> names;
    for (const std::string& list : options_.values(option)) std::ranges::copy(split(list), std::back_inserter(names));
    return names;
  }

  /// Offsets of a group with members would be overwritten by them.
  Status leave_members_out() {
    auto group = describe_group(client_, id_);
    if (!group) return fail(std::move(group.error()));
    if (group->members.empty()) return {};
    if (!options_.has("force")) {
      std::vector<std::string> members;
      for (const WireGroupMember& member : group->members)
        members.push_back(fmt::format("{} at {}", member.id, member.host));
      return fail(
          terse(fmt::format("Consumer group '{}' is still active and has following members: {}. Make sure to stop "
                            "all running application instances before running the reset tool. You can use option "
                            "'--force' to remove active members from the group.",
                            id_, list_text(members))));
    }
    io_.print(fmt::format("Force deleting all active members in the group: {}\n", id_));
    if (options_.has("dry-run")) return {};
    LeaveGroupRequest request;
    request.group_id = id_;
    for (const WireGroupMember& member : group->members) request.members.emplace_back().member_id = member.id;
    auto answer = client_.call<LeaveGroupResponse>(group->coordinator.id, request);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
    for (const auto& member : answer->message.members) {
      // Who has left meanwhile is out, too.
      if (member.error_code != 0 && member.error_code != code_of(KafkaError::kUnknownMemberId))
        return fail(wire_error(member.error_code).wrap(fmt::format("member {} cannot be removed", member.member_id)));
    }
    return {};
  }

  /// Partitions of those of `names` that exist; tells the others.
  std::vector<PartitionName> partitions_of(const std::vector<std::string>& names, std::string_view kind) {
    std::vector<PartitionName> partitions;
    std::vector<std::string> absent;
    for (const std::string& name : names) {
      const auto found = topics_.find(name);
      if (found == topics_.end()) {
        absent.push_back(name);
        continue;
      }
      for (const auto& partition : found->second.partitions) partitions.emplace_back(name, partition.index);
    }
    if (absent.empty()) return partitions;
    all_found_ = false;
    io_.print(fmt::format("Following {} topics are not found, skipping them\n", kind));
    for (const std::string& name : absent) io_.print(fmt::format("Topic: {}\n", name));
    return partitions;
  }

  Expected<int> move_offsets() {
    const auto inputs = topics_of("input-topics"), intermediates = topics_of("intermediate-topics");
    if (inputs.empty() && intermediates.empty()) {
      io_.print("No input or intermediate topics specified. Skipping seek.\n");
      return kToolOk;
    }
    if (!inputs.empty()) io_.print(fmt::format("Reset-offsets for input topics {}\n", list_text(inputs)));
    if (!intermediates.empty())
      io_.print(fmt::format("Seek-to-end for intermediate topics {}\n", list_text(intermediates)));
    const auto read = partitions_of(inputs, "input"), both = partitions_of(intermediates, "intermediate");
    const int code = all_found_ ? kToolOk : kToolFailed;
    if (read.empty() && both.empty()) return code;
    auto plan = plan_inputs(read);
    if (!plan) return fail(std::move(plan.error()));
    auto ends = plan_ends(both);
    if (!ends) return fail(std::move(ends.error()));
    plan->merge(*ends);
    if (!options_.has("dry-run")) {
      if (auto done = commit_offsets(client_, id_, *plan); !done) return fail(std::move(done.error()));
    }
    io_.print("Done.\n");
    return code;
  }

  Expected<ResetPlan> plan_inputs(const std::vector<PartitionName>& partitions) {
    if (partitions.empty()) return ResetPlan();
    io_.print(fmt::format("Following input topics offsets will be reset to (for consumer group {})\n", id_));
    auto committed = committed_offsets(client_, id_);
    if (!committed) return committed;
    const bool chosen = std::ranges::any_of(kScenarios, [&](const char* name) { return options_.has(name); });
    auto plan = chosen ? plan_reset(io_, client_, options_, id_, partitions, *committed)
                       : plan_ends_at(partitions, kEarliestOffset);
    if (!plan) return plan;
    // A file may name partitions of other topics.
    std::erase_if(*plan,
                  [&](const auto& entry) { return std::ranges::find(partitions, entry.first) == partitions.end(); });
    for (const auto& [partition, offset] : *plan)
      io_.print(fmt::format("Topic: {} Partition: {} Offset: {}\n", partition.first, partition.second, offset));
    return plan;
  }

  Expected<ResetPlan> plan_ends(const std::vector<PartitionName>& partitions) {
    if (partitions.empty()) return ResetPlan();
    io_.print(fmt::format("Following intermediate topics offsets will be reset to end (for consumer group {})\n", id_));
    for (const PartitionName& partition : partitions) io_.print(fmt::format("Topic: {}\n", partition.first));
    return plan_ends_at(partitions, kLatestOffset);
  }

  Expected<ResetPlan> plan_ends_at(const std::vector<PartitionName>& partitions, int64_t end) {
    std::map<PartitionName, int64_t> asked;
    for (const PartitionName& partition : partitions) asked[partition] = end;
    auto listed = list_offsets(client_, asked);
    if (!listed) return fail(std::move(listed.error()));
    ResetPlan plan;
    for (const auto& [partition, offset] : *listed) {
      if (offset.error != 0) return fail(wire_error(offset.error).wrap(partition_text(partition)));
      plan[partition] = offset.offset;
    }
    return plan;
  }

  /// Kafka Streams names them <application.id>-<what>-<changelog, repartition, or a foreign-key join's two topics>.
  bool is_internal(const std::string& topic) const {
    static const RE2 form(
        ".*(-changelog|-repartition|-subscription-registration-topic|-subscription-response-topic|"
        ".-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\\d+-topic)");
    return topic.starts_with(id_ + "-") && RE2::FullMatch(topic, form);
  }

  Status delete_internal_topics() {
    const auto inputs = topics_of("input-topics"), intermediates = topics_of("intermediate-topics");
    std::vector<std::string> doomed;
    for (const auto& [name, topic] : topics_) {
      const bool user = std::ranges::find(inputs, name) != inputs.end() ||
                        std::ranges::find(intermediates, name) != intermediates.end();
      if (is_internal(name) && !user) doomed.push_back(name);
    }
    if (const auto asked = topics_of("internal-topics"); !asked.empty()) {
      for (const std::string& name : asked) {
        if (std::ranges::find(doomed, name) != doomed.end()) continue;
        return fail(
            terse(fmt::format("Invalid topic specified in the --internal-topics option: {} is no internal topic of "
                              "{}. Do a dry run without the --internal-topics option to see those that can be "
                              "deleted.",
                              name, id_)));
      }
      doomed = asked;
      io_.print(fmt::format("Deleting specified internal topics {}\n", list_text(doomed)));
    } else {
      io_.print(fmt::format("Deleting inferred internal topics {}\n", list_text(doomed)));
    }
    if (!options_.has("dry-run") && !doomed.empty()) {
      if (auto done = delete_topics(doomed); !done) return done;
    }
    io_.print("Done.\n");
    return {};
  }

  Status delete_topics(const std::vector<std::string>& names) {
    DeleteTopicsRequest request;
    request.timeout_ms = kTimeoutMs;
    for (const std::string& name : names) {
      request.topic_names.push_back(name);
      request.topics.emplace_back().name = name;
    }
    auto answer = client_.call<DeleteTopicsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    int16_t failed = 0;
    for (const auto& result : answer->message.responses) {
      if (result.error_code == 0) continue;
      failed = result.error_code;
      const Error why = wire_error(result.error_code, result.error_message.value_or(""));
      io_.print_error(fmt::format("ERROR: deleting topic {}: {}\n", result.name.value_or(""), why.message));
    }
    return failed == 0 ? Status() : fail(terse("Encountered an error deleting one or more topics"));
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
  const std::string id_;
  std::map<std::string, TopicLayout> topics_;
  bool all_found_ = true;
};

}  // namespace

int run_streams_application_reset(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (std::ranges::count_if(kScenarios, [&](const char* name) { return options->has(name); }) > 1)
    return usage_error(spec, io,
                       fmt::format("Only one of these options can be given: {}", fmt::join(kScenarios, ", ")));
  if (const std::string wrong = bootstrap_problem(*options); !wrong.empty()) return usage_error(spec, io, wrong);
  auto client = open_admin(io, *options);
  auto code = client ? StreamsReset(io, *options, **client).run() : fail(std::move(client.error()));
  if (code) return *code;
  io.print_error(fmt::format("ERROR: {}\n", failure_text(code.error())));
  return kToolFailed;
}

}  // namespace millrace
