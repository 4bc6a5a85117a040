/// Rows of a running statement. SQLite's columns take values of any type, so a column has the type it was declared
/// with, and a value that does not fit is an error that names the row.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "connectors/jdbc/debezium_types.h"
#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/sqlite_session.h"
#include "connectors/jdbc/temporal.h"
#include "connectors/jdbc/timestamp_form.h"

namespace millrace::jdbc {
namespace {

constexpr int64_t kExactInDouble = int64_t{1} << 53, kDayMillis = 86'400'000;
constexpr int kScaleMax = 30;
constexpr double kDecimalMax = 1e60;  // with 30 digits behind the point what decimal_bytes can hold

enum class Decode : uint8_t { kInt, kBoolean, kDouble, kDecimal, kText, kBytes, kDate, kTime, kTimestamp };

struct Column {
  Decode decode = Decode::kText;
  mr_kind kind = MR_STRING;
  int scale = 0;
  bool nullable = true, key = false;
};

/// "DECIMAL(10,2)" in its parts.
struct Declaration {
  std::string name;  ///< in upper case, without parameters
  int precision = 0, scale = 0;
  bool has(std::string_view part) const { return name.find(part) != std::string::npos; }
};

Declaration parse(std::string_view text) {
  Declaration out;
  const size_t open = std::min(text.find('('), text.size());
  for (const char c : text.substr(0, open)) out.name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  while (out.name.ends_with(' ')) out.name.pop_back();
  if (open == text.size()) return out;
  const std::string_view numbers = text.substr(open + 1);
  const size_t comma = numbers.find(',');
  out.precision = number_of(numbers, 0);
  if (comma == numbers.npos) return out;
  out.scale = number_of(numbers.substr(numbers.find_first_not_of(' ', comma + 1)), 0);
  return out;
}

void describe_numeric(const Declaration& declared, NumericMapping mapping, ResultColumn& column, Column& decoder) {
  const int precision = declared.precision, scale = declared.scale;
  const bool fits = precision > 0 && precision <= 18;
  decoder.decode = Decode::kDouble;
  column.type = MR_FLOAT64;
  if (precision <= 0 || scale < 0 || scale > kScaleMax) return;  // nothing tells where the point is
  if (mapping != NumericMapping::kNone && scale == 0 && fits) {
    decoder.decode = Decode::kInt;
    column.type = precision > 9 ? MR_INT64 : precision > 4 ? MR_INT32 : precision > 2 ? MR_INT16 : MR_INT8;
    return;
  }
  const bool best_fit = mapping == NumericMapping::kBestFit && fits;
  if (scale > 0 && (best_fit || mapping == NumericMapping::kBestFitEagerDouble)) return;
  decoder.decode = Decode::kDecimal;
  decoder.scale = column.scale = scale;
  column.precision = precision;
  column.type = MR_BYTES;
  column.logical = "org.apache.kafka.connect.data.Decimal";
}

/// By SQLite's own rules of affinity, with the names that mean more. `first`: storage class of the first row's value,
/// which tells where nothing is declared.
void describe(const char* text, int first, const ReadOptions& options, ResultColumn& column, Column& decoder) {
  const auto is = [&](mr_kind kind, Decode decode, std::string_view logical = {}) {
    column.type = kind;
    column.logical = logical;
    decoder.decode = decode;
  };
  constexpr std::string_view kByClass[] = {"", "INTEGER", "REAL", "TEXT", "BLOB", "TEXT"};
  const bool declares = text != nullptr && *text != '\0';
  const Declaration declared = parse(declares ? std::string_view(text) : kByClass[first]);
  const std::string& name = declared.name;
  if (name == "BOOLEAN" || name == "BOOL") {
    is(MR_BOOLEAN, Decode::kBoolean);
  } else if (name == "TINYINT") {
    is(MR_INT8, Decode::kInt);
  } else if (name == "SMALLINT" || name == "INT2") {
    is(MR_INT16, Decode::kInt);
  } else if (name == "DATE") {
    is(MR_INT32, Decode::kDate, "org.apache.kafka.connect.data.Date");
  } else if (name == "TIME") {
    is(MR_INT32, Decode::kTime, "org.apache.kafka.connect.data.Time");
  } else if (name == "DATETIME" || name.starts_with("TIMESTAMP")) {
    describe_timestamp(options.granularity, column);
    decoder.decode = Decode::kTimestamp;
  } else if (name == "DECIMAL" || name == "NUMERIC" || name == "NUMBER" || name == "DEC") {
    describe_numeric(declared, options.numeric, column, decoder);
  } else if (declared.has("INT")) {
    is(MR_INT64, Decode::kInt);
  } else if (declared.has("CHAR") || declared.has("CLOB") || declared.has("TEXT")) {
    is(MR_STRING, Decode::kText);
  } else if (declared.has("BLOB") || declared.has("BINARY")) {
    is(MR_BYTES, Decode::kBytes);
  } else if (declared.has("REAL") || declared.has("FLOA") || declared.has("DOUB")) {
    is(MR_FLOAT64, Decode::kDouble);
  } else {
    is(MR_STRING, Decode::kText);  // JSON, UUID, …
  }
  // Whatever its type, a column can hold points in time in one of their forms.
  column.timestamp = column.type != MR_BOOLEAN && column.type != MR_BYTES && decoder.decode != Decode::kTime;
  decoder.kind = column.type;
}

/// Whether a statement in lower case names the table itself, and not a view of it.
bool reads_from(std::string_view sql, const std::string& table) {
  if (sql.find("from `" + table + "`") != sql.npos) return true;
  const size_t at = sql.find("from " + table), end = at + 5 + table.size();
  return at != sql.npos && (end == sql.size() || sql[end] == ' ' || sql[end] == ')' || sql[end] == '\n');
}

class Reader final : public RowReader {
 public:
  Reader(SqliteSession& session, SqliteStatement statement, const ReadOptions& options)
      : session_(session), statement_(std::move(statement)), options_(options), times_(session.times()) {}

