// kafka-verifiable-producer: increasing integers, and a line of JSON for each acknowledgement.
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "tools/connection_options.h"
#include "tools/json_events.h"
#include "tools/kafka_client.h"
#include "tools/stop_signals.h"
#include "tools/throttle.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "verifiable-producer";
  spec.style = CommandSpec::Style::kArgparse;
  spec.description =
      "This tool produces increasing integers to the specified topic and prints JSON metadata to stdout on each "
      "\"send\" "
      "request, making externally visible which messages have been acked and which have not.";
  spec.options = {
      {.name = "topic", .argument = "TOPIC", .description = "Produce messages to this topic.", .required = true},
      bootstrap_option(),
      {.name = "max-messages",
       .argument = "MAX-MESSAGES",
       .description = "Produce so many; -1: until the process is ended.",
       .type = OptionType::kInteger,
       .default_value = "-1"},
      {.name = "throughput",
       .argument = "THROUGHPUT",
       .description = "If >= 0, about so many messages a second.",
       .type = OptionType::kInteger,
       .default_value = "-1"},
      {.name = "acks",
       .argument = "ACKS",
       .description = "0, 1 or -1.",
       .type = OptionType::kInteger,
       .default_value = "-1"},
      {.name = "producer.config",
       .argument = "CONFIG_FILE",
       .description = "Producer settings.",
       .aliases = {"command-config"}},
      {.name = "message-create-time",
       .argument = "CREATETIME",
       .description = "Creation time of the first message, in ms since the epoch.",
       .type = OptionType::kLong,
       .default_value = "-1"},
      {.name = "value-prefix",
       .argument = "VALUE-PREFIX",
       .description = "Put before each value, with a dot.",
       .type = OptionType::kInteger},
      {.name = "repeating-keys",
       .argument = "REPEATING-KEYS",
       .description = "Keys from 0 to this number (exclusive), over and over.",
       .type = OptionType::kInteger},
  };
  return spec;
}

constexpr std::chrono::seconds kPatienceAfterSignal{5};

class VerifiableProducer {
 public:
  VerifiableProducer(const ToolIo& io, const ParsedOptions& options)
      : events_(io),
        topic_(options.text("topic")),
        messages_max_(options.number("max-messages")),
        throughput_(options.number("throughput")),
        create_time_(options.number("message-create-time")) {
    if (options.has("value-prefix")) prefix_ = fmt::format("{}.", options.number("value-prefix"));
    if (options.has("repeating-keys")) keys_ = options.number("repeating-keys");
  }

