#include "connectors/jdbc/postgres_session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <thread>

#include "connectors/jdbc/postgres_writer.h"

namespace millrace::jdbc {
namespace {

/// What a user can do about an error, after the server's own words.
std::string advice(std::string_view sqlstate) {
  if (sqlstate == "42501") return "grant the user the missing privilege";
  if (sqlstate == "42P01") return "create the table or correct its name";
  if (sqlstate == "57014") return "raise statement_timeout if the query needs that long";
  return "";
}

/// JDBC's table types by relkind; whether the table is the server's own is asked of its schema.
struct TableKind {
  std::string_view type;
  char kind;
  bool system;
};
constexpr TableKind kTableKinds[] = {
    {"TABLE", 'r', false},         {"PARTITIONED TABLE", 'p', false}, {"VIEW", 'v', false},
    {"FOREIGN TABLE", 'f', false}, {"MATERIALIZED VIEW", 'm', false}, {"SYSTEM TABLE", 'r', true},
    {"SYSTEM VIEW", 'v', true}};

constexpr std::string_view kSystemSchema = "(n.nspname ~ '^pg_' OR n.nspname = 'information_schema')";

constexpr std::string_view kSelectColumns =
    "SELECT n.nspname, c.relname, a.attname, a.attnotnull OR (t.typtype='d' AND t.typnotnull), a.attidentity<>'' OR "
    "coalesce(pg_catalog.pg_get_expr(d.adbin,d.adrelid) LIKE '%nextval(%',false), "
    "coalesce(a.attnum=ANY(i.indkey),false) "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid=c.oid AND a.attnum>0 AND NOT a.attisdropped "
    "JOIN pg_catalog.pg_type t ON t.oid=a.atttypid "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid=a.attrelid AND d.adnum=a.attnum "
    "LEFT JOIN pg_catalog.pg_index i ON i.indrelid=c.oid AND i.indisprimary WHERE c.relkind IN "
    "('r','p','v','m','f') AND ";

ColumnInfo column_info(const Session::Row& row) {
  return {row[2].value_or(""), row[3] != "t", row[4] == "t", row[5] == "t"};
}

/// Past a quoted text, name, dollar quote or comment that begins at `at`; `at` itself when none does.
size_t past_quoted(std::string_view sql, size_t at) {
  const auto until = [&](std::string_view end, size_t from) {
    const size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--")) return until("\n", at);
  if (rest.starts_with("/*")) return until("*/", at);
  if (rest.front() == '"') return until("\"", at + 1);
  if (rest.front() == '\'') {
    const bool escapes = at > 0 && (sql[at - 1] | 32) == 'e' &&
                         (at == 1 || !(std::isalnum(static_cast<unsigned char>(sql[at - 2])) || sql[at - 2] == '_'));
    for (size_t i = at + 1; i < sql.size(); ++i) {
      if (escapes && sql[i] == '\\') {
        ++i;
      } else if (sql[i] == '\'') {
        return i + 1;
      }
    }
    return sql.size();
  }
  if (rest.front() == '$') {
    size_t end = 1;
    while (end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '_')) ++end;
    const bool number = end > 1 && rest[1] >= '0' && rest[1] <= '9';
    if (!number && end < rest.size() && rest[end] == '$') return until(rest.substr(0, end + 1), at + end + 1);
  }
  return at;
}

/// Tells the server to end the query, in a connection of its own, which the library opens without a time limit: a
/// server that does not answer is left to a thread that outlives the session.
void cancel_query(std::shared_ptr<PGcancel> query) {
  constexpr std::chrono::seconds kPatience{1};
  std::packaged_task<void()> cancel([query = std::move(query)] {
    char ignored[256];
    PQcancel(query.get(), ignored, sizeof(ignored));
  });
  const std::future<void> done = cancel.get_future();
  try {
    std::thread(std::move(cancel)).detach();
  } catch (const std::system_error&) {
    return;  // no thread to be had; the query ends when the server finds nobody to answer to
  }
  done.wait_for(kPatience);
}

}  // namespace

Code classify_sqlstate(std::string_view sqlstate) {
  const std::string_view group = sqlstate.substr(0, 2);
  // 55P03: a lock that was not free; 25006: read-only, as during a switch-over.
  if (group == "08" || group == "40" || group == "53" || group == "57" || group == "58" || sqlstate == "55P03" ||
      sqlstate == "25006")
    return Code::kUnavailable;
  if (group == "28" || group == "3D") return Code::kInvalidConfig;
  if (group == "22" || group == "23") return Code::kBadRecord;
  return Code::kInternal;
}

std::string numbered_parameters(std::string_view sql, size_t& count) {
  std::string out;
  count = 0;
  for (size_t at = 0; at < sql.size();) {
    if (const size_t end = past_quoted(sql, at); end != at) {
      out += sql.substr(at, end - at);
      at = end;
    } else if (sql.substr(at).starts_with("??")) {
      out += '?';
      at += 2;
    } else if (sql[at] == '?') {
      out += "$" + std::to_string(++count);
      ++at;
    } else {
      out += sql[at++];
    }
  }
  return out;
}

Result<std::unique_ptr<Session>> PgSession::open(const ConnectionSettings& settings, bool for_writing) {
  DatabaseError error;
  auto connection = connect_postgres(settings, error);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<PgSession> session(new PgSession(settings, std::move(*connection), for_writing));
  if (Status s = session->set_up(); !s.ok()) return s;
  return std::unique_ptr<Session>(std::move(session));
}

PgSession::PgSession(ConnectionSettings settings, PgConnection connection, bool for_writing)
    : settings_(std::move(settings)),
      connection_(std::move(connection)),
      for_writing_(for_writing),
      socket_(fcntl(PQsocket(connection_.get()), F_DUPFD_CLOEXEC, 0)),
      cancel_(PQgetCancel(connection_.get()), &PQfreeCancel) {
  // Only so can a server that takes nothing more be given up after socketTimeout.
  PQsetnonblocking(connection_.get(), 1);
  // Notices ("identifier will be truncated …") would go to the worker's stderr.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const std::string timeout = settings_.url.parameter("sockettimeout");
  int64_t seconds = 0;
  std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds);
  if (seconds > 0) read_timeout_ms_ = seconds * 1000;
}

