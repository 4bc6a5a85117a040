/// A prepared write with its parameters in column arrays: one COM_STMT_BULK_EXECUTE for many records where the server
/// knows it (MariaDB), else one execution a record. The arrays are kept between batches, so nothing is allocated per
/// record.
#include <mysqld_error.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/mariadb_session.h"

namespace millrace::jdbc {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0); }

/// One parameter's values for a run of records.
struct Column {
  enum_field_types type = MYSQL_TYPE_NULL;
  std::vector<int64_t> integers;
  std::vector<double> doubles;
  std::vector<float> floats;
  std::vector<const void*> pointers;  // texts and times: the client wants an array of pointers
  std::vector<unsigned long> lengths;
  std::vector<MYSQL_TIME> times;
  std::vector<char> indicators;
};

enum_field_types wire_type(CellForm form) {
  switch (form) {
    case CellForm::kInt:
      return MYSQL_TYPE_LONGLONG;
    case CellForm::kFloat:
      return MYSQL_TYPE_FLOAT;
    case CellForm::kDouble:
      return MYSQL_TYPE_DOUBLE;
    case CellForm::kBytes:
      return MYSQL_TYPE_BLOB;
    case CellForm::kDate:
      return MYSQL_TYPE_DATE;
    case CellForm::kTime:
      return MYSQL_TYPE_TIME;
    case CellForm::kTimestamp:
    case CellForm::kEpochMicros:
    case CellForm::kEpochNanos:
      return MYSQL_TYPE_DATETIME;
    default:
      return MYSQL_TYPE_STRING;
  }
}

mr_value text_value(mr_str text) { return sdk::string_value(sdk::view(text)); }

class Writer final : public BatchWriter {
 public:
  Writer(MariaDbSession& session, Statement statement, std::vector<Cell> cells, const WriteOptions& options)
      : session_(session),
        statement_(std::move(statement)),
        cells_(std::move(cells)),
        options_(options),
        columns_(cells_.size()) {
    for (size_t i = 0; i < cells_.size(); ++i) columns_[i].type = wire_type(cells_[i].form);
  }

  Status write(std::span<const mr_record* const> records) override {
    // A packet above the server's limit ends the connection; half of it leaves room for lengths and types.
    const size_t bytes_max = session_.packet_bytes_max() / 2;
    while (!records.empty()) {
      reset(records.size());
      size_t rows = 0, bytes = 0;
      while (rows < records.size() && (rows == 0 || bytes < bytes_max)) {
        size_t row_bytes = 0;
        if (Status s = fill(*records[rows], rows, row_bytes); !s.ok()) return s;
        if (rows != 0 && bytes + row_bytes > bytes_max) break;
        bytes += row_bytes;
        ++rows;
      }
      if (Status s = session_.bulk() && rows > 1 ? execute_bulk(rows) : execute_single(rows); !s.ok()) return s;
      records = records.subspan(rows);
    }
    return sdk::ok();
  }

 private:
  void reset(size_t rows) {
    bytes_.clear();
    for (Column& column : columns_) {
      column.indicators.assign(rows, STMT_INDICATOR_NONE);
      switch (column.type) {
        case MYSQL_TYPE_LONGLONG:
          column.integers.resize(rows);
          break;
        case MYSQL_TYPE_FLOAT:
          column.floats.resize(rows);
          break;
        case MYSQL_TYPE_DOUBLE:
          column.doubles.resize(rows);
          break;
        case MYSQL_TYPE_STRING:
        case MYSQL_TYPE_BLOB:
          column.pointers.assign(rows, "");
          column.lengths.assign(rows, 0);
          break;
        default:
          column.times.assign(rows, MYSQL_TIME{});
          column.pointers.resize(rows);
          break;
      }
    }
  }

  static mr_value cell_of(const mr_record& record, const CellSource& source) {
    switch (source.from) {
      case CellSource::From::kKey:
        return record.key;
      case CellSource::From::kKeyField:
        return source.index < record.key.size && record.key.kind == MR_STRUCT ? record.key.u.items[source.index]
                                                                              : mr_value{};
      case CellSource::From::kValue:
        return record.value;
      case CellSource::From::kValueField:
        return source.index < record.value.size && record.value.kind == MR_STRUCT ? record.value.u.items[source.index]
                                                                                  : mr_value{};
      case CellSource::From::kTopic:
        return text_value(record.original_topic.data != nullptr ? record.original_topic : record.topic);
      case CellSource::From::kPartition:
        return sdk::int_value(MR_INT32,
                              record.original_topic.data != nullptr ? record.original_partition : record.partition);
      case CellSource::From::kOffset:
        return sdk::int_value(MR_INT64, record.offset);
    }
    return {};
  }

