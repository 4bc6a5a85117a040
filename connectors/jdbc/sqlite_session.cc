#include "connectors/jdbc/sqlite_session.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <thread>

#include "connectors/jdbc/sql_text.h"

namespace millrace::jdbc {
namespace {

constexpr int kStepsBetweenLooks = 10'000;  // of the library's virtual machine, between two looks at interrupted_
constexpr std::string_view kPragmas[] = {
    "journal_mode", "synchronous",        "foreign_keys",       "cache_size",   "mmap_size",
    "temp_store",   "wal_autocheckpoint", "journal_size_limit", "locking_mode", "recursive_triggers"};

int primary(int code) { return code & 0xff; }

/// What a user can do about an error, after the library's own words.
std::string_view advice(int code) {
  switch (primary(code)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds the lock for longer than busy_timeout; journal_mode=WAL lets readers and a writer "
             "work side by side";
    case SQLITE_FULL:
      return "make room on the disk";
    case SQLITE_READONLY:
      return "the worker's user needs write permission for the file and its folder";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "the worker's user needs permission for the file and its folder, where SQLite keeps its journal";
    case SQLITE_NOTADB:
      return "check the path in connection.url; an encrypted database cannot be read either";
    case SQLITE_CORRUPT:
      return "restore the file from a backup, or try the .recover command of sqlite3";
    default:
      return "";
  }
}

bool plain_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '_';
  });
}

Status unusable(const std::string& path, std::string_view why) {
  return {Code::kInvalidConfig, "SQLite database '" + path + "' " + std::string(why)};
}

}  // namespace

Code classify_sqlite(int code) {
  if (code == SQLITE_READONLY_DBMOVED) return Code::kUnavailable;  // opened anew it is found, or missed
  switch (primary(code)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
    case SQLITE_INTERRUPT:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return Code::kUnavailable;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_NOTADB:
      return Code::kInvalidConfig;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return Code::kBadRecord;
    default:
      return Code::kInternal;
  }
}

Result<std::unique_ptr<Session>> SqliteSession::open(const ConnectionSettings& settings, bool for_writing) {
  std::unique_ptr<SqliteSession> session(new SqliteSession(settings, for_writing));
  if (Status s = session->open_file(); !s.ok()) return s;
  if (Status s = session->set_up(); !s.ok()) return s;
  return std::unique_ptr<Session>(std::move(session));
}

SqliteSession::~SqliteSession() { sqlite3_close_v2(handle_); }

Status SqliteSession::open_file() {
  const std::string& path = settings_.url.database;
  std::string opened = path;
  struct stat file {};
  if (stat(path.c_str(), &file) == 0) {
    if (S_ISDIR(file.st_mode)) return unusable(path, "is a folder; connection.url must name a file");
    device_ = file.st_dev;
    inode_ = file.st_ino;
  } else if (errno != ENOENT || !for_writing_) {
    const bool missing = errno == ENOENT;
    return unusable(path, missing ? "does not exist; check the path in connection.url, which must be seen by the worker"
                                  : std::string("cannot be reached: ") + std::strerror(errno));
  } else if (settings_.trial) {
    const std::string folder = std::filesystem::path(path).parent_path();
    if (access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
      return unusable(path, std::string("cannot be created: ") + std::strerror(errno));
    opened = ":memory:";  // as empty as the file will be
  }
  const int flags = SQLITE_OPEN_READWRITE | (for_writing_ ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(opened.c_str(), &handle_, flags, nullptr) != SQLITE_OK) return failed();
  if (inode_ == 0 && stat(path.c_str(), &file) == 0) {
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
  return sdk::ok();
}

Status SqliteSession::set_up() {
  const JdbcUrl& url = settings_.url;
  const std::string timeout = url.parameter("busy_timeout", "3000");
  int64_t milliseconds = -1;
  std::from_chars(timeout.data(), timeout.data() + timeout.size(), milliseconds);
  if (milliseconds < 0) return {Code::kInvalidConfig, "connection.url: busy_timeout is a number of milliseconds"};
  busy_timeout_ = std::chrono::milliseconds(milliseconds);
  if (lower(url.parameter("date_precision")) == "seconds") times_.units_per_second = 1;
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_handler(handle_, on_busy, this);
  sqlite3_progress_handler(
      handle_, kStepsBetweenLooks,
      [](void* session) { return static_cast<SqliteSession*>(session)->interrupted_ ? 1 : 0; }, this);
  sqlite3_create_function_v2(handle_, "millrace_micros", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, this,
                             to_micros, nullptr, nullptr, nullptr);
  for (const std::string_view name : kPragmas) {
    const std::string value = url.parameter(name);
    if (value.empty()) continue;
    if (!plain_word(value)) return {Code::kInvalidConfig, "connection.url: '" + value + "' is no " + std::string(name)};
    if (Status s = run("PRAGMA " + std::string(name) + "=" + value); !s.ok()) return s;
  }
  // The first look at the file tells whether it is a database at all.
  if (Status s = run("PRAGMA schema_version"); !s.ok()) return s;
  return for_writing_ ? sdk::ok() : run("PRAGMA query_only=ON");
}

int SqliteSession::on_busy(void* session, int tries) {
  auto* const self = static_cast<SqliteSession*>(session);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) self->busy_since_ = now;
  const auto left = self->busy_since_ + self->busy_timeout_ - now;
  if (self->interrupted_ || left.count() <= 0) return 0;
  std::this_thread::sleep_for(
      std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1 << std::min(tries, 5))));
  return 1;
}

