// kafka-console-consumer: records of topics on the standard output.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <random>
#include <set>

#include "core/clock.h"
#include "core/java_text.h"
#include "tools/connection_options.h"
#include "tools/kafka_consumer.h"
#include "tools/stop_signals.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "console-consumer";
  spec.description = "This tool helps to read data from Kafka topics and outputs it to standard output.";
  spec.options = {
      {.name = "topic", .argument = "topic", .description = "The topic to consume from."},
      {.name = "include",
       .argument = "regex",
       .description = "Regular expression that names the topics to consume from.",
       .aliases = {"whitelist"}},
      {.name = "partition",
       .argument = "partition",
       .description = "The partition to consume from, from its end unless --offset is given.",
       .type = OptionType::kInteger},
      {.name = "offset",
       .argument = "consume offset",
       .description = "Where to start: an offset, 'earliest' or 'latest'.",
       .default_value = "latest"},
      {.name = "consumer-property",
       .argument = "consumer_prop",
       .description = "A consumer setting, as key=value.",
       .repeatable = true,
       .aliases = {"command-property"}},
      {.name = "consumer.config",
       .argument = "config file",
       .description = "Consumer settings; --consumer-property overrides them.",
       .aliases = {"command-config"}},
      {.name = "formatter",
       .argument = "class",
       .description = "How records are printed: the name of one of Kafka's formatter classes.",
       .default_value = "org.apache.kafka.tools.consumer.DefaultMessageFormatter"},
      {.name = "property",
       .argument = "prop",
       .description =
           "A setting of the formatter, as key=value:\n print.timestamp, print.key, print.offset, print.partition, "
           "print.headers, print.value=true|false\n key.separator, line.separator, headers.separator, null.literal\n "
           "key.deserializer, value.deserializer, headers.deserializer: class names",
       .repeatable = true,
       .aliases = {"formatter-property"}},
      {.name = "formatter-config",
       .argument = "config file",
       .description = "Properties file for --property, which overrides it."},
      {.name = "from-beginning",
       .description = "Start with the earliest record when the group has no offset.",
       .type = OptionType::kFlag},
      {.name = "max-messages",
       .argument = "num_messages",
       .description = "End after so many records; otherwise go on.",
       .type = OptionType::kInteger},
      {.name = "timeout-ms",
       .argument = "timeout_ms",
       .description = "End when no record has come for so long.",
       .type = OptionType::kLong},
      {.name = "skip-message-on-error",
       .description = "Leave out records that cannot be printed instead of ending.",
       .type = OptionType::kFlag},
      bootstrap_option(),
      {.name = "key-deserializer",
       .argument = "deserializer for key",
       .description = "Class name; as --property key.deserializer."},
      {.name = "value-deserializer",
       .argument = "deserializer for values",
       .description = "Class name; as --property value.deserializer."},
      {.name = "enable-systest-events",
       .description = "Print shutdown_complete at the end.",
       .type = OptionType::kFlag},
      {.name = "isolation-level",
       .description = "read_committed leaves out records of transactions that are open or aborted.",
       .default_value = "read_uncommitted"},
      {.name = "group",
       .argument = "consumer group id",
       .description = "The consumer group; one of its own when not given."},
  };
  return spec;
}

/// Where to read, and until when.
struct Plan {
  ClientProperties properties;
  std::string topic;  ///< or ^regex
  std::optional<int32_t> partition;
  int64_t start = RD_KAFKA_OFFSET_END;
  StartOfGroup group_start;
  int64_t messages_max = -1;
  int64_t timeout_ms = -1;
  bool skip_on_error = false;
};

Expected<int64_t> start_offset(const ParsedOptions& options) {
  const std::string text = options.text("offset");
  if (!options.has("offset")) return options.has("from-beginning") ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
  if (text.size() == 8 && ::strcasecmp(text.c_str(), "earliest") == 0) return RD_KAFKA_OFFSET_BEGINNING;
  if (text.size() == 6 && ::strcasecmp(text.c_str(), "latest") == 0) return RD_KAFKA_OFFSET_END;
  const auto offset = parse_java_integer(text, 0, INT64_MAX);
  if (offset) return *offset;
  return fail(ErrorCode::kInvalidConfig, fmt::format("The provided offset value '{}' is incorrect. Valid values are "
                                                     "'earliest', 'latest', or a non-negative long.",
                                                     text));
}

