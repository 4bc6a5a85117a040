/// The parts of server_checks.h.
#pragma once

#include "connectors/mariadb/config/server_checks.h"

namespace millrace::mariadb {

/// Collects findings and asks the questions.
class ServerCheck {
 public:
  using Severity = ServerFinding::Severity;
  ServerCheck(const Ask& ask, bool mariadb, const ServerNeeds& server_needs)
      : is_mariadb(mariadb), needs(server_needs), ask_(ask) {}

  void error(std::string what, std::string cure) { add(Severity::kError, std::move(what), std::move(cure)); }
  void warn(std::string what, std::string cure) { add(Severity::kWarning, std::move(what), std::move(cure)); }
  void info(std::string what, std::string cure = {}) { add(Severity::kInfo, std::move(what), std::move(cure)); }
  /// No rows when the server refuses; `purpose` completes "cannot tell ".
  std::vector<SqlRow> rows(std::string_view sql, std::string_view purpose);
  /// As rows(), a refusal is nothing to tell.
  std::vector<SqlRow> rows_if_allowed(std::string_view sql);

  const bool is_mariadb;
  const ServerNeeds& needs;
  std::vector<ServerFinding> findings;

 private:
  void add(Severity severity, std::string what, std::string cure) {
    findings.push_back({severity, std::move(what), std::move(cure)});
  }
  const Ask& ask_;
};

void check_variables(ServerCheck& check);
void check_replicas(ServerCheck& check);
void check_grants(ServerCheck& check);
void check_tables(ServerCheck& check);

}  // namespace millrace::mariadb