  Status start(std::string_view sql, std::span<const Parameter> parameters) {
    const int count = sqlite3_bind_parameter_count(statement_.get());
    if (count != static_cast<int>(parameters.size())) {
      return {Code::kInvalidConfig, "the query has " + std::to_string(count) +
                                        " '?' placeholders; write values into it, only the connector's own conditions "
                                        "take parameters"};
    }
    for (int i = 0; i < count; ++i) {
      const Parameter& value = parameters[static_cast<size_t>(i)];
      const auto* number = std::get_if<int64_t>(&value);
      sqlite3_bind_int64(statement_.get(), i + 1, number != nullptr ? *number : micros_of(std::get<Instant>(value)));
    }
    if (sqlite3_column_count(statement_.get()) == 0)
      return {Code::kInvalidConfig, "the statement returns no rows; use a SELECT"};
    if (Status s = step(); !s.ok()) return s;
    return describe_columns(lower(sql));
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }
  void track_instants(std::vector<size_t> columns) override { tracked_ = std::move(columns); }
  bool done() const override { return !has_row_; }

  Status fetch(RowBatch& batch, size_t rows_max, size_t bytes_max) override {
    batch.width = columns_.size();
    while (has_row_ && batch.rows < rows_max && batch.bytes.bytes() < bytes_max) {
      const size_t begin = batch.values.size();
      batch.values.resize(begin + columns_.size());
      Status s;
      for (size_t i = 0; i < columns_.size() && s.ok(); ++i) s = decode(i, batch.values[begin + i], batch.bytes);
      if (s.ok() && !tracked_.empty()) s = track(batch);
      if (!s.ok()) {
        batch.values.resize(begin);
        return s;
      }
      ++batch.rows;
      ++rows_;
      if (s = step(); !s.ok()) return s;
    }
    return sdk::ok();
  }

 private:
  Status step() {
    const int code = sqlite3_step(statement_.get());
    has_row_ = code == SQLITE_ROW;
    return has_row_ || code == SQLITE_DONE ? sdk::ok() : session_.failed();
  }

