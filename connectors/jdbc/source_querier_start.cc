/// What a querier does before its first query: finding the columns of its mode and the stored offset.
#include <re2/re2.h>

#include <algorithm>

#include "connectors/jdbc/source_naming.h"
#include "connectors/jdbc/source_querier.h"
#include "connectors/jdbc/sql_text.h"

namespace millrace::jdbc {
namespace {

bool number_of(const mr_value* value, int64_t& number) {
  if (value == nullptr || value->kind < MR_INT8 || value->kind > MR_INT64) return false;
  number = value->u.i64;
  return true;
}

Instant instant_of_millis(int64_t millis) {
  const int64_t seconds = millis / 1000 - (millis % 1000 < 0 ? 1 : 0);
  return {seconds, static_cast<int32_t>((millis - seconds * 1000) * 1'000'000)};
}

}  // namespace

Status Querier::prepare(Session& session, const sdk::SourceContext& context, const std::vector<ColumnInfo>& columns) {
  if (config_.key_from_primary) {
    for (const ColumnInfo& column : columns) {
      if (column.primary_key) key_columns_.push_back(column.name);
    }
    if (key_columns_.empty())
      context.warn(name_ + " has no primary key; its records have no key (millrace.key=primary_key)");
  }
  if (config_.mode != Mode::kBulk) {
    if (!table_.table.empty()) {
      if (Status s = choose_mapped_columns(); !s.ok()) return s;
      if (Status s = find_columns(columns); !s.ok()) return s;
    }
    if (Status s = load_offset(session, context); !s.ok()) return s;
  }
  statement_.emplace(config_, dialect_, table_, incrementing_column_, timestamp_columns_);
  return sdk::ok();
}

Status Querier::choose_mapped_columns() {
  const auto choose = [&](const std::vector<ColumnMapping>& mappings, std::string_view what,
                          std::vector<std::string>& columns) -> Status {
    const ColumnMapping* found = nullptr;
    for (const ColumnMapping& mapping : mappings) {
      if (!RE2::FullMatch(name_, *mapping.compiled)) continue;
      if (found != nullptr) {
        return {Code::kInvalidConfig, "Error while validating " + std::string(what) +
                                          " column mappings: Included table '" + quoted_name_ +
                                          "' matches more than one of the provided regexes"};
      }
      found = &mapping;
    }
    if (found == nullptr) {
      return {Code::kInvalidConfig, "Error while validating " + std::string(what) +
                                        " column mappings: Included table '" + quoted_name_ +
                                        "' does not match any of the provided regexes"};
    }
    columns = found->columns;
    return sdk::ok();
  };
  if (!config_.timestamp_mappings.empty() && uses_timestamp(config_.mode)) {
    if (Status s = choose(config_.timestamp_mappings, "timestamp", timestamp_columns_); !s.ok()) return s;
  }
  if (!config_.incrementing_mappings.empty() && uses_incrementing(config_.mode)) {
    std::vector<std::string> columns;
    if (Status s = choose(config_.incrementing_mappings, "incrementing", columns); !s.ok()) return s;
    incrementing_column_ = columns.front();
  }
  return sdk::ok();
}

Status Querier::find_columns(const std::vector<ColumnInfo>& columns) {
  const auto find = [&](const std::string& name) {
    return std::find_if(columns.begin(), columns.end(),
                        [&](const ColumnInfo& info) { return lower(info.name) == lower(name); });
  };
  if (uses_incrementing(config_.mode)) {
    if (incrementing_column_.empty()) {
      const auto automatic =
          std::find_if(columns.begin(), columns.end(), [](const ColumnInfo& info) { return info.auto_increment; });
      if (automatic == columns.end()) {
        return {Code::kInvalidConfig,
                "Table " + quoted_name_ + " has no auto-increment column; name a column in incrementing.column.name"};
      }
      incrementing_column_ = automatic->name;
    }
    const auto found = find(incrementing_column_);
    if (found == columns.end()) {
      return {Code::kInvalidConfig,
              "Incrementing column: " + incrementing_column_ + " does not exist in table '" + quoted_name_ + "'"};
    }
    if (found->nullable && config_.validate_non_null) {
      return {Code::kInvalidConfig, "Cannot make incremental queries using incrementing column " +
                                        incrementing_column_ + " on " + quoted_name_ +
                                        " because this column is nullable."};
    }
  }
  if (!uses_timestamp(config_.mode)) return sdk::ok();
  if (timestamp_columns_.empty()) {
    return {Code::kInvalidConfig, "Mode timestamp needs timestamp.column.name: the column of table " + quoted_name_ +
                                      " that changes with every update"};
  }
  std::vector<std::string> missing;
  bool one_not_null = false;
  for (const std::string& name : timestamp_columns_) {
    const auto found = find(name);
    if (found == columns.end()) {
      missing.push_back(name);
    } else {
      one_not_null = one_not_null || !found->nullable;
    }
  }
  if (!missing.empty()) {
    return {Code::kInvalidConfig,
            "Timestamp columns: " + joined(missing, ", ") + " do not exist in table '" + quoted_name_ + "'"};
  }
  if (!one_not_null && config_.validate_non_null) {
    return {Code::kInvalidConfig, "Cannot make incremental queries using timestamp columns " +
                                      joined(timestamp_columns_, ",") + " on " + quoted_name_ +
                                      " because all of these columns are nullable."};
  }
  return sdk::ok();
}

Status Querier::load_offset(Session& session, const sdk::SourceContext& context) {
  mr_value stored{};
  if (Status s = context.stored_offset(sdk::map_value(partition_entries_), stored); !s.ok()) return s;
  if (stored.kind != MR_MAP && table_.catalog.empty() && !table_.table.empty()) {
    // With some drivers PostgreSQL's tables had their database before them.
    const std::string full = config_.connection.url.database + "." + name_;
    const mr_value former[] = {sdk::string_value("protocol"), sdk::string_value("1"), sdk::string_value("table"),
                               sdk::string_value(full)};
    if (Status s = context.stored_offset(sdk::map_value(former), stored); !s.ok()) return s;
  }
  // Before protocol 1 there was the bare name, which one table of several schemas may not claim.
  if (stored.kind != MR_MAP && !table_.table.empty() && config_.topic_format == kTopicFormat) {
    const mr_value old[] = {sdk::string_value("table"), sdk::string_value(table_.table)};
    if (Status s = context.stored_offset(sdk::map_value(old), stored); !s.ok()) return s;
  }
  number_of(sdk::find(stored, "incrementing"), sent_.incrementing);
  int64_t millis = 0, nanos = 0;
  if (number_of(sdk::find(stored, "timestamp"), millis)) {
    sent_.has_timestamp = true;
    sent_.timestamp = instant_of_millis(millis);
    if (number_of(sdk::find(stored, "timestamp_nanos"), nanos)) sent_.timestamp.nanos = static_cast<int32_t>(nanos);
  } else if (config_.timestamp_initial.has_value() && uses_timestamp(config_.mode)) {
    if (*config_.timestamp_initial == -1) {
      auto now = session.now(config_.read.clock);
      if (!now.ok()) return now.status();
      sent_.timestamp = *now;
    } else {
      sent_.timestamp = instant_of_millis(*config_.timestamp_initial);
    }
  }
  newest_ = sent_;
  return sdk::ok();
}

}  // namespace millrace::jdbc
