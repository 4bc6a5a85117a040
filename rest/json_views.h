/// What the API answers, as JSON with Kafka Connect's members in Kafka Connect's order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rest/json_body.h"
#include "runtime/herder.h"

namespace millrace {

// What is listed a thousand times in one answer is written as text, without a document in between.
void append_config(std::string& to, const ConfigMap& config);
void append_info(std::string& to, const ConnectorInfo& info);
void append_status(std::string& to, const ConnectorStatus& status);
std::string config_text(const ConfigMap& config);
std::string info_text(const ConnectorInfo& info);
std::string status_text(const ConnectorStatus& status);
/// A task with its number; trace only when there is one.
std::string task_text(const ConnectorStatus::Part& task);

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
