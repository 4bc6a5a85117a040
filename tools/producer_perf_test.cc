// kafka-producer-perf-test: how many records a second, and how long each takes to be acknowledged.
#include <fmt/format.h>

#include <random>

#include "tools/client_metrics.h"
#include "tools/kafka_client.h"
#include "tools/options.h"
#include "tools/perf_payload.h"
#include "tools/perf_stats.h"
#include "tools/stop_signals.h"
#include "tools/throttle.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "producer-performance";
  spec.style = CommandSpec::Style::kArgparse;
  spec.description = "This tool is used to verify the producer performance.";
  spec.options = {
      {.name = "topic", .argument = "TOPIC", .description = "Produce records to this topic.", .required = true},
      {.name = "bootstrap-server",
       .argument = "BOOTSTRAP-SERVER",
       .description = "The server(s) to connect to; wins over bootstrap.servers."},
      {.name = "num-records",
       .argument = "NUM-RECORDS",
       .description = "Number of records to produce.",
       .type = OptionType::kLong,
       .required = true},
      {.name = "record-size",
       .argument = "RECORD-SIZE",
       .description =
           "Bytes of a record, at random. One of --record-size, --payload-file and --payload-monotonic is needed.",
       .type = OptionType::kInteger},
      {.name = "payload-file",
       .argument = "PAYLOAD-FILE",
       .description = "Text file of which lines are sent, chosen at random."},
      {.name = "payload-monotonic", .description = "Send rising numbers.", .type = OptionType::kFlag},
      {.name = "payload-delimiter",
       .argument = "PAYLOAD-DELIMITER",
       .description = "What separates the records of --payload-file.",
       .default_value = "\\n"},
      {.name = "throughput",
       .argument = "THROUGHPUT",
       .description = "About so many records a second; -1: as many as can be.",
       .type = OptionType::kDouble,
       .required = true},
      {.name = "producer-props",
       .argument = "PROP-NAME=PROP-VALUE",
       .description = "Producer settings; they win over --producer.config.",
       .takes = OptionSpec::Takes::kMany,
       .aliases = {"command-property"}},
      {.name = "producer.config",
       .argument = "CONFIG-FILE",
       .description = "Producer settings.",
       .aliases = {"command-config"}},
      {.name = "print-metrics", .description = "Print the client's metrics at the end.", .type = OptionType::kFlag},
      {.name = "transactional-id",
       .argument = "TRANSACTIONAL-ID",
       .description = "Produce in transactions under this name."},
      {.name = "transaction-duration-ms",
       .argument = "TRANSACTION-DURATION",
       .description = "Commit after so long; 3000 when only the name is given.",
       .type = OptionType::kLong},
      {.name = "warmup-records",
       .argument = "WARMUP-RECORDS",
       .description = "So many records first count only in the overall line, not in the steady state's.",
       .type = OptionType::kLong,
       .default_value = "0"},
      {.name = "reporting-interval",
       .argument = "INTERVAL-MS",
       .description = "How often progress is told.",
       .type = OptionType::kLong,
       .default_value = "5000"},
  };
  return spec;
}

struct PerfPlan {
  std::string topic;
  int64_t records = 0;
  int64_t warmup = 0;
  int64_t window_ms = 5000;
  double throughput = -1;
  std::optional<int64_t> transaction_ms;
  bool metrics = false;
  ClientProperties properties;
};

std::string plan_problem(const ParsedOptions& options) {
  if (options.number("num-records") <= 0) return "--num-records should be greater than zero";
  if (options.has("record-size") && options.number("record-size") <= 0)
    return "--record-size should be greater than zero";
  if (options.has("record-size") + options.has("payload-file") + options.has("payload-monotonic") != 1)
    return "exactly one of --record-size, --payload-file and --payload-monotonic is required";
  if (options.has("transaction-duration-ms") && options.number("transaction-duration-ms") <= 0)
    return "--transaction-duration-ms should be greater than zero";
  if (!options.has("producer-props") && !options.has("producer.config") && !options.has("bootstrap-server"))
    return "Either --producer-props or --producer.config must be specified.";
  for (const std::string& word : options.values("producer-props")) {
    if (word.find('=') == std::string::npos) return fmt::format("Invalid property: {}", word);
  }
  return {};
}

