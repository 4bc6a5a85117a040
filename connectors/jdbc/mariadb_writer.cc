/// A prepared write with its parameters in column arrays: one COM_STMT_BULK_EXECUTE for many records where the server
/// knows it (MariaDB), else one execution a record. The arrays are kept between batches, so nothing is allocated per
/// record.
#include <mysqld_error.h>

#include <algorithm>
#include <cstring>

#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/geometry.h"
#include "connectors/jdbc/key_order.h"
#include "connectors/jdbc/mariadb_session.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

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
    case CellForm::kUnsigned:
    case CellForm::kMicroDuration:
    case CellForm::kNanoDuration:
    case CellForm::kBits:
      return MYSQL_TYPE_LONGLONG;
    case CellForm::kFloat:
      return MYSQL_TYPE_FLOAT;
    case CellForm::kDouble:
      return MYSQL_TYPE_DOUBLE;
    case CellForm::kBytes:
    case CellForm::kGeometry:
    case CellForm::kPoint:
      return MYSQL_TYPE_BLOB;
    case CellForm::kText:
    case CellForm::kDecimal:
    case CellForm::kVariableDecimal:
      return MYSQL_TYPE_STRING;
    case CellForm::kDate:
    case CellForm::kEventDate:
    case CellForm::kIsoDate:
      return MYSQL_TYPE_DATE;
    case CellForm::kTime:
    case CellForm::kTimeMillis:
    case CellForm::kTimeMicros:
    case CellForm::kTimeNanos:
    case CellForm::kZonedTime:
    case CellForm::kIsoTime:
      return MYSQL_TYPE_TIME;
    default:
      return MYSQL_TYPE_DATETIME;
  }
}

/// Whether the form is made from a STRUCT; no other takes arrays, maps or structs.
bool from_struct(CellForm form) {
  return form == CellForm::kVariableDecimal || form == CellForm::kGeometry || form == CellForm::kPoint;
}

/// Little-endian bytes as a number.
int64_t bits_of(const mr_value& value) {
  uint64_t number = 0;
  for (uint32_t i = std::min(value.size, 8U); i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>(value.u.bytes[i - 1]);
  }
  return static_cast<int64_t>(number);
}

/// A member of a STRUCT value, MR_NULL when it has none there.
mr_value member(const mr_value& value, uint32_t index) {
  return index < value.size ? value.u.items[index] : mr_value{};
}

class Writer final : public BatchWriter {
 public:
  Writer(MariaDbSession& session, const RowWrite& write, Statement statement, std::vector<Cell> cells,
         const WriteOptions& options)
      : session_(session),
        statement_(std::move(statement)),
        cells_(std::move(cells)),
        options_(options),
        first_key_(write.kind == RowWrite::Kind::kUpdate ? write.changed.size() : 0),
        keys_(write.keys.size()),
        last_wins_(write.kind == RowWrite::Kind::kUpdate ||
                   (write.kind == RowWrite::Kind::kUpsert && write.by_primary_key &&
                    write.changed.size() == write.others.size())),
        columns_(cells_.size()) {
    for (size_t i = 0; i < cells_.size(); ++i) columns_[i].type = wire_type(cells_[i].form);
  }

