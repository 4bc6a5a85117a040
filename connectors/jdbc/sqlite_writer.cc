/// One prepared statement, executed for each record within the session's transaction: there is no server to reach, so
/// nothing would be won by arrays.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/geometry.h"
#include "connectors/jdbc/sqlite_session.h"
#include "connectors/jdbc/sqlite_sql.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

constexpr size_t kDoubleDigits = 15;  // of any decimal number that survive in a double

/// A member of a STRUCT value, MR_NULL when it has none there.
mr_value member(const mr_value& value, uint32_t index) {
  return index < value.size ? value.u.items[index] : mr_value{};
}

/// yyyy-MM-dd HH:mm:ss.SSS, with six digits where three would lose some.
void print(const WallTime& wall, std::string& out) {
  char text[64] = "";
  const Civil& civil = wall.civil;
  out.clear();
  if (wall.kind != WallTime::Kind::kTime) {
    std::snprintf(text, sizeof(text), "%04d-%02u-%02u", civil.year, civil.month, civil.day);
    out += text;
  }
  if (wall.kind == WallTime::Kind::kDate) return;
  const bool of_day = wall.kind == WallTime::Kind::kDateTime;
  std::snprintf(text, sizeof(text), "%s%s%02u:%02u:%02u", of_day ? " " : "", wall.negative ? "-" : "",
                of_day ? civil.hour : wall.hours, civil.minute, civil.second);
  out += text;
  const bool millis = civil.micros % 1000 == 0;
  std::snprintf(text, sizeof(text), millis ? ".%03u" : ".%06u", millis ? civil.micros / 1000 : civil.micros);
  out += text;
}

/// Digits of a decimal number without zeros at its ends that say nothing.
size_t significant_digits(std::string_view text) {
  if (text.find('.') != text.npos) text = text.substr(0, text.find_last_not_of('0') + 1);
  const size_t first = text.find_first_not_of("-0.");
  if (first == text.npos) return 0;
  return static_cast<size_t>(
      std::count_if(text.begin() + static_cast<ptrdiff_t>(first), text.end(), [](char c) { return c != '.'; }));
}

