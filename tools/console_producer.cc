// kafka-console-producer: lines of the standard input become records of a topic.
#include <fmt/format.h>
#include <unistd.h>

#include "tools/connection_options.h"
#include "tools/kafka_client.h"
#include "tools/line_reader.h"
#include "tools/stop_signals.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "console-producer";
  spec.description = "This tool helps to read data from standard input and publish it to Kafka.";
  spec.options = {
      {.name = "topic",
       .argument = "topic",
       .description = "REQUIRED: The topic that the records go to.",
       .required = true},
      bootstrap_option(),
      {.name = "sync",
       .description = "Wait for the acknowledgement of each record before the next is sent.",
       .type = OptionType::kFlag},
      {.name = "compression-codec",
       .argument = "compression-codec",
       .description = "none, gzip, snappy, lz4 or zstd; gzip when no value is given.",
       .takes = OptionSpec::Takes::kOptional},
      {.name = "batch-size",
       .argument = "size",
       .description = "Bytes of one batch of a partition (batch.size).",
       .type = OptionType::kInteger,
       .default_value = "16384"},
      {.name = "message-send-max-retries",
       .description = "How often a failed send is tried again (retries).",
       .type = OptionType::kInteger,
       .default_value = "3"},
      {.name = "retry-backoff-ms",
       .description = "Pause before a send is tried again (retry.backoff.ms).",
       .type = OptionType::kLong,
       .default_value = "100"},
      {.name = "timeout",
       .argument = "timeout_ms",
       .description = "How long a record waits for others to make a batch (linger.ms).",
       .type = OptionType::kLong,
       .default_value = "1000"},
      {.name = "request-required-acks",
       .argument = "request required acks",
       .description = "all or -1, 1, 0 (acks).",
       .default_value = "-1"},
      {.name = "request-timeout-ms",
       .argument = "request timeout ms",
       .description = "How long the broker may take to answer (request.timeout.ms).",
       .type = OptionType::kInteger,
       .default_value = "1500"},
      {.name = "metadata-expiry-ms",
       .argument = "metadata expiration interval",
       .description = "How often metadata is looked up anew (metadata.max.age.ms).",
       .type = OptionType::kLong,
       .default_value = "300000"},
      {.name = "max-block-ms",
       .argument = "max block on send",
       .description = "How long a send may wait for metadata and room (max.block.ms).",
       .type = OptionType::kLong,
       .default_value = "60000"},
      {.name = "max-memory-bytes",
       .argument = "total memory in bytes",
       .description = "Memory for records that wait to be sent (buffer.memory).",
       .type = OptionType::kLong,
       .default_value = "33554432"},
      {.name = "max-partition-memory-bytes",
       .argument = "memory in bytes per partition",
       .description = "As --batch-size, which it overrides.",
       .type = OptionType::kInteger,
       .default_value = "16384"},
      {.name = "line-reader",
       .argument = "reader_class",
       .description = "Only Kafka's own LineMessageReader is there; others are replaced by it.",
       .default_value = "org.apache.kafka.tools.LineMessageReader"},
      {.name = "socket-buffer-size",
       .argument = "size",
       .description = "Size of the TCP send buffer (send.buffer.bytes).",
       .type = OptionType::kInteger,
       .default_value = "102400"},
      {.name = "property",
       .argument = "prop",
       .description =
           "How lines are read, as key=value. Known are:\n parse.key=false\n parse.headers=false\n ignore.error=false\n"
           " key.separator=\\t\n headers.delimiter=\\t\n headers.separator=,\n headers.key.separator=:\n null.marker= "
           "(fields "
           "equal to it become null)\nWith headers and key a line is\n "
           "h1:v1,h2:v2<headers.delimiter>key<key.separator>value",
       .repeatable = true,
       .aliases = {"reader-property"}},
      {.name = "reader-config",
       .argument = "config file",
       .description = "Properties file for --property, which overrides it."},
      {.name = "producer-property",
       .argument = "producer_prop",
       .description = "A producer setting, as key=value.",
       .repeatable = true,
       .aliases = {"command-property"}},
      {.name = "producer.config",
       .argument = "config file",
       .description = "Producer settings; --producer-property overrides them.",
       .aliases = {"command-config"}},
  };
  return spec;
}

Expected<ClientProperties> producer_properties(const ToolIo& io, const ParsedOptions& options) {
  ClientProperties properties;
  if (options.has("producer.config")) {
    auto loaded = load_client_properties(io.files, options.text("producer.config"));
    if (!loaded) return loaded;
    properties = std::move(*loaded);
  }
  add_key_values(properties, options.values("producer-property"));
  properties["bootstrap.servers"] = options.text("bootstrap-server");
  properties.try_emplace("client.id", "console-producer");
  const std::string codec = options.text("compression-codec");
  // Kafka lets this option win over compression.type even when it is absent; a codec set by property is kept here.
  if (options.has("compression-codec")) properties["compression.type"] = codec.empty() ? "gzip" : codec;

  // The option if given, else the property, else the option's default.
  const auto merge = [&](const char* property, const char* option) {
    if (options.has(option) || !properties.contains(property)) properties[property] = options.text(option);
  };
  merge("linger.ms", "timeout");
  merge("acks", "request-required-acks");
  merge("request.timeout.ms", "request-timeout-ms");
  merge("retries", "message-send-max-retries");
  merge("retry.backoff.ms", "retry-backoff-ms");
  merge("send.buffer.bytes", "socket-buffer-size");
  merge("buffer.memory", "max-memory-bytes");
  merge("batch.size", "batch-size");
  merge("batch.size", "max-partition-memory-bytes");
  merge("metadata.max.age.ms", "metadata-expiry-ms");
  merge("max.block.ms", "max-block-ms");
  return properties;
}