PgSession::~PgSession() {
  connection_.reset();
  std::lock_guard lock(closing_);
  if (socket_ >= 0) close(socket_);
}

Status PgSession::set_up() {
  const JdbcUrl& url = settings_.url;
  std::string sql = "SELECT set_config('DateStyle','ISO',false)";
  const auto set = [&](std::string_view name, const std::string& value) {
    sql += ",set_config('" + std::string(name) + "'," + literal(value) + ",false)";
  };
  set("standard_conforming_strings", "on");
  set("IntervalStyle", "postgres");
  // A reader held back by a full queue keeps its transaction open, and nobody may cut it off.
  set("idle_in_transaction_session_timeout", "0");
  // A cursor is planned as if only its first rows were wanted; here all are.
  set("cursor_tuple_fraction", "1");
  if (const std::string schema = url.parameter("currentschema"); !schema.empty()) set("search_path", schema);
  if (url.flag("readonly", false) && !for_writing_) set("default_transaction_read_only", "on");
  auto result = run(sql);
  return result.ok() ? sdk::ok() : result.status();
}

Status PgSession::failed(const PGresult* result) {
  const char* state = result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  error_ = {};
  if (state != nullptr) {
    const auto field = [&](int code) { return PQresultErrorField(result, code); };
    error_.sqlstate = state;
    error_.text = std::string(field(PG_DIAG_SEVERITY)) + ": " + field(PG_DIAG_MESSAGE_PRIMARY);
    if (const char* detail = field(PG_DIAG_MESSAGE_DETAIL)) error_.text += "; " + std::string(detail);
    if (const char* hint = field(PG_DIAG_MESSAGE_HINT)) error_.text += "; " + std::string(hint);
    const char* position = field(PG_DIAG_STATEMENT_POSITION);
    if (const size_t at = position != nullptr ? static_cast<size_t>(std::atoll(position)) : 0; at > prefix_)
      error_.text += "; position " + std::to_string(at - prefix_);
  } else {
    error_.sqlstate = "08006";
    error_.text = PQerrorMessage(connection_.get());
    while (error_.text.ends_with('\n')) error_.text.pop_back();
    if (error_.text.empty()) error_.text = "the connection was closed";
  }
  // 57P01 to 57P03: the server goes down and takes the session with it.
  broken_ = broken_ || error_.sqlstate.starts_with("08") || error_.sqlstate.starts_with("57P0") ||
            PQstatus(connection_.get()) != CONNECTION_OK;
  std::string message = error_.text + " (server " + settings_.where() + ", SQLSTATE " + error_.sqlstate + ")";
  if (const std::string next = advice(error_.sqlstate); !next.empty()) message += "; " + next;
  return {classify_sqlstate(error_.sqlstate), std::move(message)};
}

