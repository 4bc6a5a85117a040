/// Rows of a query through a binary cursor, straight into the ABI's values. Bounded memory: one fetch of the cursor at
/// a time, whose number of rows follows their size. No allocation per row.
#include <charconv>

#include "connectors/jdbc/postgres_description.h"
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
    if (Status s = declare(sql, texts, options_.others_as_text); !s.ok() || described_.casts.empty()) return s;
    // Types that have no form of their own come as texts, which only another statement can ask for.
    const std::string with_casts =
        "SELECT " + described_.casts + " FROM (" + std::string(without_end(sql)) + "\n) AS q";
    if (auto closed = session_.run("CLOSE millrace"); !closed.ok()) return closed.status();
    return declare(with_casts, texts, false);
  }

  const std::vector<ResultColumn>& columns() const override { return described_.columns; }
  std::span<const std::string> skipped() const override { return described_.skipped; }
  void track_instants(std::vector<size_t> columns) override { tracked_ = std::move(columns); }
  bool done() const override { return done_; }

  Status fetch(RowBatch& batch, size_t rows_max, size_t bytes_max) override {
    batch.width = described_.columns.size();
    while (batch.rows < rows_max && batch.bytes.bytes() < bytes_max) {
      if (Status s = next_row(rows_max); !s.ok()) return s;
      if (done_) return sdk::ok();
      const size_t begin = batch.values.size();
      batch.values.resize(begin + described_.columns.size());
      for (size_t i = 0; i < described_.columns.size(); ++i) {
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
  Status declare(const std::string& sql, const std::vector<std::string>& texts, bool may_cast) {
    std::vector<const char*> values;
    for (const std::string& text : texts) values.push_back(text.c_str());
    constexpr std::string_view kDeclare = "DECLARE millrace BINARY NO SCROLL CURSOR FOR ";
    auto declared = session_.run(std::string(kDeclare) + sql, values, kDeclare.size());
    if (!declared.ok()) return declared.status();
    if (PQsendDescribePortal(session_.handle(), "millrace") != 1) return session_.failed(nullptr);
    auto described = session_.finish();
    if (!described.ok()) return described.status();
    auto description = describe_result(session_, described->get(), options_, may_cast);
    if (!description.ok()) return description.status();
    described_ = std::move(*description);
    return sdk::ok();
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

  /// A statement that can stand in brackets.
  static std::string_view without_end(std::string_view sql) {
    const size_t last = sql.find_last_not_of(" \t\r\n;");
    return sql.substr(0, last == std::string_view::npos ? 0 : last + 1);
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
    const PgColumn& column = described_.decoders[i];
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
        value.u.f64 = static_cast<double>(load_number<int64_t>(from.data())) / described_.money_unit;
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
                                   described_.columns[i].label + "'; read it with a query (CAST(" +
                                   described_.columns[i].label + " AS integer))"};
    }
    value.u.i64 = number;
    return sdk::ok();
  }

  Status decode_numeric(size_t i, std::string_view from, mr_value& value, ByteArena& bytes) {
    const PgColumn& column = described_.decoders[i];
    PgNumeric number;
    if (!PgNumeric::parse(from, number))
      return {Code::kInternal, "column '" + described_.columns[i].label + "' is no numeric"};
    if (column.decode == PgDecode::kNumericDouble) {
      value.u.f64 = real_of(number, text_);
      return sdk::ok();
    }
    const auto bad = [&](const std::string& what) {
      return Status(Code::kInternal, "Bad value for type BigDecimal : " + what + " in column '" +
                                         described_.columns[i].label + "'; read it with a query (CAST(" +
                                         described_.columns[i].label + " AS text))");
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
    const PgColumn& column = described_.decoders[i];
    switch (column.decode) {
      case PgDecode::kDate:
        if (days_of_date(load_number<int32_t>(from.data()), options_.clock.calendar, value.u.i64)) return sdk::ok();
        return {Code::kInternal,
                "Kafka Connect Date type should not have any time fields set to non-zero values. Column '" +
                    described_.columns[i].label + "' holds infinity, which is no day; read it with a query (NULLIF(" +
                    described_.columns[i].label + ", 'infinity'))"};
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
      const PgColumn& column = described_.decoders[i];
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
  PgDescription described_;
  std::vector<size_t> tracked_;
  PgResult chunk_;
  int row_ = 0, rows_ = 0;  // in the chunk
  int rows_given_ = 0;      // defaultRowFetchSize
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
