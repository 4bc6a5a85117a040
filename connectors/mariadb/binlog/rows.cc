#include "connectors/mariadb/binlog/rows.h"

#include <algorithm>

#include "connectors/mariadb/binlog/byte_reader.h"
#include "connectors/mariadb/binlog/column_value.h"
#include "connectors/mariadb/binlog/compression.h"

namespace millrace::mariadb {
namespace {

constexpr uint16_t kEndOfStatement = 1;

struct Shape {
  RowOperation operation;
  bool version_2 = false, compressed = false;
};

bool shape_of(EventType type, Shape& shape) {
  switch (type) {
    case EventType::kWriteRowsV1:
      shape = {RowOperation::kInsert};
      return true;
    case EventType::kUpdateRowsV1:
      shape = {RowOperation::kUpdate};
      return true;
    case EventType::kDeleteRowsV1:
      shape = {RowOperation::kDelete};
      return true;
    case EventType::kWriteRowsV2:
      shape = {RowOperation::kInsert, true};
      return true;
    case EventType::kUpdateRowsV2:
      shape = {RowOperation::kUpdate, true};
      return true;
    case EventType::kDeleteRowsV2:
      shape = {RowOperation::kDelete, true};
      return true;
    case EventType::kWriteRowsCompressed:
      shape = {RowOperation::kInsert, false, true};
      return true;
    case EventType::kUpdateRowsCompressed:
      shape = {RowOperation::kUpdate, false, true};
      return true;
    case EventType::kDeleteRowsCompressed:
      shape = {RowOperation::kDelete, false, true};
      return true;
    default:
      return false;
  }
}

bool is_set(Bytes bits, size_t index) { return (bits[index / 8] >> (index % 8) & 1) != 0; }

size_t count_set(Bytes bits, size_t columns) {
  size_t count = 0;
  for (size_t i = 0; i < columns; ++i) count += is_set(bits, i) ? 1 : 0;
  return count;
}

}  // namespace

Result<uint64_t> RowsReader::table_id_of(const Event& event) {
  if (event.body.size() < 6) return malformed(event.header, "truncated");
  return read_little(event.body.data(), 6);
}

Status RowsReader::open(const Event& event, const TableMap& map) {
  rest_ = {};
  one_empty_row_ = false;
  map_ = &map;
  header_ = event.header;
  Shape shape{};
  if (!shape_of(event.header.type, shape)) return malformed(header_, "is no rows event");
  operation_ = shape.operation;
  ByteReader in(event.body);
  const uint64_t table_id = in.number(6);
  ends_statement_ = (in.u16() & kEndOfStatement) != 0;
  if (shape.version_2) {
    const uint16_t extra = in.u16();  // its own two bytes included
    if (extra < 2) return malformed(header_, "truncated");
    in.skip(extra - 2U);
  }
  const uint64_t columns = in.lenenc();
  if (!in.ok()) return malformed(header_, "truncated");
  if (table_id != map.table_id || columns != map.columns.size()) {
    return malformed(header_, "has table id " + std::to_string(table_id) + " and " + std::to_string(columns) +
                                  " columns, the TABLE_MAP of " + map.table.full() + " has id " +
                                  std::to_string(map.table_id) + " and " + std::to_string(map.columns.size()));
  }
  const size_t bitmap_bytes = (map.columns.size() + 7) / 8;
  const bool has_before = operation_ != RowOperation::kInsert, has_after = operation_ != RowOperation::kDelete;
  present_before_ = has_before ? in.take(bitmap_bytes) : Bytes{};
  present_after_ = has_after ? in.take(bitmap_bytes) : Bytes{};
  if (!in.ok()) return malformed(header_, "truncated");
  const size_t count = map.columns.size();
  const size_t in_before = has_before ? count_set(present_before_, count) : 0;
  const size_t in_after = has_after ? count_set(present_after_, count) : 0;
  all_before_ = in_before == count;
  all_after_ = in_after == count;
  rest_ = in.rest();
  if (shape.compressed) {
    const CompressedBlock block = event_block(rest_);
    rest_ = {};
    if (block.problem != nullptr) return malformed(header_, block.problem);
    if (inflated_.capacity() > kInflatedBytesKept) std::vector<uint8_t>().swap(inflated_);
    inflated_.resize(block.size);
    if (!inflate(block, inflated_.data())) return malformed(header_, "cannot be decompressed");
    rest_ = inflated_;
  }
  one_empty_row_ = rest_.empty() && in_before + in_after == 0;
  before_.assign(has_before ? count : 0, Cell{});
  after_.assign(has_after ? count : 0, Cell{});
  return sdk::ok();
}

Status RowsReader::next() {
  one_empty_row_ = false;
  if (scratch_.bytes() != 0) scratch_.clear();
  const uint8_t* const begin = rest_.data();
  const uint8_t* const end = begin + rest_.size();
  const uint8_t* at = begin;
  size_t column = 0;
  if (!before_.empty())
    at = read_row_image(map_->columns, present_before_, all_before_, at, end, before_.data(), scratch_, column);
  if (at != nullptr && !after_.empty())
    at = read_row_image(map_->columns, present_after_, all_after_, at, end, after_.data(), scratch_, column);
  if (at == nullptr || (at == begin && !rest_.empty())) return failed_at(column);
  rest_ = rest_.subspan(static_cast<size_t>(at - begin));
  return sdk::ok();
}

Status RowsReader::failed_at(size_t column) {
  const size_t left = rest_.size();
  rest_ = {};
  const WireColumn* wire = column < map_->columns.size() ? &map_->columns[column] : nullptr;
  return malformed(header_, "the row of table " + map_->table.full() + " that begins " + std::to_string(left) +
                                " bytes before the end of the rows cannot be read at column " +
                                std::to_string(column + 1) +
                                (wire == nullptr ? "" : " (type " + std::to_string(wire->type) + ")"));
}

}  // namespace millrace::mariadb
