#include "connectors/jdbc/postgres_sql.h"

#include <algorithm>

#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/postgres_text.h"
#include "connectors/jdbc/sql_text.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

constexpr size_t kNameBytesMax = 63;  // the server cuts longer names

/// PostgreSQL folds only these letters of an unquoted name.
std::string folded(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return name;
}

std::string cut(std::string name) {
  if (name.size() <= kNameBytesMax) return name;
  size_t size = kNameBytesMax;
  while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;  // within a character
  name.resize(size);
  return name;
}

std::string hex_literal(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "'\\x";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out + "'";
}

/// B'101' of Debezium's little-endian bytes.
std::string bit_literal(const mr_schema& schema, std::string_view bytes) {
  const auto bits =
      static_cast<size_t>(std::max(number_of(parameter_of(schema, "length"), static_cast<int>(bytes.size() * 8)), 0));
  std::string out = "B'";
  for (size_t i = bits; i-- > 0;) {
    out += i / 8 < bytes.size() && (static_cast<unsigned char>(bytes[i / 8]) >> (i % 8) & 1) != 0 ? '1' : '0';
  }
  return out + "'";
}

class PostgresDialect final : public Dialect {
 public:
  PostgresDialect(bool quote_identifiers, bool fold_identifiers)
      : quotes_(quote_identifiers), folds_(fold_identifiers || !quote_identifiers) {}

  std::string quote(std::string_view part) const override {
    if (!quotes_) return std::string(part);
    return enclosed(folds_ ? folded(std::string(part)) : std::string(part), '"');
  }

  std::string qualified(const TableId& table) const override {
    std::string out;
    for (const std::string* part : {&table.catalog, &table.schema, &table.table}) {
      if (!part->empty()) out += (out.empty() ? "" : ".") + quote(*part);
    }
    return out;
  }

  std::string parameter(const Parameter& value, const WallClock& clock) const override {
    return "'" + parameter_text(value, clock) + "'";
  }

  std::string insert(const TableId& table, const std::vector<std::string>& keys,
                     const std::vector<std::string>& others) const override {
    return "INSERT INTO " + qualified(table) + " (" + listed(keys, others) + ") VALUES (" +
           marks(keys.size() + others.size()) + ")";
  }

  std::string upsert(const TableId& table, const std::vector<std::string>& keys, const std::vector<std::string>& others,
                     const std::vector<std::string>& updated) const override {
    return insert(table, keys, others) + on_conflict(keys, updated);
  }

