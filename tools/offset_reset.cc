#include "tools/offset_reset.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/clock.h"
#include "core/java_text.h"

namespace millrace {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

tl::unexpected<Error> wrong(std::string message) { return fail(terse(std::move(message))); }

Expected<ResetPlan> offsets_at(WireClient& client, const std::vector<PartitionName>& partitions, int64_t timestamp) {
  std::map<PartitionName, int64_t> asked;
  for (const PartitionName& partition : partitions) asked[partition] = timestamp;
  auto listed = list_offsets(client, asked);
  if (!listed) return fail(std::move(listed.error()));
  ResetPlan offsets;
  for (const auto& [partition, offset] : *listed) {
    if (offset.error != 0)
      return wrong(fmt::format("Error getting offset of topic partition {}: {}", partition_text(partition),
                               wire_error(offset.error).message));
    offsets[partition] = offset.offset;
  }
  return offsets;
}

/// Offsets by time; where no record is as young, the end.
Expected<ResetPlan> offsets_by_time(const ToolIo& io, WireClient& client, const std::vector<PartitionName>& partitions,
                                    int64_t timestamp) {
  auto found = offsets_at(client, partitions, timestamp);
  if (!found) return found;
  std::vector<PartitionName> younger;
  for (const auto& [partition, offset] : *found) {
    if (offset < 0) younger.push_back(partition);
  }
  if (younger.empty()) return found;
  auto ends = offsets_at(client, younger, kLatestOffset);
  if (!ends) return ends;
  for (const auto& [partition, end] : *ends) {
    io.print(fmt::format("\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
                         partition.second, partition.first));
    (*found)[partition] = end;
  }
  return found;
}

/// Kafka moves offsets outside of a log to its nearest end.
Expected<ResetPlan> within_logs(const ToolIo& io, WireClient& client, ResetPlan plan) {
  std::vector<PartitionName> partitions;
  for (const auto& [partition, offset] : plan) partitions.push_back(partition);
  auto starts = offsets_at(client, partitions, kEarliestOffset);
  if (!starts) return starts;
  auto ends = offsets_at(client, partitions, kLatestOffset);
  if (!ends) return ends;
  for (auto& [partition, offset] : plan) {
    const auto warn = [&](std::string_view which, int64_t to) {
      io.print_error(fmt::format("New offset ({}) is {} offset for topic partition {}. Value will be set to {}\n",
                                 offset, which, partition_text(partition), to));
      offset = to;
    };
    if (offset > (*ends)[partition]) {
      warn("higher than latest", (*ends)[partition]);
    } else if (offset < (*starts)[partition]) {
      warn("lower than earliest", (*starts)[partition]);
    }
  }
  return plan;
}

Expected<ResetPlan> to_current(WireClient& client, const std::vector<PartitionName>& partitions,
                               const ResetPlan& committed) {
  ResetPlan plan;
  std::vector<PartitionName> without;
  for (const PartitionName& partition : partitions) {
    if (const auto found = committed.find(partition); found != committed.end()) {
      plan.insert(*found);
    } else {
      without.push_back(partition);
    }
  }
  if (without.empty()) return plan;
  auto ends = offsets_at(client, without, kLatestOffset);
  if (!ends) return ends;
  plan.merge(*ends);
  return plan;
}

std::optional<int64_t> zone_ms(std::string_view zone) {
  if (zone.empty() || zone == "Z") return 0;
  std::string digits(zone.substr(1));
  std::erase(digits, ':');
  const auto number = parse_java_integer(digits, 0, 9999);
  if ((zone[0] != '+' && zone[0] != '-') || !number || (digits.size() != 4 && digits.size() != 2)) return std::nullopt;
  const int64_t ms = digits.size() == 2 ? *number * kHourMs : *number / 100 * kHourMs + *number % 100 * kMinuteMs;
  return zone[0] == '-' ? -ms : ms;
}

}  // namespace

std::optional<int64_t> parse_date_time(std::string_view text) {
  // 2026-01-31T12:00:00.000
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto number = [&](size_t at, size_t size, int64_t min, int64_t max) {
    return parse_java_integer(text.substr(at, size), min, max);
  };
  const auto year = number(0, 4, 0, 9999), month = number(5, 2, 1, 12), day = number(8, 2, 1, 31);
  const auto hour = number(11, 2, 0, 23), minute = number(14, 2, 0, 59), second = number(17, 2, 0, 60);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::string_view rest = text.substr(19);
  int64_t ms = 0;
  if (rest.starts_with('.')) {
    const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    const std::string digits = std::string(rest.substr(1, end - 1)) + "000";
    ms = parse_java_integer(digits.substr(0, 3), 0, 999).value_or(0);
    rest.remove_prefix(end);
  }
  const auto zone = zone_ms(rest);
  if (!zone) return std::nullopt;
  using namespace std::chrono;
  const sys_days date = std::chrono::year(static_cast<int>(*year)) / static_cast<int>(*month) / static_cast<int>(*day);
  return duration_cast<milliseconds>(date.time_since_epoch()).count() + *hour * kHourMs + *minute * kMinuteMs +
         *second * kSecondMs + ms - *zone;
}

