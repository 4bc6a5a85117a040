// kafka-e2e-latency: sends a record, waits until a consumer has it, and again; tells the times.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/clock.h"
#include "core/java_text.h"
#include "tools/kafka_consumer.h"
#include "tools/options.h"
#include "tools/perf_payload.h"
#include "tools/perf_stats.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int kPollTimeoutMs = 60'000;

CommandSpec command() {
  CommandSpec spec;
  spec.program = "e2e-latency";
  spec.description =
      "This tool measures end-to-end latency in Kafka by producing messages and timing how long it takes to consume "
      "them.";
  spec.positionals = true;
  spec.options = {
      {.name = "bootstrap-server",
       .argument = "bootstrap-server",
       .description = "REQUIRED: The server(s) to connect to, HOST1:PORT1,HOST2:PORT2."},
      {.name = "topic",
       .argument = "topic-name",
       .description = "REQUIRED: The topic; made with one partition when absent."},
      {.name = "num-records",
       .argument = "count",
       .description = "REQUIRED: The number of records to send.",
       .type = OptionType::kInteger},
      {.name = "producer-acks", .argument = "producer-acks", .description = "REQUIRED: '1' or 'all'."},
      {.name = "record-size",
       .argument = "bytes",
       .description = "REQUIRED: Bytes of a value.",
       .type = OptionType::kInteger},
      {.name = "record-key-size",
       .argument = "bytes",
       .description = "Bytes of a key; 0: no key.",
       .type = OptionType::kInteger,
       .default_value = "0"},
      {.name = "record-header-key-size",
       .argument = "bytes",
       .description = "Bytes of a header's name.",
       .type = OptionType::kInteger,
       .default_value = "0"},
      {.name = "record-header-size",
       .argument = "bytes",
       .description = "Bytes of a header's value; -1: null.",
       .type = OptionType::kInteger,
       .default_value = "0"},
      {.name = "num-headers",
       .argument = "count",
       .description = "Headers of a record.",
       .type = OptionType::kInteger,
       .default_value = "0"},
      {.name = "command-config", .argument = "config-file", .description = "Settings of producer and consumer."},
  };
  return spec;
}

struct LatencyPlan {
  std::string servers;
  std::string topic;
  int64_t records = 0;
  std::string acks;
  int64_t value_bytes = 0;
  int64_t key_bytes = 0;
  int64_t headers = 0;
  int64_t header_key_bytes = 0;
  int64_t header_bytes = 0;
  std::string config;
};

/// Named options, or `brokers topic count acks size [config]` as before Kafka 4.2.
Expected<LatencyPlan> make_plan(const ParsedOptions& options) {
  LatencyPlan plan;
  const auto wrong = [](std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); };
  const std::vector<std::string>& words = options.positionals();
  if (!words.empty()) {
    const auto records = words.size() > 2 ? parse_java_integer(words[2], 1, INT32_MAX) : std::nullopt;
    const auto bytes = words.size() > 4 ? parse_java_integer(words[4], 0, INT32_MAX) : std::nullopt;
    if (words.size() < 5 || words.size() > 6 || !records || !bytes)
      return wrong(
          "USAGE: e2e-latency broker_list topic num_messages producer_acks message_size_bytes [optional] "
          "properties_file");
    plan.servers = words[0];
    plan.topic = words[1];
    plan.records = *records;
    plan.acks = words[3];
    plan.value_bytes = *bytes;
    if (words.size() == 6) plan.config = words[5];
  } else {
    for (const char* name : {"bootstrap-server", "topic", "num-records", "producer-acks", "record-size"}) {
      if (!options.has(name)) return wrong(fmt::format("Missing required argument \"[{}]\"", name));
    }
    plan = {.servers = options.text("bootstrap-server"),
            .topic = options.text("topic"),
            .records = options.number("num-records"),
            .acks = options.text("producer-acks"),
            .value_bytes = options.number("record-size"),
            .key_bytes = options.number("record-key-size"),
            .headers = options.number("num-headers"),
            .header_key_bytes = options.number("record-header-key-size"),
            .header_bytes = options.number("record-header-size"),
            .config = options.text("command-config")};
  }
  if (plan.acks != "1" && plan.acks != "all")
    return wrong("Latency testing requires synchronous acknowledgement. Please use 1 or all");
  if (plan.records < 1 || plan.value_bytes < 0) return wrong("The number and the size of records must be above 0");
  return plan;
}