  std::string alter(const TableId& table, const std::vector<ColumnDefinition>& columns) const override {
    std::string sql = "ALTER TABLE " + qualified(table) + " ";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns.size() > 1) sql += i == 0 ? "\n" : ",\n";
      // The rows that are there have no value for it, and the server makes up none.
      sql += "ADD " + clause(columns[i], true);
    }
    return sql;
  }

  std::string create_offsets(const TableId& table) const override {
    return "CREATE TABLE IF NOT EXISTS " + qualified(table) + " (\n" + quote("connector") + " TEXT NOT NULL,\n" +
           quote("topic") + " TEXT NOT NULL,\n" + quote("partition") + " INT NOT NULL,\n" + quote("offset") +
           " BIGINT NOT NULL,\n" + quote("epoch") + " BIGINT NOT NULL,\nPRIMARY KEY(" + quote("connector") + "," +
           quote("topic") + "," + quote("partition") + "))";
  }

  std::string column_type(const mr_schema& schema, bool, bool epoch_timestamp) const override {
    if (epoch_timestamp && (schema.type == MR_INT64 || schema.type == MR_STRING)) return "TIMESTAMP";
    const std::string_view name = connect_logical(schema);
    if (name == "Decimal") return "DECIMAL";
    if (name == "Date") return "DATE";
    if (name == "Time") return "TIME";
    if (name == "Timestamp") return "TIMESTAMP";
    switch (schema.type) {
      case MR_INT8:
      case MR_INT16:
        return "SMALLINT";
      case MR_INT32:
        return "INT";
      case MR_INT64:
        return "BIGINT";
      case MR_FLOAT32:
        return "REAL";
      case MR_FLOAT64:
        return "DOUBLE PRECISION";
      case MR_BOOLEAN:
        return "BOOLEAN";
      case MR_STRING:
        return "TEXT";
      case MR_BYTES:
        return "BYTEA";
      default:
        return "";
    }
  }

  std::string array_of(const std::string& element, size_t depth) const override {
    std::string type = element;
    for (size_t i = 0; i < depth; ++i) type += "[]";
    return type;
  }

  std::string topic_type() const override { return "TEXT"; }

  std::string stored(std::string_view name) const override {
    return cut(folds_ ? folded(std::string(name)) : std::string(name));
  }

  std::string event_column_type(const mr_schema& schema, bool key) const override {
    return postgres_event_column_type(schema, key);
  }

  std::string event_literal(const mr_schema& schema, CellForm form, const mr_value& value,
                            const WriteOptions& options) const override {
    switch (form) {
      case CellForm::kInt:
      case CellForm::kFloat:
      case CellForm::kDouble:
      case CellForm::kDecimal:
      case CellForm::kText:
      case CellForm::kBytes:
        return literal(schema, value, options);
      case CellForm::kUnsigned:
        return std::to_string(static_cast<uint64_t>(value.u.i64));
      case CellForm::kMicroDuration:
        return "'" + std::to_string(value.u.i64) + " microseconds'";
      case CellForm::kNanoDuration:
        return "'" + std::to_string(value.u.i64 / 1000) + " microseconds'";
      case CellForm::kBits:
        return bit_literal(schema, {value.u.bytes, value.size});
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
        return value.u.i64 != 0 ? "TRUE" : "FALSE";
      case MR_STRING:
        return postgres_literal({value.u.bytes, value.size});
      case MR_BYTES:
        return hex_literal({value.u.bytes, value.size});
      default: {
        const std::string number = number_text(value);
        return number.find_first_of("in") == std::string::npos ? number : "'" + number + "'";  // inf and nan
      }
    }
  }

  Result<TableId> table_id(std::string_view name, const JdbcUrl& url) const override {
    auto parts = split_identifier(name);
    if (!parts.ok()) return parts.status();
    if (parts->size() > 3) {
      return Status(Code::kInvalidConfig, "'" + std::string(name) + "' has " + std::to_string(parts->size()) +
                                              " parts; name a table as table, schema.table or database.schema.table, "
                                              "dots within a name in \"quotes\"");
    }
    TableId id{url.database, "", stored(parts->back())};
    if (parts->size() > 1) id.schema = stored(parts->at(parts->size() - 2));
    if (parts->size() > 2) id.catalog = stored(parts->front());
    return id;
  }

  /// ` ON CONFLICT …`
  std::string on_conflict(const std::vector<std::string>& keys, const std::vector<std::string>& updated) const {
    std::string sql = " ON CONFLICT (" + listed(keys) + ") DO ";
    if (updated.empty()) return sql + "NOTHING";
    for (size_t i = 0; i < updated.size(); ++i) {
      const std::string name = quote(updated[i]);
      sql += (i == 0 ? "UPDATE SET " : ",") + name + "=EXCLUDED." + name;
    }
    return sql;
  }

 private:
  const bool quotes_, folds_;
};

/// c1, c2 … name the arrays' columns, so that no column of the table can be meant.
std::string cell_name(size_t index) { return "c" + std::to_string(index + 1); }

/// unnest($1::bigint[],$2::text[])
std::string unnest(std::span<const ArrayParameter> parameters) {
  std::string sql = "unnest(";
  for (size_t i = 0; i < parameters.size(); ++i) {
    sql += (i == 0 ? "$" : ",$") + std::to_string(i + 1) +
           "::" + (parameters[i].as_text ? "text" : parameters[i].type) + "[]";
  }
  return sql + ")";
}

