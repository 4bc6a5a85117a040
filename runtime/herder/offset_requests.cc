#include "runtime/herder/offset_requests.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

tl::unexpected<Error> bad_request(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

/// A number, or text that is one.
std::optional<int64_t> whole_number(const Json& json) {
  if (json.is_number_integer()) return json.get<int64_t>();
  if (!json.is_string()) return std::nullopt;
  const auto& text = json.get_ref<const std::string&>();
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shown(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

Expected<TopicPartition> sink_partition(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad_request("The partition for a sink connector offset cannot be null or missing");
  if (!json.contains("kafka_topic") || !json.contains("kafka_partition")) {
    return bad_request(
        "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'");
  }
  if (json["kafka_topic"].is_null()) return bad_request("Kafka topic names must be valid strings and may not be null");
  if (json["kafka_partition"].is_null())
    return bad_request("Kafka partitions must be valid numbers and may not be null");
  const auto partition = whole_number(json["kafka_partition"]);
  if (!partition || *partition != static_cast<int32_t>(*partition)) {
    return bad_request(fmt::format(
        "Failed to parse the following Kafka partition value in the provided offsets: '{}'. Partition values for sink "
        "connectors need to be integers.",
        shown(json["kafka_partition"])));
  }
  return TopicPartition{shown(json["kafka_topic"]), static_cast<int32_t>(*partition)};
}

Expected<int64_t> sink_offset(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("kafka_offset")) {
    return bad_request("The offset for a sink connector should either be null or contain the key 'kafka_offset'");
  }
  const auto offset = whole_number(json["kafka_offset"]);
  if (!offset) {
    return bad_request(fmt::format(
        "Failed to parse the following Kafka offset value in the provided offsets: '{}'. Offset values for sink "
        "connectors need to be integers.",
        shown(json["kafka_offset"])));
  }
  return *offset;
}

/// What the group refuses, as the user sees it.
Status group_outcome(Status done, std::string_view verb, const std::string& connector) {
  if (done) return {};
  std::string text = fmt::format("Failed to {} consumer group offsets for connector {}", verb, connector);
  if (done.error().code == ErrorCode::kConflict) {
    text += fmt::format(
        " either because its tasks haven't stopped completely yet or the connector was resumed before the request to "
        "{} its offsets could be successfully completed. If the connector is in a stopped state, this operation can be "
        "safely retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of "
        "the zombie sink tasks.",
        verb);
  }
  return fail(std::move(done.error()).wrap(ErrorCode::kInternal, std::move(text)));
}

std::string success(std::string_view verb) {
  return fmt::format("The offsets for this connector have been {} successfully", verb);
}

}  // namespace

Expected<std::vector<ConnectorOffset>> OffsetRequests::read(const ManagedConnector& connector) const {
  std::vector<ConnectorOffset> found;
  if (connector.type() == ConnectorType::kSource) {
    for (auto& [partition, offset] : environment_.offsets.all(connector.name()))
      found.push_back({std::move(partition), std::move(offset)});
    return found;
  }
  auto config = settings(connector);
  if (!config) return fail(std::move(config.error()));
  auto committed =
      environment_.client.admin().group_offsets(environment_.factory.sink_group(connector.name(), *config));
  if (!committed) return fail(std::move(committed.error()));
  for (const auto& [partition, offset] : *committed) {
    found.push_back({Json{{"kafka_partition", partition.partition}, {"kafka_topic", partition.topic}}.dump(),
                     Json{{"kafka_offset", offset.offset}}.dump()});
  }
  return found;
}

Expected<ConfigMap> OffsetRequests::settings(const ManagedConnector& connector) const {
  auto resolved = environment_.providers.resolve(connector.config());
  if (!resolved) resolved.error().code = ErrorCode::kInternal;
  return resolved;
}

Status OffsetRequests::require_stopped(const ManagedConnector& connector) const {
  if (connector.target() == TargetState::kStopped && connector.task_configs().empty()) return {};
  return bad_request(
      fmt::format("Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                  "the specified connector by issuing a 'PUT' request to the '/connectors/{}/stop' endpoint",
                  connector.name()));
}

Expected<std::string> OffsetRequests::alter(const ManagedConnector& connector,
                                            const std::vector<ConnectorOffset>& offsets) const {
  if (auto stopped = require_stopped(connector); !stopped) return fail(std::move(stopped.error()));
  const bool sink = connector.type() == ConnectorType::kSink;
  const Status done = sink ? alter_sink(connector, offsets) : alter_source(connector, offsets);
  if (!done) return fail(done.error());
  return success("altered");
}

Expected<std::string> OffsetRequests::reset(const ManagedConnector& connector) const {
  if (auto stopped = require_stopped(connector); !stopped) return fail(std::move(stopped.error()));
  if (connector.type() == ConnectorType::kSink) {
    if (auto done = reset_sink(connector); !done) return fail(std::move(done.error()));
    return success("reset");
  }
  std::vector<ConnectorOffset> nothing;
  for (auto& [partition, offset] : environment_.offsets.all(connector.name()))
    nothing.push_back({std::move(partition), {}});
  if (auto done = alter_source(connector, nothing); !done) return fail(std::move(done.error()));
  return success("reset");
}

Status OffsetRequests::alter_source(const ManagedConnector& connector,
                                    const std::vector<ConnectorOffset>& offsets) const {
  const auto settings_now = settings(connector);
  if (!settings_now) return fail(settings_now.error());
  auto plugin = environment_.plugins.find(setting_of(*settings_now, "connector.class"));
  if (!plugin) {
    plugin.error().code = ErrorCode::kInternal;
    return fail(std::move(plugin.error()));
  }
  const auto ask = (*plugin)->table.alter_offset;
  if (ask == nullptr) {
    return fail(ErrorCode::kInternal,
                fmt::format("Failed to modify offsets for connector {} because it doesn't support external "
                            "modification of offsets",
                            connector.name()));
  }
  BasicContext context(connector.name(), environment_.logger.named(connector.name()));
  const ConfigView config(*settings_now);
  std::vector<std::pair<std::string, std::string>> changes;
  for (const ConnectorOffset& change : offsets) {
    // Through JSON and back: the connector sees the types that it will find in the store, whole numbers as INT64.
    auto partition = offset_map_from_json(change.partition.empty() ? "null" : change.partition);
    auto offset = offset_map_from_json(change.offset.empty() ? "null" : change.offset);
    if (!partition) return fail(std::move(partition.error()));
    if (!offset) return fail(std::move(offset.error()));
    mr_error error{};
    Status allowed = to_status(ask(&context, config.get(), &partition->get(), &offset->get(), &error), error);
    if (!allowed) {
      allowed.error().code = ErrorCode::kInternal;  // a connector's refusal is a 500 in Kafka Connect
      return allowed;
    }
    changes.emplace_back(change.partition, change.offset);
  }
  if (auto written = environment_.offsets.write_json(connector.name(), changes); !written) {
    return fail(std::move(written.error())
                    .wrap(ErrorCode::kInternal,
                          fmt::format("Failed to modify offsets for source connector {}", connector.name())));
  }
  return {};
}

Status OffsetRequests::alter_sink(const ManagedConnector& connector,
                                  const std::vector<ConnectorOffset>& offsets) const {
  std::map<TopicPartition, int64_t> set;
  std::vector<TopicPartition> reset;
  for (const ConnectorOffset& change : offsets) {
    auto partition = sink_partition(change.partition);
    if (!partition) return fail(std::move(partition.error()));
    if (change.offset.empty()) {
      reset.push_back(std::move(*partition));
      continue;
    }
    auto offset = sink_offset(change.offset);
    if (!offset) return fail(std::move(offset.error()));
    if (*offset < 0)
      return fail(ErrorCode::kInternal,
                  fmt::format("Failed to modify offsets for sink connector {}", connector.name()));
    set[*partition] = *offset;
  }
  const auto config = settings(connector);
  if (!config) return fail(config.error());
  Admin& admin = environment_.client.admin();
  const std::string group = environment_.factory.sink_group(connector.name(), *config);
  Status done = set.empty() ? Status{} : admin.alter_group_offsets(group, set);
  if (done && !reset.empty()) done = admin.delete_group_offsets(group, reset);
  return group_outcome(std::move(done), "alter", connector.name());
}

Status OffsetRequests::reset_sink(const ManagedConnector& connector) const {
  const auto config = settings(connector);
  if (!config) return fail(config.error());
  return group_outcome(
      environment_.client.admin().delete_group(environment_.factory.sink_group(connector.name(), *config)), "reset",
      connector.name());
}

}  // namespace millrace
