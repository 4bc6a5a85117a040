/// What the source and the sink need from a database: one session, a streaming reader, a batch writer. MariaDB and
/// MySQL implement it (mariadb_session.h), PostgreSQL and SQLite; another database adds a Dialect and a Session and
/// changes nothing else.
/// Threads: a session and all that it made belong to the task's thread; only interrupt() comes from another.
/// Virtual calls are per statement or batch, never per row.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/common/result.h"
#include "connectors/jdbc/calendar.h"
#include "connectors/jdbc/jdbc_url.h"

namespace millrace::jdbc {

using connectors::ByteArena;

class Dialect;  // sql.h

/// The full name of a table. MariaDB has catalogs (databases) and no schemas; PostgreSQL has schemas, and its catalog
/// is the database of the session, which only the sink names.
struct TableId {
  std::string catalog, schema, table;
  auto operator<=>(const TableId&) const = default;
};

/// Where tables are looked for; nothing = everywhere but among the server's own.
struct TableScope {
  std::optional<std::string> catalog;  ///< by name
  std::optional<std::string> schema;   ///< a LIKE pattern
};

struct ColumnInfo {
  std::string name;
  bool nullable = true;
  bool auto_increment = false;
  bool primary_key = false;
};

/// What the server said last.
struct DatabaseError {
  unsigned number = 0;
  std::string sqlstate, text;
};

/// Everything that opens a session.
struct ConnectionSettings {
  JdbcUrl url;
  std::string user, password;
  int attempts = 3;
  int64_t backoff_ms = 10'000;
  int connect_timeout_s = 30;
  bool trial = false;  ///< opening the session must not make a database that is missing
  /// "host:port/database as user 'u'", for messages.
  std::string where() const;
};

/// How far a session's wall clock is from UTC at this moment.
struct ZoneNow {
  int64_t utc_seconds = 0;
  int64_t offset_seconds = 0;
};

/// Rows as the ABI wants them: `width` values a row, one after another.
struct RowBatch {
  size_t width = 0, rows = 0;
  std::vector<mr_value> values;
  std::vector<Instant> instants;  ///< of tracked timestamp columns, one a row
  std::vector<uint8_t> has_instant;
  ByteArena bytes;
  void clear() {
    rows = 0;
    values.clear();
    instants.clear();
    has_instant.clear();
    bytes.clear();
  }
};

enum class TimestampGranularity {
  kConnectLogical,
  kMicrosLong,
  kNanosLong,
  kMicrosString,
  kNanosString,
  kMicrosIso,
  kNanosIso
};

/// The Connect type of a result column.
struct ResultColumn {
  std::string label;
  mr_kind type = MR_STRING;
  bool optional = true;
  std::string_view logical;  ///< schema name, or empty
  int scale = 0;
  int precision = 0;       ///< decimals
  bool timestamp = false;  ///< a DATETIME or TIMESTAMP, whatever its form
};

/// numeric.mapping: which NUMERIC columns become whole numbers or doubles instead of decimals.
enum class NumericMapping { kNone, kPrecisionOnly, kBestFit, kBestFitEagerDouble };

struct ReadOptions {
  WallClock clock;
  TimestampGranularity granularity = TimestampGranularity::kConnectLogical;
  NumericMapping numeric = NumericMapping::kNone;
  bool others_as_text = false;  ///< columns of types that records cannot hold become texts instead of being left out
};

using Parameter = std::variant<int64_t, Instant>;

/// A running query whose rows stream in; nothing else may use the session until it is gone.
class RowReader {
 public:
  virtual ~RowReader() = default;
  virtual const std::vector<ResultColumn>& columns() const = 0;
  /// Columns of types that records cannot hold, "name (type)"; they are left out.
  virtual std::span<const std::string> skipped() const { return {}; }
  /// Makes fetch() fill RowBatch::instants with the first non-null of these columns.
  virtual void track_instants(std::vector<size_t> columns) = 0;
  /// Appends rows until one of the bounds or the end. Rows read before an error stay in the batch.
  virtual Status fetch(RowBatch& batch, size_t rows_max, size_t bytes_max) = 0;
  virtual bool done() const = 0;
};

/// Where a parameter of a write comes from.
struct CellSource {
  enum class From : uint8_t {
    kKey,
    kKeyField,
    kValue,
    kValueField,
    kAfterField,  ///< of the row in a change event
    kHeader,
    kNothing,
    kTopic,
    kPartition,
    kOffset
  } from = From::kValueField;
  uint32_t index = 0;
  uint32_t row = 0;    ///< kAfterField: where in the value the row is
  std::string header;  ///< kHeader: its name; the last one counts
};

/// The value that `source` means; kind MR_NULL when the record has none.
mr_value cell_of(const mr_record& record, const CellSource& source);

enum class CellForm : uint8_t {
  kInt,
  kUnsigned,
  kFloat,
  kDouble,
  kText,
  kBytes,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kEpochMicros,
  kEpochNanos,
  // Debezium's: see debezium_types.h
  kEventDate,
  kEventMillis,
  kEventMicros,
  kEventNanos,
  kTimeMillis,
  kTimeMicros,
  kTimeNanos,
  kMicroDuration,
  kNanoDuration,
  kZonedTimestamp,
  kZonedTime,
  kIsoDate,
  kIsoTime,
  kIsoTimestamp,
  kBits,
  kVariableDecimal,
  kGeometry,
  kPoint
};

struct Cell {
  CellSource source;
  CellForm form = CellForm::kText;
  const mr_value* fallback = nullptr;  ///< written instead of null; may be nullptr
};

struct WriteOptions {
  WallClock clock;
  TimeZone date_zone;  ///< zone in which a Date is written
};

/// A statement that writes one row a record, and what it is made of for databases that write many rows in another form.
struct RowWrite {
  enum class Kind : uint8_t { kInsert, kUpsert, kUpdate, kDelete } kind = Kind::kInsert;
  TableId table;
  std::vector<std::string> keys, others;  ///< columns; nothing in `others` for a delete
  std::vector<std::string> changed;       ///< those of `others` that an upsert or update sets in a row that exists
  /// For one row, a ? for each cell. The cells: keys, others; update: changed, keys; delete: keys.
  std::string sql;
  const Dialect* dialect = nullptr;  ///< lives as long as the session
  bool by_primary_key = false;       ///< `keys` are the primary key: an upsert leaves one row for each
};

/// One prepared write and its parameter arrays.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  /// Executes the statement for all records, in order, within the session's transaction.
  virtual Status write(std::span<const mr_record* const> records) = 0;
};

