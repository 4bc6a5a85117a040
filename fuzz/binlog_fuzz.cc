// Binlog bytes of a hostile server: [events, each with a length of 3 bytes before it]. All that they parse to is
// looked at, so that the sanitizers see every borrowed byte.
#include <cstddef>
#include <cstdint>

#include "connectors/mariadb/binlog/rows.h"

namespace {

using namespace millrace::mariadb;

volatile uint64_t sink = 0;

void look(std::string_view text) {
  uint64_t sum = 0;
  for (const char c : text) sum += static_cast<uint8_t>(c);
  sink = sink + sum;
}

void look(std::span<const Cell> cells) {
  for (const Cell& cell : cells) {
    if (cell.kind == Cell::Kind::kBytes || cell.kind == Cell::Kind::kDecimalText) look(cell.text());
  }
}

class Session {
 public:
  void feed(Bytes raw) {
    auto event = parser_.parse(raw);
    if (!event.ok()) return;
    switch (event->header.type) {
      case EventType::kTableMap: {
        auto map = parse_table_map(*event);
        if (map.ok()) map_ = std::move(*map);
        return;
      }
      case EventType::kQuery:
      case EventType::kQueryCompressed:
        if (auto query = parse_query(*event, inflated_); query.ok()) look(query->sql), look(query->database);
        return;
      case EventType::kGtid:
        if (auto gtid = parse_gtid(*event); gtid.ok()) look(gtid->xid);
        return;
      case EventType::kGtidList:
        if (auto list = parse_gtid_list(*event); list.ok()) look(list->text());
        return;
      case EventType::kRotate:
        if (auto rotate = parse_rotate(*event); rotate.ok()) look(rotate->file);
        return;
      default:
        feed_rows(*event);
    }
  }

 private:
  void feed_rows(const Event& event) {
    if (!rows_.open(event, map_).ok()) return;
    for (int i = 0; i < 10'000 && rows_.more() && rows_.next().ok(); ++i) look(rows_.before()), look(rows_.after());
  }
  EventParser parser_{false};
  TableMap map_;
  RowsReader rows_;
  std::string inflated_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Session session;
  while (size > 3) {
    const size_t length = std::min<size_t>(data[0] | data[1] << 8 | data[2] << 16, size - 3);
    // A copy of its own, so that a read beyond the event is one beyond the memory.
    std::vector<uint8_t> event(data + 3, data + 3 + length);
    if (event.size() >= 13) {  // the length is no secret worth guessing
      for (size_t i = 0; i < 4; ++i) event[9 + i] = static_cast<uint8_t>(event.size() >> (8 * i));
    }
    session.feed(event);
    data += 3 + length;
    size -= 3 + length;
  }
  return 0;
}
