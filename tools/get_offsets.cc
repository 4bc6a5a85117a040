// kafka-get-offsets: offsets of partitions by time.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "core/java_text.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-get-offsets";
  spec.description = "An interactive shell for getting topic-partition offsets.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      {.name = "topic-partitions",
       .argument = "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
       .description = "Patterns of topics with partitions or ranges of them."},
      {.name = "topic",
       .argument = "topic",
       .description = "The topics, as a regular expression. Not with --topic-partitions."},
      {.name = "partitions", .argument = "partition ids", .description = "Partitions, separated by commas."},
      {.name = "time",
       .argument = "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or "
                   "latest-tiered",
       .description = "The time, in milliseconds since 1970, of the first record that counts.",
       .default_value = "latest"},
      {.name = "exclude-internal-topics", .description = "Leave out internal topics.", .type = OptionType::kFlag},
  };
  return spec;
}

Expected<int64_t> time_of(const std::string& text) {
  constexpr std::array<std::string_view, 6> kWords = {
      "", "latest", "earliest", "max-timestamp", "earliest-local", "latest-tiered"};
  const auto word = std::ranges::find(kWords, text);
  if (!text.empty() && word != kWords.end()) return -(word - kWords.begin());
  if (const auto number = parse_java_integer(text, INT64_MIN, INT64_MAX)) return *number;
  return fail(
      terse(fmt::format("Malformed time argument {}. Please use -1 or latest / -2 or earliest / -3 or "
                        "max-timestamp / -4 or earliest-local / -5 or latest-tiered, or a specified long format "
                        "timestamp",
                        text)));
}

using Filter = std::function<bool(const std::string& topic, int32_t partition)>;

/// "topic:0-3": a pattern of topics, and partitions from the first to before the second.
Expected<Filter> rule_filter(const std::string& rule) {
  static const RE2 form("([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?");
  std::string topic, one, from, to;
  if (!RE2::FullMatch(rule, form, &topic, &one, &from, &to)) return fail(terse("Invalid rule specification: " + rule));
  auto matches = topic_filter(topic.empty() ? ".*" : topic);
  if (!matches) return fail(std::move(matches.error()));
  const auto number = [](const std::string& text, int32_t otherwise) {
    return static_cast<int32_t>(parse_java_integer(text, 0, INT32_MAX).value_or(otherwise));
  };
  const int32_t first = one.empty() ? number(from, 0) : number(one, 0);
  const int64_t end = one.empty() ? number(to, INT32_MAX) : int64_t{first} + 1;
  return [matches = *matches, first, end](const std::string& name, int32_t partition) {
    return matches(name) && partition >= first && partition < end;
  };
}

Expected<Filter> filter_of(const ParsedOptions& options) {
  if (options.has("topic-partitions")) {
    if (options.has("topic") || options.has("partitions"))
      return fail(terse("--topic-partitions cannot be used with --topic or --partitions"));
    std::vector<Filter> rules;
    for (const std::string& rule : split(options.text("topic-partitions"))) {
      auto filter = rule_filter(rule);
      if (!filter) return filter;
      rules.push_back(std::move(*filter));
    }
    return [rules](const std::string& topic, int32_t partition) {
      return std::ranges::any_of(rules, [&](const Filter& rule) { return rule(topic, partition); });
    };
  }
  std::set<int32_t> partitions;
  for (const std::string& text : split(options.text("partitions"))) {
    const auto number = parse_java_integer(text, 0, INT32_MAX);
    if (!number)
      return fail(
          terse(fmt::format("--partitions expects a comma separated list of numeric partition ids, but received: "
                            "{}",
                            options.text("partitions"))));
    partitions.insert(static_cast<int32_t>(*number));
  }
  auto matches = topic_filter(options.has("topic") ? options.text("topic") : ".*");
  if (!matches) return fail(std::move(matches.error()));
  return [matches = *matches, partitions](const std::string& topic, int32_t partition) {
    return matches(topic) && (partitions.empty() || partitions.contains(partition));
  };
}

Status print_offsets(const ToolIo& io, const ParsedOptions& options) {
  const auto time = time_of(options.text("time"));
  if (!time) return fail(time.error());
  const auto filter = filter_of(options);
  if (!filter) return fail(filter.error());
  auto client = open_admin(io, options);
  if (!client) return fail(std::move(client.error()));
  auto topics = describe_topics(**client, nullptr);
  if (!topics) return fail(std::move(topics.error()));
  std::map<PartitionName, int64_t> asked;
  for (const auto& [name, topic] : *topics) {
    if (topic.internal && options.has("exclude-internal-topics")) continue;
    for (const auto& partition : topic.partitions) {
      if ((*filter)(name, partition.index)) asked[{name, partition.index}] = *time;
    }
  }
  if (asked.empty()) return fail(terse("Could not match any topic-partitions with the specified filters"));
  auto offsets = list_offsets(**client, asked);
  if (!offsets) return fail(std::move(offsets.error()));
  for (const auto& [partition, offset] : *offsets) {
    if (offset.error != 0) {
      io.print_error(fmt::format("Skip getting offsets for topic-partition {} due to error: {}\n",
                                 partition_text(partition), wire_error(offset.error).message));
    } else if (offset.offset >= 0) {
      io.print(fmt::format("{}:{}:{}\n", partition.first, partition.second, offset.offset));
    }
  }
  return {};
}

}  // namespace

int run_get_offsets(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string wrong = bootstrap_problem(*options); !wrong.empty()) return usage_error(spec, io, wrong);
  const Status done = print_offsets(io, *options);
  if (done) return kToolOk;
  io.print_error(fmt::format("Error occurred: {}\n", error_text(done.error())));
  return kToolFailed;
}

}  // namespace millrace