Status PgSession::wait_for(short events) {
  pollfd socket{PQsocket(connection_.get()), events, 0};
  const int ready = poll(&socket, 1, static_cast<int>(read_timeout_ms_));
  if (ready == 0) {
    broken_ = true;
    error_ = {0, "08006", "no answer within socketTimeout=" + std::to_string(read_timeout_ms_ / 1000) + " seconds"};
    return {Code::kUnavailable, error_.text + " (server " + settings_.where() + ")"};
  }
  return PQconsumeInput(connection_.get()) == 1 ? sdk::ok() : failed(nullptr);
}

Status PgSession::flush() {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left <= 0) return left == 0 ? sdk::ok() : failed(nullptr);
    if (Status s = wait_for(POLLIN | POLLOUT); !s.ok()) return s;
  }
}

Result<PgResult> PgSession::finish(bool copy_in) {
  if (Status s = flush(); !s.ok()) return s;
  PgResult kept;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      if (Status s = wait_for(POLLIN); !s.ok()) return s;
    }
    PgResult next(PQgetResult(connection_.get()));
    if (next == nullptr) break;
    const ExecStatusType status = PQresultStatus(next.get());
    if (status == PGRES_COPY_IN && copy_in) return next;
    const bool bad = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      broken_ = true;
      return Status(Code::kInvalidConfig, "COPY is no statement for a connector; use SELECT");
    }
    if (bad) {
      const Status why = failed(next.get());
      // The rest must be read, or the connection takes no further statement.
      while (!broken_ && PgResult(PQgetResult(connection_.get())) != nullptr) {
      }
      return why;
    }
    kept = std::move(next);
  }
  if (kept == nullptr) return failed(nullptr);
  return kept;
}

Result<PgResult> PgSession::run(const std::string& sql, std::span<const char* const> parameters, size_t prefix) {
  prefix_ = prefix;
  const int sent = parameters.empty()
                       ? PQsendQuery(connection_.get(), sql.c_str())
                       : PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(parameters.size()), nullptr,
                                           parameters.data(), nullptr, nullptr, 0);
  if (sent != 1) return failed(nullptr);
  return finish();
}

Status PgSession::begin() {
  if (!for_writing_ || PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) return sdk::ok();
  auto result = run("BEGIN");
  return result.ok() ? sdk::ok() : result.status();
}

Status PgSession::execute(std::string_view sql) {
  const bool ends = sql == "COMMIT" || sql.starts_with("ROLLBACK");
  if (!ends) {
    if (Status s = begin(); !s.ok()) return s;
  }
  auto result = run(std::string(sql));
  if (sql == "COMMIT" || sql == "ROLLBACK") has_savepoint_ = false;
  if (sql.starts_with("SAVEPOINT ")) has_savepoint_ = true;
  return result.ok() ? sdk::ok() : result.status();
}

Result<uint64_t> PgSession::change_rows(std::string_view sql) {
  if (Status s = begin(); !s.ok()) return s;
  auto result = run(std::string(sql));
  if (!result.ok()) return result.status();
  return static_cast<uint64_t>(std::atoll(PQcmdTuples(result->get())));
}