/// What a delivery report needs to say which record was lost.
struct Delivery {
  const ToolIo& io;
  std::string topic;
  bool sync = false;
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR_NO_ERROR;
};

std::string size_text(const void* bytes, size_t size) {
  return bytes == nullptr ? "null" : fmt::format("{} bytes", size);
}

void delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
  auto& delivery = *static_cast<Delivery*>(opaque);
  delivery.last = message->err;
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || delivery.sync) return;
  log_line(delivery.io, "ERROR",
           fmt::format("Error when sending message to topic {} with key: {}, value: {} with error: {}", delivery.topic,
                       size_text(message->key, message->key_len), size_text(message->payload, message->len),
                       rd_kafka_err2str(message->err)));
}

RdHeaders native_headers(const LineRecord& record) {
  if (record.headers.empty()) return nullptr;
  RdHeaders headers(rd_kafka_headers_new(record.headers.size()));
  for (const LineHeader& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.key.data(), static_cast<ssize_t>(header.key.size()),
                        header.value ? header.value->data() : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return headers;
}

class ConsoleProducer {
 public:
  ConsoleProducer(const ToolIo& io, Delivery& delivery, RdClient client, LineParser parser, StopSignals& signals)
      : io_(io), delivery_(delivery), client_(std::move(client)), parser_(std::move(parser)), signals_(signals) {}

  int run() {
    const bool prompts = ::isatty(io_.in) != 0 && ::isatty(::fileno(io_.out)) != 0;
    LineSource lines(io_.in, signals_.descriptor());
    int code = kToolOk;
    std::string_view line;
    while (code == kToolOk) {
      if (prompts) {
        io_.print(">");
        std::fflush(io_.out);
      }
      const LineSource::Got got = lines.next(line);
      if (got != LineSource::Got::kLine) break;
      code = send(line);
    }
    flush_producer(client_.get(), [&] { return signals_.stopped(); });
    return signals_.stopped() ? signals_.exit_code() : code;
  }

 private:
  int send(std::string_view line) {
    auto record = parser_.parse(line);
    if (!record) return report_tool_error(io_, record.error());
    RdHeaders headers = native_headers(*record);
    rd_kafka_resp_err_t error = produce(*record, headers.get());
    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && !signals_.stopped()) {
      rd_kafka_poll(client_.get(), 100);
      error = produce(*record, headers.get());
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return report_tool_error(io_, kafka_error(fmt::format("cannot send to topic {}", delivery_.topic), error));
    static_cast<void>(headers.release());  // the message has them
    rd_kafka_poll(client_.get(), 0);
    if (!delivery_.sync) return kToolOk;
    if (!flush_producer(client_.get(), [&] { return signals_.stopped(); })) return kToolOk;
    if (delivery_.last == RD_KAFKA_RESP_ERR_NO_ERROR) return kToolOk;
    return report_tool_error(io_, kafka_error(fmt::format("cannot send to topic {}", delivery_.topic), delivery_.last));
  }

  rd_kafka_resp_err_t produce(const LineRecord& record, rd_kafka_headers_t* headers) {
    rd_kafka_vu_t parts[5] = {};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = delivery_.topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
    if (record.value) parts[2].u.mem = {const_cast<char*>(record.value->data()), record.value->size()};
    parts[3].vtype = RD_KAFKA_VTYPE_KEY;
    if (record.key) parts[3].u.mem = {const_cast<char*>(record.key->data()), record.key->size()};
    parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[4].u.headers = headers;
    const std::unique_ptr<rd_kafka_error_t, RdKafkaDelete> error(
        rd_kafka_produceva(client_.get(), parts, headers == nullptr ? 4 : 5));
    return error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error.get());
  }

  const ToolIo& io_;
  Delivery& delivery_;
  RdClient client_;
  LineParser parser_;
  StopSignals& signals_;
};

}  // namespace

int run_console_producer(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = bootstrap_problem(*options); !problem.empty()) return usage_error(spec, io, problem);

  ClientProperties reading;
  if (options->has("reader-config")) {
    auto loaded = load_client_properties(io.files, options->text("reader-config"));
    if (!loaded) return report_tool_error(io, loaded.error());
    reading = std::move(*loaded);
  }
  add_key_values(reading, options->values("property"));
  auto parser = LineParser::create(reading);
  if (!parser) return report_tool_error(io, parser.error());
  auto properties = producer_properties(io, *options);
  if (!properties) return report_tool_error(io, properties.error());

  StopSignals signals;
  Delivery delivery{.io = io, .topic = options->text("topic"), .sync = options->has("sync")};
  auto client =
      open_kafka_client(io, *properties, ClientKind::kProducer, {.opaque = &delivery, .delivered = delivered});
  if (!client) return report_tool_error(io, client.error());
  return ConsoleProducer(io, delivery, std::move(*client), std::move(*parser), signals).run();
}

}  // namespace millrace
