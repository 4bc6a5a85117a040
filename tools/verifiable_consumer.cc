// kafka-verifiable-consumer: a line of JSON for each assignment, batch of records and commit.
#include <fmt/format.h>

#include <map>

#include "tools/connection_options.h"
#include "tools/json_events.h"
#include "tools/kafka_consumer.h"
#include "tools/stop_signals.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "verifiable-consumer";
  spec.style = CommandSpec::Style::kArgparse;
  spec.description =
      "This tool consumes messages from a specific topic and emits consumer events (e.g. group rebalances, received "
      "messages, and offsets committed) as JSON objects to STDOUT.";
  spec.options = {
      bootstrap_option(),
      {.name = "topic", .argument = "TOPIC", .description = "Consumes messages from this topic.", .required = true},
      {.name = "group-protocol",
       .argument = "GROUP_PROTOCOL",
       .description = "Only classic.",
       .default_value = "classic"},
      {.name = "group-remote-assignor",
       .argument = "GROUP_REMOTE_ASSIGNOR",
       .description = "Without effect for the classic protocol."},
      {.name = "group-id", .argument = "GROUP_ID", .description = "The consumer group.", .required = true},
      {.name = "group-instance-id",
       .argument = "GROUP_INSTANCE_ID",
       .description = "A name that makes the member a static one."},
      {.name = "max-messages",
       .argument = "MAX-MESSAGES",
       .description = "Consume so many; -1: until the process is ended.",
       .type = OptionType::kInteger,
       .default_value = "-1"},
      {.name = "session-timeout",
       .argument = "TIMEOUT_MS",
       .description = "Session timeout of the member.",
       .type = OptionType::kInteger,
       .default_value = "30000"},
      {.name = "verbose", .description = "A line for each record, too.", .type = OptionType::kFlag},
      {.name = "enable-autocommit",
       .description = "Commit now and then instead of after each batch.",
       .type = OptionType::kFlag},
      {.name = "reset-policy",
       .argument = "RESET_POLICY",
       .description = "earliest, latest or none.",
       .default_value = "earliest"},
      {.name = "assignment-strategy",
       .argument = "ASSIGNMENT_STRATEGY",
       .description = "Class name of the assignor.",
       .default_value = "org.apache.kafka.clients.consumer.RangeAssignor"},
      {.name = "consumer.config",
       .argument = "CONFIG_FILE",
       .description = "Consumer settings; those of the command line win.",
       .aliases = {"command-config"}},
  };
  return spec;
}

EventJson partitions_json(const rd_kafka_topic_partition_list_t* partitions) {
  EventJson list = EventJson::array();
  for (int i = 0; i < partitions->cnt; ++i)
    list.push_back({{"topic", partitions->elems[i].topic}, {"partition", partitions->elems[i].partition}});
  return list;
}

class VerifiableConsumer {
 public:
  VerifiableConsumer(const ToolIo& io, const ParsedOptions& options)
      : io_(io),
        events_(io),
        topic_(options.text("topic")),
        messages_max_(options.number("max-messages")),
        verbose_(options.has("verbose")),
        commits_(!options.has("enable-autocommit")) {}

  static void rebalanced(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                         void* opaque) {
    const auto& self = *static_cast<VerifiableConsumer*>(opaque);
    const bool assigned = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    EventJson event = self.events_.event(assigned ? "partitions_assigned" : "partitions_revoked");
    event["partitions"] = partitions_json(partitions);
    self.events_.print(event);
    self.events_.flush();
    follow_rebalance(client, error, partitions);
  }

  int run(ToolConsumer& consumer, StopSignals& signals) {
    events_.print("startup_complete");
    int code = kToolOk;
    if (const Status subscribed = consumer.subscribe(topic_); !subscribed) {
      code = report_tool_error(io_, subscribed.error());
    } else {
      while (!finished() && !signals.stopped() && code == kToolOk) code = take_batch(consumer);
    }
    consumer.close();
    events_.print("shutdown_complete");
    return signals.stopped() ? signals.exit_code() : code;
  }

 private:
  struct Range {
    int64_t count = 0;
    int64_t min_offset = 0;
    int64_t max_offset = 0;
  };
  static constexpr int64_t kBatchMax = 500;  // max.poll.records of the Java client

  bool finished() const { return messages_max_ >= 0 && consumed_ >= messages_max_; }

