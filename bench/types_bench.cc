/// Cells of the table `orders` (reference mariadb-cdc, section 9) to Connect values: the conversion alone, without
/// reading and writing.
#include <benchmark/benchmark.h>

#include <vector>

#include "connectors/mariadb/types/column_plan.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

ColumnDefinition column(const char* name, const char* type, std::optional<int32_t> length = {},
                        std::optional<int32_t> scale = {}) {
  ColumnDefinition made;
  made.name = name;
  made.type_name = type;
  made.length = length;
  made.scale = scale;
  if (made.type_name == "VARCHAR") made.charset = "utf8mb4";
  return made;
}

std::vector<ColumnPlan> orders(const ValueOptions& options) {
  std::vector<ColumnPlan> plans;
  for (const ColumnDefinition& made :
       {column("id", "BIGINT", 20), column("user_id", "VARCHAR", 50), column("product_id", "VARCHAR", 120),
        column("qty", "INT", 11), column("unit_price", "DECIMAL", 12, 2), column("created_at", "DATETIME", 3)})
    plans.push_back(std::move(ColumnPlan::make({"shop", "orders"}, made, nullptr, options).value()));
  return plans;
}

Cell text(std::string_view content) {
  Cell cell;
  cell.kind = Kind::kBytes;
  cell.bytes = content.data();
  cell.size = static_cast<uint32_t>(content.size());
  return cell;
}

/// A run of rows that differ, so that no branch is learnt by heart.
std::vector<Cell> rows_of_orders(size_t count) {
  std::vector<Cell> cells;
  for (size_t i = 0; i < count; ++i) {
    const auto row = static_cast<int64_t>(i);
    Cell id, qty, price, created;
    id.kind = qty.kind = Kind::kInteger;
    id.i64 = 1'000'000 + row;
    qty.i64 = row % 17;
    price.kind = Kind::kDecimal;
    price.scale = 2;
    price.i128 = row * 7919 % 1'000'000;
    created.kind = Kind::kDateTime;
    created.time = {2026,
                    static_cast<uint8_t>(1 + row % 12),
                    static_cast<uint8_t>(1 + row % 28),
                    static_cast<uint8_t>(row % 24),
                    34,
                    56,
                    static_cast<uint32_t>(row % 1000 * 1000)};
    for (const Cell& cell :
         {id, text("user-0123456789-abcdef"), text("product-0123456789-0123456789"), qty, price, created})
      cells.push_back(cell);
  }
  return cells;
}

void convert_orders(benchmark::State& state, DecimalMode decimal) {
  constexpr size_t kRows = 1000;
  ValueOptions options;
  options.decimal = decimal;
  const std::vector<ColumnPlan> plans = orders(options);
  const std::vector<Cell> cells = rows_of_orders(kRows);
  connectors::ByteArena arena;
  std::vector<mr_value> values(plans.size());
  for (auto _ : state) {
    arena.clear();
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t i = 0; i < plans.size(); ++i)
        if (!plans[i].convert(cells[row * plans.size() + i], arena, values[i]).ok()) state.SkipWithError("no value");
      benchmark::DoNotOptimize(values.data());
      benchmark::ClobberMemory();
    }
  }
  state.counters["rows"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kRows, benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(convert_orders, precise, DecimalMode::kPrecise);
BENCHMARK_CAPTURE(convert_orders, string, DecimalMode::kString);

}  // namespace
}  // namespace millrace::mariadb