  Status fill(const mr_record& record, size_t row, size_t& bytes) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      const Cell& cell = cells_[i];
      Column& column = columns_[i];
      mr_value value = cell_of(record, cell.source);
      if (value.kind == MR_NULL && cell.fallback != nullptr) value = *cell.fallback;
      bytes += 10;
      if (value.kind == MR_NULL) {
        column.indicators[row] = STMT_INDICATOR_NULL;
        if (!column.times.empty()) column.pointers[row] = &column.times[row];
        continue;
      }
      if (value.kind == MR_ARRAY || value.kind == MR_MAP || value.kind == MR_STRUCT) {
        return {Code::kBadRecord,
                "Unsupported source data type: arrays, maps and structs have no column type; flatten the record first"};
      }
      switch (cell.form) {
        case CellForm::kInt:
          column.integers[row] = value.u.i64;
          break;
        case CellForm::kFloat:
          column.floats[row] = static_cast<float>(value.u.f64);
          break;
        case CellForm::kDouble:
          column.doubles[row] = value.u.f64;
          break;
        case CellForm::kText:
        case CellForm::kBytes:
          column.pointers[row] = value.size == 0 ? "" : value.u.bytes;
          column.lengths[row] = value.size;
          bytes += value.size;
          break;
        case CellForm::kDecimal:
          fill_decimal(column, row, value);
          bytes += column.lengths[row];
          break;
        default:
          if (Status s = fill_time(cell.form, column, row, value); !s.ok()) return s;
          break;
      }
    }
    return sdk::ok();
  }

  void fill_decimal(Column& column, size_t row, const mr_value& value) {
    char text[kDecimalTextMax];
    const size_t size = decimal_text({value.u.bytes, value.size}, value.scale, text);
    char* to = bytes_.allocate(size);
    std::memcpy(to, text, size);
    column.pointers[row] = to;
    column.lengths[row] = size;
  }

  Status fill_time(CellForm form, Column& column, size_t row, const mr_value& value) {
    Civil civil;
    int64_t number = value.u.i64;
    if (value.kind == MR_STRING) {  // an epoch number as text
      const char* end = value.u.bytes + value.size;
      const auto parsed = std::from_chars(value.u.bytes, end, number);
      if (parsed.ec != std::errc() || parsed.ptr != end) {
        return {Code::kBadRecord, "'" + std::string(value.u.bytes, value.size) +
                                      "' is no epoch number for a field of timestamp.fields.list"};
      }
    }
    switch (form) {
      case CellForm::kDate: {
        const int64_t seconds = number * 86400;
        civil = WallClock{{}, options_.clock.calendar}.civil_of(seconds + options_.date_zone.offset_at(seconds), 0);
        civil.hour = civil.minute = civil.second = 0;
        break;
      }
      case CellForm::kTime:
      case CellForm::kTimestamp: {
        const int64_t seconds = floor_div(number, 1000);
        civil = options_.clock.civil_of(seconds, static_cast<uint32_t>((number - seconds * 1000) * 1000));
        break;
      }
      default: {
        const int64_t per_second = form == CellForm::kEpochNanos ? 1'000'000'000 : 1'000'000;
        const int64_t seconds = floor_div(number, per_second);
        civil = options_.clock.civil_of(
            seconds, static_cast<uint32_t>((number - seconds * per_second) / (per_second / 1'000'000)));
        break;
      }
    }
    MYSQL_TIME& time = column.times[row];
    if (form != CellForm::kTime) {
      time.year = static_cast<unsigned>(civil.year);
      time.month = civil.month;
      time.day = civil.day;
    }
    time.hour = civil.hour;
    time.minute = civil.minute;
    time.second = civil.second;
    time.second_part = civil.micros;
    time.time_type = form == CellForm::kTime   ? MYSQL_TIMESTAMP_TIME
                     : form == CellForm::kDate ? MYSQL_TIMESTAMP_DATE
                                               : MYSQL_TIMESTAMP_DATETIME;
    column.pointers[row] = &time;
    return sdk::ok();
  }

  /// The array of column `i` from `row` on; `single`: one value instead of an array.
  MYSQL_BIND bind(size_t i, size_t row, bool single) {
    Column& column = columns_[i];
    MYSQL_BIND bind{};
    bind.buffer_type = column.type;
    switch (column.type) {
      case MYSQL_TYPE_LONGLONG:
        bind.buffer = &column.integers[row];
        break;
      case MYSQL_TYPE_FLOAT:
        bind.buffer = &column.floats[row];
        break;
      case MYSQL_TYPE_DOUBLE:
        bind.buffer = &column.doubles[row];
        break;
      case MYSQL_TYPE_STRING:
      case MYSQL_TYPE_BLOB:
        bind.buffer = single ? const_cast<void*>(column.pointers[row]) : static_cast<void*>(&column.pointers[row]);
        bind.length = &column.lengths[row];
        bind.buffer_length = column.lengths[row];
        break;
      default:
        bind.buffer = single ? static_cast<void*>(&column.times[row]) : static_cast<void*>(&column.pointers[row]);
        break;
    }
    if (!single) {
      bind.u.indicator = &column.indicators[row];
    } else if (column.indicators[row] == STMT_INDICATOR_NULL) {
      bind.buffer_type = MYSQL_TYPE_NULL;
    }
    return bind;
  }

  Status run(unsigned rows, size_t first) {
    const unsigned array_size = rows > 1 ? rows : 0;
    mysql_stmt_attr_set(statement_.get(), STMT_ATTR_ARRAY_SIZE, &array_size);
    binds_.clear();
    for (size_t i = 0; i < cells_.size(); ++i) binds_.push_back(bind(i, first, rows == 1));
    if (mysql_stmt_bind_param(statement_.get(), binds_.data()) != 0 || mysql_stmt_execute(statement_.get()) != 0) {
      return session_.failed(statement_.get());
    }
    return sdk::ok();
  }

  Status execute_bulk(size_t rows) { return run(static_cast<unsigned>(rows), 0); }

  Status execute_single(size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
      if (Status s = run(1, row); !s.ok()) return s;
    }
    return sdk::ok();
  }

  MariaDbSession& session_;
  Statement statement_;
  const std::vector<Cell> cells_;
  const WriteOptions& options_;
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> binds_;
  ByteArena bytes_;
};

}  // namespace

std::unique_ptr<BatchWriter> make_writer(MariaDbSession& session, Statement statement, std::vector<Cell> cells,
                                         const WriteOptions& options) {
  return std::make_unique<Writer>(session, std::move(statement), std::move(cells), options);
}

}  // namespace millrace::jdbc