  /// `sql` in lower case.
  Status describe_columns(const std::string& sql) {
    sqlite3_stmt* const row = statement_.get();
    const auto count = static_cast<size_t>(sqlite3_column_count(row));
    columns_.resize(count);
    decoders_.resize(count);
    std::vector<ColumnInfo> infos;
    // A join and a view can have nulls where the table has none.
    bool plain = sql.find("join") == sql.npos && sql.find("union") == sql.npos;
    for (size_t i = 0; i < count; ++i) {
      const int at = static_cast<int>(i), first = has_row_ ? sqlite3_column_type(row, at) : SQLITE_NULL;
      columns_[i].label = sqlite3_column_name(row, at);
      describe(sqlite3_column_decltype(row, at), first, options_, columns_[i], decoders_[i]);
      const char* const table = sqlite3_column_table_name(row, at);
      if (table == nullptr) continue;
      if (table_.empty()) {
        table_ = table;
        auto found = session_.columns({"", "", table_});
        if (!found.ok()) return found.status();
        infos = std::move(*found);
        plain = plain && reads_from(sql, lower(table_));
      }
      plain = plain && table_ == table;
      const auto info = std::find_if(infos.begin(), infos.end(), [&](const ColumnInfo& column) {
        return column.name == sqlite3_column_origin_name(row, at);
      });
      if (info == infos.end() || table_ != table) continue;
      decoders_[i].key = info->primary_key;
      decoders_[i].nullable = info->nullable;
    }
    for (size_t i = 0; i < count; ++i) {
      decoders_[i].nullable = decoders_[i].nullable || !plain;
      columns_[i].optional = decoders_[i].nullable;
    }
    return sdk::ok();
  }

  StoredValue stored(size_t i) const { return stored_value(statement_.get(), static_cast<int>(i)); }

  Status decode(size_t i, mr_value& value, ByteArena& bytes) {
    const Column& column = decoders_[i];
    const StoredValue found = stored(i);
    value = mr_value{};
    if (found.type == SQLITE_NULL && column.nullable) return sdk::ok();
    value.kind = static_cast<uint8_t>(column.kind);
    const bool integer = found.type == SQLITE_INTEGER;
    bool fits = false;
    switch (column.decode) {
      case Decode::kBoolean:
        fits = integer && (found.integer == 0 || found.integer == 1);
        value.u.i64 = found.integer;
        break;
      case Decode::kInt: {
        const int bits = column.kind == MR_INT8 ? 8 : column.kind == MR_INT16 ? 16 : column.kind == MR_INT32 ? 32 : 64;
        const int64_t most = std::numeric_limits<int64_t>::max() >> (64 - bits);
        fits = integer && found.integer <= most && found.integer >= -most - 1;
        value.u.i64 = found.integer;
        break;
      }
      case Decode::kDouble:
        fits = found.type == SQLITE_FLOAT ||
               (integer && found.integer <= kExactInDouble && found.integer >= -kExactInDouble);
        value.u.f64 = integer ? static_cast<double>(found.integer) : found.real;
        break;
      case Decode::kDecimal:
        fits = decode_decimal(found, column.scale, value, bytes);
        break;
      case Decode::kText:
        fits = found.type != SQLITE_BLOB && found.type != SQLITE_NULL;
        decode_text(found, value, bytes);
        break;
      case Decode::kBytes:
        fits = found.type == SQLITE_BLOB || found.type == SQLITE_TEXT;
        decode_text(found, value, bytes);
        break;
      default:
        fits = decode_temporal(column.decode, found, value, bytes);
        break;
    }
    return fits ? sdk::ok() : misfit(i);
  }

  static void decode_text(const StoredValue& found, mr_value& value, ByteArena& bytes) {
    char text[64];
    std::string_view from = found.text;
    if (found.type == SQLITE_INTEGER)
      from = {text, static_cast<size_t>(std::to_chars(text, text + sizeof(text), found.integer).ptr - text)};
    if (found.type == SQLITE_FLOAT)
      from = {text, static_cast<size_t>(std::to_chars(text, text + sizeof(text), found.real).ptr - text)};
    const std::string_view copy = from.empty() ? std::string_view("", 0) : bytes.copy(from);
    value.size = static_cast<uint32_t>(copy.size());
    value.u.bytes = copy.data();
  }

  /// SQLite keeps a decimal number as a whole number or a double, whose digits behind the scale are its error.
  static bool decode_decimal(const StoredValue& found, int scale, mr_value& value, ByteArena& bytes) {
    char text[128];
    int size = 0;
    if (found.type == SQLITE_INTEGER) {
      size = std::snprintf(text, sizeof(text), "%lld", static_cast<long long>(found.integer));
    } else if (found.type == SQLITE_FLOAT && std::fabs(found.real) < kDecimalMax) {
      size = std::snprintf(text, sizeof(text), "%.*f", scale, found.real);
    } else {
      return false;
    }
    std::array<char, kDecimalBytesMax> unscaled;
    const std::string_view copy =
        bytes.copy({unscaled.data(), decimal_bytes({text, static_cast<size_t>(size)}, scale, unscaled)});
    value.kind = MR_DECIMAL;
    value.scale = static_cast<int16_t>(scale);
    value.size = static_cast<uint32_t>(copy.size());
    value.u.bytes = copy.data();
    return true;
  }

