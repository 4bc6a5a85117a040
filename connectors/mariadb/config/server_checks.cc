#include "connectors/mariadb/config/server_checks.h"

#include <algorithm>
#include <map>

#include "connectors/mariadb/config/server_check_parts.h"
#include "connectors/mariadb/config/value_rules.h"

namespace millrace::mariadb {
namespace {

constexpr int64_t kShortestExpirySeconds = 24 * 3600;
constexpr const char* kVariables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', "
    "'binlog_row_metadata', 'log_bin_compress', 'binlog_expire_logs_seconds', 'expire_logs_days', 'gtid_strict_mode', "
    "'server_id', 'binlog_annotate_row_events', 'binlog_rows_query_log_events', 'max_binlog_total_size')";

using Variables = std::map<std::string, std::string>;

void check_row_events(ServerCheck& check, const Variables& values) {
  const auto is = [&](const char* name, const char* wanted) {
    const auto at = values.find(name);
    return at == values.end() || lower(at->second) == wanted;
  };
  const auto shown = [&](const char* name) { return name + ("=" + values.at(name)); };
  if (!is("log_bin", "on")) {
    check.error("log_bin is off: the server writes no binlog, so there are no changes to read",
                "set log_bin, server_id and binlog_format=ROW in the server's option file and restart it");
  }
  if (!is("binlog_format", "row")) {
    check.error(
        "The database server is not configured to use a ROW binlog_format, which is required for this connector "
        "to work properly (" +
            shown("binlog_format") + ": statements appear in place of rows)",
        "SET GLOBAL binlog_format=ROW; then let clients connect anew, for sessions keep their format");
  }
  if (!is("binlog_row_image", "full")) {
    const std::string cure =
        "SET GLOBAL binlog_row_image=FULL; or millrace.partial.row.images=true to do without the "
        "columns that are missing";
    if (check.needs.partial_row_images) {
      check.warn(shown("binlog_row_image") + ": columns that the binlog lacks are unavailable in events",
                 "SET GLOBAL binlog_row_image=FULL");
    } else {
      check.error(
          "The database server is not configured to use a FULL binlog_row_image, which is required for this "
          "connector to work properly (" +
              shown("binlog_row_image") + ")",
          cure);
    }
  }
  if (!values.contains("binlog_row_metadata")) {
    check.warn(
        "the server has no binlog_row_metadata (MariaDB before 10.5): a table that changes while the connector is "
        "stopped may not be understood",
        "upgrade the server, or stop the connector only while no table changes");
  } else if (!is("binlog_row_metadata", "full")) {
    check.warn(shown("binlog_row_metadata") +
                   ": the binlog does not name columns; a table that changes while the "
                   "connector is stopped may not be understood",
               "SET GLOBAL binlog_row_metadata=FULL");
  }
  const char* const annotate = check.is_mariadb ? "binlog_annotate_row_events" : "binlog_rows_query_log_events";
  if (check.needs.include_query && !is(annotate, "on"))
    check.warn("include.query is set, but the server does not log statements",
               std::string("SET GLOBAL ") + annotate + "=ON");
}

void check_upkeep(ServerCheck& check, const Variables& values) {
  const auto text = [&](const char* name) { return values.contains(name) ? values.at(name) : std::string(); };
  if (lower(text("log_bin_compress")) == "on")
    check.info("log_bin_compress=ON: compressed events are read like others");
  int64_t expiry = std::atoll(text("binlog_expire_logs_seconds").c_str());
  if (!values.contains("binlog_expire_logs_seconds"))
    expiry = int64_t{86400} * std::atoll(text("expire_logs_days").c_str());
  if (expiry > 0 && expiry < kShortestExpirySeconds) {
    check.warn("the server keeps its binlog for " + std::to_string(expiry) +
                   " seconds: after a longer stop of the connector changes are lost",
               "SET GLOBAL binlog_expire_logs_seconds=604800, or more than the longest stop");
  }
  if (std::atoll(text("max_binlog_total_size").c_str()) > 0)
    check.warn("max_binlog_total_size=" + text("max_binlog_total_size") +
                   " removes binlog by size, whether it has been read or not",
               "SET GLOBAL max_binlog_total_size=0");
  if (lower(text("gtid_strict_mode")) == "off") {
    check.info(
        "gtid_strict_mode=OFF: GTIDs of a domain may come out of order, which read-only incremental snapshots and "
        "failover rely on",
        "SET GLOBAL gtid_strict_mode=ON");
  }
  if (check.needs.server_id != 0 && text("server_id") == std::to_string(check.needs.server_id)) {
    check.warn("database.server.id " + text("server_id") + " is the server's own server_id",
               "choose a database.server.id that no server has");
  }
}

}  // namespace

std::vector<SqlRow> ServerCheck::rows(std::string_view sql, std::string_view purpose) {
  auto answer = ask_(sql);
  if (answer.ok()) return std::move(*answer);
  info("cannot tell " + std::string(purpose) + ": " + answer.status().message());
  return {};
}

std::vector<SqlRow> ServerCheck::rows_if_allowed(std::string_view sql) {
  auto answer = ask_(sql);
  return answer.ok() ? std::move(*answer) : std::vector<SqlRow>();
}

void check_variables(ServerCheck& check) {
  Variables values;
  for (const SqlRow& row : check.rows(kVariables, "how the binlog is set up")) {
    if (row.size() >= 2) values[lower(row[0].value_or(""))] = row[1].value_or("");
  }
  if (values.empty()) return;
  check_row_events(check, values);
  check_upkeep(check, values);
}

void check_replicas(ServerCheck& check) {
  // Columns: server_id, host, port, …; only replicas that registered, and only for users who may see them.
  for (const SqlRow& row : check.rows_if_allowed("SHOW SLAVE HOSTS")) {
    if (row.size() < 2 || row[0].value_or("") != std::to_string(check.needs.server_id)) continue;
    check.warn("database.server.id " + *row[0] + " is in use by a replica" +
                   (row[1].value_or("").empty() ? "" : " on " + *row[1]) +
                   ": two readers with one number throw each other out (error 4052)",
               "choose another database.server.id");
  }
  if (!check.needs.named_time_zones) return;
  const auto zone = check.rows_if_allowed("SELECT CONVERT_TZ('2020-01-01 00:00:00', 'UTC', 'Europe/Berlin')");
  if (!zone.empty() && !zone[0].empty() && !zone[0][0])
    check.info("the server knows no time zones by name",
               "mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root mysql");
}

std::vector<ServerFinding> check_server(const Ask& ask, bool is_mariadb, const ServerNeeds& needs) {
  ServerCheck check(ask, is_mariadb, needs);
  check_variables(check);
  check_grants(check);
  check_replicas(check);
  check_tables(check);
  std::stable_sort(check.findings.begin(), check.findings.end(),
                   [](const ServerFinding& a, const ServerFinding& b) { return a.severity < b.severity; });
  return std::move(check.findings);
}

std::vector<ServerFinding> check_server(Connection& connection, const ServerNeeds& needs) {
  return check_server([&](std::string_view sql) { return connection.query(sql); }, connection.is_mariadb(), needs);
}

std::string to_text(const ServerFinding& finding) {
  constexpr const char* kNames[] = {"error", "warning", "info"};
  std::string text = std::string(kNames[static_cast<int>(finding.severity)]) + ": " + finding.what + ".";
  if (!finding.cure.empty()) text += " Do: " + finding.cure;
  return text;
}

Status first_error(const std::vector<ServerFinding>& findings) {
  for (const ServerFinding& finding : findings) {
    if (finding.severity == ServerFinding::Severity::kError)
      return {Code::kInvalidConfig, finding.what + (finding.cure.empty() ? "." : ". Do: " + finding.cure)};
  }
  return {};
}

Result<ServerNeeds> ServerNeeds::parse(const sdk::Config& config) {
  ServerNeeds needs;
  auto tables = TableFilter::parse(config);
  if (!tables.ok()) return tables.status();
  needs.tables = std::move(*tables);
  const auto word = [&](const char* key) { return lower(config.string(key)); };
  const std::string mode = word("snapshot.mode"), locking = word("snapshot.locking.mode");
  needs.server_id = static_cast<uint32_t>(config.int64("database.server.id"));
  needs.reads_rows = mode != "never" && mode != "no_data" && !mode.starts_with("schema_only") && mode != "recovery";
  // Not set means no lock, whatever the table's default says.
  needs.locks = needs.reads_rows && config.is_set("snapshot.locking.mode") && locking != "none";
  needs.partial_row_images = config.boolean("millrace.partial.row.images");
  needs.include_query = config.boolean("include.query");
  needs.bigint_as_long = word("bigint.unsigned.handling.mode") != "precise";
  const std::string decimal = word("decimal.handling.mode");
  needs.decimal_as_bytes = decimal.empty() || decimal == "precise";
  const std::string statements = word("database.initial.statements");
  needs.named_time_zones = statements.find("time_zone") != std::string::npos;
  return needs;
}

}  // namespace millrace::mariadb
