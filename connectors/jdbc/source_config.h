/// The source's settings: the option table and its parsed form.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/jdbc/common_config.h"

namespace re2 {
class RE2;
}

namespace millrace::jdbc {

enum class Mode { kBulk, kTimestamp, kIncrementing, kTimestampIncrementing };
inline bool uses_timestamp(Mode mode) { return mode == Mode::kTimestamp || mode == Mode::kTimestampIncrementing; }
inline bool uses_incrementing(Mode mode) { return mode == Mode::kIncrementing || mode == Mode::kTimestampIncrementing; }

std::span<const sdk::ConfigKey> source_config_keys();

/// Settings that mean something by the mode.
inline constexpr std::string_view kModeDependents[] = {"incrementing.column.name",  "timestamp.column.name",
                                                       "timestamp.columns.mapping", "incrementing.column.mapping",
                                                       "timestamp.initial",         "validate.non.null"};

/// "regex:column" or "regex:[a|b]" of the two mapping settings.
struct ColumnMapping {
  std::string expression;
  std::shared_ptr<const re2::RE2> compiled;
  std::vector<std::string> columns;
};
Result<ColumnMapping> parse_timestamp_mapping(std::string_view text);
Result<ColumnMapping> parse_incrementing_mapping(std::string_view text);

/// A task's settings. Errors of parse: kInvalidConfig, naming the setting.
struct SourceConfig {
  ConnectionSettings connection;
  Mode mode = Mode::kBulk;
  std::string query, query_suffix, topic_prefix, topic_format;
  bool query_masked = false;
  std::string incrementing_column;
  std::vector<std::string> timestamp_columns;
  std::vector<ColumnMapping> incrementing_mappings, timestamp_mappings;
  bool quote_identifiers = true, validate_non_null = true;
  int64_t poll_interval_ms = 5000, timestamp_delay_ms = 0;
  std::optional<int64_t> timestamp_initial;
  size_t batch_rows_max = 1000;
  size_t page_rows = 0;           ///< 0 = no pages
  bool key_from_primary = false;  ///< records have the primary key as their key
  int64_t retry_attempts = -1;
  std::string isolation;  ///< SQL text, empty = the server's default
  ReadOptions read;

  static Result<SourceConfig> parse(const sdk::Config& config);
};

/// query or query.masked, whichever is set.
std::string source_query(const sdk::Config& config);

/// Cross-key checks and the trial connection, in the order users know; adds messages to the context.
Status validate_source(sdk::ConnectorContext& context, const sdk::Config& config);

}  // namespace millrace::jdbc