  /// What is at hand, up to 500 records, is one batch.
  int take_batch(ToolConsumer& consumer) {
    std::map<int32_t, Range> ranges;
    int64_t count = 0;
    for (int timeout_ms = 100; count < kBatchMax && !finished(); timeout_ms = 0) {
      auto message = consumer.next(timeout_ms);
      if (!message) {
        log_line(io_, "ERROR",
                 fmt::format("Error during processing, terminating consumer process: {}", message.error().message));
        return kToolFailed;
      }
      if (*message == nullptr) break;
      ++count;
      ++consumed_;
      Range& range = ranges.try_emplace((*message)->partition, Range{0, (*message)->offset, 0}).first->second;
      ++range.count;
      range.max_offset = (*message)->offset;
      if (verbose_) print_record(**message);
    }
    if (count == 0) return kToolOk;
    print_summary(count, ranges);
    if (commits_) commit(consumer.get(), ranges);
    events_.flush();
    return kToolOk;
  }

  void print_record(const rd_kafka_message_t& message) const {
    const auto text = [](const void* bytes, size_t size) {
      return bytes == nullptr ? EventJson() : EventJson(std::string(static_cast<const char*>(bytes), size));
    };
    EventJson event = events_.event("record_data");
    event["key"] = text(message.key, message.key_len);
    event["value"] = text(message.payload, message.len);
    event["topic"] = topic_;
    event["partition"] = message.partition;
    event["offset"] = message.offset;
    events_.print(event);
  }

  void print_summary(int64_t count, const std::map<int32_t, Range>& ranges) const {
    EventJson event = events_.event("records_consumed");
    event["count"] = count;
    event["partitions"] = EventJson::array();
    for (const auto& [partition, range] : ranges) {
      event["partitions"].push_back({{"topic", topic_},
                                     {"partition", partition},
                                     {"count", range.count},
                                     {"minOffset", range.min_offset},
                                     {"maxOffset", range.max_offset}});
    }
    events_.print(event);
  }

  void commit(rd_kafka_t* client, const std::map<int32_t, Range>& ranges) const {
    const RdPartitions offsets(rd_kafka_topic_partition_list_new(static_cast<int>(ranges.size())));
    EventJson list = EventJson::array();
    for (const auto& [partition, range] : ranges) {
      rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), partition)->offset = range.max_offset + 1;
      list.push_back({{"topic", topic_}, {"partition", partition}, {"offset", range.max_offset + 1}});
    }
    const auto error = rd_kafka_commit(client, offsets.get(), 0);
    EventJson event = events_.event("offsets_committed");
    event["offsets"] = std::move(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) event["error"] = rd_kafka_err2str(error);
    event["success"] = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    events_.print(event);
  }

  const ToolIo& io_;
  JsonEvents events_;
  std::string topic_;
  int64_t messages_max_;
  bool verbose_;
  bool commits_;
  int64_t consumed_ = 0;
};

}  // namespace

int run_verifiable_consumer(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = bootstrap_problem(*options); !problem.empty()) return usage_error(spec, io, problem);
  ClientProperties properties;
  if (options->has("consumer.config")) {
    auto loaded = load_client_properties(io.files, options->text("consumer.config"));
    if (!loaded) return report_tool_error(io, loaded.error());
    properties = std::move(*loaded);
  }
  properties["bootstrap.servers"] = options->text("bootstrap-server");
  properties["group.protocol"] = options->text("group-protocol");
  properties["partition.assignment.strategy"] = options->text("assignment-strategy");
  properties["group.id"] = options->text("group-id");
  if (options->has("group-instance-id")) properties["group.instance.id"] = options->text("group-instance-id");
  properties["enable.auto.commit"] = options->has("enable-autocommit") ? "true" : "false";
  properties["auto.offset.reset"] = options->text("reset-policy");
  properties["session.timeout.ms"] = options->text("session-timeout");
  properties.try_emplace("client.id", "verifiable-consumer");

  StopSignals signals;
  VerifiableConsumer verifiable(io, *options);
  auto client = open_kafka_client(io, properties, ClientKind::kConsumer,
                                  {.opaque = &verifiable, .rebalanced = VerifiableConsumer::rebalanced});
  if (!client) return report_tool_error(io, client.error());
  ToolConsumer consumer(std::move(*client));
  return verifiable.run(consumer, signals);
}

}  // namespace millrace
