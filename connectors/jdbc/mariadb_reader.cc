/// Rows of a running statement: binary protocol, unbuffered, straight into the ABI's values. No allocation per row.
#include <array>
#include <charconv>
#include <cstring>
#include <numeric>

#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/mariadb_description.h"
#include "connectors/jdbc/mariadb_session.h"
#include "connectors/jdbc/timestamp_form.h"

namespace millrace::jdbc {
namespace {

using Decode = MariaDbDecode;

/// Fixed-size landing place of one column; variable-length ones are fetched into the batch's bytes.
struct Landing {
  union {
    int64_t integer;
    float single;
    double real;
    MYSQL_TIME time;
    char text[96];  // DECIMAL: 65 digits, sign, point; BIT: 8 bytes
  };
  unsigned long length = 0;
  my_bool is_null = 0, truncated = 0;
};

enum class ZeroDate { kFail, kNull, kRound };

class Reader final : public RowReader {
 public:
  Reader(MariaDbSession& session, Statement statement, const ReadOptions& options)
      : session_(session), statement_(std::move(statement)), options_(options) {
    const JdbcUrl& url = session.url();
    const std::string zero = lower(url.parameter("zerodatetimebehavior"));
    zero_date_ = url.scheme == Scheme::kMariaDb ? ZeroDate::kNull : ZeroDate::kFail;
    if (zero == "convert_to_null" || zero == "converttonull") zero_date_ = ZeroDate::kNull;
    if (zero == "round") zero_date_ = ZeroDate::kRound;
    if (zero == "exception") zero_date_ = ZeroDate::kFail;
  }
  ~Reader() override {
    // Draining a large result on the way out could take hours, so the rest is cut off at the socket.
    if (done_) return;
    session_.interrupt();
    session_.mark_broken();
  }

  Status start(std::span<const Parameter> parameters) {
    if (Status s = bind_parameters(parameters); !s.ok()) return s;
    if (mysql_stmt_execute(statement_.get()) != 0) {
      done_ = true;
      return session_.failed(statement_.get());
    }
    done_ = false;
    return bind_result();
  }

  const std::vector<ResultColumn>& columns() const override { return columns_; }
  void track_instants(std::vector<size_t> columns) override { tracked_ = std::move(columns); }
  bool done() const override { return done_; }

  Status fetch(RowBatch& batch, size_t rows_max, size_t bytes_max) override {
    batch.width = columns_.size();
    while (!done_ && batch.rows < rows_max && batch.bytes.bytes() < bytes_max) {
      if (Status s = next_row(); !s.ok()) return s;
      if (done_) break;
      has_row_ = false;
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
    }
    // Only the end of the result tells that the last timestamp is complete, so look one row ahead.
    return tracked_.empty() ? sdk::ok() : next_row();
  }

 private:
  /// Lands the next row unless one is waiting.
  Status next_row() {
    if (has_row_ || done_) return sdk::ok();
    const int result = mysql_stmt_fetch(statement_.get());
    has_row_ = result != MYSQL_NO_DATA && result != 1;
    done_ = !has_row_;
    return result == 1 ? session_.failed(statement_.get()) : sdk::ok();
  }

