/// MariaDB's and MySQL's SQL.
#include "connectors/jdbc/mariadb_sql.h"

#include <algorithm>

#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/sql_text.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

class MariaDbDialect final : public Dialect {
 public:
  explicit MariaDbDialect(bool quote_identifiers) : quotes_(quote_identifiers) {}

  std::string quote(std::string_view part) const override { return quotes_ ? enclosed(part, '`') : std::string(part); }

  std::string qualified(const TableId& table) const override {
    return table.catalog.empty() ? quote(table.table) : quote(table.catalog) + "." + quote(table.table);
  }

  std::string parameter(const Parameter& value, const WallClock& clock) const override {
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    const Instant instant = std::get<Instant>(value);
    const Civil civil = clock.civil_of(instant.seconds, static_cast<uint32_t>(instant.nanos / 1000));
    char text[96];
    std::snprintf(text, sizeof(text), "TIMESTAMP'%04d-%02u-%02u %02u:%02u:%02u.%06u'", civil.year, civil.month,
                  civil.day, civil.hour, civil.minute, civil.second, civil.micros);
    return text;
  }

  std::string insert(const TableId& table, const std::vector<std::string>& keys,
                     const std::vector<std::string>& others) const override {
    return "INSERT INTO " + columns_of(table, keys, others) + " VALUES(" + marks(keys.size() + others.size()) + ")";
  }

  std::string upsert(const TableId& table, const std::vector<std::string>& keys, const std::vector<std::string>& others,
                     const std::vector<std::string>& changed) const override {
    std::string sql = "insert into " + columns_of(table, keys, others) + " values(" +
                      marks(keys.size() + others.size()) + ") on duplicate key update ";
    const auto& updated = changed.empty() ? keys : changed;
    for (size_t i = 0; i < updated.size(); ++i) {
      const std::string name = quote(updated[i]);
      sql += (i == 0 ? "" : ",") + name + "=values(" + name + ")";
    }
    return sql;
  }

