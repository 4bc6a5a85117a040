/// The options that every connector has, as Kafka Connect defines them, and the way from a plugin's option table to
/// ours.
#pragma once

#include <millrace/abi.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"
#include "runtime/config_infos.h"
#include "runtime/herder.h"

namespace millrace {

namespace connector_keys {
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kClass = "connector.class";
inline constexpr std::string_view kTasksMax = "tasks.max";
inline constexpr std::string_view kKeyConverter = "key.converter";
inline constexpr std::string_view kValueConverter = "value.converter";
inline constexpr std::string_view kHeaderConverter = "header.converter";
inline constexpr std::string_view kTransforms = "transforms";
inline constexpr std::string_view kPredicates = "predicates";
inline constexpr std::string_view kExactlyOnceSupport = "exactly.once.support";
inline constexpr std::string_view kTransactionBoundary = "transaction.boundary";
inline constexpr std::string_view kTopics = "topics";
inline constexpr std::string_view kTopicsRegex = "topics.regex";
inline constexpr std::string_view kDlqTopic = "errors.deadletterqueue.topic.name";
}  // namespace connector_keys

/// The options of section "connector" of Kafka Connect's documentation in its order: the common ones, then those of
/// sources or of sinks. kUnknown: the common ones alone.
std::vector<ConfigKey> common_connector_keys(ConnectorType type);

/// A plugin's option table. The plugin's memory must outlive the result (plugins are never unloaded).
std::vector<ConfigKey> plugin_keys(const mr_connector_v1& table);

/// As REST describes an option; `prefix` goes before the name, but not before the display name.
ConfigKeyInfo key_info(const ConfigKey& key, std::string_view prefix = {});

/// Whether a regular expression of topic names is well formed; otherwise what is wrong with it.
std::optional<std::string> check_topic_regex(std::string_view regex);
/// Whether it matches the whole name; false if it is malformed.
bool topic_regex_matches(std::string_view regex, std::string_view topic);

}  // namespace millrace