Status create_topic(rd_kafka_t* client, const ToolIo& io, const std::string& topic) {
  io.print(fmt::format(
      "Topic \"{}\" does not exist. Will create topic with 1 partition(s) and replication factor = 1\n", topic));
  char reason[256] = "";
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), 1, 1, reason, sizeof(reason));
  if (wanted == nullptr)
    return fail(ErrorCode::kInvalidConfig, fmt::format("Creation of topic {} failed: {}", topic, reason));
  const RdQueue queue(rd_kafka_queue_new(client));
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_operation_timeout(options, 30'000, reason, sizeof(reason));
  rd_kafka_CreateTopics(client, &wanted, 1, options, queue.get());
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue.get(), 60'000);
  Status status;
  if (event == nullptr || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    status =
        fail(ErrorCode::kUnavailable, fmt::format("Creation of topic {} failed: {}", topic,
                                                  event == nullptr ? "no answer" : rd_kafka_event_error_string(event)));
  } else {
    size_t count = 0;
    const rd_kafka_topic_result_t** results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    if (count == 1 && rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR)
      status =
          fail(kafka_error(fmt::format("Creation of topic {} failed", topic), rd_kafka_topic_result_error(results[0])));
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_NewTopic_destroy(wanted);
  return status;
}

/// Reads all partitions from their present ends on: those are looked up now, so that nothing sent later is missed.
Status assign_ends(rd_kafka_t* consumer, const std::string& topic, int32_t partitions) {
  const RdPartitions list(rd_kafka_topic_partition_list_new(partitions));
  for (int32_t partition = 0; partition < partitions; ++partition) {
    int64_t low = 0;
    int64_t high = 0;
    const auto error = rd_kafka_query_watermark_offsets(consumer, topic.c_str(), partition, &low, &high, 30'000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(kafka_error(fmt::format("cannot look up the end of {}-{}", topic, partition), error));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = high;
  }
  const auto error = rd_kafka_assign(consumer, list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(kafka_error(fmt::format("cannot read {}", topic), error));
  return {};
}

class LatencyTest {
 public:
  LatencyTest(const ToolIo& io, const LatencyPlan& plan) : io_(io), plan_(plan) {}

  static void delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    static_cast<LatencyTest*>(opaque)->delivery_ = message->err;
  }

  Status run(rd_kafka_t* producer, ToolConsumer& consumer) {
    auto partitions = partition_count(producer, plan_.topic, std::chrono::seconds(30));
    if (!partitions) {
      if (partitions.error().code != ErrorCode::kNotFound) return fail(std::move(partitions.error()));
      if (Status created = create_topic(producer, io_, plan_.topic); !created) return created;
      partitions = partition_count(producer, plan_.topic, std::chrono::seconds(30));
      if (!partitions) return fail(std::move(partitions.error()));
    }
    if (Status assigned = assign_ends(consumer.get(), plan_.topic, *partitions); !assigned) return assigned;
    PerfPayload values = PerfPayload::random(static_cast<size_t>(plan_.value_bytes));
    std::vector<int32_t> latencies_ms;
    std::chrono::nanoseconds total{0};
    for (int64_t i = 0; i < plan_.records; ++i) {
      const std::string value(values.next(i));
      const auto begin = clock_.monotonic();
      if (Status sent = send(producer, value); !sent) return sent;
      if (Status received = receive(consumer, value); !received) return received;
      const auto elapsed = clock_.monotonic() - begin;
      if (i % 1000 == 0) {
        io_.print(fmt::format("{}\t{}\n", i, java_double_text(static_cast<double>(elapsed.count()) / 1e6)));
        std::fflush(io_.out);
      }
      total += elapsed;
      latencies_ms.push_back(static_cast<int32_t>(elapsed / std::chrono::milliseconds(1)));
    }
    std::ranges::sort(latencies_ms);
    io_.print(fmt::format("Avg latency: {:.4f} ms\n",
                          static_cast<double>(total.count()) / 1e6 / static_cast<double>(plan_.records)));
    io_.print(fmt::format("Percentiles: 50th = {}, 99th = {}, 99.9th = {}\n", percentile(latencies_ms, 0.5),
                          percentile(latencies_ms, 0.99), percentile(latencies_ms, 0.999)));
    return {};
  }

 private:
  Status send(rd_kafka_t* producer, const std::string& value) {
    const std::string key(static_cast<size_t>(std::max<int64_t>(plan_.key_bytes, 0)), 'K');
    rd_kafka_vu_t parts[5] = {};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = plan_.topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[2].u.mem = {const_cast<char*>(value.data()), value.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_KEY;
    if (plan_.key_bytes > 0) parts[3].u.mem = {const_cast<char*>(key.data()), key.size()};
    RdHeaders headers(plan_.headers > 0 ? rd_kafka_headers_new(static_cast<size_t>(plan_.headers)) : nullptr);
    const std::string header_key(static_cast<size_t>(std::max<int64_t>(plan_.header_key_bytes, 0)), 'H');
    const std::string header(static_cast<size_t>(std::max<int64_t>(plan_.header_bytes, 0)), 'V');
    for (int64_t i = 0; i < plan_.headers; ++i) {
      rd_kafka_header_add(headers.get(), header_key.data(), static_cast<ssize_t>(header_key.size()),
                          plan_.header_bytes < 0 ? nullptr : header.data(), static_cast<ssize_t>(header.size()));
    }
    parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[4].u.headers = headers.get();
    delivery_.reset();
    if (Status sent = kafka_status(fmt::format("cannot send to {}", plan_.topic),
                                   rd_kafka_produceva(producer, parts, headers ? 5 : 4));
        !sent)
      return sent;
    static_cast<void>(headers.release());  // the message has them
    while (!delivery_) rd_kafka_poll(producer, 1000);
    if (*delivery_ != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(kafka_error(fmt::format("cannot send to {}", plan_.topic), *delivery_));
    return {};
  }

  Status receive(ToolConsumer& consumer, const std::string& value) {
    const auto end = clock_.monotonic() + std::chrono::milliseconds(kPollTimeoutMs);
    while (clock_.monotonic() < end) {
      auto message = consumer.next(1000);
      if (!message) return fail(std::move(message.error()));
      if (*message == nullptr) continue;
      const std::string_view read(static_cast<const char*>((*message)->payload), (*message)->len);
      if (read == value) return {};
      return fail(ErrorCode::kBadRecord,
                  fmt::format("The message read [{}] did not match the message sent [{}]: does another "
                              "producer write to topic {}?",
                              read, value, plan_.topic));
    }
    return fail(ErrorCode::kUnavailable,
                fmt::format("poll() timed out before finding a result (timeout:[{}])", kPollTimeoutMs));
  }

  const ToolIo& io_;
  const LatencyPlan& plan_;
  SystemClock clock_;
  std::optional<rd_kafka_resp_err_t> delivery_;
};

}  // namespace

int run_e2e_latency(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  auto plan = make_plan(*options);
  if (!plan) return usage_error(spec, io, plan.error().message);

  ClientProperties shared;
  if (!plan->config.empty()) {
    auto loaded = load_client_properties(io.files, plan->config);
    if (!loaded) return report_tool_error(io, loaded.error());
    shared = std::move(*loaded);
  }
  shared["bootstrap.servers"] = plan->servers;
  shared.try_emplace("socket.nagle.disable", "true");
  ClientProperties producing = shared;
  producing["linger.ms"] = "0";
  producing["acks"] = plan->acks;
  ClientProperties consuming = shared;
  consuming["group.id"] = fmt::format("test-group-{}", SystemClock().wall_ms());
  consuming["enable.auto.commit"] = "false";
  consuming["auto.offset.reset"] = "latest";
  consuming["fetch.min.bytes"] = "1";  // the broker answers as soon as there is a record

  LatencyTest test(io, *plan);
  auto producer =
      open_kafka_client(io, producing, ClientKind::kProducer, {.opaque = &test, .delivered = LatencyTest::delivered});
  if (!producer) return report_tool_error(io, producer.error());
  auto client = open_kafka_client(io, consuming, ClientKind::kConsumer);
  if (!client) return report_tool_error(io, client.error());
  ToolConsumer consumer(std::move(*client));
  if (const Status done = test.run(producer->get(), consumer); !done) return report_tool_error(io, done.error());
  return kToolOk;
}

}  // namespace millrace
