/// Rows of a query through a binary cursor, straight into the ABI's values. Bounded memory: one fetch of the cursor at
/// a time, whose number of rows follows their size. No allocation per row.
#include <charconv>
#include <set>

#include "connectors/jdbc/postgres_columns.h"
#include "connectors/jdbc/postgres_session.h"
#include "connectors/jdbc/postgres_text.h"
#include "connectors/jdbc/postgres_values.h"
#include "connectors/jdbc/timestamp_form.h"

namespace millrace::jdbc {
namespace {

constexpr int kFirstRows = 10, kGrowth = 4, kRowsMax = 10'000;
constexpr size_t kChunkBytes = 4 << 20;
constexpr int64_t kDayMillis = 86'400'000;

class Reader final : public RowReader {
 public:
  Reader(PgSession& session, const ReadOptions& options) : session_(session), options_(options) {
    const std::string given = session.url().parameter("defaultrowfetchsize");
    std::from_chars(given.data(), given.data() + given.size(), rows_given_);
  }
  ~Reader() override {
    if (done_ || session_.broken()) return;
    (void)session_.run(own_transaction_ ? "ROLLBACK" : "CLOSE millrace");
  }

  Status start(const std::string& sql, std::span<const Parameter> parameters) {
    own_transaction_ = PQtransactionStatus(session_.handle()) == PQTRANS_IDLE;
    if (own_transaction_) {
      if (auto begun = session_.run("BEGIN"); !begun.ok()) return begun.status();
    }
    done_ = false;
    std::vector<std::string> texts;
    for (const Parameter& parameter : parameters) {
      texts.push_back(parameter_text(parameter, options_.clock));
    }
    if (Status s = declare(sql, texts); !s.ok() || casts_.empty()) return s;
    // Types that have no form of their own come as texts, which only another statement can ask for.
    const std::string with_casts = "SELECT " + casts_ + " FROM (" + std::string(without_end(sql)) + "\n) AS q";
    if (auto closed = session_.run("CLOSE millrace"); !closed.ok()) return closed.status();
    columns_.clear();
    decoders_.clear();
    skipped_.clear();
    return declare(with_casts, texts);
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }
  std::span<const std::string> skipped() const override { return skipped_; }
  void track_instants(std::vector<size_t> columns) override { tracked_ = std::move(columns); }
  bool done() const override { return done_; }

  Status fetch(RowBatch& batch, size_t rows_max, size_t bytes_max) override {
    batch.width = columns_.size();
    while (batch.rows < rows_max && batch.bytes.bytes() < bytes_max) {
      if (Status s = next_row(rows_max); !s.ok()) return s;
      if (done_) return sdk::ok();
      const size_t begin = batch.values.size();
      batch.values.resize(begin + columns_.size());
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (Status s = decode(i, batch.values[begin + i], batch.bytes); !s.ok()) {
          batch.values.resize(begin);
          return s;
        }
      }
      if (!tracked_.empty()) track(batch);
      ++batch.rows;
      ++row_;
    }
    // Only the end of the result tells that the last timestamp is complete, so look one row ahead.
    return tracked_.empty() ? sdk::ok() : next_row(rows_max);
  }

 private:
  Status declare(const std::string& sql, const std::vector<std::string>& texts) {
    std::vector<const char*> values;
    for (const std::string& text : texts) values.push_back(text.c_str());
    constexpr std::string_view kDeclare = "DECLARE millrace BINARY NO SCROLL CURSOR FOR ";
    auto declared = session_.run(std::string(kDeclare) + sql, values, kDeclare.size());
    if (!declared.ok()) return declared.status();
    if (PQsendDescribePortal(session_.handle(), "millrace") != 1) return session_.failed(nullptr);
    auto described = session_.finish();
    return described.ok() ? describe_columns(described->get()) : described.status();
  }

