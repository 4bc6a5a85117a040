// The offsets endpoints of the standalone herder (KIP-875): reading, altering and resetting where a connector stands.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "runtime/standalone_herder.h"

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
  if (!partition) {
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

}  // namespace

Expected<std::vector<ConnectorOffset>> StandaloneHerder::offsets(const std::string& name) {
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  std::vector<ConnectorOffset> found;
  if ((*entry)->type == ConnectorType::kSource) {
    for (auto& [partition, offset] : services_.offsets.all(name))
      found.push_back({std::move(partition), std::move(offset)});
    return found;
  }
  auto committed = services_.client.admin().group_offsets(factory_.sink_group(name, (*entry)->config));
  if (!committed) return fail(std::move(committed.error()));
  for (const auto& [partition, offset] : *committed) {
    found.push_back({Json{{"kafka_partition", partition.partition}, {"kafka_topic", partition.topic}}.dump(),
                     Json{{"kafka_offset", offset.offset}}.dump()});
  }
  return found;
}

Status StandaloneHerder::require_stopped(const std::string& name, const Entry& entry) const {
  if (entry.target == TargetState::kStopped && entry.tasks.empty()) return {};
  return bad_request(
      fmt::format("Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                  "the specified connector by issuing a "
                  "'PUT' request to the '/connectors/{}/stop' endpoint",
                  name));
}

Expected<std::string> StandaloneHerder::alter_offsets(const std::string& name,
                                                      const std::vector<ConnectorOffset>& offsets) {
  std::lock_guard operation(operations_);
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  if (auto ok = require_stopped(name, **entry); !ok) return fail(std::move(ok.error()));
  if (offsets.empty()) return bad_request("Partitions / offsets need to be provided for an alter offsets request");
  if ((*entry)->type == ConnectorType::kSink) {
    if (auto altered = alter_sink_offsets(name, **entry, offsets); !altered) return fail(std::move(altered.error()));
    return std::string("The offsets for this connector have been altered successfully");
  }
  auto plugin = services_.plugins.find((*entry)->config.at("connector.class"));
  if (!plugin) return fail(std::move(plugin.error()));
  if ((*plugin)->table.alter_offset == nullptr) {
    return fail(
        ErrorCode::kInternal,
        fmt::format(
            "Failed to modify offsets for connector {} because it doesn't support external modification of offsets",
            name));
  }
  BasicContext context(name, logger_.named(name));
  const ConfigView config((*entry)->config);
  std::vector<std::pair<std::string, std::string>> changes;
  for (const ConnectorOffset& change : offsets) {
    auto partition = offset_map_from_json(change.partition.empty() ? "null" : change.partition);
    auto offset = offset_map_from_json(change.offset.empty() ? "null" : change.offset);
    if (!partition) return fail(std::move(partition.error()));
    if (!offset) return fail(std::move(offset.error()));
    mr_error error{};
    if (auto ok = to_status(
            (*plugin)->table.alter_offset(&context, config.get(), &partition->get(), &offset->get(), &error), error);
        !ok) {
      ok.error().code = ErrorCode::kInternal;  // a connector's refusal is a 500 in Kafka Connect
      return fail(std::move(ok.error()));
    }
    changes.emplace_back(change.partition, change.offset);
  }
  if (auto written = services_.offsets.write_json(name, changes); !written) return fail(std::move(written.error()));
  return std::string("The offsets for this connector have been altered successfully");
}

Status StandaloneHerder::alter_sink_offsets(const std::string& name, const Entry& entry,
                                            const std::vector<ConnectorOffset>& offsets) {
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
      return fail(ErrorCode::kInternal, fmt::format("Failed to modify offsets for sink connector {}", name));
    set[*partition] = *offset;
  }
  Admin& admin = services_.client.admin();
  const std::string group = factory_.sink_group(name, entry.config);
  Status done = set.empty() ? Status{} : admin.alter_group_offsets(group, set);
  if (done && !reset.empty()) done = admin.delete_group_offsets(group, reset);
  if (done) return {};
  return fail(
      std::move(done.error())
          .wrap(ErrorCode::kInternal, fmt::format("Failed to alter consumer group offsets for connector {}", name)));
}

Expected<std::string> StandaloneHerder::reset_offsets(const std::string& name) {
  std::lock_guard operation(operations_);
  auto entry = find_or_404(name);
  if (!entry) return fail(std::move(entry.error()));
  if (auto ok = require_stopped(name, **entry); !ok) return fail(std::move(ok.error()));
  if ((*entry)->type == ConnectorType::kSink) {
    if (auto deleted = services_.client.admin().delete_group(factory_.sink_group(name, (*entry)->config)); !deleted) {
      return fail(std::move(deleted.error())
                      .wrap(ErrorCode::kInternal,
                            fmt::format("Failed to reset consumer group offsets for connector {}", name)));
    }
  } else {
    std::vector<std::pair<std::string, std::string>> changes;
    for (const auto& [partition, offset] : services_.offsets.all(name)) changes.emplace_back(partition, "");
    if (auto written = services_.offsets.write_json(name, changes); !written) return fail(std::move(written.error()));
  }
  return std::string("The offsets for this connector have been reset successfully");
}

}  // namespace millrace
