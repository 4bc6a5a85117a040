// kafka-consumer-groups: lists and describes groups, deletes them and their offsets, moves their offsets.
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "core/java_text.h"
#include "protocol/messages/delete_groups.h"
#include "protocol/messages/offset_delete.h"
#include "tools/group_client.h"
#include "tools/offset_reset.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr std::string_view kMissing = "-";
constexpr size_t kWideColumn = 15;
constexpr size_t kListGap = 10;  ///< that --list leaves behind the longest name

constexpr auto kStates = std::to_array<std::string_view>(
    {"PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty", "Assigning", "Reconciling"});
constexpr auto kTypes = std::to_array<std::string_view>({"Consumer", "Classic"});

/// The words of a list, in any case, as `known` spells them; nothing when there is another among them.
std::optional<std::vector<std::string>> known_words(std::string_view list, std::span<const std::string_view> known) {
  std::vector<std::string> words;
  for (const std::string& part : split(list)) {
    const std::string word(java_trim(part));
    const auto same = [&](std::string_view each) {
      return each.size() == word.size() && ::strncasecmp(each.data(), word.data(), word.size()) == 0;
    };
    const auto found = std::ranges::find_if(known, same);
    if (found == known.end()) return std::nullopt;
    words.emplace_back(*found);
  }
  return words;
}

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

std::vector<OptionSpec> reset_options() {
  return {
      flag("reset-offsets", "Move the offsets of one group or several; they must have no active members."),
      flag("dry-run", "Show what --reset-offsets would do; the default."),
      flag("execute", "Do what --reset-offsets shows."),
      flag("export", "Show the new offsets as CSV, for --from-file."),
      {.name = "to-offset", .argument = "offset", .description = "Move to this offset.", .type = OptionType::kLong},
      {.name = "from-file", .argument = "path to CSV file", .description = "Move to the offsets of a file."},
      {.name = "to-datetime", .argument = "datetime", .description = "Move to a time: YYYY-MM-DDTHH:mm:SS.sss"},
      {.name = "by-duration", .argument = "duration", .description = "Move back by a duration: PnDTnHnMnS"},
      flag("to-earliest", "Move to the earliest offset."),
      flag("to-latest", "Move to the latest offset."),
      flag("to-current", "Move to the current offset."),
      {.name = "shift-by",
       .argument = "number-of-offsets",
       .description = "Move by a number of offsets, forward or (negative) back.",
       .type = OptionType::kLong},
  };
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-consumer-groups";
  spec.description =
      "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset "
      "consumer group offsets.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      {.name = "group", .argument = "consumer group", .description = "The group to act on.", .repeatable = true},
      {.name = "topic",
       .argument = "topic",
       .description = "Topics whose offsets are deleted or moved: topic, or topic:0,1 for some partitions.",
       .repeatable = true},
      flag("all-topics", "All topics of the group."),
      flag("all-groups", "All groups."),
      flag("list", "List all consumer groups."),
      flag("describe", "Describe groups and their lag."),
      flag("delete", "Delete whole groups."),
      flag("delete-offsets", "Delete a group's offsets of topics."),
      {.name = "timeout",
       .argument = "timeout (ms)",
       .description = "Accepted; request.timeout.ms of --command-config is what counts.",
       .type = OptionType::kLong,
       .default_value = "5000"},
      flag("members", "With --describe: the members."),
      flag("verbose", "With --describe --members: their partitions too."),
      flag("offsets", "With --describe: offsets and lag; the default."),
      {.name = "state",
       .argument = "states",
       .description = "With --describe: the state. With --list: the state, of groups in the states that are named.",
       .takes = OptionSpec::Takes::kOptional},
      {.name = "type",
       .argument = "types",
       .description = "With --list: the type, of groups of the types that are named.",
       .takes = OptionSpec::Takes::kOptional},
  };
  for (OptionSpec& option : reset_options()) spec.options.push_back(std::move(option));
  return spec;
}

