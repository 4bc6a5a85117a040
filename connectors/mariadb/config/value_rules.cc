#include "connectors/mariadb/config/value_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "connectors/mariadb/config/filters.h"

namespace millrace::mariadb {
namespace {

using Fault = std::string (*)(std::string_view value);

// ---- numbers

constexpr const char* kPositive = "A positive, non-zero integer value is expected";
constexpr const char* kPositiveLong = "A positive, non-zero long value is expected";
constexpr const char* kNotNegative = "An non-negative integer is expected";  // sic

std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

template <int64_t kLeast, auto& kWords>
std::string at_least(std::string_view value) {
  const auto number = number_of(value);
  return number && *number >= kLeast ? "" : kWords;
}

constexpr char kQueueWords[] = "A positive queue size is required";
constexpr Fault kIsPositive = at_least<1, kPositive>;
constexpr Fault kIsNotNegative = at_least<0, kNotNegative>;

std::string server_id(std::string_view value) {
  const auto number = number_of(value);
  if (!number || *number <= 0) return kPositiveLong;
  // Java cuts it to 32 bits, which may leave 0 or another replica's number.
  if (*number > std::numeric_limits<uint32_t>::max()) return "Server ids end at 4294967295";
  return {};
}

// ---- words

using Words = std::span<const std::string_view>;

std::string list_of(Words words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

bool has(Words words, std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); }

/// In the order in which Debezium lists them. `kMore` are accepted without being told.
template <const auto& kWords, const auto& kMore>
std::string one_of(std::string_view value) {
  const std::string word = lower(value);
  return has(kWords, word) || has(kMore, word) ? "" : "Value must be one of " + list_of(kWords);
}

constexpr std::string_view kNoMore[] = {"\n"};
constexpr std::string_view kTime[] = {
    "adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"};
constexpr std::string_view kNewTime[] = {"structured"};
constexpr std::string_view kDecimal[] = {"string", "double", "precise"};
constexpr std::string_view kBigint[] = {"precise", "long"};
constexpr std::string_view kBinary[] = {"bytes", "base64", "base64-url-safe", "hex"};
constexpr std::string_view kSnapshot[] = {"always",      "never",   "initial_only", "configuration_based",
                                          "when_needed", "initial", "custom",       "no_data",
                                          "recovery"};
constexpr std::string_view kOldSnapshot[] = {"schema_only", "schema_only_recovery"};
constexpr std::string_view kQuery[] = {"custom", "select_all"};
constexpr std::string_view kFailures[] = {"warn", "fail", "ignore", "skip"};
constexpr std::string_view kConverting[] = {"warn", "fail", "skip"};
constexpr std::string_view kAdjustment[] = {"none", "avro_unicode", "avro"};
constexpr std::string_view kTls[] = {"trust", "disable", "verify-ca", "verify-full"};
constexpr std::string_view kMySqlTls[] = {"disabled", "preferred", "required", "verify_ca", "verify_identity"};
constexpr std::string_view kGuardrail[] = {"warn", "fail"};
constexpr std::string_view kRowOrder[] = {"disabled", "ascending", "descending"};
constexpr std::string_view kNewTables[] = {"off", "parallel"};
constexpr std::string_view kWatermark[] = {"insert_delete", "insert_insert"};
constexpr std::string_view kLocks[] = {"minimal", "custom", "none", "extended"};
constexpr std::string_view kMySqlLocks[] = {"minimal", "minimal_percona", "minimal_percona_no_table_locks", "custom",
                                            "none",    "extended"};
constexpr std::string_view kOptimization[] = {"off", "on", "shared"};

std::string time_precision(std::string_view value) {
  if (lower(value) == "adaptive") return "The 'adaptive' time.precision.mode is no longer supported";
  return one_of<kTime, kNewTime>(value);
}

// ---- texts

std::string topic_prefix(std::string_view value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' || c == '_' || c == '-';
  });
  if (plain) return {};
  return std::string(value) +
         " has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)";
}

std::string topic_delimiter(std::string_view value) {
  return topic_prefix(value).empty() ? "" : "'" + std::string(value) + "' cannot stand in a topic's name";
}

std::string regex_list(std::string_view value) {
  for (const std::string& expression : split_regex_list(value)) {
    if (const std::string why = regex_fault(expression); !why.empty())
      return "A comma-separated list of valid regular expressions is expected, but " + why;
  }
  return {};
}

std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> words = split_regex_list(value);
  for (std::string& word : words) word = lower(word);
  return words;
}

std::string skipped_operations(std::string_view value) {
  constexpr std::string_view kOperations[] = {"c", "u", "d", "t", "r", "none"};
  const auto words = words_of(value);
  for (const std::string& word : words) {
    if (!has(kOperations, word)) return "Invalid operation";
  }
  const bool none = std::find(words.begin(), words.end(), "none") != words.end();
  return none && words.size() > 1 ? "'none' cannot be specified with other skipped operation types" : "";
}

template <const auto& kWords>
std::string some_of(std::string_view value) {
  for (const std::string& word : words_of(value)) {
    if (!has(kWords, word)) return "Value must be one of " + list_of(kWords);
  }
  return {};
}
constexpr std::string_view kSignals[] = {"source", "kafka", "file", "jmx", "in-process"};
constexpr std::string_view kNotifications[] = {"sink", "log", "jmx"};