class Session {
 public:
  virtual ~Session() = default;
  virtual Status execute(std::string_view sql) = 0;
  /// Executes `sql`, which creates `table` with these columns or adds them to it.
  virtual Status change_table(const TableId& /*table*/, std::string_view sql,
                              const std::vector<ColumnInfo>& /*added*/) {
    return execute(sql);
  }
  /// Executes an UPDATE or DELETE and tells how many rows it met.
  virtual Result<uint64_t> change_rows(std::string_view sql) = 0;
  /// DDL is undone with its transaction; otherwise it commits what came before it.
  virtual bool ddl_in_transactions() const { return false; }
  using Row = std::vector<std::optional<std::string>>;
  /// For small results: everything as text.
  virtual Result<std::vector<Row>> query(std::string_view sql) = 0;
  virtual Result<std::unique_ptr<RowReader>> read(std::string_view sql, std::span<const Parameter> parameters,
                                                  const ReadOptions& options) = 0;
  /// Asks the server whether a statement is valid.
  virtual Status check_query(std::string_view sql) = 0;
  virtual Result<std::unique_ptr<BatchWriter>> writer(const RowWrite& write, std::vector<Cell> cells,
                                                      const WriteOptions& options) = 0;

  /// Undoes what came after the last SAVEPOINT of this name.
  Status roll_back_to(std::string_view savepoint) { return execute("ROLLBACK TO SAVEPOINT " + std::string(savepoint)); }
  /// The last error came from another transaction (a deadlock, a lock): the same again may succeed at once.
  virtual bool lost_race() const = 0;

  /// Fills in the parts of a name that the session takes from its search path.
  virtual Status complete(TableId& /*table*/) { return sdk::ok(); }
  /// Tables within `scope` of the given JDBC types. Ordered.
  virtual Result<std::vector<TableId>> tables(const TableScope& scope, const std::vector<std::string>& types) = 0;
  /// The catalog that is meant when nobody names one; empty where tables are told apart without catalogs.
  virtual std::string home_catalog() const = 0;
  /// In table order; empty when there is no such table.
  virtual Result<std::vector<ColumnInfo>> columns(const TableId& table) = 0;
  using ColumnsByTable = std::map<TableId, std::vector<ColumnInfo>>;
  /// The same of many tables at once; tables that do not exist are not in it.
  virtual Result<ColumnsByTable> columns_of(std::span<const TableId> tables);
  /// JDBC type of the table ("TABLE", "VIEW"), empty when it does not exist.
  virtual Result<std::string> table_type(const TableId& table) = 0;
  /// kInvalidConfig, and what to do, when rows written to the table are not undone with their transaction.
  virtual Status check_transactional(const TableId&) { return sdk::ok(); }
  /// CURRENT_TIMESTAMP, to the server's precision; `clock` counts where the server tells only the time of its wall
  /// clock.
  virtual Result<Instant> now(const WallClock& clock) = 0;
  /// The zone in which the session turns points in time into wall clock readings.
  virtual Result<ZoneNow> zone_now() = 0;
  /// Isolation of the transactions from here on, in words of SQL ("REPEATABLE READ").
  virtual Status set_isolation(std::string_view level) = 0;

  virtual bool alive() = 0;
  /// The wire stopped: open another session.
  virtual bool broken() const = 0;
  virtual const DatabaseError& last_error() const = 0;
  /// The session cannot be used any more, for example because a result was left unread.
  virtual void mark_broken() = 0;
  /// Any thread: makes a blocked call return at once; the session is broken then.
  virtual void interrupt() = 0;
};

/// Opens one session, trying `attempts` times. `stop` is asked between tries.
/// Errors: kUnavailable when the server cannot be reached, kInvalidConfig for a wrong login, database or setting.
Result<std::unique_ptr<Session>> open_session(const ConnectionSettings& settings, bool for_writing,
                                              const std::function<bool(int64_t wait_ms)>& stop);

}  // namespace millrace::jdbc