struct OffsetRow {
  PartitionName partition;
  std::string committed, end, lag;
  std::string member, host, client;
};

class GroupsTool {
 public:
  GroupsTool(const ToolIo& io, const ParsedOptions& options, WireClient& client)
      : io_(io), options_(options), client_(client) {}

  Status run() {
    if (options_.has("list")) return list();
    if (options_.has("describe")) return describe();
    if (options_.has("delete")) return remove();
    if (options_.has("reset-offsets")) return reset();
    return delete_offsets();
  }

 private:
  void print_error(std::string_view message) { io_.print(fmt::format("\nError: {}\n", message)); }

  /// Consumer groups alone, as Kafka lists them: of consumers, or of none that committed offsets.
  static bool is_consumer_group(const WireGroupListing& group) {
    return group.protocol_type == "consumer" || group.protocol_type.empty();
  }

  Expected<std::vector<std::string>> group_names() {
    if (!options_.has("all-groups")) return options_.values("group");
    auto groups = list_groups(client_);
    if (!groups) return fail(std::move(groups.error()));
    std::vector<std::string> names;
    for (const WireGroupListing& group : *groups) {
      if (is_consumer_group(group)) names.push_back(group.id);
    }
    return names;
  }

  Status list() {
    const bool with_state = options_.has("state"), with_type = options_.has("type");
    auto groups = list_groups(client_, *known_words(options_.text("state"), kStates),
                              *known_words(options_.text("type"), kTypes));
    if (!groups) return fail(std::move(groups.error()));
    std::erase_if(*groups, [](const WireGroupListing& group) { return !is_consumer_group(group); });
    size_t width = kWideColumn;
    for (const WireGroupListing& group : *groups) width = std::max(width, group.id.size());
    width += kListGap;
    if (with_state || with_type) {
      io_.print(fmt::format("{:<{}}{}{}\n", "GROUP", width, with_type ? fmt::format(" {:<20}", "TYPE") : "",
                            with_state ? fmt::format(" {:<20}", "STATE") : ""));
    }
    for (const WireGroupListing& group : *groups) {
      if (!with_state && !with_type) {
        io_.print(group.id + "\n");
        continue;
      }
      std::string type = group.type;
      if (!type.empty()) type[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(type[0])));
      io_.print(fmt::format("{:<{}}{}{}\n", group.id, width, with_type ? fmt::format(" {:<20}", type) : "",
                            with_state ? fmt::format(" {:<20}", group.state) : ""));
    }
    return {};
  }

  Status describe() {
    auto names = group_names();
    if (!names) return fail(std::move(names.error()));
    std::ranges::sort(*names);
    for (const std::string& name : *names) {
      auto group = describe_group(client_, name);
      if (!group) return fail(std::move(group.error()));
      if (group->error != 0) return fail(wire_error(group->error, group->error_message));
      if (options_.has("members")) {
        print_members(*group);
      } else if (options_.has("state") && !options_.has("offsets")) {
        print_state(*group);
      } else if (auto printed = print_offsets(*group); !printed) {
        return printed;
      }
    }
    return {};
  }

  /// Says what there is to say about the group's state; false when it has nothing more to show.
  bool worth_showing(const WireGroupDescription& group, size_t rows) {
    std::string state = group.state;
    std::ranges::transform(state, state.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (state == "dead") {
      print_error(fmt::format("Consumer group '{}' does not exist.", group.id));
      return false;
    }
    if (state == "empty") {
      io_.print_error(fmt::format("\nConsumer group '{}' has no active members.\n", group.id));
    } else if (state != "stable") {
      io_.print_error(fmt::format("\nWarning: Consumer group '{}' is rebalancing.\n", group.id));
    }
    return rows > 0;
  }

  Expected<std::vector<OffsetRow>> offset_rows(const WireGroupDescription& group) {
    auto committed = committed_offsets(client_, group.id);
    if (!committed) return fail(std::move(committed.error()));
    std::vector<OffsetRow> rows;
    std::set<PartitionName> assigned;
    std::vector<const WireGroupMember*> members;
    for (const WireGroupMember& member : group.members) members.push_back(&member);
    std::ranges::stable_sort(members, std::greater(), [](const WireGroupMember* m) { return m->assignment.size(); });
    for (const WireGroupMember* member : members) {
      std::set<PartitionName> partitions(member->assignment.begin(), member->assignment.end());
      for (const PartitionName& partition : partitions) {
        assigned.insert(partition);
        rows.push_back({partition, "", "", "", member->id, member->host, member->client_id});
      }
    }
    for (const auto& [partition, offset] : *committed) {
      if (!assigned.contains(partition))
        rows.push_back({partition, "", "", "", std::string(kMissing), std::string(kMissing), std::string(kMissing)});
    }
    std::map<PartitionName, int64_t> asked;
    for (const OffsetRow& row : rows) asked[row.partition] = kLatestOffset;
    auto ends = list_offsets(client_, asked);
    if (!ends) return fail(std::move(ends.error()));
    for (OffsetRow& row : rows) {
      const auto offset = committed->find(row.partition);
      const ListedOffset& end = (*ends)[row.partition];
      row.committed = offset == committed->end() ? kMissing : std::to_string(offset->second);
      row.end = end.error != 0 ? kMissing : std::to_string(end.offset);
      row.lag = offset == committed->end() || end.error != 0 ? kMissing : std::to_string(end.offset - offset->second);
    }
    return rows;
  }

  Status print_offsets(const WireGroupDescription& group) {
    auto rows = offset_rows(group);
    if (!rows) return fail(std::move(rows.error()));
    if (!worth_showing(group, rows->size())) return {};
    size_t names = std::max(kWideColumn, group.id.size()), topics = kWideColumn, members = kWideColumn,
           hosts = kWideColumn;
    for (const OffsetRow& row : *rows) {
      topics = std::max(topics, row.partition.first.size());
      members = std::max(members, row.member.size());
      hosts = std::max(hosts, row.host.size());
    }
    const auto line = [&](std::string_view name, std::string_view topic, std::string_view partition,
                          std::string_view committed, std::string_view end, std::string_view lag,
                          std::string_view member, std::string_view host, std::string_view client) {
      io_.print(fmt::format("\n{:<{}} {:<{}} {:<10} {:<15} {:<15} {:<15} {:<{}} {:<{}} {}", name, names, topic, topics,
                            partition, committed, end, lag, member, members, host, hosts, client));
    };
    line("GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID");
    for (const OffsetRow& row : *rows) {
      line(group.id, row.partition.first, std::to_string(row.partition.second), row.committed, row.end, row.lag,
           row.member, row.host, row.client);
    }
    io_.print("\n");
    return {};
  }

  static std::string assignment_text(const WireGroupMember& member) {
    std::map<std::string, std::vector<std::string>> by_topic;
    for (const auto& [topic, partition] : member.assignment) by_topic[topic].push_back(std::to_string(partition));
    std::vector<std::string> parts;
    for (auto& [topic, partitions] : by_topic) {
      std::ranges::sort(partitions);
      parts.push_back(fmt::format("{}({})", topic, fmt::join(partitions, ",")));
    }
    return parts.empty() ? std::string(kMissing) : fmt::format("{}", fmt::join(parts, ", "));
  }

  void print_members(const WireGroupDescription& group) {
    // A group without members is shown with the header alone.
    if (!worth_showing(group, 1)) return;
    size_t names = group.members.empty() ? kWideColumn : std::max(kWideColumn, group.id.size()), ids = kWideColumn,
           instances = 17, hosts = kWideColumn, clients = kWideColumn;
    bool with_instances = false;
    for (const WireGroupMember& member : group.members) {
      ids = std::max(ids, member.id.size());
      instances = std::max(instances, member.instance_id.size());
      hosts = std::max(hosts, member.host.size());
      clients = std::max(clients, member.client_id.size());
      with_instances |= !member.instance_id.empty();
    }
    const auto line = [&](std::string_view name, std::string_view id, std::string_view instance, std::string_view host,
                          std::string_view client, std::string_view count, std::string_view assignment) {
      const std::string middle = with_instances ? fmt::format("{:<{}} ", instance, instances) : "";
      io_.print(fmt::format("{:<{}} {:<{}} {}{:<{}} {:<{}} {:<15} {}\n", name, names, id, ids, middle, host, hosts,
                            client, clients, count, options_.has("verbose") ? assignment : ""));
    };
    io_.print("\n");
    line("GROUP", "CONSUMER-ID", "GROUP-INSTANCE-ID", "HOST", "CLIENT-ID", "#PARTITIONS", "ASSIGNMENT");
    for (const WireGroupMember& member : group.members) {
      line(group.id, member.id, member.instance_id, member.host, member.client_id,
           std::to_string(member.assignment.size()), assignment_text(member));
    }
  }

  void print_state(const WireGroupDescription& group) {
    if (!worth_showing(group, 1)) return;
    const std::string coordinator =
        fmt::format("{}:{}  ({})", group.coordinator.host, group.coordinator.port, group.coordinator.id);
    const size_t width = std::max<size_t>(25, coordinator.size());
    const auto line = [&](std::string_view name, std::string_view where, std::string_view strategy,
                          std::string_view state, std::string_view members) {
      io_.print(fmt::format("\n{:<{}} {:<25} {:<20} {:<15} {}", name, width, where, strategy, state, members));
    };
    line("GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS");
    line(group.id, coordinator, group.assignor, group.state, std::to_string(group.members.size()));
    io_.print("\n");
  }

  Status remove() {
    auto names = group_names();
    if (!names) return fail(std::move(names.error()));
    std::vector<std::string> done;
    std::map<std::string, std::string> failed;
    for (const std::string& name : *names) {
      auto node = client_.coordinator(CoordinatorType::kGroup, name);
      if (!node) return fail(std::move(node.error()));
      DeleteGroupsRequest request;
      request.groups_names = {name};
      auto answer = client_.call<DeleteGroupsResponse>(*node, request);
      if (!answer) return fail(std::move(answer.error()));
      const int16_t code = answer->message.results.empty() ? int16_t{0} : answer->message.results.front().error_code;
      if (code == 0) {
        done.push_back(name);
      } else {
        const Error error = wire_error(code);
        failed[name] = fmt::format("{}: {}", error.exception, error.message);
      }
    }
    if (failed.empty()) {
      io_.print(fmt::format("Deletion of requested consumer groups ('{}') was successful.\n", fmt::join(done, "', '")));
      return {};
    }
    print_error("Deletion of some consumer groups failed:");
    for (const auto& [name, why] : failed)
      io_.print(fmt::format("* Group '{}' could not be deleted due to: {}\n", name, why));
    if (!done.empty())
      io_.print(fmt::format("\nThese consumer groups were deleted successfully: '{}'\n", fmt::join(done, "', '")));
    return {};
  }

  Status delete_offsets() {
    const std::string group = options_.text("group");
    const std::vector<std::string> topics = options_.values("topic");
    auto partitions = chosen_partitions(client_, topics);
    if (!partitions) return fail(std::move(partitions.error()));
    auto node = client_.coordinator(CoordinatorType::kGroup, group);
    if (!node) return fail(std::move(node.error()));
    std::ranges::sort(*partitions);
    OffsetDeleteRequest request;
    request.group_id = group;
    for (const PartitionName& partition : *partitions) {
      if (request.topics.empty() || request.topics.back().name != partition.first)
        request.topics.emplace_back().name = partition.first;
      request.topics.back().partitions.push_back({partition.second});
    }
    auto answer = client_.call<OffsetDeleteResponse>(*node, request);
    if (!answer) return fail(std::move(answer.error()));
    std::map<PartitionName, int16_t> results;
    int16_t partition_error = 0;
    for (const auto& topic : answer->message.topics) {
      for (const auto& partition : topic.partitions) {
        results[{std::string(topic.name), partition.partition_index}] = partition.error_code;
        if (partition.error_code != 0) partition_error = partition.error_code;
      }
    }
    tell_deletion(group, topics, answer->message.error_code, partition_error);
    io_.print(fmt::format("\n{:<30} {:<15} {:<15}", "TOPIC", "PARTITION", "STATUS"));
    for (const PartitionName& partition : *partitions) {
      const int16_t code = answer->message.error_code != 0 ? answer->message.error_code : results[partition];
      const std::string status = code == 0 ? "Successful" : fmt::format("Error: {}", wire_error(code).message);
      io_.print(fmt::format("\n{:<30} {:<15} {:<15}", partition.first, partition.second, status));
    }
    io_.print("\n");
    return {};
  }

  void tell_deletion(const std::string& group, const std::vector<std::string>& topics, int16_t error,
                     int16_t partition_error) {
    switch (static_cast<KafkaError>(error)) {
      case KafkaError::kNone:
        if (partition_error != 0)
          return print_error("Encounter some partition level error, see the follow-up details:");
        return io_.print(fmt::format("Request succeed for deleting offsets with topic {} group {}\n",
                                     fmt::join(topics, ", "), group));
      case KafkaError::kInvalidGroupId:
        return print_error(fmt::format("'{}' is not valid.", group));
      case KafkaError::kGroupIdNotFound:
        return print_error(fmt::format("'{}' does not exist.", group));
      case KafkaError::kGroupAuthorizationFailed:
        return print_error(fmt::format("Access to '{}' is not authorized.", group));
      case KafkaError::kNonEmptyGroup:
        return print_error(
            fmt::format("Deleting offsets of a consumer group '{}' is forbidden if the group is not empty.", group));
      default:
        return print_error(
            fmt::format("Encounter some unknown error: {}", kafka_error_name(static_cast<KafkaError>(error))));
    }
  }

  Status reset() {
    if (!options_.has("execute") && !options_.has("dry-run")) {
      io_.print_error(
          "WARN: No action will be performed as the --execute option is missing. Say --dry-run when that is meant.\n");
    }
    auto names = group_names();
    if (!names) return fail(std::move(names.error()));
    std::map<std::string, ResetPlan> plans;
    for (const std::string& name : *names) {
      auto plan = reset_one(name);
      if (!plan) return fail(std::move(plan.error()));
      plans[name] = std::move(*plan);
    }
    if (options_.has("export")) {
      for (const auto& [group, plan] : plans) {
        for (const auto& [partition, offset] : plan) {
          // No group or topic name needs quotes in a CSV file.
          const std::string first = names->size() == 1 ? "" : group + ",";
          io_.print(fmt::format("{}{},{},{}\n", first, partition.first, partition.second, offset));
        }
      }
      io_.print("\n");
      return {};
    }
    if (!plans.empty())
      io_.print(fmt::format("\n{:<30} {:<30} {:<10} {:<15}", "GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"));
    for (const auto& [group, plan] : plans) {
      for (const auto& [partition, offset] : plan)
        io_.print(fmt::format("\n{:<30} {:<30} {:<10} {:<15}", group, partition.first, partition.second, offset));
    }
    io_.print("\n");
    return {};
  }

  Expected<ResetPlan> reset_one(const std::string& name) {
    auto group = describe_group(client_, name);
    if (!group) return fail(std::move(group.error()));
    if (group->error != 0) return fail(wire_error(group->error, group->error_message));
    if (group->state != "Empty" && group->state != "Dead") {
      print_error(
          fmt::format("Assignments can only be reset if the group '{}' is inactive, but the current state is {}.", name,
                      group->state));
      return ResetPlan{};
    }
    auto committed = committed_offsets(client_, name);
    if (!committed) return committed;
    std::vector<PartitionName> partitions;
    if (options_.has("all-topics")) {
      for (const auto& [partition, offset] : *committed) partitions.push_back(partition);
    } else if (options_.has("topic")) {
      auto chosen = chosen_partitions(client_, options_.values("topic"));
      if (!chosen) return fail(std::move(chosen.error()));
      partitions = std::move(*chosen);
    }
    auto plan = plan_reset(io_, client_, options_, name, partitions, *committed);
    if (!plan || options_.has("dry-run") || !options_.has("execute") || plan->empty()) return plan;
    if (auto done = commit_offsets(client_, name, *plan); !done) return fail(std::move(done.error()));
    return plan;
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
};

int count(const ParsedOptions& options, std::initializer_list<const char*> names) {
  return static_cast<int>(std::ranges::count_if(names, [&](const char* name) { return options.has(name); }));
}

/// What is wrong with the options of a reset; empty when nothing is.
std::string reset_problem(const ParsedOptions& options) {
  if (options.has("dry-run") && options.has("execute"))
    return "Option [reset-offsets] only accepts one of [execute] and [dry-run]";
  const int scenarios = count(options, {"to-offset", "to-datetime", "by-duration", "to-earliest", "to-latest",
                                        "to-current", "shift-by", "from-file"});
  if (scenarios != 1) {
    return "Option '[reset-offsets]' requires one of the following scenarios: [to-offset], [to-datetime], "
           "[by-duration], [to-earliest], [to-latest], [shift-by], [from-file], [to-current]";
  }
  if (!options.has("group") && !options.has("all-groups"))
    return "Option [reset-offsets] takes one of these options: [all-groups], [group]";
  if (!options.has("from-file") && !options.has("topic") && !options.has("all-topics"))
    return "One of the reset scopes should be defined: --all-topics, --topic.";
  return {};
}

/// What is wrong with the filters of a list; empty when nothing is.
std::string list_problem(const ParsedOptions& options) {
  if (const std::string states = options.text("state"); !known_words(states, kStates))
    return fmt::format("Invalid state list '{}'. Valid states are: {}", states, fmt::join(kStates, ", "));
  if (const std::string types = options.text("type"); !known_words(types, kTypes))
    return fmt::format("Invalid types list '{}'. Valid types are: {}", types, fmt::join(kTypes, ", "));
  return {};
}

/// What is wrong with the combination of options; empty when nothing is.
std::string problem(const ParsedOptions& options) {
  if (count(options, {"list", "describe", "delete", "reset-offsets", "delete-offsets"}) != 1)
    return "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets";
  if (const std::string servers = bootstrap_problem(options); !servers.empty()) return servers;
  const bool some_group = options.has("group") || options.has("all-groups");
  if (options.has("describe")) {
    if (!some_group) return "Option [describe] takes one of these options: [all-groups], [group]";
    if (count(options, {"members", "offsets", "state"}) > 1)
      return "Option [describe] takes at most one of these options: [members], [offsets], [state]";
    if (options.has("state") && !options.text("state").empty())
      return "Option [describe] does not take a value for [state]";
  }
  if (options.has("list")) return list_problem(options);
  if (options.has("delete")) {
    if (!some_group) return "Option [delete] takes one of these options: [all-groups], [group]";
    if (options.has("topic"))
      return "The consumer does not support topic-specific offset deletion from a consumer group.";
  }
  if (options.has("delete-offsets") && (!options.has("group") || !options.has("topic")))
    return "Option [delete-offsets] takes the following options: [topic], [group]";
  return options.has("reset-offsets") ? reset_problem(options) : std::string();
}

}  // namespace

int run_consumer_groups(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string wrong = problem(*options); !wrong.empty()) return usage_error(spec, io, wrong);
  auto client = open_admin(io, *options);
  Status done = client ? GroupsTool(io, *options, **client).run() : fail(std::move(client.error()));
  if (done) return kToolOk;
  io.print(fmt::format("\nError: Executing consumer group command failed due to {}\n", failure_text(done.error())));
  return kToolFailed;
}

}  // namespace millrace
