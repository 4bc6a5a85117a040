// Rows a CPU second of the binlog decoder, checksums verified: rows of an `orders` table (bigint, two varchar, int,
// decimal(12,2), datetime(3)), many a transaction and one a transaction.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/event_builder.h"
#include "connectors/mariadb/binlog/rows.h"

namespace {

using namespace millrace::mariadb;
using millrace::mariadb::testing::EventBuilder;

void add_row(EventBuilder& out, uint64_t id) {
  char user[32], product[64];
  const int user_size = std::snprintf(user, sizeof(user), "user-%08llu", static_cast<unsigned long long>(id % 90'000));
  const int product_size = std::snprintf(product, sizeof(product), "product-%020llu-of-the-shop",
                                         static_cast<unsigned long long>(id * 7919));
  out.list({0}).little(id, 8).text({user, static_cast<size_t>(user_size)});
  out.little(static_cast<uint64_t>(product_size), 2).raw({product, static_cast<size_t>(product_size)});
  out.little(id % 17, 4);
  out.list({0x80, 0, 0}).big(id % 999'999, 3);
  out.raw(std::string("\x99\xB2\x42\x30\xC5\x04\xD2", 7));
}

/// Events of `transactions` of `rows` rows each, as they come in a stream.
std::vector<std::vector<uint8_t>> stream_of(size_t transactions, size_t rows) {
  std::vector<std::vector<uint8_t>> events;
  EventBuilder metadata;
  metadata.little(200, 2).little(480, 2).list({12, 2, 3});
  uint64_t id = 1;
  for (size_t t = 0; t < transactions; ++t) {
    events.push_back(EventBuilder().little(t, 8).little(0, 4).list({0x0C, 0, 0, 0, 0, 0, 0}).event(EventType::kGtid));
    events.push_back(testing::table_map({8, 15, 15, 3, 246, 18}, metadata).event(EventType::kTableMap));
    for (size_t left = rows; left > 0;) {
      EventBuilder body = testing::rows_head(6, left <= 90 ? 1 : 0).list({0x3F});
      for (size_t i = 0; i < 90 && left > 0; ++i, --left) add_row(body, id++);
      events.push_back(body.event(EventType::kWriteRowsV1));
    }
    events.push_back(EventBuilder().little(t, 8).event(EventType::kXid));
  }
  return events;
}

void decode(benchmark::State& state) {
  const auto rows_each = static_cast<size_t>(state.range(0));
  const auto events = stream_of(200'000 / rows_each / (rows_each == 1 ? 10 : 1), rows_each);
  size_t rows_read = 0, bytes = 0;
  EventParser parser(state.range(1) != 0);
  const EventBuilder format = EventBuilder().little(4, 2).raw(std::string(50, 'v')).little(0, 4).list({19, 1});
  if (!parser.parse(format.event(EventType::kFormatDescription)).ok()) return state.SkipWithError("format");
  RowsReader rows;
  TableMap map;
  std::vector<uint8_t> map_bytes;
  uint64_t sum = 0;
  for (auto _ : state) {
    for (const auto& raw : events) {
      auto event = parser.parse(raw);
      if (!event.ok()) return state.SkipWithError(event.status().message().c_str());
      bytes += raw.size();
      if (event->header.type == EventType::kTableMap) {
        // As a capture does: the same bytes are the same table.
        if (std::equal(map_bytes.begin(), map_bytes.end(), event->body.begin(), event->body.end())) continue;
        map = *parse_table_map(*event);
        map_bytes.assign(event->body.begin(), event->body.end());
      } else if (event->header.type == EventType::kGtid) {
        sum += parse_gtid(*event)->id.sequence;
      } else if (event->header.type == EventType::kWriteRowsV1) {
        if (!rows.open(*event, map).ok()) return state.SkipWithError("rows");
        for (; rows.more(); ++rows_read) {
          if (!rows.next().ok()) return state.SkipWithError("row");
          sum += static_cast<uint64_t>(rows.after()[0].i64) + rows.after()[2].size;
        }
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<int64_t>(rows_read));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(decode)->ArgNames({"rows", "crc"})->Args({1000, 1})->Args({1000, 0})->Args({1, 1})->Args({1, 0});

}  // namespace
