#include "connectors/jdbc/sqlite_sql.h"

#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/sql_text.h"
#include "connectors/jdbc/sqlite_time.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

std::string hex_literal(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "x'";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out + "'";
}

class SqliteDialect final : public Dialect {
 public:
  SqliteDialect(bool quote_identifiers, bool dates_as_text)
      : quotes_(quote_identifiers), dates_as_text_(dates_as_text) {}

  std::string quote(std::string_view part) const override { return quotes_ ? enclosed(part, '`') : std::string(part); }

  std::string qualified(const TableId& table) const override { return quote(table.table); }

  std::string insert(const TableId& table, const std::vector<std::string>& keys,
                     const std::vector<std::string>& others) const override {
    return "INSERT INTO " + qualified(table) + "(" + listed(keys, others) + ") VALUES(" +
           marks(keys.size() + others.size()) + ")";
  }

  /// INSERT OR REPLACE would delete the row first, and with it the columns that the record does not have.
  std::string upsert(const TableId& table, const std::vector<std::string>& keys, const std::vector<std::string>& others,
                     const std::vector<std::string>& updated) const override {
    std::string sql = insert(table, keys, others) + " ON CONFLICT(" + listed(keys) + ") DO ";
    if (updated.empty()) return sql + "NOTHING";
    for (size_t i = 0; i < updated.size(); ++i) {
      const std::string name = quote(updated[i]);
      sql += (i == 0 ? "UPDATE SET " : ",") + name + "=excluded." + name;
    }
    return sql;
  }

  std::string truncate(const TableId& table) const override { return remove(table, {}); }

  /// A statement adds one column, which may be NOT NULL only with a default.
  std::string alter(const TableId& table, const std::vector<ColumnDefinition>& columns) const override {
    std::string sql;
    for (const ColumnDefinition& column : columns)
      sql += (sql.empty() ? "ALTER TABLE " : ";\nALTER TABLE ") + qualified(table) + " ADD " + clause(column, true);
    return sql;
  }

  std::string create_offsets(const TableId& table) const override {
    return "CREATE TABLE IF NOT EXISTS " + qualified(table) + " (\n" + quote("connector") + " TEXT NOT NULL,\n" +
           quote("topic") + " TEXT NOT NULL,\n" + quote("partition") + " INTEGER NOT NULL,\n" + quote("offset") +
           " INTEGER NOT NULL,\n" + quote("epoch") + " INTEGER NOT NULL,\nPRIMARY KEY(" + quote("connector") + "," +
           quote("topic") + "," + quote("partition") + "))";
  }

  std::string column_type(const mr_schema& schema, bool, bool epoch_timestamp) const override {
    if (epoch_timestamp && (schema.type == MR_INT64 || schema.type == MR_STRING)) return "TIMESTAMP";
    if (!connect_logical(schema).empty()) return "NUMERIC";  // Decimal, Date, Time, Timestamp
    switch (schema.type) {
      case MR_BOOLEAN:
      case MR_INT8:
      case MR_INT16:
      case MR_INT32:
      case MR_INT64:
        return "INTEGER";
      case MR_FLOAT32:
      case MR_FLOAT64:
        return "REAL";
      case MR_STRING:
        return "TEXT";
      case MR_BYTES:
        return "BLOB";
      default:
        return "";
    }
  }

  std::string array_of(const std::string&, size_t) const override { return ""; }
  std::string topic_type() const override { return "TEXT"; }
  std::string stored(std::string_view name) const override { return std::string(name); }
  std::string point_in_time(const std::string& column) const override { return "millrace_micros(" + column + ")"; }
  std::string_view row_lock() const override { return ""; }  // whoever writes has the whole file
  bool probes_many() const override { return false; }        // a query is no round trip

  std::string event_column_type(const mr_schema& schema, bool key) const override {
    CellForm form{};
    if (semantic_name(schema).empty() || !debezium_form(schema, form)) return column_type(schema, key, false);
    switch (form) {
      case CellForm::kText:
        return "TEXT";
      case CellForm::kInt:
      case CellForm::kUnsigned:
      case CellForm::kMicroDuration:
      case CellForm::kNanoDuration:
      case CellForm::kBits:
        return "INTEGER";
      case CellForm::kVariableDecimal:
        return "NUMERIC";
      case CellForm::kGeometry:
      case CellForm::kPoint:
        return "BLOB";
      case CellForm::kEventDate:
      case CellForm::kIsoDate:
        return "DATE";
      case CellForm::kTimeMillis:
      case CellForm::kTimeMicros:
      case CellForm::kTimeNanos:
      case CellForm::kZonedTime:
      case CellForm::kIsoTime:
        return "TIME";
      default:
        return "TIMESTAMP";
    }
  }

  std::string event_literal(const mr_schema& schema, CellForm form, const mr_value& value,
                            const WriteOptions& options) const override {
    switch (form) {
      case CellForm::kBits:
      case CellForm::kVariableDecimal:
      case CellForm::kGeometry:
      case CellForm::kPoint:
        return "";
      default:
        break;
    }
    if (form < CellForm::kEpochMicros || form == CellForm::kMicroDuration || form == CellForm::kNanoDuration)
      return literal(schema, value, options);
    WallTime wall;
    return wall_time(form, value, options, wall).ok() ? quoted(wall) : std::string();
  }

  std::string literal(const mr_schema& schema, const mr_value& value, const WriteOptions& options) const override {
    const std::string time = logical_time_text(schema, value, options);
    if (!time.empty() && dates_as_text_) return "'" + time + "'";
    if (!time.empty()) return std::to_string(value.u.i64 * (connect_logical(schema) == "Date" ? 86'400'000 : 1));
    switch (value.kind) {
      case MR_BOOLEAN:
        return value.u.i64 != 0 ? "1" : "0";
      case MR_STRING:
        return enclosed({value.u.bytes, value.size}, '\'');
      case MR_BYTES:
        return hex_literal({value.u.bytes, value.size});
      default: {
        const std::string number = number_text(value);
        if (number.find_first_of("in") == std::string::npos) return number;
        return number == "inf" ? "9e999" : number == "-inf" ? "-9e999" : "NULL";
      }
    }
  }

  std::string parameter(const Parameter& value, const WallClock&) const override {
    const auto* number = std::get_if<int64_t>(&value);
    return std::to_string(number != nullptr ? *number : micros_of(std::get<Instant>(value)));
  }

  Result<TableId> table_id(std::string_view name, const JdbcUrl&) const override {
    auto parts = split_identifier(name);
    if (!parts.ok()) return parts.status();
    if (parts->size() == 1 || (parts->size() == 2 && lower(parts->front()) == "main"))
      return TableId{"", "", parts->back()};
    return Status(Code::kInvalidConfig,
                  "'" + std::string(name) + "' has " + std::to_string(parts->size()) +
                      " parts, but a SQLite file has tables only; put a name with dots in `quotes`");
  }

 private:
  const bool quotes_, dates_as_text_;
};

}  // namespace

std::unique_ptr<Dialect> make_sqlite_dialect(const JdbcUrl& url, bool quote_identifiers) {
  return std::make_unique<SqliteDialect>(quote_identifiers, writes_dates_as_text(url));
}

}  // namespace millrace::jdbc
