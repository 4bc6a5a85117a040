#include "connectors/jdbc/session.h"

#include "connectors/jdbc/mariadb_session.h"
#include "connectors/jdbc/postgres_session.h"
#include "connectors/jdbc/sqlite_session.h"

namespace millrace::jdbc {
namespace {

Result<std::unique_ptr<Session>> open_once(const ConnectionSettings& settings, bool for_writing) {
  if (settings.url.scheme == Scheme::kPostgreSql) return PgSession::open(settings, for_writing);
  if (settings.url.scheme == Scheme::kSqlite) return SqliteSession::open(settings, for_writing);
  return MariaDbSession::open(settings, for_writing);
}

}  // namespace

std::string ConnectionSettings::where() const {
  return url.host_port() + "/" + url.database + " as user '" + user + "'";
}

Result<Session::ColumnsByTable> Session::columns_of(std::span<const TableId> tables) {
  ColumnsByTable found;
  for (const TableId& table : tables) {
    auto columns_found = columns(table);
    if (!columns_found.ok()) return columns_found.status();
    if (!columns_found->empty()) found.emplace(table, std::move(*columns_found));
  }
  return found;
}

Result<std::unique_ptr<Session>> open_session(const ConnectionSettings& settings, bool for_writing,
                                              const std::function<bool(int64_t wait_ms)>& stop) {
  for (int attempt = 1;; ++attempt) {
    auto session = open_once(settings, for_writing);
    if (session.ok() || session.status().code() != Code::kUnavailable || attempt >= settings.attempts) return session;
    if (stop(settings.backoff_ms)) return Status(Code::kStopped, "stopped while connecting");
  }
}

}  // namespace millrace::jdbc
