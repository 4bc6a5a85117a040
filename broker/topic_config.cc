#include "broker/topic_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace millrace {
namespace {

using Type = TopicConfigType;

constexpr std::string_view kLongMax = "9223372036854775807";

constexpr std::array kDefinitions = {
    TopicConfigDefinition{"cleanup.policy",
                          Type::kList,
                          "delete",
                          {"log.cleanup.policy"},
                          "What happens to old records: delete by time and size, compact by key, or both."},
    TopicConfigDefinition{"compression.gzip.level",
                          Type::kInt,
                          "-1",
                          {"compression.gzip.level"},
                          "The level when the broker compresses with gzip: 1 to 9, or -1 for zlib's default."},
    TopicConfigDefinition{"compression.lz4.level",
                          Type::kInt,
                          "9",
                          {"compression.lz4.level"},
                          "The level when the broker compresses with lz4: 1 to 17."},
    TopicConfigDefinition{"compression.type",
                          Type::kString,
                          "producer",
                          {"compression.type"},
                          "The codec of stored batches; producer keeps what the producer has chosen."},
    TopicConfigDefinition{"compression.zstd.level",
                          Type::kInt,
                          "3",
                          {"compression.zstd.level"},
                          "The level when the broker compresses with zstd: -131072 to 22."},
    TopicConfigDefinition{"delete.retention.ms",
                          Type::kLong,
                          "86400000",
                          {"log.cleaner.delete.retention.ms"},
                          "How long compaction keeps tombstones, so that readers from the start still meet them."},
    TopicConfigDefinition{"file.delete.delay.ms",
                          Type::kLong,
                          "60000",
                          {"log.segment.delete.delay.ms"},
                          "How long removed segment files keep their bytes under the name *.deleted."},
    TopicConfigDefinition{"flush.messages",
                          Type::kLong,
                          kLongMax,
                          {"log.flush.interval.messages"},
                          "Sync after this many records. Unset, millrace syncs before it acknowledges; a value above "
                          "1 acknowledges from the page cache."},
    TopicConfigDefinition{"flush.ms",
                          Type::kLong,
                          kLongMax,
                          {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"},
                          "Sync records that have waited this long, where acknowledgements come from the page cache."},
    TopicConfigDefinition{
        "follower.replication.throttled.replicas", Type::kList, "", {}, "Accepted; there are no followers."},
    TopicConfigDefinition{"index.interval.bytes",
                          Type::kInt,
                          "4096",
                          {"log.index.interval.bytes"},
                          "An index entry is made after this many bytes of records."},
    TopicConfigDefinition{
        "leader.replication.throttled.replicas", Type::kList, "", {}, "Accepted; there are no followers."},
    TopicConfigDefinition{"local.retention.bytes",
                          Type::kLong,
                          "-2",
                          {"log.local.retention.bytes"},
                          "Accepted; there is no tiered storage."},
    TopicConfigDefinition{
        "local.retention.ms", Type::kLong, "-2", {"log.local.retention.ms"}, "Accepted; there is no tiered storage."},
    TopicConfigDefinition{"max.compaction.lag.ms",
                          Type::kLong,
                          kLongMax,
                          {"log.cleaner.max.compaction.lag.ms"},
                          "A record is compacted at the latest after this time."},
    TopicConfigDefinition{"max.message.bytes",
                          Type::kInt,
                          "1048588",
                          {"message.max.bytes"},
                          "The largest batch that is taken, after compression."},
    TopicConfigDefinition{"message.timestamp.after.max.ms",
                          Type::kLong,
                          kLongMax,
                          {"log.message.timestamp.after.max.ms"},
                          "How far a record's time may lie ahead of the broker's clock."},
    TopicConfigDefinition{"message.timestamp.before.max.ms",
                          Type::kLong,
                          kLongMax,
                          {"log.message.timestamp.before.max.ms"},
                          "How far a record's time may lie behind the broker's clock."},
    TopicConfigDefinition{"message.timestamp.type",
                          Type::kString,
                          "CreateTime",
                          {"log.message.timestamp.type"},
                          "Whether a record keeps its producer's time or gets the time of its append."},
    TopicConfigDefinition{"min.cleanable.dirty.ratio",
                          Type::kDouble,
                          "0.5",
                          {"log.cleaner.min.cleanable.ratio"},
                          "Compaction begins when this share of the log has not been compacted yet."},
    TopicConfigDefinition{"min.compaction.lag.ms",
                          Type::kLong,
                          "0",
                          {"log.cleaner.min.compaction.lag.ms"},
                          "A record stays uncompacted at least this long."},
    TopicConfigDefinition{"min.insync.replicas",
                          Type::kInt,
                          "1",
                          {"min.insync.replicas"},
                          "Accepted; the only replica is always in sync."},
    TopicConfigDefinition{"preallocate",
                          Type::kBoolean,
                          "false",
                          {"log.preallocate"},
                          "Reserve segment.bytes on disk when a segment is made."},
    TopicConfigDefinition{
        "remote.log.copy.disable", Type::kBoolean, "false", {}, "Only false: there is no tiered storage."},
    TopicConfigDefinition{
        "remote.log.delete.on.disable", Type::kBoolean, "false", {}, "Only false: there is no tiered storage."},
    TopicConfigDefinition{
        "remote.storage.enable", Type::kBoolean, "false", {}, "Only false: there is no tiered storage."},
    TopicConfigDefinition{"retention.bytes",
                          Type::kLong,
                          "-1",
                          {"log.retention.bytes"},
                          "Old segments go when a partition is larger than this; -1 = never."},
    TopicConfigDefinition{"retention.ms",
                          Type::kLong,
                          "604800000",
                          {"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
                          "Segments go when their newest record is older than this; -1 = never."},
    TopicConfigDefinition{"segment.bytes",
                          Type::kInt,
                          "1073741824",
                          {"log.segment.bytes"},
                          "The size at which a new segment file is begun. Retention and compaction work on whole, "
                          "finished segments."},
    TopicConfigDefinition{"segment.index.bytes",
                          Type::kInt,
                          "10485760",
                          {"log.index.size.max.bytes"},
                          "The size of an index file at which a new segment is begun."},
    TopicConfigDefinition{"segment.jitter.ms",
                          Type::kLong,
                          "0",
                          {"log.roll.jitter.ms", "log.roll.jitter.hours"},
                          "Segments are begun up to this much before segment.ms, so that not all are at once."},
    TopicConfigDefinition{"segment.ms",
                          Type::kLong,
                          "604800000",
                          {"log.roll.ms", "log.roll.hours"},
                          "The time after which a new segment is begun even if the old one is not full."},
    TopicConfigDefinition{"unclean.leader.election.enable",
                          Type::kBoolean,
                          "false",
                          {"unclean.leader.election.enable"},
                          "Accepted; there is only one replica to lead."},
};

/// Known to Kafka 3.9 and dropped by 4.0: taken without effect, so that old scripts run.
constexpr std::array<std::string_view, 3> kDropped = {"message.format.version", "message.timestamp.difference.max.ms",
                                                      "message.downconversion.enable"};

struct NumberRule {
  std::string_view name;
  int64_t min;
  int64_t max;
  int64_t LogConfig::*field;  // null: accepted, without effect here
};

constexpr int64_t kNoMax = INT64_MAX;
constexpr std::array kNumbers = {
    NumberRule{"segment.bytes", 14, kNoMax, &LogConfig::segment_bytes},
    NumberRule{"segment.ms", 1, kNoMax, &LogConfig::segment_ms},
    NumberRule{"segment.jitter.ms", 0, kNoMax, &LogConfig::segment_jitter_ms},
    NumberRule{"segment.index.bytes", 4, kNoMax, &LogConfig::segment_index_bytes},
    NumberRule{"index.interval.bytes", 0, kNoMax, &LogConfig::index_interval_bytes},
    NumberRule{"max.message.bytes", 0, kNoMax, &LogConfig::message_bytes_max},
    NumberRule{"retention.ms", -1, kNoMax, &LogConfig::retention_ms},
    NumberRule{"retention.bytes", INT64_MIN, kNoMax, &LogConfig::retention_bytes},
    NumberRule{"delete.retention.ms", 0, kNoMax, &LogConfig::delete_retention_ms},
    NumberRule{"file.delete.delay.ms", 0, kNoMax, &LogConfig::file_delete_delay_ms},
    NumberRule{"flush.messages", 1, kNoMax, &LogConfig::flush_messages},
    NumberRule{"flush.ms", 0, kNoMax, &LogConfig::flush_ms},
    NumberRule{"max.compaction.lag.ms", 1, kNoMax, &LogConfig::max_compaction_lag_ms},
    NumberRule{"min.compaction.lag.ms", 0, kNoMax, &LogConfig::min_compaction_lag_ms},
    NumberRule{"message.timestamp.before.max.ms", 0, kNoMax, &LogConfig::timestamp_before_max_ms},
    NumberRule{"message.timestamp.after.max.ms", 0, kNoMax, &LogConfig::timestamp_after_max_ms},
    NumberRule{"min.insync.replicas", 1, kNoMax, nullptr},
    NumberRule{"local.retention.ms", -2, kNoMax, nullptr},
    NumberRule{"local.retention.bytes", -2, kNoMax, nullptr},
    NumberRule{"compression.lz4.level", 1, 17, nullptr},
    NumberRule{"compression.zstd.level", -131072, 22, nullptr},
    NumberRule{"compression.gzip.level", -1, 9, nullptr},
};

tl::unexpected<Error> refuse(std::string message) {
  return fail(Error{ErrorCode::kInvalidConfig,
                    std::move(message),
                    "org.apache.kafka.common.errors.InvalidConfigurationException",
                    {},
                    {}});
}

tl::unexpected<Error> invalid(std::string_view name, std::string_view value, std::string_view why) {
  return refuse(fmt::format("Invalid value {} for configuration {}: {}", value, name, why));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!trimmed(text).empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    words.push_back(trimmed(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

Expected<int64_t> parse_number(const TopicConfigDefinition& definition, std::string_view text) {
  const std::string_view digits = trimmed(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_int = definition.type == Type::kInt;
  const bool fits = !is_int || (value >= INT32_MIN && value <= INT32_MAX);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || !fits)
    return invalid(definition.name, text, fmt::format("Not a number of type {}", is_int ? "INT" : "LONG"));
  return value;
}

Status apply_number(const TopicConfigDefinition& definition, std::string_view text, LogConfig& config) {
  const auto rule =
      std::find_if(kNumbers.begin(), kNumbers.end(), [&](const auto& each) { return each.name == definition.name; });
  auto value = parse_number(definition, text);
  if (!value) return fail(std::move(value.error()));
  if (definition.name == "compression.gzip.level" && (*value == 0 || *value < -1 || *value > 9))
    return invalid(definition.name, text, "Value must be between 1 and 9 or equal to -1");
  if (*value < rule->min) return invalid(definition.name, text, fmt::format("Value must be at least {}", rule->min));
  if (*value > rule->max)
    return invalid(definition.name, text, fmt::format("Value must be no more than {}", rule->max));
  if (rule->field != nullptr) config.*rule->field = *value;
  if (definition.name == "flush.messages")
    config.durability = *value == 1 ? Durability::kGroupCommit : Durability::kPageCache;
  return {};
}

Status apply_boolean(const TopicConfigDefinition& definition, std::string_view text, LogConfig& config) {
  std::string lower(trimmed(text));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower != "true" && lower != "false")
    return invalid(definition.name, text, "Expected value to be either true or false");
  if (definition.name == "preallocate") config.preallocate = lower == "true";
  if (definition.name.starts_with("remote.") && lower == "true")
    return invalid(definition.name, text, "tiered storage is not supported, leave it at false");
  return {};
}

Status apply_double(const TopicConfigDefinition& definition, std::string_view text, LogConfig& config) {
  const std::string_view digits = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    return invalid(definition.name, text, "Not a number of type DOUBLE");
  if (!(value >= 0)) return invalid(definition.name, text, "Value must be at least 0");
  if (value > 1) return invalid(definition.name, text, "Value must be no more than 1");
  config.min_cleanable_dirty_ratio = value;
  return {};
}

Status apply_cleanup_policy(std::string_view text, LogConfig& config) {
  config.cleanup_delete = config.cleanup_compact = false;
  for (const std::string_view word : words_of(text)) {
    if (word != "delete" && word != "compact")
      return invalid("cleanup.policy", word, "String must be one of: compact, delete");
    (word == "delete" ? config.cleanup_delete : config.cleanup_compact) = true;
  }
  return {};
}

/// "*", or partition:broker pairs.
Status check_throttled(std::string_view name, std::string_view text) {
  for (const std::string_view word : words_of(text)) {
    const auto colon = word.find(':');
    const bool digits =
        std::all_of(word.begin(), word.end(), [](char c) { return c == ':' || (c >= '0' && c <= '9'); });
    const bool pair = digits && colon != std::string_view::npos && colon > 0 && colon + 1 < word.size() &&
                      word.find(':', colon + 1) == std::string_view::npos;
    if (word == "*" || pair) continue;
    return invalid(name, text,
                   fmt::format("{} must be the literal '*' or a list of replicas in the following format: "
                               "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
                               name));
  }
  return {};
}

Status apply_string(const TopicConfigDefinition& definition, std::string_view text, LogConfig& config) {
  if (definition.name == "message.timestamp.type") {
    if (text != "CreateTime" && text != "LogAppendTime")
      return invalid(definition.name, text, "String must be one of: CreateTime, LogAppendTime");
    config.log_append_time = text == "LogAppendTime";
    return {};
  }
  constexpr std::array<std::string_view, 6> kTypes = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"};
  if (std::find(kTypes.begin(), kTypes.end(), text) == kTypes.end()) {
    return invalid(definition.name, text, "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer");
  }
  config.compression.reset();
  if (text != "producer") config.compression = CompressionOptions{*codec_from_name(text), {}};
  return {};
}

Status apply_one(const std::string& name, const std::string& value, LogConfig& config) {
  if (std::find(kDropped.begin(), kDropped.end(), name) != kDropped.end()) return {};
  const TopicConfigDefinition* definition = find_topic_config(name);
  if (definition == nullptr) return refuse(fmt::format("Unknown topic config name: {}", name));
  switch (definition->type) {
    case Type::kBoolean:
      return apply_boolean(*definition, value, config);
    case Type::kInt:
    case Type::kLong:
      return apply_number(*definition, value, config);
    case Type::kDouble:
      return apply_double(*definition, value, config);
    case Type::kList:
      return name == "cleanup.policy" ? apply_cleanup_policy(value, config) : check_throttled(name, value);
    case Type::kString:
      return apply_string(*definition, value, config);
  }
  return {};
}

/// The level goes with the codec, whichever of the two was named first.
void apply_level(const TopicConfigs& configs, LogConfig& config) {
  if (!config.compression) return;
  const auto found = configs.find(fmt::format("compression.{}.level", codec_name(config.compression->codec)));
  if (found == configs.end()) return;
  int level = 0;
  const std::string_view digits = trimmed(found->second);
  std::from_chars(digits.data(), digits.data() + digits.size(), level);
  config.compression->level = level;
}

}  // namespace

std::span<const TopicConfigDefinition> topic_config_definitions() { return kDefinitions; }

const TopicConfigDefinition* find_topic_config(std::string_view name) {
  const auto found = std::find_if(kDefinitions.begin(), kDefinitions.end(),
                                  [&](const TopicConfigDefinition& each) { return each.name == name; });
  return found == kDefinitions.end() ? nullptr : &*found;
}

Expected<LogConfig> apply_topic_configs(LogConfig defaults, const TopicConfigs& configs) {
  for (const auto& [name, value] : configs) {
    if (auto applied = apply_one(name, value, defaults); !applied) return fail(std::move(applied.error()));
  }
  apply_level(configs, defaults);
  if (defaults.min_compaction_lag_ms > defaults.max_compaction_lag_ms) {
    return refuse(fmt::format("conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                              defaults.min_compaction_lag_ms, defaults.max_compaction_lag_ms));
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
