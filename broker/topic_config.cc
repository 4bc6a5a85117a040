#include "broker/topic_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace {
namespace {

struct NumberConfig {
  std::string_view name;
  int64_t min;
  int64_t max;
  int64_t LogConfig::*field;  // null: accepted, without effect here
};

constexpr std::array kNumbers = {
    NumberConfig{"segment.bytes", 14, INT32_MAX, &LogConfig::segment_bytes},
    NumberConfig{"segment.ms", 1, INT64_MAX, &LogConfig::segment_ms},
    NumberConfig{"segment.index.bytes", 4, INT32_MAX, &LogConfig::segment_index_bytes},
    NumberConfig{"index.interval.bytes", 0, INT32_MAX, &LogConfig::index_interval_bytes},
    NumberConfig{"max.message.bytes", 0, INT32_MAX, &LogConfig::message_bytes_max},
    NumberConfig{"retention.ms", -1, INT64_MAX, &LogConfig::retention_ms},
    NumberConfig{"retention.bytes", -1, INT64_MAX, &LogConfig::retention_bytes},
    NumberConfig{"segment.jitter.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"delete.retention.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"file.delete.delay.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"flush.messages", 1, INT64_MAX, nullptr},
    NumberConfig{"flush.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"max.compaction.lag.ms", 1, INT64_MAX, nullptr},
    NumberConfig{"min.compaction.lag.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"message.timestamp.before.max.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"message.timestamp.after.max.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"message.timestamp.difference.max.ms", 0, INT64_MAX, nullptr},
    NumberConfig{"min.insync.replicas", 1, INT32_MAX, nullptr},
    NumberConfig{"local.retention.ms", -2, INT64_MAX, nullptr},
    NumberConfig{"local.retention.bytes", -2, INT64_MAX, nullptr},
    NumberConfig{"compression.gzip.level", -1, 9, nullptr},
    NumberConfig{"compression.lz4.level", 1, 17, nullptr},
    NumberConfig{"compression.zstd.level", -131072, 22, nullptr},
};

constexpr std::array<std::string_view, 8> kWithoutEffect = {"unclean.leader.election.enable",
                                                            "preallocate",
                                                            "message.downconversion.enable",
                                                            "message.format.version",
                                                            "leader.replication.throttled.replicas",
                                                            "follower.replication.throttled.replicas",
                                                            "remote.log.copy.disable",
                                                            "remote.log.delete.on.disable"};

tl::unexpected<Error> invalid(std::string_view name, std::string_view value, std::string_view allowed) {
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("Invalid value {} for configuration {}: {}", value, name, allowed));
}

Status apply_number(const NumberConfig& known, const std::string& text, LogConfig& config) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return invalid(known.name, text, "it must be a whole number");
  if (value < known.min || value > known.max) {
    return invalid(known.name, text, fmt::format("it must be between {} and {}", known.min, known.max));
  }
  if (known.field != nullptr) config.*known.field = value;
  if (known.name == "flush.messages")
    config.durability = value == 1 ? Durability::kGroupCommit : Durability::kPageCache;
  return {};
}

Status apply_cleanup_policy(std::string_view text, LogConfig& config) {
  config.cleanup_delete = config.cleanup_compact = false;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (word == "delete") {
      config.cleanup_delete = true;
    } else if (word == "compact") {
      config.cleanup_compact = true;
    } else {
      return invalid("cleanup.policy", text, "String must be one of: compact, delete");
    }
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Status apply_one(const std::string& name, const std::string& value, LogConfig& config) {
  const auto number =
      std::find_if(kNumbers.begin(), kNumbers.end(), [&](const NumberConfig& each) { return each.name == name; });
  if (number != kNumbers.end()) return apply_number(*number, value, config);
  if (name == "cleanup.policy") return apply_cleanup_policy(value, config);
  if (name == "message.timestamp.type") {
    if (value != "CreateTime" && value != "LogAppendTime")
      return invalid(name, value, "String must be one of: CreateTime, LogAppendTime");
    config.log_append_time = value == "LogAppendTime";
    return {};
  }
  if (name == "compression.type") {
    constexpr std::array<std::string_view, 6> kTypes = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"};
    if (std::find(kTypes.begin(), kTypes.end(), value) != kTypes.end()) return {};
    return invalid(name, value, "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer");
  }
  if (name == "min.cleanable.dirty.ratio") return {};
  if (name == "remote.storage.enable")
    return value == "false" ? Status{} : invalid(name, value, "tiered storage is not supported");
  if (std::find(kWithoutEffect.begin(), kWithoutEffect.end(), name) != kWithoutEffect.end()) return {};
  return fail(ErrorCode::kInvalidConfig, fmt::format("Unknown topic config name: {}", name));
}

}  // namespace

Expected<LogConfig> apply_topic_configs(LogConfig defaults, const TopicConfigs& configs) {
  for (const auto& [name, value] : configs) {
    if (auto applied = apply_one(name, value, defaults); !applied) return fail(std::move(applied.error()));
  }
  return defaults;
}

Status check_topic_name(std::string_view name) {
  const auto bad = [&](std::string_view why) {
    return fail(Error{ErrorCode::kInvalidConfig,
                      fmt::format("Topic name '{}' is illegal: {}", name, why),
                      "org.apache.kafka.common.errors.InvalidTopicException",
                      {},
                      {}});
  };
  if (name.empty()) return bad("it must not be empty");
  if (name == "." || name == "..") return bad("it cannot be \".\" or \"..\"");
  if (name.size() > 249) return bad("it is longer than 249 characters");
  for (const char c : name) {
    const bool legal =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!legal) return bad("it contains a character other than ASCII alphanumerics, '.', '_' and '-'");
  }
  return {};
}

}  // namespace millrace
