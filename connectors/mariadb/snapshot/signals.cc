#include "connectors/mariadb/snapshot/signals.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace millrace::mariadb {
namespace {

using Json = nlohmann::json;
using Type = Signal::Type;

struct TypeName {
  std::string_view name;
  Type type;
};
constexpr auto kTypes = std::to_array<TypeName>({{"execute-snapshot", Type::kExecuteSnapshot},
                                                 {"stop-snapshot", Type::kStopSnapshot},
                                                 {"pause-snapshot", Type::kPauseSnapshot},
                                                 {"resume-snapshot", Type::kResumeSnapshot},
                                                 {"log", Type::kLog},
                                                 {"set-binlog-position", Type::kSetBinlogPosition},
                                                 {"snapshot-window-open", Type::kWindowOpen},
                                                 {"snapshot-window-close", Type::kWindowClose}});

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::string shown(std::string_view text) {
  constexpr size_t kMax = 500;
  return std::string(text.substr(0, kMax)) + (text.size() > kMax ? "…" : "");
}

Status bad(std::string why) { return {Code::kBadRecord, std::move(why)}; }

std::string text_at(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

Status read_collections(const Json& data, Signal& signal) {
  const auto list = data.find("data-collections");
  if (list == data.end()) return sdk::ok();
  if (!list->is_array()) return bad("data-collections is not an array of texts");
  for (const Json& name : *list) {
    if (!name.is_string()) return bad("data-collections is not an array of texts");
    signal.collections.push_back(name.get<std::string>());
  }
  return sdk::ok();
}

Status read_execute(const Json& data, Signal& signal) {
  if (Status s = read_collections(data, signal); !s.ok()) return s;
  if (signal.collections.empty()) return bad("data-collections names no table");
  const std::string type = lower(text_at(data, "type"));
  if (!type.empty() && type != "incremental" && type != "blocking")
    return bad("type '" + type + "' is neither incremental nor blocking");
  signal.blocking = type == "blocking";
  signal.surrogate_key = text_at(data, "surrogate-key");
  const auto conditions = data.find("additional-conditions");
  if (conditions == data.end()) return sdk::ok();
  if (!conditions->is_array()) return bad("additional-conditions is not an array");
  for (const Json& condition : *conditions) {
    const std::string table = text_at(condition, "data-collection"), filter = text_at(condition, "filter");
    if (table.empty() || filter.empty()) return bad("an additional condition lacks data-collection or filter");
    signal.conditions[table] = filter;
  }
  return sdk::ok();
}

Status read_position(const Json& data, Signal& signal) {
  if (const std::string gtids = text_at(data, "gtid_set"); !gtids.empty()) {
    auto parsed = GtidList::parse(gtids);
    if (!parsed.ok()) return parsed.status();
    signal.gtids = std::move(parsed.value());
    return sdk::ok();
  }
  signal.file = text_at(data, "binlog_filename");
  const auto position = data.find("binlog_position");
  if (signal.file.empty() || position == data.end() || !position->is_number_unsigned())
    return bad("give binlog_filename and binlog_position, or gtid_set");
  signal.position = position->get<uint64_t>();
  return sdk::ok();
}

}  // namespace

Result<Signal> parse_signal(std::string_view id, std::string_view type, std::string_view data) {
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeName& t) { return t.name == type; });
  if (known == kTypes.end()) return bad("the type '" + shown(type) + "' is unknown");
  Signal signal;
  signal.type = known->type;
  signal.id = id;
  if (signal.type == Type::kWindowOpen || signal.type == Type::kWindowClose) return signal;
  const Json parsed = Json::parse(data.empty() ? "{}" : data, nullptr, false);
  if (!parsed.is_object()) return bad("its data is not a JSON object");
  Status read;
  if (signal.type == Type::kExecuteSnapshot) read = read_execute(parsed, signal);
  if (signal.type == Type::kStopSnapshot) read = read_collections(parsed, signal);
  if (signal.type == Type::kSetBinlogPosition) read = read_position(parsed, signal);
  if (signal.type == Type::kLog) signal.message = text_at(parsed, "message");
  if (!read.ok()) return read;
  return signal;
}

