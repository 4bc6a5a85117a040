/// What a server lacks, or does, that a connector or its user must know before the first event; with the cure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/config/options.h"
#include "connectors/mariadb/sql/connection.h"

namespace millrace::mariadb {

struct ServerFinding {
  enum class Severity { kError, kWarning, kInfo } severity = Severity::kError;
  std::string what;
  std::string cure;  ///< an SQL statement or a setting; empty = none needed
};

/// What the checks must know of the configuration.
struct ServerNeeds {
  TableFilter tables;
  uint32_t server_id = 0;
  bool reads_rows = true;           ///< a snapshot with data
  bool locks = false;               ///< a snapshot that locks as Debezium does
  bool partial_row_images = false;  ///< millrace.partial.row.images
  bool include_query = false;
  bool bigint_as_long = true, decimal_as_bytes = true;
  bool named_time_zones = false;

  static Result<ServerNeeds> parse(const sdk::Config& config);
};

/// Runs one statement. A real Connection, or a table of answers in tests.
using Ask = std::function<Result<std::vector<SqlRow>>(std::string_view sql)>;

/// Errors first. A question that the server refuses becomes an information.
std::vector<ServerFinding> check_server(const Ask& ask, bool is_mariadb, const ServerNeeds& needs);
std::vector<ServerFinding> check_server(Connection& connection, const ServerNeeds& needs);

/// "error: what. Do: cure", on one line.
std::string to_text(const ServerFinding& finding);

/// For a task that starts: kInvalidConfig with the first error.
Status first_error(const std::vector<ServerFinding>& findings);

}  // namespace millrace::mariadb
