#include "connectors/mariadb/config/java_settings.h"

#include <algorithm>

#include "connectors/mariadb/config/value_rules.h"

namespace millrace::mariadb {
namespace {

using sdk::Config;

constexpr const char* kNoClasses = "Java classes cannot be loaded here. ";

std::string_view class_only(std::string_view name) { return name.substr(name.rfind('.') + 1); }

/// Classes whose work is done here, by their last name; others are refused with the cure.
struct KnownClasses {
  std::string_view key;
  std::vector<std::string_view> names;
  std::string_view cure;
};

void check_classes(const Config& config, ConfigReport& report) {
  const KnownClasses kClasses[] = {
      {"sourceinfo.struct.maker",
       {"MariaDbSourceInfoStructMaker", "MySqlSourceInfoStructMaker"},
       "Remove the setting; a transformation can shape the source block."},
      {"transaction.metadata.factory", {"DefaultTransactionMetadataFactory"}, "Remove the setting."},
      {"topic.naming.strategy",
       {"SchemaTopicNamingStrategy", "DefaultTopicNamingStrategy", "DefaultRegexTopicNamingStrategy"},
       "Use io.debezium.schema.DefaultRegexTopicNamingStrategy with topic.regex, or the transformation RegexRouter."},
      {"queue.provider.type", {"memory"}, "Remove the setting."},
  };
  for (const KnownClasses& each : kClasses) {
    const std::string value = config.string(each.key);
    const auto known = [&](std::string_view name) { return name == class_only(value); };
    if (config.is_set(each.key) && !value.empty() && std::none_of(each.names.begin(), each.names.end(), known))
      report.invalid(each.key, "'" + value + "' is not available. " + kNoClasses + std::string(each.cure));
  }
}

void check_custom_modes(const Config& config, ConfigReport& report) {
  for (const std::string mode : {"snapshot.mode", "snapshot.query.mode", "snapshot.locking.mode"}) {
    const std::string name = mode + ".custom.name";
    const bool named = !config.string(name).empty();
    if (lower(config.string(mode)) == "custom") {
      // A missing name has been told already, in Debezium's words.
      if (named || mode != "snapshot.mode")
        report.invalid(mode,
                       std::string("'custom' is not available. ") + kNoClasses + "Choose one of the other modes.");
    } else if (named) {
      report.warn(name, "It has no effect, as " + mode + " is not custom.");
    }
  }
}

void check_converters(const Config& config, ConfigReport& report) {
  constexpr std::string_view kBuiltIn[] = {"TinyIntOneToBooleanConverter", "JdbcSinkDataTypesConverter",
                                           "ZeroDateFallbackConverter"};
  for (const std::string& name : config.list("converters")) {
    if (name.empty()) continue;
    const std::string type = config.string(name + ".type");
    const bool known = std::find(std::begin(kBuiltIn), std::end(kBuiltIn), class_only(type)) != std::end(kBuiltIn);
    if (type.empty()) {
      report.invalid("converters", "The converter " + name + " has no class. Set " + name + ".type.");
    } else if (!known) {
      report.invalid("converters", "The converter " + type + " is not available. " + kNoClasses +
                                       "Built in are TinyIntOneToBooleanConverter, JdbcSinkDataTypesConverter and "
                                       "ZeroDateFallbackConverter; others must become transformations.");
    }
  }
}

void check_post_processors(const Config& config, ConfigReport& report) {
  if (config.string("post.processors").empty()) return;
  report.invalid("post.processors", std::string("Post processors are not available. ") + kNoClasses +
                                        "Remove the setting. Values need not be read again: binlog_row_image=FULL has "
                                        "them all.");
}

void check_history(const Config& config, ConfigReport& report) {
  const std::string storage = config.string("schema.history.internal");
  const std::string_view kind = class_only(storage);
  const bool kafka = kind == "KafkaSchemaHistory";
  if (!kafka && kind != "FileSchemaHistory" && kind != "MemorySchemaHistory") {
    report.warn("schema.history.internal",
                storage +
                    " is not available; no history is written. None is needed: definitions come from the binlog "
                    "(binlog_row_metadata=FULL) and the server.");
  }
  if (kind == "FileSchemaHistory" && config.string("schema.history.internal.file.filename").empty())
    report.invalid("schema.history.internal.file.filename", "A value is required");
  for (const char* key : {"schema.history.internal.kafka.topic", "schema.history.internal.kafka.bootstrap.servers"}) {
    if (kafka && config.string(key).empty())
      report.notes.push_back({key, "Without it no history of table definitions is written; none is needed here."});
  }
}

/// Settings that ask for nothing that is missing here.
void note_needless(Dialect dialect, const Config& config, ConfigReport& report) {
  constexpr std::string_view kNeedless[] = {"database.server.id.offset",
                                            "use.nongraceful.disconnect",
                                            "database.jdbc.driver",
                                            "database.protocol",
                                            "executor.shutdown.timeout.ms",
                                            "poll.interval.ms",
                                            "poll.dispatch.interval.ms",
                                            "topic.cache.size",
                                            "resolve.create.table.like.schema",
                                            "ddl.parser.type",
                                            "custom.metric.tags",
                                            "statistics.metrics.enabled",
                                            "snapshot.fetch.size",
                                            "query.fetch.size",
                                            "min.row.count.to.stream.results",
                                            "schema.history.internal.kafka.recovery.poll.interval.ms",
                                            "schema.history.internal.kafka.recovery.attempts",
                                            "schema.history.internal.kafka.query.timeout.ms",
                                            "schema.history.internal.kafka.create.timeout.ms",
                                            "schema.history.internal.kafka.buffer.batch.size",
                                            "schema.history.internal.skip.unparseable.ddl",
                                            "schema.history.internal.memory.optimization",
                                            "internal.advanced.metrics.enable",
                                            "internal.snapshot.scan.all.columns.force"};
  const auto options = options_of(dialect);
  for (const std::string_view key : kNeedless) {
    const auto option = std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.name == key; });
    if (option != options.end() && config.is_set(key) && config.string(key) != option->default_value.text())
      report.notes.push_back({std::string(key), "It has no effect here."});
  }
  if (config.boolean("openlineage.integration.enabled"))
    report.warn("openlineage.integration.enabled", "OpenLineage events are not sent.");
  for (const auto& [key, value] : config.all()) {
    if (!key.starts_with("driver.")) continue;
    report.warn(key,
                "There is no JDBC driver, so it has no effect. Times never depend on a connection's time zone, "
                "and TLS is set with database.ssl.*.");
  }
}

}  // namespace

void check_java_settings(Dialect dialect, const Config& config, ConfigReport& report) {
  check_classes(config, report);
  check_custom_modes(config, report);
  check_converters(config, report);
  check_post_processors(config, report);
  check_history(config, report);
  note_needless(dialect, config, report);
}

}  // namespace millrace::mariadb
