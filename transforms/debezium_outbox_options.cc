#include "transforms/debezium_outbox_options.h"

#include "core/java_text.h"
#include "transforms/debezium_java.h"

namespace millrace::debezium {
namespace {

using T = ConfigType;
using I = ConfigImportance;

constexpr const char* kPlacement = "table.fields.additional.placement";

std::optional<std::string> check_placement(const Settings& settings) {
  const auto text = settings.text(kPlacement);
  if (!text) return {};
  const std::vector<std::string> elements = java_split(*text, ',');
  std::string shown;
  for (const std::string& element : elements) shown += (shown.empty() ? "" : ", ") + element;
  for (const std::string& element : elements) {
    const size_t parts = java_split(element, ':').size();
    if (parts != 2 && parts != 3)
      return "A comma-separated list of valid String pairs or trios is expected but got: [" + shown + "]";
  }
  return {};
}

ConfigKey key_of(const char* group, const char* name, T type, ConfigKey::Default fallback, I importance,
                 const char* display, const char* documentation) {
  ConfigKey key = config_key(name, type, std::move(fallback), importance, ConfigWidth::kMedium, display, documentation);
  key.group = group;
  return key;
}

std::vector<OutboxOptions::Additional> parse_placement(const std::string& text) {
  std::vector<OutboxOptions::Additional> all;
  for (const std::string& element : java_split(text, ',')) {
    const std::vector<std::string> parts = java_split_trimmed(element, ':');
    OutboxOptions::Additional additional{parts[0], parts.size() == 3 ? parts[2] : parts[0], {}};
    const std::string placement = lower(parts[1]);
    additional.placement = placement == "header"      ? OutboxOptions::Placement::kHeader
                           : placement == "envelope"  ? OutboxOptions::Placement::kEnvelope
                           : placement == "partition" ? OutboxOptions::Placement::kPartition
                                                      : OutboxOptions::Placement::kUnknown;
    all.push_back(std::move(additional));
  }
  return all;
}

}  // namespace

const Options& OutboxOptions::table() {
  static const Options all({
      {.key = key_of("Table", "table.field.event.id", T::kString, "id", I::kLow, "Event ID Field",
                     "The column with the event's id, which becomes the header id.")},
      {.key = key_of("Table", "table.field.event.key", T::kString, "aggregateid", I::kLow, "Event Key Field",
                     "The column with the record's key.")},
      {.key = key_of("Table", "table.field.event.type", T::kString, "type", I::kLow, "Event Type Field",
                     "The column with the event's type.")},
      {.key = key_of("Table", "table.field.event.payload", T::kString, "payload", I::kLow, "Event Payload Field",
                     "The column with the event itself.")},
      {.key = key_of("Table", "table.field.event.timestamp", T::kString, nullptr, I::kMedium, "Event Timestamp Field",
                     "The column with the record's timestamp; without it, the time at which the change was read.")},
      {.key = key_of("Table", kPlacement, T::kList, nullptr, I::kHigh,
                     "Settings for each additional column in the outbox table",
                     "More columns to keep: column:header, column:envelope:alias or column:partition."),
       .check = check_placement},
      {.key = key_of("Table", "table.fields.additional.error.on.missing", T::kBoolean, "true", I::kMedium,
                     "Should the transform error if an additional field is missing in the change data",
                     "Whether an event without such a column fails.")},
      {.key = key_of("Table", "table.field.event.schema.version", T::kString, nullptr, I::kLow,
                     "Event Schema Version Field", "The column with the version of the value's schema.")},
      {.key = key_of("Table", "table.op.invalid.behavior", T::kString, "warn", I::kMedium,
                     "Behavior when capturing an unexpected outbox event",
                     "What becomes of updates of the outbox table: warn and error drop them, fatal fails."),
       .choices = {"warn", "error", "fatal"}},
      {.key = key_of("Table", "table.expand.json.payload", T::kBoolean, "false", I::kMedium,
                     "Expand Payload escaped string as real JSON",
                     "Whether a payload of JSON text becomes a struct; text that is no JSON stays.")},
      {.key = key_of("Table", "table.json.payload.null.behavior", T::kString, "ignore", I::kMedium,
                     "Behavior when json payload including null value",
                     "Whether a null in that JSON is left out, or kept as optional bytes."),
       .choices = {"ignore", "optional_bytes"}},
      {.key = key_of("Router", "route.by.field", T::kString, "aggregatetype", I::kHigh, "Field to route events by",
                     "The column that becomes part of the topic's name.")},
      {.key = key_of("Router", "route.topic.regex", T::kString, "(?<routedByValue>.*)", I::kLow,
                     "The name of the routed topic", "What that column's value is matched with."),
       .check = checks::regex("route.topic.regex")},
      {.key = key_of("Router", "route.topic.replacement", T::kString, "outbox.event.${routedByValue}", I::kHigh,
                     "The name of the routed topic", "The topic, with groups of the regular expression.")},
      {.key = key_of("Router", "route.tombstone.on.empty.payload", T::kBoolean, "false", I::kHigh,
                     "Empty payloads cause a tombstone message", "Whether an empty payload becomes a tombstone.")},
      {.key = key_of("Tracing", "tracing.span.context.field", T::kString, "tracingspancontext", I::kHigh,
                     "Serialized tracing span context field", "Accepted and ignored: there is no tracing."),
       .checked = false},
      {.key = key_of("Tracing", "tracing.operation.name", T::kString, "debezium-read", I::kHigh,
                     "Tracing operation name", "Accepted and ignored: there is no tracing."),
       .checked = false},
      {.key = key_of("Tracing", "tracing.with.context.field.only", T::kBoolean, "false", I::kHigh,
                     "Trace only events with context field present", "Accepted and ignored: there is no tracing."),
       .checked = false},
      {.key = key_of("Table", "field.name.adjustment.mode", T::kString, "none", I::kLow, "Field Name Adjustment",
                     "How the names of expanded JSON members are made fit for Avro: none, avro or avro_unicode."),
       .choices = name_adjustments(),
       .checked = false},
  });
  return all;
}

Expected<OutboxOptions> OutboxOptions::create(const ConfigMap& given) {
  const Settings settings(table(), given);
  if (auto status = settings.check(); !status) return fail(std::move(status.error()));
  OutboxOptions options;
  options.id = settings.text_or_empty("table.field.event.id");
  options.key = settings.text_or_empty("table.field.event.key");
  options.payload = settings.text_or_empty("table.field.event.payload");
  options.timestamp = settings.text_or_empty("table.field.event.timestamp");
  options.version = settings.text_or_empty("table.field.event.schema.version");
  options.route_by = settings.text_or_empty("route.by.field");
  if (const auto placement = settings.text(kPlacement)) options.additional = parse_placement(*placement);
  options.missing_is_error = settings.boolean("table.fields.additional.error.on.missing");
  options.tombstone_on_empty = settings.boolean("route.tombstone.on.empty.payload");
  options.expand_json = settings.boolean("table.expand.json.payload");
  options.null_as_bytes = settings.choice("table.json.payload.null.behavior") == 1;
  options.unexpected = static_cast<Unexpected>(settings.choice("table.op.invalid.behavior"));
  options.names = static_cast<NameAdjustment>(settings.choice("field.name.adjustment.mode"));
  options.topic_regex = settings.text_or_empty("route.topic.regex");
  options.topic_replacement = settings.text_or_empty("route.topic.replacement");
  return options;
}

}  // namespace millrace::debezium
