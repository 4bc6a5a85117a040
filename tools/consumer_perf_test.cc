// kafka-consumer-perf-test: how fast a topic is read.
#include <fmt/format.h>

#include <array>
#include <random>

#include "core/clock.h"
#include "tools/client_metrics.h"
#include "tools/connection_options.h"
#include "tools/kafka_consumer.h"
#include "tools/simple_date_format.h"
#include "tools/stop_signals.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr double kMegabyte = 1024.0 * 1024.0;

CommandSpec command() {
  CommandSpec spec;
  spec.program = "consumer-perf-test";
  spec.description = "This tool is used to verify the consumer performance.";
  spec.options = {
      bootstrap_option(),
      {.name = "topic", .argument = "topic", .description = "The topic to consume from."},
      {.name = "include",
       .argument = "regex",
       .description = "Regular expression that names the topics to consume from."},
      {.name = "group", .argument = "gid", .description = "The group to consume as; one of its own when not given."},
      {.name = "fetch-size",
       .argument = "size",
       .description = "Bytes fetched of a partition at once.",
       .type = OptionType::kInteger,
       .default_value = "1048576"},
      {.name = "from-latest",
       .description = "Start at the end when the group has no offset.",
       .type = OptionType::kFlag},
      {.name = "socket-buffer-size",
       .argument = "size",
       .description = "Size of the TCP receive buffer.",
       .type = OptionType::kInteger,
       .default_value = "2097152"},
      {.name = "consumer-property",
       .argument = "prop1=val1",
       .description = "A consumer setting.",
       .repeatable = true,
       .aliases = {"command-property"}},
      {.name = "consumer.config",
       .argument = "config file",
       .description = "Consumer settings.",
       .aliases = {"command-config"}},
      {.name = "print-metrics", .description = "Print the client's metrics at the end.", .type = OptionType::kFlag},
      {.name = "show-detailed-stats",
       .description = "A line for each --reporting-interval.",
       .type = OptionType::kFlag},
      {.name = "timeout",
       .argument = "milliseconds",
       .description = "The longest time between records.",
       .type = OptionType::kLong,
       .default_value = "10000",
       .takes = OptionSpec::Takes::kOptional},
      {.name = "messages",
       .argument = "count",
       .description = "REQUIRED: The number of records to consume.",
       .type = OptionType::kLong,
       .aliases = {"num-records"}},
      {.name = "reporting-interval",
       .argument = "interval_ms",
       .description = "How often progress is told.",
       .type = OptionType::kLong,
       .default_value = "5000"},
      {.name = "date-format",
       .argument = "date format",
       .description = "As java.text.SimpleDateFormat takes it.",
       .default_value = "yyyy-MM-dd HH:mm:ss:SSS"},
      {.name = "hide-header", .description = "No header line.", .type = OptionType::kFlag},
      // Kafka had these once and still accepted them for long.
      {.name = "threads", .argument = "count", .description = "DEPRECATED AND IGNORED.", .type = OptionType::kInteger},
      {.name = "num-fetch-threads",
       .argument = "count",
       .description = "DEPRECATED AND IGNORED.",
       .type = OptionType::kInteger},
  };
  return spec;
}

struct Progress {
  int64_t bytes = 0;
  int64_t messages = 0;
};

class ConsumerPerf {
 public:
  ConsumerPerf(const ToolIo& io, const ParsedOptions& options)
      : io_(io),
        messages_max_(options.number("messages")),
        timeout_ms_(options.number("timeout")),
        interval_ms_(options.number("reporting-interval")),
        detailed_(options.has("show-detailed-stats")),
        date_format_(options.text("date-format")) {}