Result<std::vector<Session::Row>> PgSession::query(std::string_view sql) {
  if (Status s = begin(); !s.ok()) return s;
  auto result = run(std::string(sql));
  if (!result.ok()) return result.status();
  const int rows = PQntuples(result->get()), width = PQnfields(result->get());
  std::vector<Row> out(static_cast<size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < width; ++i) {
      if (PQgetisnull(result->get(), row, i) != 0) {
        out[static_cast<size_t>(row)].emplace_back();
      } else {
        out[static_cast<size_t>(row)].emplace_back(std::in_place, PQgetvalue(result->get(), row, i),
                                                   static_cast<size_t>(PQgetlength(result->get(), row, i)));
      }
    }
  }
  return out;
}

Status PgSession::check_query(std::string_view sql) {
  if (Status s = begin(); !s.ok()) return s;
  size_t count = 0;
  const std::string numbered = numbered_parameters(sql, count);
  if (PQsendPrepare(connection_.get(), "", numbered.c_str(), 0, nullptr) != 1) return failed(nullptr);
  auto result = finish();
  return result.ok() ? sdk::ok() : result.status();
}

Result<std::unique_ptr<RowReader>> PgSession::read(std::string_view sql, std::span<const Parameter> parameters,
                                                   const ReadOptions& options) {
  size_t count = 0;
  // A query without conditions of ours may use the operators ? and ?| as they are.
  const std::string numbered = parameters.empty() ? std::string(sql) : numbered_parameters(sql, count);
  if (count != parameters.size()) {
    return Status(Code::kInvalidConfig, "the query has " + std::to_string(count) +
                                            " '?' placeholders; write values into it, only the connector's own "
                                            "conditions take parameters, and write the operator ? as ??");
  }
  return open_reader(*this, numbered, parameters, options);
}

Result<std::unique_ptr<BatchWriter>> PgSession::writer(const RowWrite& write, std::vector<Cell> cells,
                                                       const WriteOptions& options) {
  return open_writer(*this, write, std::move(cells), options);
}

/// A table made for rows that fail later stays, as with databases that commit DDL by themselves; but never are rows
/// committed with it that were written before.
Status PgSession::change_table(const TableId& /*table*/, std::string_view sql, const std::vector<ColumnInfo>&) {
  auto written = query("SELECT pg_catalog.txid_current_if_assigned()");
  if (!written.ok()) return written.status();
  const bool alone = !has_savepoint_ && !written->at(0).at(0).has_value();
  if (Status s = execute("SAVEPOINT change_table"); !s.ok()) return s;
  const Status changed = execute(sql);
  if (changed.ok() && alone) return execute("COMMIT");
  if (changed.ok() || broken_) return changed;
  const DatabaseError cause = error_;
  if (Status s = roll_back_to("change_table"); !s.ok()) return s;
  error_ = cause;
  return changed;
}

bool PgSession::lost_race() const { return error_.sqlstate.starts_with("40") || error_.sqlstate == "55P03"; }

Status PgSession::complete(TableId& table) {
  if (!table.schema.empty() && !table.catalog.empty()) return sdk::ok();
  auto rows = query("SELECT pg_catalog.current_database(), coalesce(pg_catalog.current_schema(),'public')");
  if (!rows.ok()) return rows.status();
  if (table.catalog.empty()) table.catalog = rows->at(0).at(0).value_or("");
  if (table.schema.empty()) table.schema = rows->at(0).at(1).value_or("");
  return sdk::ok();
}

std::string PgSession::literal(std::string_view text) const {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(PQescapeStringConn(connection_.get(), out.data(), text.data(), text.size(), nullptr));
  // Backslashes mean themselves: standard_conforming_strings is on, which PQescapeStringConn knows from the server.
  return "'" + out + "'";
}

std::string PgSession::relation(const TableId& table) const {
  const std::string name = "c.relname=" + literal(table.table);
  return name + " AND " +
         (table.schema.empty() ? std::string("pg_catalog.pg_table_is_visible(c.oid)")
                               : "n.nspname=" + literal(table.schema));
}

