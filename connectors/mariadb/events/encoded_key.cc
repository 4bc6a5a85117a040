// Keys as bytes, to find the row of an incremental snapshot's window that a streamed change makes obsolete.
#include <cstring>

#include "connectors/mariadb/events/table_events.h"

namespace millrace::mariadb {
namespace {

void append_size(std::string& out, uint32_t size) { out.append(reinterpret_cast<const char*>(&size), sizeof(size)); }

/// Self-delimiting, so that neighbours cannot run into each other.
void append_value(std::string& out, const mr_value& value) {
  out += static_cast<char>(value.kind);
  switch (value.kind) {
    case MR_NULL:
      return;
    case MR_STRING:
    case MR_BYTES:
    case MR_DECIMAL:
      append_size(out, value.size);
      out.append(value.u.bytes, value.size);
      return;
    case MR_ARRAY:
    case MR_MAP:
    case MR_STRUCT: {
      append_size(out, value.size);
      const size_t count = value.kind == MR_MAP ? size_t{2} * value.size : value.size;
      for (size_t i = 0; i < count; ++i) append_value(out, value.u.items[i]);
      return;
    }
    default:
      out.append(reinterpret_cast<const char*>(&value.u.i64), sizeof(value.u.i64));
  }
}

void append_number(std::string& out, int64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// As the server has it, where snapshot and stream give it alike: values may lose what tells two keys apart, such as
/// the microseconds of a time or the day of "2024-00-10". False: it must be converted.
bool append_cell(std::string& out, const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kDate:
    case Cell::Kind::kDateTime: {
      const WallTime& time = cell.time;
      out += 'D';
      append_number(out, ((int64_t{time.year} * 16 + time.month) * 32 + time.day) * 32 + time.hour);
      append_number(out, (int64_t{time.minute} * 64 + time.second) * 1'000'000 + time.micros);
      return true;
    }
    case Cell::Kind::kInteger:
    case Cell::Kind::kTimestamp:
    case Cell::Kind::kTime:
    case Cell::Kind::kYear:
    case Cell::Kind::kBits:
    case Cell::Kind::kEnum:
    case Cell::Kind::kSet:
      out += 'N';
      append_number(out, cell.i64);
      return true;
    default:
      return false;
  }
}

}  // namespace

Status TableEvents::encode_key(std::span<const Cell> cells, std::string& key) const {
  key.clear();
  if (cells.size() != cell_count_)
    return {Code::kBadRecord, "A row of " + collection_ + " has " + std::to_string(cells.size()) +
                                  " columns, its table " + std::to_string(cell_count_)};
  static thread_local connectors::ByteArena scratch;
  scratch.clear();
  for (const RowKeyColumn& column : row_key_) {
    Cell cell = cells[column.cell];
    if (append_cell(key, cell)) continue;
    cell.snapshot = false;  // a snapshot words some values differently; as keys here they must be equal
    mr_value value{};
    if (Status s = column.plan.convert(cell, scratch, value); !s.ok()) return s;
    append_value(key, value);
  }
  return sdk::ok();
}

Status encoded_key(const TableEvents& table, std::span<const Cell> cells, std::string& key) {
  return table.encode_key(cells, key);
}

}  // namespace millrace::mariadb
