/// Option tables of connectors for tests: those of Kafka's file connectors.
#pragma once

#include <millrace/abi.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "runtime/plugin_host.h"

namespace millrace {

inline mr_str to_mr_str(std::string_view text) { return {text.data(), text.size()}; }

inline int32_t check_not_empty(mr_str value, mr_error* error) {
  if (value.size > 0) return MR_OK;
  error->code = MR_INVALID_CONFIG;
  std::snprintf(error->message, sizeof(error->message), "String must be non-empty");
  return MR_INVALID_CONFIG;
}

inline mr_config_key fake_key(std::string_view name, mr_type type, mr_importance importance) {
  mr_config_key key{};
  key.name = to_mr_str(name);
  key.type = type;
  key.importance = importance;
  key.order = -1;
  key.documentation = to_mr_str("What it is.");
  return key;
}

/// As Kafka's: what comes from standard input cannot be read again.
inline int32_t fake_exactly_once_support(const mr_config* config) {
  for (size_t i = 0; i < config->count; ++i) {
    if (std::string_view(config->pairs[i].key.data, config->pairs[i].key.size) == "file") return MR_SUPPORTED;
  }
  return MR_UNSUPPORTED;
}

inline ConnectorPlugin fake_source() {
  static const std::array keys = [] {
    std::array<mr_config_key, 3> all = {fake_key("file", MR_TYPE_STRING, MR_HIGH),
                                        fake_key("topic", MR_TYPE_STRING, MR_HIGH),
                                        fake_key("batch.size", MR_TYPE_INT, MR_LOW)};
    all[1].required = 1;
    all[1].check = check_not_empty;
    all[2].default_value = to_mr_str("2000");
    return all;
  }();
  ConnectorPlugin plugin;
  plugin.class_name = "org.apache.kafka.connect.file.FileStreamSourceConnector";
  plugin.type = ConnectorType::kSource;
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  plugin.table.exactly_once_support = fake_exactly_once_support;
  return plugin;
}

inline ConnectorPlugin fake_sink() {
  static const std::array keys = {fake_key("file", MR_TYPE_STRING, MR_HIGH)};
  ConnectorPlugin plugin;
  plugin.class_name = "org.apache.kafka.connect.file.FileStreamSinkConnector";
  plugin.type = ConnectorType::kSink;
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  return plugin;
}

}  // namespace millrace
