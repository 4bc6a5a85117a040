// Change events: rows of an orders table through EventWriter, to a worker that takes records and forgets them.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "connectors/mariadb/events/event_writer.h"

namespace millrace::mariadb {
namespace {

/// A worker that numbers schemas and throws records away.
const mr_host_v1& null_host() {
  static const mr_host_v1 table = [] {
    mr_host_v1 made{};
    made.struct_size = sizeof(made);
    made.major = MR_ABI_MAJOR;
    made.minor = MR_ABI_MINOR;
    made.log = [](mr_context*, int32_t, mr_str) {};
    made.register_schema = [](mr_context*, const mr_schema*, mr_schema_id* id, mr_error*) -> int32_t {
      static mr_schema_id last = 0;
      *id = ++last;
      return MR_OK;
    };
    made.emit = [](mr_context*, const mr_record* records, size_t count, mr_error*) -> int32_t {
      benchmark::DoNotOptimize(records[count - 1].value.u.items);
      return MR_OK;
    };
    return made;
  }();
  return table;
}

class FixedOffsets : public OffsetProvider {
 public:
  mr_value offset(connectors::ByteArena& arena) override {
    mr_value* items = arena.values(std::size(kEntries));
    std::copy(std::begin(kEntries), std::end(kEntries), items);
    items[3].u.i64 = ++row_;
    return sdk::map_value({items, std::size(kEntries)});
  }
  mr_value partition() override { return sdk::map_value(partition_); }

 private:
  const mr_value kEntries[8] = {sdk::string_value("file"),      sdk::string_value("bin.000001"),
                                sdk::string_value("row"),       sdk::int_value(MR_INT64, 0),
                                sdk::string_value("gtids"),     sdk::string_value("0-1-100"),
                                sdk::string_value("server_id"), sdk::int_value(MR_INT64, 1)};
  const mr_value partition_[2] = {sdk::string_value("server"), sdk::string_value("srv")};
  int64_t row_ = 0;
};

ColumnDefinition column(const char* name, const char* type, bool optional, std::optional<int32_t> length = {},
                        std::optional<int32_t> scale = {}) {
  ColumnDefinition made;
  made.name = name;
  made.type_name = type;
  made.optional = optional;
  made.length = length;
  made.scale = scale;
  if (made.type_name == "VARCHAR") made.charset = "utf8mb4";
  return made;
}

/// Six columns, as the decoder's measurements have them.
TableDefinition orders() {
  TableDefinition table;
  table.id = {"shop", "orders"};
  table.primary_key = {"id"};
  table.columns = {column("id", "BIGINT", false),          column("customer", "INT", false),
                   column("status", "VARCHAR", true, 20),  column("amount", "DECIMAL", false, 10, 2),
                   column("created", "DATETIME", true, 6), column("note", "VARCHAR", true, 200)};
  return table;
}

std::vector<Cell> cells_of(int64_t id, std::string_view note) {
  std::vector<Cell> cells(6);
  cells[0].kind = cells[1].kind = Cell::Kind::kInteger;
  cells[0].i64 = id;
  cells[1].i64 = 4711;
  cells[2].kind = cells[5].kind = Cell::Kind::kBytes;
  cells[2].bytes = "shipped";
  cells[2].size = 7;
  cells[3].kind = Cell::Kind::kDecimal;
  cells[3].scale = 2;
  cells[3].i128 = 123456;
  cells[4].kind = Cell::Kind::kDateTime;
  cells[4].time = {2026, 11, 21, 15, 0, 1, 250000};
  cells[5].bytes = note.data();
  cells[5].size = static_cast<uint32_t>(note.size());
  return cells;
}

/// Argument: 0 inserts, 1 updates, 2 updates within transactions with metadata.
void write_rows(benchmark::State& state) {
  sdk::detail::host = &null_host();
  const mr_pair pairs[] = {
      {sdk::to_mr("topic.prefix"), sdk::to_mr("srv")},
      {sdk::to_mr("provide.transaction.metadata"), sdk::to_mr(state.range(0) == 2 ? "true" : "false")}};
  sdk::Config config(mr_config{pairs, std::size(pairs)}, {});
  sdk::SourceContext context(nullptr, &config);
  FixedOffsets offsets;
  EventWriter writer(context, EventOptions::parse(config).value(), ValueOptions::parse(config).value(), offsets);
  TableEvents& table = *writer.table(orders(), nullptr).value();
  const std::string note(40, 'n'), other(40, 'o');
  const std::vector<Cell> before = cells_of(1, note), after = cells_of(1, other);
  SourceInfo source;
  source.file = "bin.000001";
  source.gtid = "0-1-101";
  source.server_id = 1;
  bool fine = true;
  if (state.range(0) == 2) fine = writer.begin_transaction("0-1-101", 1).ok();
  for (auto _ : state) {
    source.time_us += 10;
    ++source.row;
    fine = fine && (state.range(0) == 0 ? writer.row(table, Operation::kCreate, {}, after, source)
                                        : writer.row(table, Operation::kUpdate, before, after, source))
                       .ok();
    if (writer.full()) fine = fine && writer.flush().ok();
  }
  if (!fine) state.SkipWithError("a row could not be written");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_rows)->Arg(0)->Arg(1)->Arg(2);

/// Finding a table's version, as once a table map event.
void find_table(benchmark::State& state) {
  sdk::detail::host = &null_host();
  const mr_pair pairs[] = {{sdk::to_mr("topic.prefix"), sdk::to_mr("srv")}};
  sdk::Config config(mr_config{pairs, std::size(pairs)}, {});
  sdk::SourceContext context(nullptr, &config);
  FixedOffsets offsets;
  EventWriter writer(context, EventOptions::parse(config).value(), ValueOptions::parse(config).value(), offsets);
  const TableDefinition definition = orders();
  for (auto _ : state) benchmark::DoNotOptimize(writer.table(definition, nullptr).value());
}
BENCHMARK(find_table);

}  // namespace
}  // namespace millrace::mariadb