  Status bind_parameters(std::span<const Parameter> parameters) {
    if (mysql_stmt_param_count(statement_.get()) != parameters.size()) {
      return {Code::kInvalidConfig,
              "the query has " + std::to_string(mysql_stmt_param_count(statement_.get())) +
                  " '?' placeholders; write values into it, only the connector's own conditions take parameters"};
    }
    std::vector<MYSQL_BIND> binds(parameters.size());
    numbers_.resize(parameters.size());
    times_.resize(parameters.size());
    for (size_t i = 0; i < parameters.size(); ++i) {
      binds[i] = MYSQL_BIND{};
      if (const auto* number = std::get_if<int64_t>(&parameters[i])) {
        numbers_[i] = *number;
        binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
        binds[i].buffer = &numbers_[i];
      } else {
        const Instant instant = std::get<Instant>(parameters[i]);
        const Civil civil = options_.clock.civil_of(instant.seconds, static_cast<uint32_t>(instant.nanos / 1000));
        MYSQL_TIME& time = times_[i];
        time = MYSQL_TIME{};
        time.year = static_cast<unsigned>(civil.year);
        time.month = civil.month;
        time.day = civil.day;
        time.hour = civil.hour;
        time.minute = civil.minute;
        time.second = civil.second;
        time.second_part = civil.micros;
        time.time_type = MYSQL_TIMESTAMP_DATETIME;
        binds[i].buffer_type = MYSQL_TYPE_DATETIME;
        binds[i].buffer = &time;
      }
    }
    if (!binds.empty() && mysql_stmt_bind_param(statement_.get(), binds.data()) != 0)
      return session_.failed(statement_.get());
    return sdk::ok();
  }

  Status bind_result() {
    std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> metadata(mysql_stmt_result_metadata(statement_.get()),
                                                                      &mysql_free_result);
    if (metadata == nullptr) return {Code::kInvalidConfig, "the statement returns no rows; use a SELECT"};
    const unsigned count = mysql_num_fields(metadata.get());
    const MariaDbTypes types(session_.url());
    columns_.resize(count);
    decoders_.resize(count);
    landings_.resize(count);
    std::vector<MYSQL_BIND> binds(count);
    for (unsigned i = 0; i < count; ++i) {
      describe(*mysql_fetch_field_direct(metadata.get(), i), types, options_.granularity, columns_[i], decoders_[i]);
      bind_column(decoders_[i], landings_[i], binds[i]);
    }
    if (mysql_stmt_bind_result(statement_.get(), binds.data()) != 0) return session_.failed(statement_.get());
    return sdk::ok();
  }

  static void bind_column(const MariaDbColumn& column, Landing& landing, MYSQL_BIND& bind) {
    bind = MYSQL_BIND{};
    bind.buffer = &landing.integer;
    bind.length = &landing.length;
    bind.is_null = &landing.is_null;
    bind.error = &landing.truncated;
    switch (column.decode) {
      case Decode::kInt:
      case Decode::kBoolean:
      case Decode::kYear:
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        break;
      case Decode::kUnsigned64:
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.is_unsigned = 1;
        break;
      case Decode::kFloat:
        bind.buffer_type = MYSQL_TYPE_FLOAT;
        break;
      case Decode::kDouble:
        bind.buffer_type = MYSQL_TYPE_DOUBLE;
        break;
      case Decode::kDecimal:
        bind.buffer_type = MYSQL_TYPE_STRING;
        bind.buffer_length = sizeof(landing.text);
        break;
      case Decode::kBit:
      case Decode::kBitBoolean:
        bind.buffer_type = MYSQL_TYPE_BLOB;
        bind.buffer_length = sizeof(landing.text);
        break;
      case Decode::kDate:
        bind.buffer_type = MYSQL_TYPE_DATE;
        bind.buffer_length = sizeof(MYSQL_TIME);
        break;
      case Decode::kTime:
        bind.buffer_type = MYSQL_TYPE_TIME;
        bind.buffer_length = sizeof(MYSQL_TIME);
        break;
      case Decode::kTimestamp:
        bind.buffer_type = MYSQL_TYPE_DATETIME;
        bind.buffer_length = sizeof(MYSQL_TIME);
        break;
      case Decode::kText:
        bind.buffer_type = MYSQL_TYPE_BLOB;  // length first, bytes by mysql_stmt_fetch_column
        bind.buffer_length = 0;
        break;
    }
  }

