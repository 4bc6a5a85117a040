#include "connectors/jdbc/source_statement.h"

namespace millrace::jdbc {
namespace {

/// T of the statements: the first of the timestamp columns that is not null.
std::string timestamp_expression(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ",") + column;
  return columns.size() > 1 ? "COALESCE(" + list + ")" : list;
}

std::vector<std::string> condition(Mode mode, const std::string& id, const std::string& time) {
  switch (mode) {
    case Mode::kBulk:
      break;
    case Mode::kIncrementing:
      return {" WHERE " + id + " > ", ""};
    case Mode::kTimestamp:
      return {" WHERE " + time + " > ", " AND " + time + " < ", ""};
    case Mode::kTimestampIncrementing:
      return {" WHERE " + time + " < ", " AND ((" + time + " = ", " AND " + id + " > ", ") OR " + time + " > ", ")"};
  }
  return {""};
}

std::string order(Mode mode, const std::string& id, const std::string& time) {
  switch (mode) {
    case Mode::kBulk:
      break;
    case Mode::kIncrementing:
      return " ORDER BY " + id + " ASC";
    case Mode::kTimestamp:
      return " ORDER BY " + time + " ASC";
    case Mode::kTimestampIncrementing:
      return " ORDER BY " + time + "," + id + " ASC";
  }
  return "";
}

}  // namespace

SourceStatement::SourceStatement(const SourceConfig& config, const Dialect& dialect, const TableId& table,
                                 const std::string& incrementing, const std::vector<std::string>& timestamps)
    : mode_(config.mode) {
  const bool query = table.table.empty();
  const auto column = [&](const std::string& name) {
    return query ? dialect.quote(name) : dialect.qualified(table) + "." + dialect.quote(name);
  };
  std::vector<std::string> columns;
  for (const std::string& name : timestamps) columns.push_back(dialect.point_in_time(column(name)));
  const std::string id = column(incrementing), time = timestamp_expression(columns);
  pieces_ = condition(mode_, id, time);
  std::string end;
  for (size_t i = 0; i < pieces_.size(); ++i) end += (i == 0 ? "" : "?") + pieces_[i];
  end += order(mode_, id, time);
  if (config.page_rows != 0) end += " LIMIT " + std::to_string(config.page_rows);
  if (!config.query_suffix.empty()) end += " " + config.query_suffix;
  source_ = query ? std::string() : dialect.qualified(table);
  text_ = (query ? config.query : "SELECT * FROM " + source_) + end;
  told_ = query && config.query_masked ? "<redacted>" : text_;
  can_probe_ = !query && mode_ != Mode::kBulk && config.query_suffix.empty() && dialect.probes_many();
}

std::vector<Parameter> SourceStatement::parameters(const SourceOffset& from, const Instant& end) const {
  switch (mode_) {
    case Mode::kBulk:
      break;
    case Mode::kIncrementing:
      return {from.incrementing};
    case Mode::kTimestamp:
      return {from.timestamp, end};
    case Mode::kTimestampIncrementing:
      return {end, from.timestamp, from.incrementing, from.timestamp};
  }
  return {};
}

std::string SourceStatement::probe(size_t number, const SourceOffset& from, const Instant& end, const Dialect& dialect,
                                   const WallClock& clock) const {
  std::string sql = "(SELECT " + std::to_string(number) + " FROM " + source_ + pieces_.front();
  const std::vector<Parameter> values = parameters(from, end);
  for (size_t i = 0; i < values.size(); ++i) sql += dialect.parameter(values[i], clock) + pieces_[i + 1];
  return sql + " LIMIT 1)";
}

Result<Instant> end_of_read(Session& session, const SourceConfig& config) {
  auto end = session.now(config.read.clock);
  if (!end.ok()) return end;
  const int64_t delay = config.timestamp_delay_ms;
  end->seconds -= delay / 1000;
  int64_t nanos = end->nanos - delay % 1000 * 1'000'000;
  if (nanos < 0) {
    nanos += 1'000'000'000;
    --end->seconds;
  } else if (nanos >= 1'000'000'000) {
    nanos -= 1'000'000'000;
    ++end->seconds;
  }
  end->nanos = static_cast<int32_t>(nanos);
  return end;
}

}  // namespace millrace::jdbc