bool SignalQueue::offer(std::string_view id, std::string_view type, std::string_view data,
                        const std::optional<SignalPlace>& place) {
  auto signal = parse_signal(id, type, data);
  if (!signal.ok()) {
    warn_("signal '" + shown(id) + "' is ignored: " + signal.status().message() + "; type '" + shown(type) +
          "', data: " + shown(data));
    return false;
  }
  signal->place = place;
  std::lock_guard lock(mutex_);
  signals_.push_back(std::move(signal.value()));
  return true;
}

void SignalQueue::offer_row(std::span<const Cell> row) {
  const auto text = [&](size_t i) {
    const bool has = i < row.size() && (row[i].kind == Cell::Kind::kText || row[i].kind == Cell::Kind::kBytes);
    return has ? row[i].text() : std::string_view();
  };
  if (row.size() < 3) {
    warn_("a row of the signal table is ignored: the table has " + std::to_string(row.size()) +
          " columns, but needs id, type and data");
    return;
  }
  offer(text(0), text(1), text(2));
}

bool SignalQueue::offer_document(std::string_view json, const std::optional<SignalPlace>& place) {
  const Json document = Json::parse(json, nullptr, false);
  const std::string type = document.is_object() ? text_at(document, "type") : "";
  if (type.empty()) {
    warn_("a signal is ignored: it is no JSON object with a type: " + shown(json));
    return false;
  }
  const auto data = document.find("data");
  std::string text = "{}";
  if (data != document.end() && !data->is_null())
    text = data->is_string() ? data->get<std::string>() : data->dump(-1, ' ', false, Json::error_handler_t::replace);
  return offer(text_at(document, "id"), type, text, place);
}

std::optional<Signal> SignalQueue::take() {
  std::lock_guard lock(mutex_);
  if (signals_.empty()) return std::nullopt;
  Signal signal = std::move(signals_.front());
  signals_.pop_front();
  return signal;
}

void SignalQueue::put_back(Signal signal) {
  std::lock_guard lock(mutex_);
  signals_.push_front(std::move(signal));
}

Result<SignalOptions> SignalOptions::parse(const sdk::Config& config) {
  SignalOptions options;
  options.key = config.string("topic.prefix");
  if (config.get("signal.enabled.channels")) {
    options.source = false;
    for (const std::string& given : config.list("signal.enabled.channels")) {
      const std::string channel = lower(given);
      if (channel == "source")
        options.source = true;
      else if (channel == "kafka")
        options.kafka = true;
      else if (channel == "file")
        options.file = true;
      else if (channel != "jmx" && !channel.empty())  // the worker's API takes signals in any case
        return Status(Code::kInvalidConfig, "signal.enabled.channels: '" + given +
                                                "' is unknown; use source, kafka, file or jmx (the worker's API)");
    }
  }
  if (const int64_t interval = config.int64("signal.poll.interval.ms"); interval > 0)
    options.poll_interval_ms = interval;
  options.kafka_topic = config.string("signal.kafka.topic");
  if (options.kafka_topic.empty()) options.kafka_topic = options.key + "-signal";
  // Debezium's default is one group for all; connectors that share a topic would then pass over each other's signals.
  options.kafka_group =
      config.is_set("signal.kafka.groupId") ? config.string("signal.kafka.groupId") : "kafka-signal-" + options.key;
  options.kafka_options.bootstrap_servers = config.string("signal.kafka.bootstrap.servers");
  constexpr std::string_view kClient = "signal.consumer.";
  for (const auto& [key, value] : config.all()) {
    if (key.starts_with(kClient)) options.kafka_options.client[key.substr(kClient.size())] = value;
  }
  // The check of the configuration has warned of it.
  if (options.kafka_options.bootstrap_servers.empty()) options.kafka = false;
  options.file_path = config.string("signal.file");
  if (options.file_path.empty()) options.file_path = "file-signals.txt";
  return options;
}

Status poll_topic(TopicReader& reader, std::string_view key, int64_t wait_ms, SignalQueue& queue) {
  auto documents = reader.poll(wait_ms);
  if (!documents.ok()) return documents.status();
  for (const TopicDocument& document : documents.value()) {
    if (document.key == key && document.value) queue.offer_document(*document.value);
  }
  return sdk::ok();
}

}  // namespace millrace::mariadb
