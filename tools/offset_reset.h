/// The offsets to which kafka-consumer-groups --reset-offsets and kafka-streams-application-reset move a group.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/admin_tool.h"

namespace millrace {

/// Partitions and offsets of a group: what a reset will commit.
using ResetPlan = std::map<PartitionName, int64_t>;

/// "topic" or "topic:0,1" words as partitions; a topic alone means all of its partitions. Errors: those of
/// describe_topics(), kNotFound for an unknown topic, kInvalidConfig.
Expected<std::vector<PartitionName>> chosen_partitions(WireClient& client, const std::vector<std::string>& words);

/// What --to-…, --by-duration, --shift-by or --from-file ask for. Offsets beyond a log's ends are moved to them, with a
/// warning. `committed` are the group's offsets. Errors: kInvalidConfig, those of list_offsets().
Expected<ResetPlan> plan_reset(const ToolIo& io, WireClient& client, const ParsedOptions& options,
                               const std::string& group, const std::vector<PartitionName>& partitions,
                               const ResetPlan& committed);

/// The plan file of --from-file by group: lines of topic,partition,offset (of the only group) or
/// group,topic,partition,offset. Errors: kInvalidConfig naming the line, kUnavailable.
Expected<std::map<std::string, ResetPlan>> read_reset_plans(const ToolIo& io, const std::string& path,
                                                            const std::vector<std::string>& groups);

/// Milliseconds since 1970 of YYYY-MM-DDTHH:mm:SS.sss with an optional zone (Z, +hh:mm, +hhmm); without one UTC.
std::optional<int64_t> parse_date_time(std::string_view text);
/// Milliseconds of an ISO 8601 duration without years and months, PnDTnHnMnS.
std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace millrace