  Status write(std::span<const mr_record* const> records) override {
    if (last_wins_ && records.size() > 1) records = last_of_each_key(records);
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
  mr_value value_of(const mr_record& record, const Cell& cell) const {
    const mr_value value = cell_of(record, cell.source);
    return value.kind == MR_NULL && cell.fallback != nullptr ? *cell.fallback : value;
  }

  /// Keys whose bytes are equal are equal; those that only the server's collation holds equal are all written.
  std::span<const mr_record* const> last_of_each_key(std::span<const mr_record* const> records) {
    key_order_.start(records.size());
    std::string& key = key_order_.buffer();
    for (size_t row = 0; row < records.size(); ++row) {
      bool plain = true;
      for (size_t i = first_key_; i < first_key_ + keys_; ++i) {
        plain = append_key(value_of(*records[row], cells_[i]), key) && plain;
      }
      // The row's number makes its key unlike all others.
      if (!plain) key.append(reinterpret_cast<const char*>(&row), sizeof(row));
      key_order_.add();
    }
    const std::span<const uint32_t> order = key_order_.survivors(true);
    if (order.size() == records.size()) return records;
    kept_.clear();
    for (const uint32_t row : order) kept_.push_back(records[row]);
    return kept_;
  }

  /// False: nulls, which are not equal, and structs.
  static bool append_key(const mr_value& value, std::string& key) {
    const auto append = [&](const auto& part) { key.append(reinterpret_cast<const char*>(&part), sizeof(part)); };
    switch (value.kind) {
      case MR_NULL:
      case MR_ARRAY:
      case MR_MAP:
      case MR_STRUCT:
        return false;
      case MR_STRING:
      case MR_BYTES:
      case MR_DECIMAL:
        append(value.size);
        append(value.scale);
        key.append(value.u.bytes, value.size);
        return true;
      default:
        append(value.u.i64);
        return true;
    }
  }

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

  Status fill(const mr_record& record, size_t row, size_t& bytes) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      const Cell& cell = cells_[i];
      Column& column = columns_[i];
      const mr_value value = value_of(record, cell);
      bytes += 10;
      if (value.kind == MR_NULL) {
        column.indicators[row] = STMT_INDICATOR_NULL;
        if (!column.times.empty()) column.pointers[row] = &column.times[row];
        continue;
      }
      if ((value.kind == MR_ARRAY || value.kind == MR_MAP || value.kind == MR_STRUCT) &&
          !(value.kind == MR_STRUCT && from_struct(cell.form))) {
        return {Code::kBadRecord,
                "Unsupported source data type: arrays, maps and structs have no column type; flatten the record first"};
      }
      switch (cell.form) {
        case CellForm::kInt:
        case CellForm::kUnsigned:
        case CellForm::kMicroDuration:
        case CellForm::kNanoDuration:
          column.integers[row] = value.u.i64;
          break;
        case CellForm::kBits:
          column.integers[row] = bits_of(value);
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
        case CellForm::kVariableDecimal:
          if (Status s = fill_decimal(column, row, value); !s.ok()) return s;
          bytes += column.lengths[row];
          break;
        case CellForm::kGeometry:
        case CellForm::kPoint:
          if (Status s = fill_geometry(cell.form, column, row, value); !s.ok()) return s;
          bytes += column.lengths[row];
          break;
        default:
          if (Status s = fill_time(cell.form, column, row, value); !s.ok()) return s;
          break;
      }
    }
    return sdk::ok();
  }

  Status fill_decimal(Column& column, size_t row, mr_value value) {
    if (value.kind == MR_STRUCT) {  // VariableScaleDecimal: scale, value
      const int64_t scale = member(value, 0).u.i64;
      value = member(value, 1);
      value.scale = static_cast<int16_t>(scale);
    }
    char text[kDecimalTextMax];
    const std::string_view unscaled(value.u.bytes, value.size);
    const size_t size = decimal_text(unscaled, value.scale, text);
    if (size == 0) return {Code::kBadRecord, decimal_refusal(unscaled, value.scale)};
    char* to = bytes_.allocate(size);
    std::memcpy(to, text, size);
    column.pointers[row] = to;
    column.lengths[row] = size;
    return sdk::ok();
  }

  /// Geometry: wkb, srid. Point: x, y, wkb, srid.
  Status fill_geometry(CellForm form, Column& column, size_t row, const mr_value& value) {
    const uint32_t first = form == CellForm::kPoint ? 2 : 0;
    const mr_value wkb = member(value, first), srid = member(value, first + 1);
    const auto number = srid.kind == MR_NULL ? 0 : static_cast<uint32_t>(srid.u.i64);
    std::string_view stored;
    if (wkb.kind == MR_BYTES) {
      auto made = stored_geometry({wkb.u.bytes, wkb.size}, number, bytes_);
      if (!made.ok()) return made.status();
      stored = *made;
    } else if (form == CellForm::kPoint) {
      stored = stored_point(member(value, 0).u.f64, member(value, 1).u.f64, number, bytes_);
    } else {
      return {Code::kBadRecord, "a geometry without the field wkb"};
    }
    column.pointers[row] = stored.data();
    column.lengths[row] = stored.size();
    return sdk::ok();
  }

  Status fill_time(CellForm form, Column& column, size_t row, const mr_value& value) {
    WallTime wall;
    if (Status s = wall_time(form, value, options_, wall); !s.ok()) return s;
    MYSQL_TIME& time = column.times[row];
    const bool of_day = wall.kind == WallTime::Kind::kTime;
    if (!of_day) {
      time.year = static_cast<unsigned>(wall.civil.year);
      time.month = wall.civil.month;
      time.day = wall.civil.day;
    }
    time.hour = of_day ? wall.hours % 24 : wall.civil.hour;
    if (of_day) time.day = wall.hours / 24;  // the protocol has one byte for hours
    time.minute = wall.civil.minute;
    time.second = wall.civil.second;
    time.second_part = wall.civil.micros;
    time.neg = wall.negative;
    time.time_type = of_day                               ? MYSQL_TIMESTAMP_TIME
                     : wall.kind == WallTime::Kind::kDate ? MYSQL_TIMESTAMP_DATE
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
        bind.is_unsigned = cells_[i].form == CellForm::kUnsigned || cells_[i].form == CellForm::kBits;
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
  const size_t first_key_, keys_;  // the cells of the key
  const bool last_wins_;           // rows of one key that follow one another leave what the last says
  KeyOrder key_order_;
  std::vector<const mr_record*> kept_;
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> binds_;
  ByteArena bytes_;
};

}  // namespace

std::unique_ptr<BatchWriter> make_writer(MariaDbSession& session, const RowWrite& write, Statement statement,
                                         std::vector<Cell> cells, const WriteOptions& options) {
  return std::make_unique<Writer>(session, write, std::move(statement), std::move(cells), options);
}

}  // namespace millrace::jdbc
