#include "runtime/converter_set.h"

#include <fmt/format.h>

namespace millrace {
namespace {

/// The settings below `prefix` + ".", without it.
ConfigMap settings_below(const ConfigMap& config, const std::string& prefix) {
  ConfigMap settings;
  const std::string with_dot = prefix + ".";
  for (auto at = config.lower_bound(with_dot); at != config.end() && at->first.starts_with(with_dot); ++at) {
    settings[at->first.substr(with_dot.size())] = at->second;
  }
  return settings;
}

/// The connector's converter comes with the connector's settings, the worker's with the worker's: never mixed.
struct Choice {
  std::string class_name;
  ConfigMap settings;
};
Choice choose(const ConfigMap& worker, const ConfigMap& connector, const std::string& key, const char* fallback) {
  for (const ConfigMap* config : {&connector, &worker}) {
    if (const auto at = config->find(key); at != config->end() && !at->second.empty())
      return {at->second, settings_below(*config, key)};
  }
  return {fallback, {}};
}

template <class Factory>
auto make(const Choice& choice, const std::string& key, bool is_key, Factory factory)
    -> Expected<decltype(factory(std::string_view()))> {
  auto converter = factory(choice.class_name);
  if (!converter) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("Invalid value {} for configuration {}: Class {} could not be found.", choice.class_name,
                            key, choice.class_name));
  }
  if (auto ok = converter->configure(choice.settings, is_key); !ok) return fail(std::move(ok.error()));
  return converter;
}

}  // namespace

Expected<ConverterSet> ConverterSet::create(const ConfigMap& worker_config, const ConfigMap& connector_config) {
  ConverterSet set;
  for (const bool is_key : {true, false}) {
    const std::string key = is_key ? "key.converter" : "value.converter";
    const Choice choice = choose(worker_config, connector_config, key, "org.apache.kafka.connect.json.JsonConverter");
    auto converter = make(choice, key, is_key, make_converter);
    if (!converter) return fail(std::move(converter.error()));
    (is_key ? set.key_class : set.value_class) = converter_class(choice.class_name);
    (is_key ? set.key : set.value) = std::move(*converter);
  }
  const std::string key = "header.converter";
  const Choice choice =
      choose(worker_config, connector_config, key, "org.apache.kafka.connect.storage.SimpleHeaderConverter");
  auto header = make(choice, key, false, make_header_converter);
  if (!header) return fail(std::move(header.error()));
  set.header_class = converter_class(choice.class_name);
  set.header = std::move(*header);
  return set;
}

}  // namespace millrace