Expected<PerfPlan> make_plan(const ToolIo& io, const ParsedOptions& options) {
  PerfPlan plan{.topic = options.text("topic"),
                .records = options.number("num-records"),
                .warmup = options.number("warmup-records"),
                .window_ms = options.number("reporting-interval"),
                .throughput = options.real("throughput"),
                .transaction_ms = {},
                .metrics = options.has("print-metrics"),
                .properties = {}};
  if (options.has("producer.config")) {
    auto loaded = load_client_properties(io.files, options.text("producer.config"));
    if (!loaded) return fail(std::move(loaded.error()));
    plan.properties = std::move(*loaded);
  }
  add_key_values(plan.properties, options.values("producer-props"));
  if (options.has("bootstrap-server")) plan.properties["bootstrap.servers"] = options.text("bootstrap-server");
  if (!plan.properties.contains("bootstrap.servers"))
    return fail(ErrorCode::kInvalidConfig,
                "No server to connect to is given: add bootstrap.servers=HOST:PORT to --producer-props");
  plan.properties.try_emplace("client.id", "perf-producer-client");
  if (options.has("transactional-id")) plan.properties["transactional.id"] = options.text("transactional-id");
  const bool named = plan.properties.contains("transactional.id");
  if (named || options.has("transaction-duration-ms")) {
    plan.transaction_ms = options.number("transaction-duration-ms", 3000);
    plan.properties.try_emplace("transactional.id", fmt::format("performance-producer-{:08x}{:08x}",
                                                                std::random_device()(), std::random_device()()));
  }
  if (plan.metrics) enable_statistics(plan.properties);
  return plan;
}

Expected<PerfPayload> make_payload(const ToolIo& io, const ParsedOptions& options) {
  if (options.has("record-size")) return PerfPayload::random(static_cast<size_t>(options.number("record-size")));
  if (options.has("payload-monotonic")) return PerfPayload::monotonic();
  const std::string path = options.text("payload-file");
  io.print(fmt::format("Reading payloads from: {}\n", std::filesystem::absolute(path).string()));
  const std::string delimiter = options.text("payload-delimiter");
  auto payload = PerfPayload::file(io.files, path, delimiter == "\\n" ? "\n" : delimiter);
  if (payload) io.print(fmt::format("Number of messages read: {}\n", payload->choices()));
  return payload;
}

/// One run. Callbacks come in the thread that sends, from rd_kafka_poll.
class ProducerPerf {
 public:
  ProducerPerf(const ToolIo& io, const PerfPlan& plan, PerfPayload payload)
      : io_(io),
        plan_(plan),
        payload_(std::move(payload)),
        stats_(plan.records, plan.window_ms, clock_),
        steady_(std::max<int64_t>(plan.records - plan.warmup, 1), INT64_MAX, clock_) {}