void SqliteSession::to_micros(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  const StoredValue value = stored_value(values[0]);
  Instant instant;
  if (value.type == SQLITE_NULL) return;
  if (instant_of(value, static_cast<SqliteSession*>(sqlite3_user_data(context))->times_, instant)) {
    sqlite3_result_int64(context, micros_of(instant));
    return;
  }
  const auto* shown = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  const std::string message = "the timestamp column of the statement has the value '" +
                              std::string(shown == nullptr ? "" : shown).substr(0, 80) +
                              "', which is no point in time (yyyy-MM-dd HH:mm:ss, epoch milliseconds)";
  sqlite3_result_error(context, message.c_str(), -1);
}

Status SqliteSession::failed() {
  const int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(handle_);
  error_ = {static_cast<unsigned>(code), "HY000", handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_)};
  if (code == SQLITE_READONLY_DBMOVED) broken_ = true;
  std::string message =
      error_.text + " (SQLite database " + settings_.url.database + ", code " + std::to_string(code) + ")";
  if (primary(code) == SQLITE_CANTOPEN && sqlite3_system_errno(handle_) != 0)
    message += std::string(": ") + std::strerror(sqlite3_system_errno(handle_));
  if (const std::string_view next = advice(code); !next.empty()) message += "; " + std::string(next);
  return {classify_sqlite(code), std::move(message)};
}

Status SqliteSession::begin() {
  if (!for_writing_ || sqlite3_get_autocommit(handle_) == 0) return sdk::ok();
  if (same_file()) return run("BEGIN IMMEDIATE");
  broken_ = true;  // nobody would ever see what is written into it
  return {Code::kUnavailable, "SQLite database '" + settings_.url.database + "' was moved, removed or replaced"};
}

/// Any number of statements.
Status SqliteSession::run(std::string_view sql) {
  const std::string text(sql);
  return sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK ? sdk::ok() : failed();
}

Status SqliteSession::execute(std::string_view sql) {
  if (sql == "COMMIT" || sql == "ROLLBACK") return sqlite3_get_autocommit(handle_) != 0 ? sdk::ok() : run(sql);
  if (Status s = begin(); !s.ok()) return s;
  return run(sql);
}

/// Belongs to the transaction under way, or is one of its own.
Status SqliteSession::change_table(const TableId&, std::string_view sql, const std::vector<ColumnInfo>&) {
  return run(sql);
}

Result<uint64_t> SqliteSession::change_rows(std::string_view sql) {
  if (Status s = execute(sql); !s.ok()) return s;
  return static_cast<uint64_t>(sqlite3_changes64(handle_));
}

Result<SqliteStatement> SqliteSession::prepare(std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &made, &rest) != SQLITE_OK) return failed();
  SqliteStatement statement(made);
  const std::string_view behind = sql.substr(static_cast<size_t>(rest - sql.data()));
  if (made == nullptr || behind.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return Status(Code::kInvalidConfig, "one statement is needed, without text behind its ';'");
  return statement;
}

Result<std::vector<Session::Row>> SqliteSession::query(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement.ok()) return statement.status();
  sqlite3_stmt* const row = statement->get();
  std::vector<Row> rows;
  int code = 0;
  while ((code = sqlite3_step(row)) == SQLITE_ROW) {
    Row& out = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(row); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, i));
      out.push_back(text == nullptr ? std::nullopt : std::optional<std::string>(text));
    }
  }
  if (code != SQLITE_DONE) return failed();
  return rows;
}