  bool decode_temporal(Decode decode, const StoredValue& found, mr_value& value, ByteArena& bytes) const {
    const WallClock& clock = times_.zones.clock;
    if (decode == Decode::kTime && found.type == SQLITE_TEXT) {
      WallTime wall;
      if (!wall_reading(CellForm::kIsoTime, sdk::string_value(found.text), times_.zones, wall).ok()) return false;
      value.u.i64 =
          ((wall.hours * 60 + wall.civil.minute) * 60 + wall.civil.second) * 1000LL + wall.civil.micros / 1000;
      if (!clock.zone.utc()) value.u.i64 -= static_cast<int64_t>(clock.zone.offset_at(0)) * 1000;
      return true;
    }
    Instant instant;
    if (!instant_of(found, times_, instant)) return false;
    if (decode == Decode::kTime) {
      value.u.i64 = instant.millis();
      return value.u.i64 >= 0 && value.u.i64 < kDayMillis;
    }
    if (decode == Decode::kDate) {
      // A number counts from midnight in Greenwich, as drivers write it; a text is a reading of the wall clock.
      const int64_t seconds = instant.seconds + (found.type == SQLITE_TEXT ? clock.zone.offset_at(instant.seconds) : 0);
      value.u.i64 = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
      return true;
    }
    const Civil civil = wants_civil(options_.granularity)
                            ? clock.civil_of(instant.seconds, static_cast<uint32_t>(instant.nanos / 1000))
                            : Civil{};
    put_timestamp(instant, civil, options_.granularity, value, bytes);
    return true;
  }

  Status track(RowBatch& batch) const {
    Instant instant;
    bool found = false;
    for (const size_t i : tracked_) {
      const StoredValue value = stored(i);
      if (value.type == SQLITE_NULL) continue;
      if (!instant_of(value, times_, instant)) return misfit(i);
      found = true;
      break;
    }
    batch.instants.push_back(instant);
    batch.has_instant.push_back(found ? 1 : 0);
    return sdk::ok();
  }

  /// Which value of which row has no place in its column.
  Status misfit(size_t at) const {
    constexpr const char* kClasses[] = {"", "INTEGER", "REAL", "TEXT", "BLOB", "NULL"};
    const auto text_of = [&](size_t i) {
      const auto* text = sqlite3_column_text(statement_.get(), static_cast<int>(i));
      return std::string(text == nullptr ? "NULL" : reinterpret_cast<const char*>(text)).substr(0, 80);
    };
    const int type = sqlite3_column_type(statement_.get(), static_cast<int>(at));
    const char* const declared = sqlite3_column_decltype(statement_.get(), static_cast<int>(at));
    std::string row;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (decoders_[i].key) row += (row.empty() ? "" : ", ") + columns_[i].label + "=" + text_of(i);
    }
    if (row.empty()) row = "number " + std::to_string(rows_ + 1) + " of the result";
    const std::string shown = type == SQLITE_BLOB ? "a BLOB" : "'" + text_of(at) + "' (" + kClasses[type] + ")";
    return {Code::kInternal, "column '" + columns_[at].label + "' of " +
                                 (table_.empty() ? std::string("the query") : "table '" + table_ + "'") +
                                 " has the value " + shown + " in row " + row + ", which does not fit its type " +
                                 (declared == nullptr ? "(that of the first row)" : declared) +
                                 "; correct the row, or read the column by a query with CAST(" + columns_[at].label +
                                 " AS TEXT)"};
  }

  SqliteSession& session_;
  SqliteStatement statement_;
  const ReadOptions options_;
  const TimeRules times_;
  std::vector<ResultColumn> columns_;
  std::vector<Column> decoders_;
  std::vector<size_t> tracked_;
  std::string table_;  // of the first column that comes from one
  uint64_t rows_ = 0;
  bool has_row_ = false;
};

}  // namespace

Result<std::unique_ptr<RowReader>> open_reader(SqliteSession& session, std::string_view sql,
                                               std::span<const Parameter> parameters, const ReadOptions& options) {
  auto statement = session.prepare(sql);
  if (!statement.ok()) return statement.status();
  auto reader = std::make_unique<Reader>(session, std::move(*statement), options);
  if (Status s = reader->start(sql, parameters); !s.ok()) return s;
  return std::unique_ptr<RowReader>(std::move(reader));
}

}  // namespace millrace::jdbc