  /// Makes `row_` a row of the chunk, or sets done_.
  Status next_row(size_t rows_max) {
    if (row_ < rows_ || done_) return sdk::ok();
    if (ended_) return end();
    const int wanted = wanted_rows(rows_max);
    chunk_.reset();
    auto fetched = session_.run("FETCH FORWARD " + std::to_string(wanted) + " FROM millrace");
    if (!fetched.ok()) return fetched.status();
    chunk_ = std::move(*fetched);
    row_ = 0;
    rows_ = PQntuples(chunk_.get());
    ended_ = rows_ < wanted;
    return rows_ == 0 ? end() : sdk::ok();
  }

  /// So many rows as kChunkBytes hold if the next are like the last, and no more than a batch has. What is known of few
  /// rows says little about many, so the number grows step by step.
  int wanted_rows(size_t rows_max) const {
    const int most =
        rows_given_ > 0 ? rows_given_ : std::min(kRowsMax, static_cast<int>(std::min<size_t>(rows_max, kRowsMax)));
    if (chunk_ == nullptr || rows_ == 0) return std::min(kFirstRows, most);
    const size_t row_bytes = std::max<size_t>(PQresultMemorySize(chunk_.get()) / static_cast<size_t>(rows_), 1);
    const auto fitting = static_cast<int>(std::min<size_t>(kChunkBytes / row_bytes, kRowsMax));
    return std::clamp(std::min(fitting, rows_ * kGrowth), 1, most);
  }

  Status end() {
    done_ = true;
    chunk_.reset();
    row_ = rows_ = 0;
    auto result = session_.run(own_transaction_ ? "COMMIT" : "CLOSE millrace");
    return result.ok() ? sdk::ok() : result.status();
  }

  Status describe_columns(const PGresult* result) {
    const int width = PQnfields(result);
    if (width == 0) return {Code::kInvalidConfig, "the statement returns no columns; use a SELECT"};
    std::string origins, unknown;
    for (int i = 0; i < width; ++i) {
      ResultColumn column;
      PgColumn decoder;
      decoder.field = i;
      column.label = PQfname(result, i);
      describe_column(PQftype(result, i), PQfmod(result, i), options_, column, decoder);
      if (const Oid table = PQftable(result, i); table != 0) {
        origins +=
            (origins.empty() ? "(" : ",(") + std::to_string(table) + "," + std::to_string(PQftablecol(result, i)) + ")";
      }
      if (decoder.decode == PgDecode::kSkipped)
        unknown += (unknown.empty() ? "" : ",") + std::to_string(PQftype(result, i));
      columns_.push_back(std::move(column));
      decoders_.push_back(decoder);
    }
    if (Status s = find_not_null(result, origins); !s.ok()) return s;
    if (!unknown.empty()) {
      if (Status s = find_types(result, unknown); !s.ok()) return s;
    }
    const bool money =
        std::any_of(decoders_.begin(), decoders_.end(), [](const PgColumn& c) { return c.decode == PgDecode::kMoney; });
    return money ? find_money_unit() : sdk::ok();
  }

  /// Columns straight from a table are optional if they may be null there; all others always.
  Status find_not_null(const PGresult* result, const std::string& origins) {
    if (origins.empty()) return sdk::ok();
    auto rows = session_.query(
        "SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid=a.atttypid "
        "WHERE (a.attrelid,a.attnum) IN (" +
        origins + ") AND (a.attnotnull OR (t.typtype='d' AND t.typnotnull))");
    if (!rows.ok()) return rows.status();
    for (const Session::Row& row : *rows) {
      for (int i = 0; i < PQnfields(result); ++i) {
        if (row[0] == std::to_string(PQftable(result, i)) && row[1] == std::to_string(PQftablecol(result, i)))
          columns_[static_cast<size_t>(i)].optional = false;
      }
    }
    return sdk::ok();
  }

