// The REST side of the listing that user interfaces ask for every few seconds.
#include <benchmark/benchmark.h>

#include "rest/fake_herder.h"
#include "rest/http_parser.h"
#include "rest/rest_api.h"

namespace millrace {
namespace {

void list_with_status_and_info(benchmark::State& state) {
  FakeHerder herder;
  for (int i = 0; i < state.range(0); ++i) {
    FakeHerder::Connector& connector = herder.stored[fmt::format("connector-{}", i)];
    for (int key = 0; key < 20; ++key)
      connector.config[fmt::format("some.setting.{}", key)] = "jdbc:mariadb://db.example.org:3306/orders";
  }
  HerderGate gate;
  gate.attach(herder);
  RestApi api(gate, {.advertised = "h:1"});
  const RestRequest request{.method = "GET", .target = "/connectors?expand=status&expand=info"};
  size_t bytes = 0;
  for (auto _ : state) bytes = api.handle(request).body.size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(list_with_status_and_info)->Arg(1000)->Unit(benchmark::kMillisecond);

void one_status(benchmark::State& state) {
  FakeHerder herder;
  herder.stored["a"] = {};
  HerderGate gate;
  gate.attach(herder);
  RestApi api(gate, {.advertised = "h:1"});
  for (auto _ : state) {
    HttpParser parser({});
    parser.consume("GET /connectors/a/status HTTP/1.1\r\nHost: localhost:8083\r\nAccept: */*\r\n\r\n");
    benchmark::DoNotOptimize(api.handle(parser.take()));
  }
}
BENCHMARK(one_status)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace millrace