/// What is wrong with the choice of topics and offsets; empty when nothing is.
std::string choice_problem(const ParsedOptions& options) {
  if (options.has("topic") == options.has("include")) return "Exactly one of --include/--topic is required. ";
  if (options.has("partition")) {
    if (!options.has("topic")) return "The topic is required when partition is specified.";
    if (options.has("from-beginning") && options.has("offset"))
      return "Options from-beginning and offset cannot be specified together.";
  } else if (options.has("offset")) {
    return "The partition is required when offset is specified.";
  }
  return bootstrap_problem(options);
}

/// The group of the command line or the properties. Errors: kInvalidConfig when they differ.
Expected<std::optional<std::string>> chosen_group(const ParsedOptions& options, const ClientProperties& from_file,
                                                  const ClientProperties& given) {
  std::set<std::string> groups;
  if (options.has("group")) groups.insert(options.text("group"));
  for (const ClientProperties* properties : {&from_file, &given}) {
    if (const auto found = properties->find("group.id"); found != properties->end()) groups.insert(found->second);
  }
  if (groups.size() > 1) {
    std::string names;
    for (const std::string& group : groups) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", group);
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("The group ids provided in different places (directly using '--group', via "
                            "'--consumer-property', or via '--consumer.config') do not match. Detected group ids: {}",
                            names));
  }
  if (groups.empty()) return std::optional<std::string>();
  if (options.has("partition"))
    return fail(ErrorCode::kInvalidConfig, "Options group and partition cannot be specified together.");
  return *groups.begin();
}

Expected<ClientProperties> consumer_properties(const ToolIo& io, const ParsedOptions& options) {
  ClientProperties properties;
  if (options.has("consumer.config")) {
    auto loaded = load_client_properties(io.files, options.text("consumer.config"));
    if (!loaded) return loaded;
    properties = std::move(*loaded);
  }
  ClientProperties given;
  add_key_values(given, options.values("consumer-property"));
  auto group = chosen_group(options, properties, given);
  if (!group) return fail(std::move(group.error()));
  for (const auto& [name, value] : given) properties[name] = value;

  const auto reset = properties.find("auto.offset.reset");
  if (reset != properties.end() && options.has("from-beginning") && reset->second != "earliest") {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("Can't simultaneously specify --from-beginning and 'auto.offset.reset={}', please remove one "
                    "option",
                    reset->second));
  }
  properties.try_emplace("auto.offset.reset", options.has("from-beginning") ? "earliest" : "latest");
  properties["bootstrap.servers"] = options.text("bootstrap-server");
  properties.try_emplace("client.id", "console-consumer");
  if (options.has("isolation-level")) properties["isolation.level"] = options.text("isolation-level");
  if (*group) {
    properties["group.id"] = **group;
  } else {
    properties["group.id"] = fmt::format("console-consumer-{}", std::random_device()() % 100000);
    // Nobody will ask for the offsets of a group with a random name.
    properties.try_emplace("enable.auto.commit", "false");
  }
  return properties;
}

Expected<Plan> make_plan(const ToolIo& io, const ParsedOptions& options) {
  auto properties = consumer_properties(io, options);
  if (!properties) return fail(std::move(properties.error()));
  auto start = start_offset(options);
  if (!start) return fail(std::move(start.error()));
  Plan plan;
  plan.start = *start;
  if (options.has("topic")) {
    plan.topic = options.text("topic");
  } else {
    // Java matches the whole name, and leaves internal topics out unless told otherwise.
    plan.topic = fmt::format("^({})$", options.text("include"));
    const auto internal = properties->find("exclude.internal.topics");
    if (internal == properties->end() || internal->second != "false")
      properties->try_emplace("topic.blacklist", "^__consumer_offsets$,^__transaction_state$,^__share_group_state$");
  }
  if (options.has("partition")) plan.partition = static_cast<int32_t>(options.number("partition"));
  if (const auto found = properties->find("enable.auto.commit");
      found == properties->end() || found->second != "false") {
    const std::string& reset = properties->at("auto.offset.reset");
    if (reset == "earliest") plan.group_start.at = RD_KAFKA_OFFSET_BEGINNING;
    if (reset == "latest") plan.group_start.at = RD_KAFKA_OFFSET_END;
  }
  plan.messages_max = options.number("max-messages");
  plan.timeout_ms = options.number("timeout-ms");
  plan.skip_on_error = options.has("skip-message-on-error");
  plan.properties = std::move(*properties);
  return plan;
}

Expected<std::unique_ptr<MessageFormatter>> chosen_formatter(const ToolIo& io, const ParsedOptions& options) {
  ClientProperties properties;
  if (options.has("formatter-config")) {
    auto loaded = load_client_properties(io.files, options.text("formatter-config"));
    if (!loaded) return fail(std::move(loaded.error()));
    properties = std::move(*loaded);
  }
  for (const char* which : {"key", "value"}) {
    const std::string name = options.text(fmt::format("{}-deserializer", which));
    if (!name.empty()) properties[fmt::format("{}.deserializer", which)] = name;
  }
  add_key_values(properties, options.values("property"));
  return make_formatter(options.text("formatter"), properties);
}