/// Whether a column keeps texts of numbers as texts, by SQLite's rules of affinity.
bool keeps_texts(const std::string& type) {
  const auto has = [&](std::string_view part) { return type.find(part) != type.npos; };
  return !has("INT") && (type.empty() || has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB"));
}

class Writer final : public BatchWriter {
 public:
  /// `keeps_texts`: one a cell.
  Writer(SqliteSession& session, SqliteStatement statement, std::vector<Cell> cells, std::vector<bool> keeps_texts,
         const WriteOptions& options)
      : session_(session),
        statement_(std::move(statement)),
        cells_(std::move(cells)),
        keeps_texts_(std::move(keeps_texts)),
        options_(options),
        texts_(cells_.size()),
        dates_as_text_(writes_dates_as_text(session.url())) {}

  Status write(std::span<const mr_record* const> records) override {
    if (Status s = session_.begin(); !s.ok()) return s;
    for (const mr_record* record : records) {
      bytes_.clear();
      for (size_t i = 0; i < cells_.size(); ++i) {
        if (Status s = bind(i, *record); !s.ok()) return s;
      }
      const int code = sqlite3_step(statement_.get());
      const Status s = code == SQLITE_DONE ? sdk::ok() : session_.failed();
      sqlite3_reset(statement_.get());
      if (!s.ok()) return s;
    }
    return sdk::ok();
  }

 private:
  /// What is bound without a copy lives in the record, in `text` or in bytes_ until the statement has run.
  Status bind(size_t index, const mr_record& record) {
    const Cell& cell = cells_[index];
    std::string& text = texts_[index];
    const int at = static_cast<int>(index) + 1;
    mr_value value = cell_of(record, cell.source);
    if (value.kind == MR_NULL && cell.fallback != nullptr) value = *cell.fallback;
    if (value.kind == MR_NULL) return checked(sqlite3_bind_null(statement_.get(), at));
    const bool from_struct =
        cell.form == CellForm::kVariableDecimal || cell.form == CellForm::kGeometry || cell.form == CellForm::kPoint;
    if (value.kind == MR_ARRAY || value.kind == MR_MAP || (value.kind == MR_STRUCT && !from_struct)) {
      return {Code::kBadRecord,
              "Unsupported source data type: arrays, maps and structs have no column type; flatten the record first"};
    }
    switch (cell.form) {
      case CellForm::kUnsigned:
        if (value.u.i64 >= 0) return whole(at, value.u.i64);
        return {Code::kBadRecord, "the number " + std::to_string(static_cast<uint64_t>(value.u.i64)) +
                                      " is above 9223372036854775807, the largest whole number of SQLite"};
      case CellForm::kInt:
      case CellForm::kMicroDuration:
      case CellForm::kNanoDuration:
        return whole(at, value.u.i64);
      case CellForm::kFloat:
      case CellForm::kDouble:
        // It would become a null without a word.
        if (std::isnan(value.u.f64)) return {Code::kBadRecord, "SQLite has no NaN"};
        return checked(sqlite3_bind_double(statement_.get(), at, value.u.f64));
      case CellForm::kText:
        return this->text(at, {value.u.bytes, value.size});
      case CellForm::kBytes:
        return blob(at, {value.u.bytes, value.size});
      case CellForm::kDecimal:
      case CellForm::kVariableDecimal:
        return decimal(at, value, text, keeps_texts_[index]);
      case CellForm::kBits:
        return bits(at, {value.u.bytes, value.size});
      case CellForm::kGeometry:
      case CellForm::kPoint:
        return geometry(at, cell.form, value);
      case CellForm::kDate:
      case CellForm::kTime:
      case CellForm::kTimestamp:
        if (!dates_as_text_) return whole(at, epoch(cell.form, value.u.i64));
        [[fallthrough]];
      default: {
        WallTime wall;
        if (Status s = wall_time(cell.form, value, options_, wall); !s.ok()) return s;
        print(wall, text);
        return this->text(at, text);
      }
    }
  }

  int64_t epoch(CellForm form, int64_t number) const {
    const int64_t millis = form == CellForm::kDate ? number * 86'400'000 : number;
    return session_.times().units_per_second == 1 ? millis / 1000 - (millis % 1000 < 0 ? 1 : 0) : millis;
  }

  /// A number column would round what has more digits than a double.
  Status decimal(int at, mr_value value, std::string& text, bool keeps_texts) {
    if (value.kind == MR_STRUCT) {  // VariableScaleDecimal: scale, value
      const int64_t scale = member(value, 0).u.i64;
      value = member(value, 1);
      value.scale = static_cast<int16_t>(scale);
    }
    text.resize(kDecimalTextMax);
    const size_t size = decimal_text(value.size == 0 ? std::string_view() : std::string_view(value.u.bytes, value.size),
                                     value.scale, text);
    if (size == 0)
      return {Code::kBadRecord, "a decimal number with more than " + std::to_string(kDecimalTextMax) + " digits"};
    const std::string_view digits(text.data(), size);
    if (keeps_texts || significant_digits(digits) <= kDoubleDigits) return this->text(at, digits);
    int64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + size, number);
    const std::string_view rest = digits.substr(static_cast<size_t>(parsed.ptr - digits.data()));
    if (parsed.ec == std::errc() && rest.find_first_not_of(".0") == rest.npos) return whole(at, number);
    return {Code::kBadRecord,
            "the decimal number " + std::string(digits) +
                " has more than 15 digits, which SQLite would round in a column of its declared type; "
                "make it a TEXT column"};
  }

  /// Little-endian; more than a whole number holds stay bytes.
  Status bits(int at, std::string_view little) {
    if (little.size() > 8) return blob(at, little);
    uint64_t number = 0;
    for (size_t i = little.size(); i > 0; --i) number = number << 8 | static_cast<unsigned char>(little[i - 1]);
    return whole(at, static_cast<int64_t>(number));
  }

  /// Geometry: wkb, srid. Point: x, y, wkb, srid.
  Status geometry(int at, CellForm form, const mr_value& value) {
    const bool point = form == CellForm::kPoint;
    const mr_value wkb = member(value, point ? 2 : 0);
    if (wkb.kind == MR_BYTES) return blob(at, {wkb.u.bytes, wkb.size});
    if (!point) return {Code::kBadRecord, "a geometry without the field wkb"};
    return blob(at, stored_point(member(value, 0).u.f64, member(value, 1).u.f64, 0, bytes_).substr(4));
  }

  Status whole(int at, int64_t number) { return checked(sqlite3_bind_int64(statement_.get(), at, number)); }
  Status text(int at, std::string_view of) {
    return checked(
        sqlite3_bind_text64(statement_.get(), at, of.empty() ? "" : of.data(), of.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  Status blob(int at, std::string_view of) {
    return checked(sqlite3_bind_blob64(statement_.get(), at, of.empty() ? "" : of.data(), of.size(), SQLITE_STATIC));
  }
  Status checked(int code) { return code == SQLITE_OK ? sdk::ok() : session_.failed(); }

  SqliteSession& session_;
  const SqliteStatement statement_;
  const std::vector<Cell> cells_;
  const std::vector<bool> keeps_texts_;
  const WriteOptions& options_;
  std::vector<std::string> texts_;  // one a cell, kept for their memory
  ByteArena bytes_;
  const bool dates_as_text_;
};

}  // namespace

Result<std::unique_ptr<BatchWriter>> make_writer(SqliteSession& session, SqliteStatement statement,
                                                 const RowWrite& write, std::vector<Cell> cells,
                                                 const WriteOptions& options) {
  auto types = session.declared_types(write.table);
  if (!types.ok()) return types.status();
  const bool update = write.kind == RowWrite::Kind::kUpdate;
  std::vector<std::string> columns = update ? write.changed : write.keys;
  const auto& rest = update ? write.keys : write.others;
  columns.insert(columns.end(), rest.begin(), rest.end());
  std::vector<bool> keeps;
  for (const std::string& column : columns) keeps.push_back(keeps_texts((*types)[column]));
  return std::unique_ptr<BatchWriter>(
      std::make_unique<Writer>(session, std::move(statement), std::move(cells), std::move(keeps), options));
}

}  // namespace millrace::jdbc
