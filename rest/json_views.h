/// What the API answers, as JSON with Kafka Connect's members in Kafka Connect's order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rest/json_body.h"
#include "runtime/herder.h"

namespace millrace {

Json to_json(const ConnectorInfo& info);
Json to_json(const ConnectorStatus& status);
/// A task with its number; trace only when there is one.
Json task_to_json(const ConnectorStatus::Part& task);
Json to_json(const WorkerInfo& worker);
Json to_json(const PluginInfo& plugin);
Json to_json(const ConfigKeyInfo& key);
Json to_json(const ConfigInfos& infos);
/// {"offsets":[{"partition":…,"offset":…}]}
Json to_json(const std::vector<ConnectorOffset>& offsets);
Json tasks_to_json(const std::string& connector, const std::vector<TaskInfo>& tasks);
/// {"<connector>-0":{…}}, the form of tasks-config.
Json task_configs_to_json(const std::string& connector, const std::vector<TaskInfo>& tasks);
Json error_to_json(int status, std::string_view message);

/// The text of an answer. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const Json& value);

}  // namespace millrace