  /// Enums are texts; all other types that are not built in have no form in records, and their columns are left out.
  Status find_types(const PGresult* result, const std::string& oids) {
    auto rows = session_.query(
        "SELECT oid, typtype, pg_catalog.format_type(oid,NULL), typcategory='A' OR typtype='c' OR typname='hstore' "
        "FROM "
        "pg_catalog.pg_type WHERE oid IN (" +
        oids + ")");
    if (!rows.ok()) return rows.status();
    if (options_.others_as_text && casts_.empty() && cast_others(result, *rows)) return sdk::ok();
    std::vector<ResultColumn> columns;
    std::vector<PgColumn> decoders;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string oid = std::to_string(PQftype(result, static_cast<int>(i)));
      const auto type = std::find_if(rows->begin(), rows->end(), [&](const auto& row) { return row[0] == oid; });
      if (decoders_[i].decode == PgDecode::kSkipped && type != rows->end() && type->at(1) == "e") {
        columns_[i].type = decoders_[i].kind = MR_STRING;
        decoders_[i].decode = PgDecode::kText;
      }
      if (decoders_[i].decode == PgDecode::kSkipped) {
        skipped_.push_back(columns_[i].label + " (" + (type != rows->end() ? type->at(2).value_or(oid) : oid) + ")");
      } else {
        columns.push_back(std::move(columns_[i]));
        decoders.push_back(decoders_[i]);
      }
    }
    columns_ = std::move(columns);
    decoders_ = std::move(decoders);
    return sdk::ok();
  }