std::optional<int64_t> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.size() < 3 || (text[0] != 'P' && text[0] != 'p')) return std::nullopt;
  text.remove_prefix(1);
  bool time = false;
  double total = 0;
  while (!text.empty()) {
    if (text[0] == 'T' || text[0] == 't') {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find_first_not_of("0123456789.+-");
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    const auto number = parse_java_double(text.substr(0, end));
    const char unit = static_cast<char>(std::toupper(static_cast<unsigned char>(text[end])));
    const int64_t factor = unit == 'D' && !time  ? kDayMs
                           : unit == 'H' && time ? kHourMs
                           : unit == 'M' && time ? kMinuteMs
                           : unit == 'S' && time ? kSecondMs
                                                 : 0;
    if (!number || factor == 0) return std::nullopt;
    total += *number * static_cast<double>(factor);
    text.remove_prefix(end + 1);
  }
  return static_cast<int64_t>(std::llround(negative ? -total : total));
}

Expected<std::vector<PartitionName>> chosen_partitions(WireClient& client, const std::vector<std::string>& words) {
  std::vector<PartitionName> partitions;
  std::vector<std::string> whole;
  for (const std::string& word : words) {
    const size_t colon = word.find(':');
    if (colon == std::string::npos) {
      whole.push_back(word);
      continue;
    }
    for (const std::string& part : split(std::string_view(word).substr(colon + 1))) {
      const auto number = parse_java_integer(part, 0, INT32_MAX);
      if (!number) return wrong(fmt::format("Invalid partition '{}' specified in topic arg '{}''", part, word));
      partitions.emplace_back(word.substr(0, colon), static_cast<int32_t>(*number));
    }
  }
  if (whole.empty()) return partitions;
  auto topics = describe_topics(client, &whole);
  if (!topics) return fail(std::move(topics.error()));
  for (const auto& [name, topic] : *topics) {
    if (topic.error != 0)
      return fail(wire_error(topic.error, fmt::format("topic {}: {}", name, wire_error(topic.error).message)));
    for (const auto& partition : topic.partitions) partitions.emplace_back(name, partition.index);
  }
  return partitions;
}

Expected<std::map<std::string, ResetPlan>> read_reset_plans(const ToolIo& io, const std::string& path,
                                                            const std::vector<std::string>& groups) {
  auto text = io.files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  std::map<std::string, ResetPlan> plans;
  for (std::string line : split(*text, '\n')) {
    std::erase_if(line, [](char c) { return c == '"' || c == '\r'; });
    std::vector<std::string> cells = split(line);
    if (cells.empty()) continue;
    if (cells.size() == 3 && groups.size() == 1) cells.insert(cells.begin(), groups.front());
    const auto partition = cells.size() == 4 ? parse_java_integer(cells[2], 0, INT32_MAX) : std::nullopt;
    const auto offset = cells.size() == 4 ? parse_java_integer(cells[3], INT64_MIN, INT64_MAX) : std::nullopt;
    if (!partition || !offset) {
      return wrong(fmt::format("{}: '{}' is not group,topic,partition,offset{}", path, line,
                               groups.size() == 1 ? " or topic,partition,offset" : ""));
    }
    plans[cells[0]][{cells[1], static_cast<int32_t>(*partition)}] = *offset;
  }
  return plans;
}

Expected<ResetPlan> plan_reset(const ToolIo& io, WireClient& client, const ParsedOptions& options,
                               const std::string& group, const std::vector<PartitionName>& partitions,
                               const ResetPlan& committed) {
  ResetPlan plan;
  if (options.has("to-offset")) {
    for (const PartitionName& partition : partitions) plan[partition] = options.number("to-offset");
    return within_logs(io, client, std::move(plan));
  }
  if (options.has("to-earliest")) return offsets_at(client, partitions, kEarliestOffset);
  if (options.has("to-latest")) return offsets_at(client, partitions, kLatestOffset);
  if (options.declared("to-current") && options.has("to-current")) return to_current(client, partitions, committed);
  if (options.has("shift-by")) {
    for (const PartitionName& partition : partitions) {
      const auto found = committed.find(partition);
      if (found == committed.end())
        return wrong(fmt::format("Cannot shift offset for partition {} since there is no current committed offset",
                                 partition_text(partition)));
      plan[partition] = found->second + options.number("shift-by");
    }
    return within_logs(io, client, std::move(plan));
  }
  if (options.has("to-datetime")) {
    const auto time = parse_date_time(options.text("to-datetime"));
    if (!time)
      return wrong(fmt::format("--to-datetime: '{}' is not YYYY-MM-DDTHH:mm:SS.sss", options.text("to-datetime")));
    return offsets_by_time(io, client, partitions, *time);
  }
  if (options.has("by-duration")) {
    const auto duration = parse_duration(options.text("by-duration"));
    if (!duration) return wrong(fmt::format("--by-duration: '{}' is not PnDTnHnMnS", options.text("by-duration")));
    return offsets_by_time(io, client, partitions, SystemClock().wall_ms() - *duration);
  }
  auto plans = read_reset_plans(io, options.text("from-file"),
                                options.declared("group") ? options.values("group") : std::vector<std::string>{group});
  if (!plans) return fail(std::move(plans.error()));
  const auto found = plans->find(group);
  if (found == plans->end()) {
    io.print(fmt::format("\nError: No reset plan for group {} found\n", group));
    return plan;
  }
  return within_logs(io, client, std::move(found->second));
}

}  // namespace millrace