  Status decode(size_t i, mr_value& value, ByteArena& bytes) {
    Landing& landing = landings_[i];
    const MariaDbColumn& column = decoders_[i];
    value = mr_value{};
    if (landing.is_null) return sdk::ok();
    value.kind = static_cast<uint8_t>(column.kind);
    switch (column.decode) {
      case Decode::kInt:
        value.u.i64 = landing.integer;
        break;
      case Decode::kBoolean:
        value.u.i64 = landing.integer != 0 ? 1 : 0;
        break;
      case Decode::kUnsigned64:
        value.u.i64 = landing.integer;
        if (landing.integer < 0) {
          return {Code::kInternal,
                  "Value '" + std::to_string(static_cast<uint64_t>(landing.integer)) + "' of column '" +
                      columns_[i].label +
                      "' is outside of the valid range for type java.lang.Long; read it as text with a query (CAST(" +
                      columns_[i].label + " AS CHAR))"};
        }
        break;
      case Decode::kFloat:
        value.u.f64 = static_cast<double>(landing.single);
        break;
      case Decode::kDouble:
        value.u.f64 = landing.real;
        break;
      case Decode::kBit:
      case Decode::kBitBoolean:
        return decode_bit(i, value);
      case Decode::kDecimal:
        decode_decimal(landing, column.scale, value, bytes);
        break;
      case Decode::kText: {
        value.size = static_cast<uint32_t>(landing.length);
        char* to = bytes.allocate(landing.length);
        value.u.bytes = to;
        if (landing.length == 0) break;
        MYSQL_BIND bind{};
        unsigned long length = 0;
        my_bool is_null = 0, truncated = 0;
        bind.buffer_type = MYSQL_TYPE_BLOB;
        bind.buffer = to;
        bind.buffer_length = landing.length;
        bind.length = &length;
        bind.is_null = &is_null;
        bind.error = &truncated;
        if (mysql_stmt_fetch_column(statement_.get(), &bind, static_cast<unsigned>(i), 0) != 0)
          return session_.failed(statement_.get());
        break;
      }
      default:
        return decode_temporal(i, value, bytes);
    }
    return sdk::ok();
  }

  Status decode_bit(size_t i, mr_value& value) {
    const Landing& landing = landings_[i];
    uint64_t number = 0;
    for (unsigned long b = 0; b < landing.length; ++b)
      number = number << 8 | static_cast<unsigned char>(landing.text[b]);
    if (decoders_[i].decode == Decode::kBitBoolean) {
      value.u.i64 = number != 0 ? 1 : 0;
      return sdk::ok();
    }
    // Its driver hands out the first byte of a longer BIT, and people's sinks are built for that.
    if (session_.url().scheme == Scheme::kMariaDb && landing.length != 0)
      number = static_cast<unsigned char>(landing.text[0]);
    if (number > 255) {
      return {Code::kInternal, "Value '" + std::to_string(number) + "' of the BIT column '" + columns_[i].label +
                                   "' is outside of the valid range for INT8; read it with a query (" +
                                   columns_[i].label + "+0)"};
    }
    value.u.i64 = static_cast<int8_t>(number);
    return sdk::ok();
  }

  static void decode_decimal(const Landing& landing, int scale, mr_value& value, ByteArena& bytes) {
    std::array<char, kDecimalBytesMax> unscaled;
    const size_t size =
        decimal_bytes({landing.text, std::min<size_t>(landing.length, sizeof(landing.text))}, scale, unscaled);
    char* to = bytes.allocate(size);
    std::memcpy(to, unscaled.data(), size);
    value.kind = MR_DECIMAL;
    value.scale = static_cast<int16_t>(scale);
    value.size = static_cast<uint32_t>(size);
    value.u.bytes = to;
  }