  /// Writes the select list that makes texts of the columns without a form. False: there are none, or their labels do
  /// not tell columns apart, which nobody can read then anyway.
  bool cast_others(const PGresult* result, const std::vector<Session::Row>& types) {
    std::set<std::string> labels;
    bool any = false;
    std::string casts;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!labels.insert(columns_[i].label).second) return false;
      const std::string oid = std::to_string(PQftype(result, static_cast<int>(i)));
      const auto type = std::find_if(types.begin(), types.end(), [&](const auto& row) { return row[0] == oid; });
      const std::string name = "q." + quoted_name(columns_[i].label);
      casts += i == 0 ? "" : ",";
      if (decoders_[i].decode != PgDecode::kSkipped || type == types.end() || type->at(1) == "e") {
        casts += name;
        continue;
      }
      any = true;
      casts += (type->at(3) == "t" ? "pg_catalog.to_json(" + name + ")" : name) + "::pg_catalog.text AS " +
               quoted_name(columns_[i].label);
    }
    if (any) casts_ = std::move(casts);
    return any;
  }

  static std::string quoted_name(std::string_view label) {
    std::string out = "\"";
    for (const char c : label) out.append(c == '"' ? 2 : 1, c);
    return out + "\"";
  }

  /// A statement that can stand in brackets.
  static std::string_view without_end(std::string_view sql) {
    const size_t last = sql.find_last_not_of(" \t\r\n;");
    return sql.substr(0, last == std::string_view::npos ? 0 : last + 1);
  }

  /// The smallest part of a money is the locale's matter: a cent, or a yen.
  Status find_money_unit() {
    auto rows = session_.query("SELECT pg_catalog.scale('1'::money::numeric)");
    if (!rows.ok()) return rows.status();
    money_unit_ = 1;  // a statement with casts is described a second time
    for (int i = std::atoi(rows->at(0).at(0).value_or("2").c_str()); i > 0; --i) money_unit_ *= 10;
    return sdk::ok();
  }

  std::string_view bytes_of(const PgColumn& column) const {
    return {PQgetvalue(chunk_.get(), row_, column.field),
            static_cast<size_t>(PQgetlength(chunk_.get(), row_, column.field))};
  }

  static void put(std::string_view text, mr_value& value) {
    value.size = static_cast<uint32_t>(text.size());
    value.u.bytes = text.data();
  }

  Status decode(size_t i, mr_value& value, ByteArena& bytes) {
    const PgColumn& column = decoders_[i];
    value = mr_value{};
    if (PQgetisnull(chunk_.get(), row_, column.field) != 0) return sdk::ok();
    value.kind = static_cast<uint8_t>(column.kind);
    const std::string_view from = bytes_of(column);
    switch (column.decode) {
      case PgDecode::kBoolean:
        value.u.i64 = from[0] != 0 ? 1 : 0;
        break;
      case PgDecode::kInt16:
        value.u.i64 = load_number<int16_t>(from.data());
        break;
      case PgDecode::kInt32:
        value.u.i64 = load_number<int32_t>(from.data());
        break;
      case PgDecode::kInt64:
        value.u.i64 = load_number<int64_t>(from.data());
        break;
      case PgDecode::kUnsigned32:
        value.u.i64 = load_number<uint32_t>(from.data());
        break;
      case PgDecode::kFloat:
        value.u.f64 = static_cast<double>(load_number<float>(from.data()));
        break;
      case PgDecode::kDouble:
        value.u.f64 = load_number<double>(from.data());
        break;
      case PgDecode::kMoney:
        value.u.f64 = static_cast<double>(load_number<int64_t>(from.data())) / money_unit_;
        break;
      case PgDecode::kText:
        put(bytes.copy(from), value);
        break;
      case PgDecode::kCharacter:
        put(bytes.copy(from == std::string_view("\0", 1) ? std::string_view() : from), value);
        break;
      case PgDecode::kVersionedText:
        put(bytes.copy(from.substr(1)), value);
        break;
      case PgDecode::kUuid: {
        char* to = bytes.allocate(kUuidText);
        uuid_text(from.data(), to);
        put({to, kUuidText}, value);
        break;
      }
      case PgDecode::kBitBoolean:
        value.u.i64 = (from[4] & 0x80) != 0 ? 1 : 0;
        break;
      case PgDecode::kBitText: {
        char* to = bytes.allocate(static_cast<size_t>(bit_count(from.data())));
        bit_text(from.data(), to);
        put({to, static_cast<size_t>(bit_count(from.data()))}, value);
        break;
      }
      case PgDecode::kBitNumber:
        return decode_bits(i, from, value);
      case PgDecode::kDecimal:
      case PgDecode::kNumericInt:
      case PgDecode::kNumericDouble:
        return decode_numeric(i, from, value, bytes);
      default:
        return decode_temporal(i, from, value, bytes);
    }
    return sdk::ok();
  }

  /// Its digits read as a decimal number: what its driver made of short bit strings, and people's sinks are built for.
  Status decode_bits(size_t i, std::string_view from, mr_value& value) const {
    char text[8];
    bit_text(from.data(), text);
    int number = 0;
    std::from_chars(text, text + bit_count(from.data()), number);
    if (number > 127) {
      return {Code::kInternal, "Bad value for type byte : " + std::to_string(number) + " in column '" +
                                   columns_[i].label + "'; read it with a query (CAST(" + columns_[i].label +
                                   " AS integer))"};
    }
    value.u.i64 = number;
    return sdk::ok();
  }

  Status decode_numeric(size_t i, std::string_view from, mr_value& value, ByteArena& bytes) {
    const PgColumn& column = decoders_[i];
    PgNumeric number;
    if (!PgNumeric::parse(from, number)) return {Code::kInternal, "column '" + columns_[i].label + "' is no numeric"};
    if (column.decode == PgDecode::kNumericDouble) {
      value.u.f64 = real_of(number, text_);
      return sdk::ok();
    }
    const auto bad = [&](const std::string& what) {
      return Status(Code::kInternal, "Bad value for type BigDecimal : " + what + " in column '" + columns_[i].label +
                                         "'; read it with a query (CAST(" + columns_[i].label + " AS text))");
    };
    if (number.kind == PgNumeric::Kind::kNaN) return bad("NaN");
    if (number.kind == PgNumeric::Kind::kInfinity) return bad(number.negative ? "-Infinity" : "Infinity");
    if (column.decode == PgDecode::kNumericInt) {
      return whole_part(number, value.u.i64) ? sdk::ok() : bad("a number beyond 64 bits");
    }
    std::string_view unscaled;
    if (!unscaled_bytes(number, column.scale, limbs_, bytes, unscaled))
      return bad("a number with more than " + std::to_string(column.scale) + " digits behind the point");
    value.kind = MR_DECIMAL;
    value.scale = static_cast<int16_t>(column.scale);
    put(unscaled, value);
    return sdk::ok();
  }

  Status decode_temporal(size_t i, std::string_view from, mr_value& value, ByteArena& bytes) {
    const PgColumn& column = decoders_[i];
    switch (column.decode) {
      case PgDecode::kDate:
        if (days_of_date(load_number<int32_t>(from.data()), options_.clock.calendar, value.u.i64)) return sdk::ok();
        return {Code::kInternal,
                "Kafka Connect Date type should not have any time fields set to non-zero values. Column '" +
                    columns_[i].label + "' holds infinity, which is no day; read it with a query (NULLIF(" +
                    columns_[i].label + ", 'infinity'))"};
      case PgDecode::kTime:
        value.u.i64 = load_number<int64_t>(from.data()) / 1000;
        if (!options_.clock.zone.utc()) value.u.i64 -= static_cast<int64_t>(options_.clock.zone.offset_at(0)) * 1000;
        break;
      case PgDecode::kTimeZoned: {
        // The time of the day in UTC: the wire has the seconds west of Greenwich.
        const int64_t millis = load_number<int64_t>(from.data()) / 1000 +
                               static_cast<int64_t>(load_number<int32_t>(from.data() + 8)) * 1000;
        value.u.i64 = (millis % kDayMillis + kDayMillis) % kDayMillis;
        break;
      }
      default: {
        const auto micros = load_number<int64_t>(from.data());
        const Instant instant = instant_of(column, micros);
        Civil civil;
        if (wants_civil(options_.granularity)) {
          civil = column.decode == PgDecode::kTimestamp
                      ? civil_of_timestamp(micros)
                      : options_.clock.civil_of(instant.seconds, static_cast<uint32_t>(instant.nanos / 1000));
        }
        put_timestamp(instant, civil, options_.granularity, value, bytes);
        break;
      }
    }
    return sdk::ok();
  }

  Instant instant_of(const PgColumn& column, int64_t micros) const {
    return column.decode == PgDecode::kTimestamp ? instant_of_timestamp(micros, options_.clock)
                                                 : instant_of_timestamptz(micros, options_.clock.calendar);
  }

  void track(RowBatch& batch) const {
    for (const size_t i : tracked_) {
      const PgColumn& column = decoders_[i];
      if (PQgetisnull(chunk_.get(), row_, column.field) != 0) continue;
      batch.instants.push_back(instant_of(column, load_number<int64_t>(bytes_of(column).data())));
      batch.has_instant.push_back(1);
      return;
    }
    batch.instants.emplace_back();
    batch.has_instant.push_back(0);
  }

  PgSession& session_;
  ReadOptions options_;
  std::vector<ResultColumn> columns_;
  std::vector<PgColumn> decoders_;
  std::vector<std::string> skipped_;
  std::string casts_;  // the select list with others_as_text
  std::vector<size_t> tracked_;
  PgResult chunk_;
  int row_ = 0, rows_ = 0;  // in the chunk
  int rows_given_ = 0;      // defaultRowFetchSize
  double money_unit_ = 1;
  bool own_transaction_ = true, ended_ = false, done_ = true;
  std::vector<uint32_t> limbs_;  // scratch
  std::string text_;             // scratch
};

}  // namespace

Result<std::unique_ptr<RowReader>> open_reader(PgSession& session, const std::string& sql,
                                               std::span<const Parameter> parameters, const ReadOptions& options) {
  auto reader = std::make_unique<Reader>(session, options);
  if (Status s = reader->start(sql, parameters); !s.ok()) return s;
  return std::unique_ptr<RowReader>(std::move(reader));
}

}  // namespace millrace::jdbc
