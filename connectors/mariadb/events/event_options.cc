#include "connectors/mariadb/events/event_options.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>

#include "connectors/mariadb/events/event_rules.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

namespace {

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

Status invalid(std::string_view key, std::string_view value, std::string_view known) {
  return {Code::kInvalidConfig, "The '" + std::string(key) + "' value is invalid: '" + std::string(value) +
                                    "' is not one of " + std::string(known)};
}

/// A UUID of version 7, as Debezium makes its run ids: they sort by time.
std::string make_run_id() {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  std::random_device random;
  const uint64_t high = static_cast<uint64_t>(now.count()) << 16 | 0x7000U | (random() & 0xfffU);
  const uint64_t low = 0x8000000000000000U | ((uint64_t{random()} << 32 | random()) >> 2);
  char text[40];
  std::snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffffU));
  return text;
}

Status parse_skipped(const sdk::Config& config, EventOptions& options) {
  constexpr std::string_view kKey = "skipped.operations";
  if (!config.get(kKey).has_value()) return sdk::ok();
  options.skip_truncate = false;
  for (const std::string& text : config.list(kKey)) {
    const std::string word = lower(text);
    if (word == "c") {
      options.skip_create = true;
    } else if (word == "u") {
      options.skip_update = true;
    } else if (word == "d") {
      options.skip_delete = true;
    } else if (word == "t") {
      options.skip_truncate = true;
    } else if (!word.empty() && word != "none") {
      return invalid(kKey, text, "c, u, d, t, none");
    }
  }
  return sdk::ok();
}

Status parse_value_failure(const sdk::Config& config, ValueFailure& mode) {
  constexpr std::string_view kKey = "event.converting.failure.handling.mode";
  const std::string word = lower(config.string(kKey));
  if (word.empty() || word == "warn") {
    mode = ValueFailure::kWarn;
  } else if (word == "skip" || word == "ignore") {
    mode = ValueFailure::kSkip;
  } else if (word == "fail") {
    mode = ValueFailure::kFail;
  } else {
    return invalid(kKey, config.string(kKey), "fail, warn, skip");
  }
  return sdk::ok();
}

template <class T>
Status take(Result<T> from, T& into) {
  if (!from.ok()) return from.status();
  into = std::move(from.value());
  return sdk::ok();
}

Status parse_rules(const sdk::Config& config, EventOptions::Rules& rules) {
  constexpr std::string_view kSchemaNames = "schema.name.adjustment.mode", kFieldNames = "field.name.adjustment.mode";
  if (Status s = take(TopicNaming::parse(config), rules.topics); !s.ok()) return s;
  if (Status s = take(KeyColumns::parse(config.string("message.key.columns")), rules.keys); !s.ok()) return s;
  if (Status s = take(ColumnFilter::parse(config), rules.columns); !s.ok()) return s;
  if (Status s = take(parse_name_adjustment(kSchemaNames, config.string(kSchemaNames)), rules.schema_names); !s.ok())
    return s;
  if (Status s = take(parse_name_adjustment(kFieldNames, config.string(kFieldNames)), rules.field_names); !s.ok())
    return s;
  if (Status s = parse_value_failure(config, rules.value_failure); !s.ok()) return s;
  for (const std::string& channel : config.list("notification.enabled.channels")) {
    if (lower(channel) == "sink") rules.notification_topic = config.string("notification.sink.topic.name");
  }
  return sdk::ok();
}

}  // namespace

Result<EventOptions> EventOptions::parse(const sdk::Config& config) {
  EventOptions options;
  const bool mysql = lower(config.string("connector.class")).find("mysql") != std::string::npos;
  options.connector = options.connector_name = mysql ? "mysql" : "mariadb";
  options.topic_prefix = config.string("topic.prefix");
  options.task_id = "0";  // there is only ever one
  options.run_id = make_run_id();
  const auto flag = [&](std::string_view key, bool& into) {
    if (config.get(key).has_value()) into = config.boolean(key);
  };
  flag("extended.headers.enabled", options.extended_headers);
  flag("tombstones.on.delete", options.tombstones);
  flag("include.schema.changes", options.include_schema_changes);
  flag("provide.transaction.metadata", options.transaction_metadata);
  flag("skip.messages.without.change", options.skip_unchanged);
  if (const int64_t size = config.int64("max.batch.size"); size > 0) options.max_batch_size = static_cast<size_t>(size);
  if (Status s = parse_skipped(config, options); !s.ok()) return s;
  auto rules = std::make_shared<Rules>();
  if (Status s = parse_rules(config, *rules); !s.ok()) return s;
  options.rules = std::move(rules);
  return options;
}

}  // namespace millrace::mariadb