  static void delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    static_cast<VerifiableProducer*>(opaque)->report(*message);
  }

  int run(RdClient client, StopSignals& signals) {
    const SystemClock clock;
    const int64_t start_ms = clock.wall_ms();
    const Throttle throttle(static_cast<double>(throughput_), clock);
    events_.print("startup_complete");
    for (int64_t i = 0; (messages_max_ < 0 || i < messages_max_) && !signals.stopped(); ++i) {
      send(client.get(), i, start_ms, signals);
      do {
        const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(throttle.wait(sent_));
        rd_kafka_poll(client.get(), static_cast<int>(std::clamp<int64_t>(wait.count(), 0, 100)));
        if (rd_kafka_outq_len(client.get()) == 0 || wait.count() > 0) events_.flush();
      } while (throttle.wait(sent_) > std::chrono::milliseconds(1) && !signals.stopped());
    }
    finish(client.get(), signals, clock);
    events_.print("shutdown_complete");
    summary(clock.wall_ms() - start_ms);
    return signals.exit_code();
  }

 private:
  /// Waits for what was sent; messages time out by themselves. After a signal nobody wants to wait that long.
  void finish(rd_kafka_t* client, StopSignals& signals, const SystemClock& clock) {
    std::optional<std::chrono::nanoseconds> end;
    const bool all = flush_producer(client, [&] {
      if (!end && signals.stopped()) end = clock.monotonic() + kPatienceAfterSignal;
      return end && clock.monotonic() > *end;
    });
    if (all) return;
    rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(client, 1'000);  // reports each of them as failed
  }

  void send(rd_kafka_t* client, int64_t number, int64_t start_ms, StopSignals& signals) {
    const std::string value = fmt::format("{}{}", prefix_, number);
    std::optional<std::string> key;
    if (keys_ > 0) key = fmt::format("{}", number % keys_);
    rd_kafka_vu_t parts[5] = {};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic_.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem = {const_cast<char*>(value.data()), value.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_KEY;
    if (key) parts[3].u.mem = {key->data(), key->size()};
    parts[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[4].u.i64 = create_time_;
    const size_t count = create_time_ >= 0 ? 5 : 4;
    if (create_time_ >= 0) create_time_ += events_.now_ms() - start_ms;
    ++sent_;
    std::unique_ptr<rd_kafka_error_t, RdKafkaDelete> error(rd_kafka_produceva(client, parts, count));
    while (error != nullptr && rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           !signals.stopped()) {
      rd_kafka_poll(client, 100);
      error.reset(rd_kafka_produceva(client, parts, count));
    }
    if (error != nullptr) report_failure(key ? EventJson(*key) : EventJson(), value, rd_kafka_error_code(error.get()));
  }

  void report(const rd_kafka_message_t& message) {
    const EventJson key = message.key == nullptr
                              ? EventJson()
                              : EventJson(std::string(static_cast<const char*>(message.key), message.key_len));
    const std::string value(static_cast<const char*>(message.payload), message.len);
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return report_failure(key, value, message.err);
    ++acked_;
    EventJson event = events_.event("producer_send_success");
    event["key"] = key;
    event["value"] = value;
    event["offset"] = message.offset;
    event["topic"] = topic_;
    event["partition"] = message.partition;
    events_.print(event);
  }

  void report_failure(const EventJson& key, const std::string& value, rd_kafka_resp_err_t error) {
    EventJson event = events_.event("producer_send_error");
    event["key"] = key;
    event["value"] = value;
    event["topic"] = topic_;
    event["exception"] = rd_kafka_err2name(error);
    event["message"] = rd_kafka_err2str(error);
    events_.print(event);
  }

  void summary(int64_t elapsed_ms) {
    EventJson event = events_.event("tool_data");
    event["sent"] = sent_;
    event["acked"] = acked_;
    event["target_throughput"] = throughput_;
    event["avg_throughput"] =
        elapsed_ms == 0 ? 0.0 : 1000.0 * static_cast<double>(acked_) / static_cast<double>(elapsed_ms);
    events_.print(event);
    events_.flush();
  }

  JsonEvents events_;
  std::string topic_;
  int64_t messages_max_;
  int64_t throughput_;
  int64_t create_time_;
  std::string prefix_;
  int64_t keys_ = 0;
  int64_t sent_ = 0;
  int64_t acked_ = 0;
};

}  // namespace

int run_verifiable_producer(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = bootstrap_problem(*options); !problem.empty()) return usage_error(spec, io, problem);
  ClientProperties properties{{"bootstrap.servers", options->text("bootstrap-server")},
                              {"client.id", "verifiable-producer"},
                              {"acks", options->text("acks")},
                              {"retries", "0"}};  // a lost message is to be seen, not mended
  if (options->has("producer.config")) {
    auto loaded = load_client_properties(io.files, options->text("producer.config"));
    if (!loaded) return report_tool_error(io, loaded.error());
    for (auto& [name, value] : *loaded) properties[name] = std::move(value);
  }
  StopSignals signals;
  VerifiableProducer producer(io, *options);
  auto client = open_kafka_client(io, properties, ClientKind::kProducer,
                                  {.opaque = &producer, .delivered = VerifiableProducer::delivered});
  if (!client) return report_tool_error(io, client.error());
  return producer.run(std::move(*client), signals);
}

}  // namespace millrace