Result<std::unique_ptr<RowReader>> SqliteSession::read(std::string_view sql, std::span<const Parameter> parameters,
                                                       const ReadOptions& options) {
  times_.zones.clock = options.clock;
  return open_reader(*this, sql, parameters, options);
}

Status SqliteSession::check_query(std::string_view sql) { return prepare(sql).status(); }

Result<std::unique_ptr<BatchWriter>> SqliteSession::writer(const RowWrite& write, std::vector<Cell> cells,
                                                           const WriteOptions& options) {
  auto statement = prepare(write.sql);
  if (statement.ok()) return make_writer(*this, std::move(*statement), write, std::move(cells), options);
  const Status& why = statement.status();
  const bool conflict = write.kind == RowWrite::Kind::kUpsert && error_.text.starts_with("ON CONFLICT clause");
  return conflict ? Status(Code::kInvalidConfig, why.message() +
                                                     "; upsert needs a primary key or unique index on exactly "
                                                     "the columns of the record's key")
                  : why;
}

bool SqliteSession::lost_race() const {
  const int code = primary(static_cast<int>(error_.number));
  return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_SCHEMA;
}

Result<std::vector<TableId>> SqliteSession::tables(const TableScope&, const std::vector<std::string>& types) {
  std::string kinds = "0";
  for (const std::string& type : types) {
    const std::string name = lower(type);
    if (name == "table" || name == "view")
      kinds += " OR (type='" + name + "' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\')";
    if (name == "system table") kinds += " OR (type='table' AND name LIKE 'sqlite\\_%' ESCAPE '\\')";
  }
  auto rows = query("SELECT name FROM sqlite_master WHERE " + kinds + " ORDER BY name");
  if (!rows.ok()) return rows.status();
  std::vector<TableId> tables;
  for (const Row& row : *rows) tables.push_back({"", "", row[0].value_or("")});
  return tables;
}

Result<std::vector<ColumnInfo>> SqliteSession::columns(const TableId& table) {
  // Without NOT NULL only the alias of the rowid is never null: a key of one column that is an INTEGER by this very
  // name.
  auto rows = query(
      "SELECT name, \"notnull\" OR (pk=1 AND upper(type)='INTEGER' AND (SELECT max(pk)=1 FROM "
      "pragma_table_xinfo(" +
      enclosed(table.table, '\'') + "))), pk FROM pragma_table_xinfo(" + enclosed(table.table, '\'') +
      ") WHERE hidden<>1 ORDER BY cid");
  if (!rows.ok()) return rows.status();
  std::vector<ColumnInfo> columns;
  for (const Row& row : *rows) {
    ColumnInfo column{row[0].value_or(""), row[1] != "1", false, row[2] != "0"};
    int automatic = 0;
    if (column.primary_key &&
        sqlite3_table_column_metadata(handle_, "main", table.table.c_str(), column.name.c_str(), nullptr, nullptr,
                                      nullptr, nullptr, &automatic) == SQLITE_OK)
      column.auto_increment = automatic != 0;
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::map<std::string, std::string>> SqliteSession::declared_types(const TableId& table) {
  auto rows = query("SELECT name, upper(type) FROM pragma_table_xinfo(" + enclosed(table.table, '\'') + ")");
  if (!rows.ok()) return rows.status();
  std::map<std::string, std::string> types;
  for (const Row& row : *rows) types.emplace(row[0].value_or(""), row[1].value_or(""));
  return types;
}

Result<std::string> SqliteSession::table_type(const TableId& table) {
  auto rows = query("SELECT upper(type) FROM sqlite_master WHERE type IN ('table','view') AND name=" +
                    enclosed(table.table, '\'') + " COLLATE NOCASE");
  if (!rows.ok()) return rows.status();
  return rows->empty() ? std::string() : rows->at(0).at(0).value_or("");
}

Result<Instant> SqliteSession::now(const WallClock& clock) {
  times_.zones.clock = clock;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  return Instant{micros / 1'000'000, static_cast<int32_t>(micros % 1'000'000 * 1000)};
}

Result<ZoneNow> SqliteSession::zone_now() { return Status(Code::kInternal, "a SQLite session has no time zone"); }

bool SqliteSession::same_file() const {
  struct stat file {};
  return inode_ == 0 ||
         (stat(settings_.url.database.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_);
}

/// A file that was replaced would be read for ever as it was.
bool SqliteSession::alive() {
  broken_ = broken_ || !same_file();
  return !broken();
}

}  // namespace millrace::jdbc