  static void delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    static_cast<ProducerPerf*>(opaque)->note(*message);
  }
  static int statistics(rd_kafka_t* /*client*/, char* json, size_t size, void* opaque) {
    static_cast<ProducerPerf*>(opaque)->statistics_.assign(json, size);
    return 0;
  }

  int run(rd_kafka_t* client, StopSignals& signals) {
    Status sent = plan_.transaction_ms
                      ? kafka_status("cannot start transactions", rd_kafka_init_transactions(client, 60'000))
                      : Status();
    if (sent) {
      stats_ = PerfStats(plan_.records, plan_.window_ms, clock_);
      sent = send_all(client, signals);
    }
    flush_producer(client, [&] { return signals.stopped(); });
    if (!sent) return report_tool_error(io_, sent.error());
    if (failed_ > 0)
      log_line(io_, "ERROR",
               fmt::format("{} records were not acknowledged: {}", failed_, rd_kafka_err2str(last_error_)));
    io_.print(stats_.total());
    if (plan_.warmup > 0 && steady_.count() > 0) io_.print("Steady state: " + steady_.total());
    if (plan_.metrics) {
      wait_for_statistics(client);
      io_.print(metrics_text(statistics_, plan_.properties.at("client.id"), ClientKind::kProducer));
    }
    return signals.exit_code();
  }

 private:
  Status send_all(rd_kafka_t* client, StopSignals& signals) {
    rd_kafka_topic_t* topic = rd_kafka_topic_new(client, plan_.topic.c_str(), nullptr);
    const Throttle throttle(plan_.throughput, clock_);
    Status status;
    bool in_transaction = false;
    for (int64_t i = 0; i < plan_.records && status && !signals_pending(signals, i); ++i) {
      if (i == plan_.warmup && plan_.warmup > 0) steady_ = PerfStats(plan_.records - plan_.warmup, INT64_MAX, clock_);
      if (plan_.transaction_ms && !in_transaction) {
        status = kafka_status("cannot begin a transaction", rd_kafka_begin_transaction(client));
        in_transaction = true;
        transaction_start_ = clock_.monotonic();
        if (!status) break;
      }
      status = send(client, topic, i);
      if (status && in_transaction &&
          clock_.monotonic() - transaction_start_ >= std::chrono::milliseconds(*plan_.transaction_ms)) {
        status = kafka_status("cannot commit a transaction", rd_kafka_commit_transaction(client, -1));
        in_transaction = false;
      }
      serve(client, throttle, i + 1, signals);
    }
    if (status && in_transaction)
      status = kafka_status("cannot commit a transaction", rd_kafka_commit_transaction(client, -1));
    rd_kafka_topic_destroy(topic);
    return status;
  }

  /// A system call, so not for each record.
  static bool signals_pending(StopSignals& signals, int64_t number) { return number % 1024 == 0 && signals.stopped(); }

  Status send(rd_kafka_t* client, rd_kafka_topic_t* topic, int64_t number) {
    const std::string_view value = payload_.next(number);
    // The delivery report needs no more of a record than when it was sent: that travels in the opaque pointer.
    void* const sent_at = reinterpret_cast<void*>(static_cast<intptr_t>(clock_.monotonic().count()));
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()),
                            value.size(), nullptr, 0, sent_at) != 0) {
      const rd_kafka_resp_err_t error = rd_kafka_last_error();
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return fail(kafka_error(fmt::format("cannot send to topic {}", plan_.topic), error));
      rd_kafka_poll(client, 10);
    }
    return {};
  }

  /// Takes delivery reports now and then, and while the throttle says to wait.
  void serve(rd_kafka_t* client, const Throttle& throttle, int64_t sent, StopSignals& signals) {
    constexpr int64_t kServeEvery = 128;
    if (plan_.throughput < 0) {
      if (sent % kServeEvery == 0) rd_kafka_poll(client, 0);
    } else {
      rd_kafka_poll(client, 0);
      for (auto wait = throttle.wait(sent); wait > std::chrono::milliseconds(1) && !signals.stopped();
           wait = throttle.wait(sent))
        rd_kafka_poll(client, static_cast<int>(std::min<int64_t>(wait / std::chrono::milliseconds(1), 100)));
    }
    if (sent % kServeEvery == 0 || plan_.throughput >= 0) {
      if (const std::string line = stats_.take_window(); !line.empty()) {
        io_.print(line);
        std::fflush(io_.out);
      }
    }
  }

  void note(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++failed_;
      last_error_ = message.err;
      return;
    }
    const auto sent_at = std::chrono::nanoseconds(reinterpret_cast<intptr_t>(message._private));
    const int64_t latency_ms = (clock_.monotonic() - sent_at) / std::chrono::milliseconds(1);
    stats_.record(latency_ms, message.len);
    if (stats_.count() > plan_.warmup) steady_.record(latency_ms, message.len);
  }

  void wait_for_statistics(rd_kafka_t* client) {
    statistics_.clear();
    const auto end = clock_.monotonic() + std::chrono::seconds(3);
    while (statistics_.empty() && clock_.monotonic() < end) rd_kafka_poll(client, 100);
  }

  const ToolIo& io_;
  const PerfPlan& plan_;
  SystemClock clock_;
  PerfPayload payload_;
  PerfStats stats_;
  PerfStats steady_;
  std::chrono::nanoseconds transaction_start_{0};
  int64_t failed_ = 0;
  rd_kafka_resp_err_t last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string statistics_;
};

}  // namespace

int run_producer_perf_test(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = plan_problem(*options); !problem.empty()) return usage_error(spec, io, problem);
  auto plan = make_plan(io, *options);
  if (!plan) return report_tool_error(io, plan.error());
  auto payload = make_payload(io, *options);
  if (!payload) return report_tool_error(io, payload.error());
  StopSignals signals;
  ProducerPerf perf(io, *plan, std::move(*payload));
  auto client = open_kafka_client(
      io, plan->properties, ClientKind::kProducer,
      {.opaque = &perf, .delivered = ProducerPerf::delivered, .statistics = ProducerPerf::statistics});
  if (!client) return report_tool_error(io, client.error());
  return perf.run(client->get(), signals);
}

}  // namespace millrace