Result<std::vector<TableId>> PgSession::tables(const TableScope& scope, const std::vector<std::string>& types) {
  std::string kinds = "false";
  for (const std::string& type : types) {
    for (const TableKind& kind : kTableKinds) {
      if (lower(type) != lower(kind.type)) continue;
      kinds += " OR (c.relkind='" + std::string(1, kind.kind) + "' AND " + (kind.system ? "" : "NOT ") +
               std::string(kSystemSchema) + ")";
    }
  }
  std::string sql =
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace "
      "WHERE (" +
      kinds + ")";
  if (scope.schema.has_value() && !scope.schema->empty()) sql += " AND n.nspname LIKE " + literal(*scope.schema);
  if (scope.catalog.has_value() && !scope.catalog->empty())
    sql += " AND pg_catalog.current_database()=" + literal(*scope.catalog);
  auto rows = query(sql + " ORDER BY 1, 2");
  if (!rows.ok()) return rows.status();
  std::vector<TableId> tables;
  for (const Row& row : *rows) tables.push_back({"", row[0].value_or(""), row[1].value_or("")});
  return tables;
}

Result<std::vector<ColumnInfo>> PgSession::columns(const TableId& table) {
  auto rows = query(std::string(kSelectColumns) + relation(table) + " ORDER BY a.attnum");
  if (!rows.ok()) return rows.status();
  std::vector<ColumnInfo> columns;
  for (const Row& row : *rows) columns.push_back(column_info(row));
  return columns;
}

Result<Session::ColumnsByTable> PgSession::columns_of(std::span<const TableId> tables) {
  // Names without a schema depend on the search path, one by one.
  const bool full =
      std::none_of(tables.begin(), tables.end(), [](const TableId& table) { return table.schema.empty(); });
  if (!full || tables.size() < 2) return Session::columns_of(tables);
  std::string names;
  for (const TableId& table : tables)
    names += (names.empty() ? "(" : ",(") + literal(table.schema) + "," + literal(table.table) + ")";
  auto rows = query(std::string(kSelectColumns) + "(n.nspname,c.relname) IN (" + names + ") ORDER BY c.oid, a.attnum");
  if (!rows.ok()) return rows.status();
  ColumnsByTable found;
  for (const Row& row : *rows) found[{"", row[0].value_or(""), row[1].value_or("")}].push_back(column_info(row));
  return found;
}

Result<std::string> PgSession::table_type(const TableId& table) {
  auto rows = query(
      "SELECT c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE "
      "c.relkind IN ('r','p','v','m','f') AND " +
      relation(table));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::string();
  const std::string kind = rows->at(0).at(0).value_or("");
  for (const TableKind& known : kTableKinds) {
    if (!known.system && kind == std::string(1, known.kind)) return std::string(known.type);
  }
  return kind;
}

Result<Instant> PgSession::now(const WallClock& /*clock*/) {
  auto rows = query("SELECT (extract(epoch FROM CURRENT_TIMESTAMP)*1000000)::bigint");
  if (!rows.ok()) return rows.status();
  const int64_t micros = std::atoll(rows->at(0).at(0).value_or("0").c_str());
  return Instant{micros / 1'000'000, static_cast<int32_t>(micros % 1'000'000 * 1000)};
}

Result<ZoneNow> PgSession::zone_now() {
  auto rows = query("SELECT floor(extract(epoch FROM now()))::bigint, extract(timezone FROM now())::bigint");
  if (!rows.ok()) return rows.status();
  return ZoneNow{std::atoll(rows->at(0).at(0).value_or("0").c_str()),
                 std::atoll(rows->at(0).at(1).value_or("0").c_str())};
}

Status PgSession::set_isolation(std::string_view level) {
  return execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL " + std::string(level));
}

bool PgSession::alive() {
  if (!broken_) (void)run("");
  broken_ = broken_ || PQstatus(connection_.get()) != CONNECTION_OK;
  return !broken_;
}

void PgSession::interrupt() {
  {
    std::lock_guard lock(closing_);
    if (socket_ < 0) return;
    shutdown(socket_, SHUT_RDWR);
  }
  // The server notices a closed socket only when it next writes; a long query should end now.
  if (cancel_ != nullptr) cancel_query(cancel_);
}

}  // namespace millrace::jdbc
