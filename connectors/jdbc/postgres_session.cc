#include "connectors/jdbc/postgres_session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <thread>

#include "connectors/jdbc/postgres_parameters.h"
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
  const std::string text = with_own_parameters(sql, 0).value();
  if (PQsendPrepare(connection_.get(), "", text.c_str(), 0, nullptr) != 1) return failed(nullptr);
  auto result = finish();
  return result.ok() ? sdk::ok() : result.status();
}

Result<std::unique_ptr<RowReader>> PgSession::read(std::string_view sql, std::span<const Parameter> parameters,
                                                   const ReadOptions& options) {
  auto text = with_own_parameters(sql, parameters.size());
  if (!text.ok()) return text.status();
  return open_reader(*this, *text, parameters, options);
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

std::string PgSession::literal(std::string_view text) const {
  std::string out(text.size() * 2 + 1, '\0');
  out.resize(PQescapeStringConn(connection_.get(), out.data(), text.data(), text.size(), nullptr));
  // Backslashes mean themselves: standard_conforming_strings is on, which PQescapeStringConn knows from the server.
  return "'" + out + "'";
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