  std::string alter(const TableId& table, const std::vector<ColumnDefinition>& columns) const override {
    std::string sql = "ALTER TABLE " + qualified(table) + " ";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns.size() > 1) sql += i == 0 ? "\n" : ",\n";
      sql += "ADD " + clause(columns[i], columns[i].optional);
    }
    return sql;
  }

  std::string create_offsets(const TableId& table) const override {
    // Names are compared to the letter; only InnoDB undoes what a lost transaction wrote.
    return "CREATE TABLE IF NOT EXISTS " + qualified(table) + " (\n" + quote("connector") +
           " VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\n" + quote("topic") +
           " VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,\n" + quote("partition") + " INT NOT NULL,\n" +
           quote("offset") + " BIGINT NOT NULL,\n" + quote("epoch") + " BIGINT NOT NULL,\nPRIMARY KEY(" +
           quote("connector") + "," + quote("topic") + "," + quote("partition") + ")) ENGINE=InnoDB";
  }

  std::string column_type(const mr_schema& schema, bool key, bool epoch_timestamp) const override {
    if (epoch_timestamp && (schema.type == MR_INT64 || schema.type == MR_STRING)) return "DATETIME(6)";
    const std::string_view name = connect_logical(schema);
    if (name == "Decimal") return decimal_type(schema);
    if (name == "Date") return "DATE";
    if (name == "Time") return "TIME(3)";
    if (name == "Timestamp") return "DATETIME(3)";
    switch (schema.type) {
      case MR_INT8:
      case MR_BOOLEAN:
        return "TINYINT";
      case MR_INT16:
        return "SMALLINT";
      case MR_INT32:
        return "INT";
      case MR_INT64:
        return "BIGINT";
      case MR_FLOAT32:
        return "FLOAT";
      case MR_FLOAT64:
        return "DOUBLE";
      case MR_STRING:
        // A TEXT column cannot be part of a key without a length; 255 characters of utf8mb4 fit every index format.
        return key ? "VARCHAR(255)" : "TEXT";
      case MR_BYTES:
        return "VARBINARY(1024)";
      default:
        return "";
    }
  }

  std::string array_of(const std::string&, size_t) const override { return ""; }
  std::string topic_type() const override { return "VARCHAR(249)"; }  // Kafka's longest topic name
  std::string stored(std::string_view name) const override { return std::string(name); }

  std::string event_column_type(const mr_schema& schema, bool key) const override {
    return debezium_column_type(schema, key);
  }

  std::string event_literal(const mr_schema& schema, CellForm form, const mr_value& value,
                            const WriteOptions& options) const override {
    switch (form) {
      case CellForm::kInt:
      case CellForm::kMicroDuration:
      case CellForm::kNanoDuration:
      case CellForm::kFloat:
      case CellForm::kDouble:
      case CellForm::kDecimal:
      case CellForm::kText:
        return literal(schema, value, options);
      case CellForm::kUnsigned:
        return std::to_string(static_cast<uint64_t>(value.u.i64));
      case CellForm::kBytes:
        return hex_literal({value.u.bytes, value.size});
      case CellForm::kBits: {
        std::string turned(value.u.bytes, value.size);
        std::reverse(turned.begin(), turned.end());
        return hex_literal(turned);
      }
      case CellForm::kVariableDecimal:
      case CellForm::kGeometry:
      case CellForm::kPoint:
        return "";
      default: {
        WallTime wall;
        return wall_time(form, value, options, wall).ok() ? quoted(wall) : std::string();
      }
    }
  }

  std::string literal(const mr_schema& schema, const mr_value& value, const WriteOptions& options) const override {
    if (const std::string time = logical_time_text(schema, value, options); !time.empty()) return "'" + time + "'";
    switch (value.kind) {
      case MR_BOOLEAN:
        return value.u.i64 != 0 ? "1" : "0";
      case MR_STRING:
        return string_literal({value.u.bytes, value.size});
      case MR_BYTES:
        return hex_literal({value.u.bytes, value.size});
      default:
        return number_text(value);
    }
  }

  Result<TableId> table_id(std::string_view name, const JdbcUrl& url) const override {
    auto parts = split_identifier(name);
    if (!parts.ok()) return parts.status();
    // MariaDB has no schemas: database.table is what two parts mean.
    switch (parts->size()) {
      case 1:
        return TableId{url.database, "", parts->at(0)};
      case 2:
        return TableId{parts->at(0), "", parts->at(1)};
      default:
        return Status(Code::kInvalidConfig,
                      "'" + std::string(name) + "' has " + std::to_string(parts->size()) +
                          " parts; name a table as table or database.table, dots within a name in `quotes`");
    }
  }

 private:
  std::string columns_of(const TableId& table, const std::vector<std::string>& keys,
                         const std::vector<std::string>& others) const {
    return qualified(table) + "(" + listed(keys, others) + ")";
  }

  /// PostgreSQL's NUMERIC without precision comes with scale 127, which no column here has.
  static std::string decimal_type(const mr_schema& schema) {
    constexpr int kScaleMax = 30;  // MySQL's; MariaDB has 38
    const std::string_view scale = parameter_of(schema, "scale");
    return "DECIMAL(65," + std::to_string(std::min(number_of(scale, 0), kScaleMax)) + ")";
  }

  static std::string string_literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
      if (c == '\'' || c == '\\') out += c;
      out += c;
    }
    return out + "'";
  }

  static std::string hex_literal(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out = "x'";
    for (const char c : bytes) {
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return out + "'";
  }

  bool quotes_;
};

}  // namespace

std::unique_ptr<Dialect> make_mariadb_dialect(bool quote_identifiers) {
  return std::make_unique<MariaDbDialect>(quote_identifiers);
}

}  // namespace millrace::jdbc