class ConsoleConsumer {
 public:
  ConsoleConsumer(const ToolIo& io, const Plan& plan, MessageFormatter& formatter, StopSignals& signals)
      : io_(io), plan_(plan), formatter_(formatter), signals_(signals) {}

  int run(ToolConsumer& consumer) {
    const int code = consume(consumer);
    consumer.close();
    io_.print_error(fmt::format("Processed a total of {} messages\n", count_));
    return signals_.stopped() ? signals_.exit_code() : code;
  }

 private:
  bool done() const { return plan_.messages_max >= 0 && count_ >= plan_.messages_max; }

  /// Until enough records have come, nothing comes any more, a signal, or an error.
  int consume(ToolConsumer& consumer) {
    const Status started =
        plan_.partition ? consumer.assign(plan_.topic, *plan_.partition, plan_.start) : consumer.subscribe(plan_.topic);
    if (!started) return report_tool_error(io_, started.error());
    auto last = clock_.monotonic();
    while (!done() && !signals_.stopped()) {
      // Waits only when nothing is at hand, and then shows what has been printed so far.
      auto message = consumer.next(0);
      if (message && *message == nullptr) {
        if (!flush() || reader_gone()) return kToolOk;
        message = consumer.next(100);
      }
      if (!message) {
        log_line(io_, "ERROR",
                 fmt::format("Error processing message, terminating consumer process: {}", message.error().message));
        break;
      }
      if (*message == nullptr) {
        if (plan_.timeout_ms < 0 || clock_.monotonic() - last <= std::chrono::milliseconds(plan_.timeout_ms)) continue;
        log_line(io_, "ERROR",
                 fmt::format("Error processing message, terminating consumer process: no message for {} ms",
                             plan_.timeout_ms));
        break;
      }
      if (plan_.timeout_ms >= 0) last = clock_.monotonic();
      if (const int code = show(**message); code != kToolOk) return code;
      if (out_.size() >= kBufferBytes && !flush()) return kToolOk;
    }
    flush();
    return kToolOk;
  }

  int show(const rd_kafka_message_t& message) {
    ++count_;
    if (const Status shown = formatter_.format(consumed_record(message), out_); !shown) {
      const std::string what = fmt::format("{}-{} offset {}: {}", rd_kafka_topic_name(message.rkt), message.partition,
                                           message.offset, shown.error().message);
      if (plan_.skip_on_error) {
        log_line(io_, "ERROR", fmt::format("Error processing message, skipping this message: {}", what));
      } else {
        flush();
        log_line(io_, "ERROR", fmt::format("Unknown error when running consumer: {}", what));
        return kToolFailed;
      }
    }
    return kToolOk;
  }

  bool flush() {
    if (out_.empty()) return true;
    io_.print(out_);
    out_.clear();
    if (std::fflush(io_.out) == 0) return true;
    io_.print_error("Unable to write to standard out, closing consumer.\n");
    return false;
  }

  /// True when the other end of our pipe has been closed: the next write would fail, but it may never come.
  bool reader_gone() const {
    pollfd out{.fd = ::fileno(io_.out), .events = 0, .revents = 0};
    return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
  }

  static constexpr size_t kBufferBytes = 64 * 1024;
  const ToolIo& io_;
  const Plan& plan_;
  MessageFormatter& formatter_;
  StopSignals& signals_;
  SystemClock clock_;
  std::string out_;
  int64_t count_ = 0;
};

}  // namespace

int run_console_consumer(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (const std::string problem = choice_problem(*options); !problem.empty()) return usage_error(spec, io, problem);
  auto plan = make_plan(io, *options);
  if (!plan) return usage_error(spec, io, plan.error().message);
  auto formatter = chosen_formatter(io, *options);
  if (!formatter) return usage_error(spec, io, formatter.error().message);

  StopSignals signals;
  KafkaCallbacks callbacks;
  callbacks.opaque = &plan->group_start;
  callbacks.rebalanced = follow_rebalance_and_commit;
  auto client = open_kafka_client(io, plan->properties, ClientKind::kConsumer, callbacks);
  if (!client) return report_tool_error(io, client.error());
  ToolConsumer consumer(std::move(*client));
  const int code = ConsoleConsumer(io, *plan, **formatter, signals).run(consumer);
  if (options->has("enable-systest-events")) io.print("shutdown_complete\n");
  return code;
}

}  // namespace millrace