  static void rebalanced(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                         void* opaque) {
    auto& self = *static_cast<ConsumerPerf*>(opaque);
    const int64_t now = self.clock_.wall_ms();
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      self.join_ms_ += now - self.join_start_ms_;
      self.round_join_ms_ += now - self.join_start_ms_;
    } else {
      self.join_start_ms_ = now;
    }
    follow_rebalance(client, error, partitions);
  }
  static int statistics(rd_kafka_t* /*client*/, char* json, size_t size, void* opaque) {
    static_cast<ConsumerPerf*>(opaque)->statistics_.assign(json, size);
    return 0;
  }

  void print_header() const {
    io_.print(detailed_ ? "time, threadId, " : "start.time, end.time, ");
    io_.print(
        "data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, "
        "fetch.nMsg.sec\n");
    std::fflush(io_.out);
  }

  int run(ToolConsumer& consumer, const std::string& topic, StopSignals& signals) {
    start_ms_ = join_start_ms_ = clock_.wall_ms();
    if (const Status subscribed = consumer.subscribe(topic); !subscribed)
      return report_tool_error(io_, subscribed.error());
    consume(consumer, signals);
    const int64_t end_ms = clock_.wall_ms();
    consumer.close();
    if (!detailed_) print_total(end_ms);
    return signals.exit_code();
  }
  const std::string& statistics() const { return statistics_; }

 private:
  static constexpr size_t kBatch = 4096;

  void consume(ToolConsumer& consumer, StopSignals& signals) {
    const RdQueue queue(rd_kafka_queue_get_consumer(consumer.get()));
    std::array<rd_kafka_message_t*, kBatch> messages{};
    int64_t now = clock_.wall_ms();
    int64_t last_consumed = now;
    last_report_ms_ = now;
    while (read_.messages < messages_max_ && now - last_consumed <= timeout_ms_ && !signals.stopped()) {
      const auto wanted = static_cast<size_t>(std::min<int64_t>(kBatch, messages_max_ - read_.messages));
      const ssize_t got = rd_kafka_consume_batch_queue(queue.get(), 100, messages.data(), wanted);
      now = clock_.wall_ms();
      const int64_t before = read_.messages;
      for (ssize_t i = 0; i < got; ++i) count(messages[static_cast<size_t>(i)]);
      if (read_.messages > before) last_consumed = now;
      if (read_.messages > before && now - last_report_ms_ >= interval_ms_) report(now);
    }
    if (read_.messages < messages_max_) {
      io_.print(
          fmt::format("WARNING: Exiting before consuming the expected number of messages: timeout ({} ms) exceeded. "
                      "You can use the --timeout option to increase the timeout.\n",
                      timeout_ms_));
    }
  }

  void count(rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++read_.messages;
      read_.bytes += static_cast<int64_t>(message->len + message->key_len);
    } else {
      log_line(io_, "WARN", rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
  }

  static double rate(int64_t amount, int64_t elapsed_ms) {
    return elapsed_ms <= 0 ? 0.0 : 1000.0 * static_cast<double>(amount) / static_cast<double>(elapsed_ms);
  }

  void report(int64_t now) {
    if (detailed_) {
      const int64_t elapsed = now - last_report_ms_;
      const int64_t fetching = elapsed - round_join_ms_;
      const int64_t bytes = read_.bytes - reported_.bytes;
      const int64_t messages = read_.messages - reported_.messages;
      io_.print(fmt::format("{}, 0, {:.4f}, {:.4f}, {}, {:.4f}, {}, {}, {:.4f}, {:.4f}\n", java_date(now, date_format_),
                            static_cast<double>(read_.bytes) / kMegabyte, rate(bytes, elapsed) / kMegabyte,
                            read_.messages, rate(messages, elapsed), round_join_ms_, fetching,
                            rate(bytes, fetching) / kMegabyte, rate(messages, fetching)));
      std::fflush(io_.out);
    }
    round_join_ms_ = 0;
    last_report_ms_ = now;
    reported_ = read_;
  }

  void print_total(int64_t end_ms) const {
    const int64_t elapsed = end_ms - start_ms_;
    const int64_t fetching = elapsed - join_ms_;
    io_.print(fmt::format("{}, {}, {:.4f}, {:.4f}, {}, {:.4f}, {}, {}, {:.4f}, {:.4f}\n",
                          java_date(start_ms_, date_format_), java_date(end_ms, date_format_),
                          static_cast<double>(read_.bytes) / kMegabyte, rate(read_.bytes, elapsed) / kMegabyte,
                          read_.messages, rate(read_.messages, elapsed), join_ms_, fetching,
                          rate(read_.bytes, fetching) / kMegabyte, rate(read_.messages, fetching)));
  }

  const ToolIo& io_;
  SystemClock clock_;
  int64_t messages_max_;
  int64_t timeout_ms_;
  int64_t interval_ms_;
  bool detailed_;
  std::string date_format_;
  Progress read_;
  Progress reported_;
  int64_t start_ms_ = 0;
  int64_t join_start_ms_ = 0;
  int64_t join_ms_ = 0;
  int64_t round_join_ms_ = 0;
  int64_t last_report_ms_ = 0;
  std::string statistics_;
};

Expected<ClientProperties> consumer_properties(const ToolIo& io, const ParsedOptions& options) {
  ClientProperties properties;
  if (options.has("consumer.config")) {
    auto loaded = load_client_properties(io.files, options.text("consumer.config"));
    if (!loaded) return loaded;
    properties = std::move(*loaded);
  }
  add_key_values(properties, options.values("consumer-property"));
  properties["bootstrap.servers"] = options.text("bootstrap-server");
  properties["group.id"] =
      options.has("group") ? options.text("group") : fmt::format("perf-consumer-{}", std::random_device()() % 100'000);
  properties["receive.buffer.bytes"] = options.text("socket-buffer-size");
  properties["max.partition.fetch.bytes"] = options.text("fetch-size");
  properties["auto.offset.reset"] = options.has("from-latest") ? "latest" : "earliest";
  properties["check.crcs"] = "false";
  properties.try_emplace("client.id", "perf-consumer-client");
  if (options.has("print-metrics")) enable_statistics(properties);
  return properties;
}

std::string problem_of(const ParsedOptions& options) {
  if (options.has("topic") == options.has("include")) return "Exactly one of --include/--topic is required.";
  if (!options.has("messages")) return "Missing required argument \"[messages]\"";
  if (options.number("reporting-interval") <= 0) return "Reporting interval must be greater than 0.";
  return bootstrap_problem(options);
}

}  // namespace

int run_consumer_perf_test(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = problem_of(*options); !problem.empty()) return usage_error(spec, io, problem);
  auto properties = consumer_properties(io, *options);
  if (!properties) return report_tool_error(io, properties.error());
  StopSignals signals;
  ConsumerPerf perf(io, *options);
  auto client = open_kafka_client(
      io, *properties, ClientKind::kConsumer,
      {.opaque = &perf, .rebalanced = ConsumerPerf::rebalanced, .statistics = ConsumerPerf::statistics});
  if (!client) return report_tool_error(io, client.error());
  if (!options->has("hide-header")) perf.print_header();
  ToolConsumer consumer(std::move(*client));
  const std::string topic =
      options->has("topic") ? options->text("topic") : fmt::format("^({})$", options->text("include"));
  const int code = perf.run(consumer, topic, signals);
  if (options->has("print-metrics"))
    io.print(metrics_text(perf.statistics(), properties->at("client.id"), ClientKind::kConsumer));
  return code;
}

}  // namespace millrace
