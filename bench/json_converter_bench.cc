/// What a record costs in JsonConverter: a row of eight fields, about 200 bytes of payload behind 900 of envelope.
#include <benchmark/benchmark.h>

#include <string>

#include "converters/converter.h"

namespace millrace {
namespace {

SchemaPtr row_schema() {
  const auto documented = [](Type type, bool optional, std::string doc) {
    return make_schema({.type = type, .optional = optional, .doc = std::move(doc)});
  };
  return make_schema({.type = Type::kStruct,
                      .name = "shop.inventory.customers.Value",
                      .version = 1,
                      .fields = {{"id", documented(Type::kInt64, false, "primary key of the customer")},
                                 {"email", documented(Type::kString, true, "address that offers go to")},
                                 {"full_name", documented(Type::kString, true, "name as on the invoice")},
                                 {"balance", decimal_schema(2, true)},
                                 {"rating", plain_schema(Type::kFloat64, true)},
                                 {"active", plain_schema(Type::kBoolean)},
                                 {"born", date_schema(true)},
                                 {"updated_at", timestamp_schema()}}});
}

struct Row {
  SchemaPtr schema = row_schema();
  Value fields[8] = {int64_value(4711),
                     string_value("margarethe.musterfrau@example.org"),
                     string_value("Margarethe Musterfrau-Beispielhausen"),
                     bytes_value(MR_DECIMAL, std::string_view("\x01\xE2\x40", 3), 2),
                     floating(MR_FLOAT64, 4.75),
                     boolean_value(true),
                     int32_value(7421),
                     int64_value(1'700'000'000'123)};
  Value value = items_value(MR_STRUCT, fields);
};

std::unique_ptr<Converter> json(const char* schemas_enable) {
  auto converter = make_converter("JsonConverter");
  if (!converter->configure({{"schemas.enable", schemas_enable}}, false)) std::abort();
  return converter;
}

void write_row(benchmark::State& state) {
  const auto converter = json(state.range(0) != 0 ? "true" : "false");
  const Row row;
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(converter->from_connect("t", row.schema.get(), row.value, out));
  }
  state.SetLabel(std::to_string(out.size()) + " bytes");
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}

void read_row(benchmark::State& state) {
  const auto converter = json(state.range(0) != 0 ? "true" : "false");
  const Row row;
  std::string bytes;
  if (!converter->from_connect("t", row.schema.get(), row.value, bytes)) std::abort();
  Arena arena;
  int in_batch = 0;
  for (auto _ : state) {
    if (++in_batch == 500) {
      in_batch = 0;
      arena.reset();
      converter->new_batch();
    }
    benchmark::DoNotOptimize(converter->to_connect("t", bytes, arena));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

/// The first record of a schema: the price of a change of schema, not of a record.
void read_first_row(benchmark::State& state) {
  const Row row;
  std::string bytes;
  if (!json("true")->from_connect("t", row.schema.get(), row.value, bytes)) std::abort();
  for (auto _ : state) {
    Arena arena;
    benchmark::DoNotOptimize(json("true")->to_connect("t", bytes, arena));
  }
}

BENCHMARK(write_row)->ArgName("envelope")->Arg(1)->Arg(0);
BENCHMARK(read_row)->ArgName("envelope")->Arg(1)->Arg(0);
BENCHMARK(read_first_row);

}  // namespace
}  // namespace millrace