std::string key_columns(std::string_view value) {
  static const RE2* const kForm = new RE2(R"(\s*([^:]+):([^:,]+(,[^:,]+)*)\s*)");
  while (value.ends_with(';')) value.remove_suffix(1);
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(';', begin), value.size());
    const std::string part(value.substr(begin, end - begin));
    std::string table;
    if (!RE2::FullMatch(part, *kForm, &table))
      return part + R"( has an invalid format (expecting '^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$'))";
    if (const std::string why = regex_fault(table); !why.empty()) return why;
    begin = end + 1;
  }
  return {};
}

struct Rule {
  std::string_view key;
  Fault fault;
};

constexpr Rule kRules[] = {
    {"topic.prefix", topic_prefix},
    {"database.server.id", server_id},
    {"database.query.timeout.ms", kIsNotNegative},
    {"database.ssl.mode", one_of<kTls, kMySqlTls>},
    {"connect.timeout.ms", kIsPositive},
    {"connect.keep.alive.interval.ms", kIsPositive},
    {"connection.validation.timeout.ms", kIsPositive},
    {"retriable.restart.connector.wait.ms", kIsPositive},
    {"binlog.net.write.timeout", kIsNotNegative},
    {"binlog.net.read.timeout", kIsNotNegative},
    {"max.batch.size", kIsPositive},
    {"max.queue.size", at_least<1, kQueueWords>},
    {"max.queue.size.in.bytes", kIsNotNegative},
    {"poll.interval.ms", kIsPositive},
    {"heartbeat.interval.ms", kIsNotNegative},
    {"snapshot.delay.ms", kIsNotNegative},
    {"streaming.delay.ms", kIsNotNegative},
    {"snapshot.fetch.size", kIsNotNegative},
    {"snapshot.max.threads", kIsPositive},
    {"snapshot.max.threads.multiplier", kIsPositive},
    {"snapshot.lock.timeout.ms", kIsPositive},
    {"incremental.snapshot.chunk.size", kIsNotNegative},
    {"signal.poll.interval.ms", kIsPositive},
    {"guardrail.collections.max", kIsNotNegative},
    {"binlog.buffer.size", kIsNotNegative},
    {"time.precision.mode", time_precision},
    {"decimal.handling.mode", one_of<kDecimal, kNoMore>},
    {"bigint.unsigned.handling.mode", one_of<kBigint, kNoMore>},
    {"binary.handling.mode", one_of<kBinary, kNoMore>},
    {"snapshot.mode", one_of<kSnapshot, kOldSnapshot>},
    {"snapshot.query.mode", one_of<kQuery, kNoMore>},
    {"snapshot.tables.order.by.row.count", one_of<kRowOrder, kNoMore>},
    {"snapshot.new.tables", one_of<kNewTables, kNoMore>},
    {"incremental.snapshot.watermarking.strategy", one_of<kWatermark, kNoMore>},
    {"event.processing.failure.handling.mode", one_of<kFailures, kNoMore>},
    {"event.deserialization.failure.handling.mode", one_of<kFailures, kNoMore>},
    {"event.converting.failure.handling.mode", one_of<kConverting, kNoMore>},
    {"inconsistent.schema.handling.mode", one_of<kFailures, kNoMore>},
    {"schema.name.adjustment.mode", one_of<kAdjustment, kNoMore>},
    {"field.name.adjustment.mode", one_of<kAdjustment, kNoMore>},
    {"guardrail.collections.limit.action", one_of<kGuardrail, kNoMore>},
    {"schema.history.internal.memory.optimization", one_of<kOptimization, kNoMore>},
    {"topic.delimiter", topic_delimiter},
    {"skipped.operations", skipped_operations},
    {"signal.enabled.channels", some_of<kSignals>},
    {"notification.enabled.channels", some_of<kNotifications>},
    {"message.key.columns", key_columns},
    {"database.include.list", regex_list},
    {"database.exclude.list", regex_list},
    {"table.include.list", regex_list},
    {"table.exclude.list", regex_list},
    {"column.include.list", regex_list},
    {"column.exclude.list", regex_list},
    {"column.propagate.source.type", regex_list},
    {"datatype.propagate.source.type", regex_list},
    {"snapshot.include.collection.list", regex_list},
    {"gtid.source.includes", regex_list},
    {"gtid.source.excludes", regex_list},
};

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::vector<std::string> value_faults(Dialect dialect, std::string_view key, std::string_view value) {
  std::vector<std::string> faults;
  const auto add = [&](std::string fault) {
    if (!fault.empty()) faults.push_back(std::move(fault));
  };
  if (key == "snapshot.locking.mode") {
    const Words words = dialect == Dialect::kMySql ? Words(kMySqlLocks) : Words(kLocks);
    const std::string word = lower(value);
    if (has(words, word) || word == "minimal_at_least_once") return faults;
    return {"Must be a valid snapshot.locking.mode value", "Value must be one of " + list_of(words)};
  }
  if (key.starts_with("column.mask.") || key.starts_with("column.truncate.to.")) add(regex_list(value));
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.key == key; });
  if (rule != std::end(kRules)) add(rule->fault(value));
  return faults;
}

}  // namespace millrace::mariadb
