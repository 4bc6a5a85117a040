#include "cli/options_document.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/component_catalog.h"
#include "runtime/connector_config.h"
#include "runtime/worker_options.h"

namespace millrace {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

<!-- Made by `millrace lint --print-options`; a test compares. Change the option tables, not this page. -->

Names, types, defaults and checks are Kafka Connect's, so that its files can be used as they are; what is millrace's own is
said so. `millrace lint worker.properties connector.json` checks files without starting anything. Values may hold variables of
configuration providers: `${file:/etc/secrets.properties:password}`.

)";

std::string in_table(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string shown_default(const ConfigKey& key) {
  if (key.required()) return "required";
  const auto* text = std::get_if<std::string>(&key.default_value);
  if (text == nullptr) return "–";
  return text->empty() ? "empty" : fmt::format("`{}`", in_table(*text));
}

void add_rows(std::string& page, const std::vector<ConfigKey>& keys, std::string_view prefix = {}) {
  if (keys.empty()) {
    page += "No settings.\n\n";
    return;
  }
  page += "| Setting | Type | Default | Meaning |\n|---|---|---|---|\n";
  for (const ConfigKey& key : keys) {
    page += fmt::format("| `{}{}` | {} | {} | {} |\n", prefix, in_table(key.name), config_type_name(key.type),
                        shown_default(key), in_table(key.documentation));
  }
  page += '\n';
}

void add_worker(std::string& page) {
  page +=
      "## Workers\n\nThe defaults are those of distributed mode; where standalone mode has others, the meaning "
      "tells.\n\n";
  const std::vector<ConfigKey>& keys = worker_options(WorkerMode::kDistributed).keys();
  for (auto begin = keys.begin(); begin != keys.end();) {
    const auto end = std::find_if(begin, keys.end(), [&](const ConfigKey& key) { return key.group != begin->group; });
    page += fmt::format("### {}\n\n", *begin->group);
    add_rows(page, {begin, end});
    begin = end;
  }
  page += "### Families\n\n| Prefix | What follows |\n|---|---|\n";
  for (const SettingFamily& each : worker_setting_families())
    page += fmt::format("| `{}` | {} |\n", each.prefix, in_table(each.documentation));
  page +=
      "\n### Accepted without effect\n\nA worker says so once for each and goes on.\n\n| Setting | Why |\n|---|---|\n";
  for (const IdleSetting& each : idle_worker_settings())
    page += fmt::format("| `{}{}` | {} |\n", each.name, each.name.ends_with('.') ? "*" : "", in_table(each.why));
  page += '\n';
}

void add_connectors(std::string& page) {
  page +=
      "## Connectors\n\nThese beside the connector's own, which `GET /connector-plugins/<class>/config` lists.\n\n"
      "### All\n\n";
  const auto common = common_connector_keys(ConnectorType::kUnknown);
  add_rows(page, common);
  for (const auto type : {ConnectorType::kSource, ConnectorType::kSink}) {
    page += fmt::format("### {}\n\n", type == ConnectorType::kSource ? "Sources" : "Sinks");
    auto keys = common_connector_keys(type);
    keys.erase(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(common.size()));
    add_rows(page, keys);
  }
  page +=
      "### Families\n\n| Prefix | What follows |\n|---|---|\n"
      "| `transforms.<alias>.` | `type`, the settings of that class, `predicate` and `negate` |\n"
      "| `predicates.<alias>.` | `type` and the settings of that class |\n"
      "| `key.converter.` `value.converter.` `header.converter.` | settings of the converter that the connector names "
      "|\n"
      "| `producer.override.` `consumer.override.` `admin.override.` | settings of the connector's Kafka clients, as "
      "far "
      "as the worker's policy allows |\n"
      "| `topic.creation.default.` | `replication.factor`, `partitions` and settings of the topics a source creates |\n"
      "| `topic.creation.<group>.` | the same for the topics that `include` matches and `exclude` does not |\n"
      "| `millrace.restart` | our own: `none` leaves a failed task failed |\n\n";
}

void add_components(std::string& page, ComponentKind kind, const char* title) {
  const BuiltInComponents catalog;
  const auto classes = catalog.classes(kind);
  if (classes.empty()) return;
  page += fmt::format("## {}\n\n", title);
  for (const std::string_view name : classes) {
    // $Key and $Value of one transformation have the same settings.
    if (name.ends_with("$Key")) continue;
    page += fmt::format("### {}\n\n", name.ends_with("$Value")
                                          ? fmt::format("{}$Key, $Value", name.substr(0, name.size() - 6))
                                          : std::string(name));
    std::vector<ConfigKey> keys = catalog.options(kind, name)->keys();
    std::erase_if(keys, [](const ConfigKey& key) { return key.name == "converter.type"; });  // the worker sets it
    add_rows(page, keys);
  }
}

}  // namespace

std::string options_document() {
  std::string page = kIntroduction;
  add_worker(page);
  add_connectors(page);
  add_components(page, ComponentKind::kConverter, "Converters");
  add_components(page, ComponentKind::kTransformation, "Transformations");
  add_components(page, ComponentKind::kPredicate, "Predicates");
  while (page.ends_with("\n\n")) page.pop_back();
  return page;
}

}  // namespace millrace