std::string cell_names(size_t count) {
  std::string sql;
  for (size_t i = 0; i < count; ++i) sql += (i == 0 ? "" : ",") + cell_name(i);
  return sql;
}

/// d.c2::integer[]
std::string cell(std::span<const ArrayParameter> parameters, size_t index) {
  return "d." + cell_name(index) + (parameters[index].as_text ? "::" + parameters[index].type : "");
}

/// The rows under the name d. `keys`: where the keys are, when only the last row of each key counts.
std::string rows(std::span<const ArrayParameter> parameters, size_t first_key, size_t keys, bool distinct) {
  const std::string names = cell_names(parameters.size());
  if (!distinct) return unnest(parameters) + " AS d(" + names + ")";
  std::string key;
  for (size_t i = first_key; i < first_key + keys; ++i) key += (key.empty() ? "" : ",") + cell(parameters, i);
  return "(SELECT DISTINCT ON (" + key + ") * FROM " + unnest(parameters) + " WITH ORDINALITY AS d(" + names +
         ",n) ORDER BY " + key + ",d.n DESC) AS d";
}

}  // namespace

std::unique_ptr<Dialect> make_postgres_dialect(bool quote_identifiers, bool fold_identifiers) {
  return std::make_unique<PostgresDialect>(quote_identifiers, fold_identifiers);
}

std::string postgres_literal(std::string_view text) {
  std::string out = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : text) out.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return out + "'";
}

std::string array_statement(const RowWrite& write, std::span<const ArrayParameter> parameters, bool distinct) {
  const auto& dialect = static_cast<const PostgresDialect&>(*write.dialect);
  const std::string table = dialect.qualified(write.table);
  const auto matches = [&](size_t first) {
    std::string sql;
    for (size_t i = 0; i < write.keys.size(); ++i) {
      sql += (i == 0 ? "t." : " AND t.") + dialect.quote(write.keys[i]) + " = " + cell(parameters, first + i);
    }
    return sql;
  };
  std::string sql;
  switch (write.kind) {
    case RowWrite::Kind::kInsert:
    case RowWrite::Kind::kUpsert:
      sql = "INSERT INTO " + table + " (" + dialect.listed(write.keys, write.others) + ") SELECT ";
      for (size_t i = 0; i < parameters.size(); ++i) sql += (i == 0 ? "" : ",") + cell(parameters, i);
      sql += " FROM " + rows(parameters, 0, write.keys.size(), distinct);
      return write.kind == RowWrite::Kind::kInsert ? sql : sql + dialect.on_conflict(write.keys, write.changed);
    case RowWrite::Kind::kUpdate:
      sql = "UPDATE " + table + " AS t SET ";
      for (size_t i = 0; i < write.changed.size(); ++i) {
        sql += (i == 0 ? "" : ", ") + dialect.quote(write.changed[i]) + " = " + cell(parameters, i);
      }
      return sql + " FROM " + rows(parameters, write.changed.size(), write.keys.size(), distinct) + " WHERE " +
             matches(write.changed.size());
    case RowWrite::Kind::kDelete:
      break;
  }
  if (parameters.size() == 1 && !parameters[0].as_text) {
    return "DELETE FROM " + table + " WHERE " + dialect.quote(write.keys[0]) + " = ANY($1::" + parameters[0].type +
           "[])";
  }
  return "DELETE FROM " + table + " AS t USING " + rows(parameters, 0, 0, false) + " WHERE " + matches(0);
}

std::string copy_statement(const RowWrite& write) {
  const auto& dialect = static_cast<const PostgresDialect&>(*write.dialect);
  return "COPY " + dialect.qualified(write.table) + " (" + dialect.listed(write.keys, write.others) + ") FROM STDIN";
}

}  // namespace millrace::jdbc