  Status decode_temporal(size_t i, mr_value& value, ByteArena& bytes) {
    const Landing& landing = landings_[i];
    const MYSQL_TIME& time = landing.time;
    const Decode decode = decoders_[i].decode;
    if (decode == Decode::kYear) {
      int64_t year = landing.integer;
      if (year == 0) {
        if (session_.url().scheme == Scheme::kMariaDb) {
          return {Code::kInternal, "YEAR 0000 in column '" + columns_[i].label +
                                       "' is no date; set yearIsDateType=false in connection.url"};
        }
        year = 2000;
      }
      value.u.i64 = days_of(options_.clock.calendar, static_cast<int32_t>(year), 1, 1);
      return sdk::ok();
    }
    if (decode == Decode::kTime) return decode_time(i, value);
    Civil civil{static_cast<int32_t>(time.year),        time.month, time.day, time.hour, time.minute, time.second,
                static_cast<uint32_t>(time.second_part)};
    if (time.month == 0 || time.day == 0) {
      if (zero_date_ == ZeroDate::kFail) {
        return {Code::kInternal, "Zero date value prohibited in column '" + columns_[i].label +
                                     "'; set zeroDateTimeBehavior=CONVERT_TO_NULL in connection.url"};
      }
      if (zero_date_ == ZeroDate::kNull) {
        value = mr_value{};
        return sdk::ok();
      }
      civil.year = std::max(civil.year, 1);
      civil.month = std::max(civil.month, 1U);
      civil.day = std::max(civil.day, 1U);
    }
    if (decode == Decode::kDate) {
      value.u.i64 = days_of(options_.clock.calendar, civil.year, civil.month, civil.day);
    } else {
      set_timestamp(civil, value, bytes);
    }
    return sdk::ok();
  }

  Status decode_time(size_t i, mr_value& value) {
    const MYSQL_TIME& time = landings_[i].time;
    const int64_t hours = static_cast<int64_t>(time.hour) + static_cast<int64_t>(time.day) * 24;
    int64_t millis =
        ((hours * 60 + time.minute) * 60 + time.second) * 1000 + static_cast<int64_t>(time.second_part / 1000);
    if (time.neg) millis = -millis;
    if (session_.url().scheme == Scheme::kMySql && (millis < 0 || millis >= 86'400'000)) {
      return {Code::kInternal, "The value of column '" + columns_[i].label +
                                   "' is an invalid TIME value: only 00:00:00 to 23:59:59 fits "
                                   "Connect's Time; read it as text with a query (CAST(" +
                                   columns_[i].label + " AS CHAR))"};
    }
    if (!options_.clock.zone.utc()) millis -= static_cast<int64_t>(options_.clock.zone.offset_at(0)) * 1000;
    value.u.i64 = millis;
    return sdk::ok();
  }

  void set_timestamp(const Civil& civil, mr_value& value, ByteArena& bytes) const {
    put_timestamp(options_.clock.instant_of(civil), civil, options_.granularity, value, bytes);
  }

  void track(RowBatch& batch) const {
    for (const size_t i : tracked_) {
      const MYSQL_TIME& time = landings_[i].time;
      if (landings_[i].is_null || time.month == 0 || time.day == 0) continue;
      batch.instants.push_back(
          options_.clock.instant_of({static_cast<int32_t>(time.year), time.month, time.day, time.hour, time.minute,
                                     time.second, static_cast<uint32_t>(time.second_part)}));
      batch.has_instant.push_back(1);
      return;
    }
    batch.instants.emplace_back();
    batch.has_instant.push_back(0);
  }

  MariaDbSession& session_;
  Statement statement_;
  ReadOptions options_;
  ZeroDate zero_date_ = ZeroDate::kFail;
  std::vector<ResultColumn> columns_;
  std::vector<MariaDbColumn> decoders_;
  std::vector<Landing> landings_;
  std::vector<size_t> tracked_;
  std::vector<int64_t> numbers_;
  std::vector<MYSQL_TIME> times_;
  bool done_ = true, has_row_ = false;
};

}  // namespace

Result<std::unique_ptr<RowReader>> open_reader(MariaDbSession& session, Statement statement,
                                               std::span<const Parameter> parameters, const ReadOptions& options) {
  auto reader = std::make_unique<Reader>(session, std::move(statement), options);
  if (Status s = reader->start(parameters); !s.ok()) return s;
  return std::unique_ptr<RowReader>(std::move(reader));
}

}  // namespace millrace::jdbc
