#include "runtime/herder/connector_validation.h"

#include <fmt/format.h>

#include "runtime/connector_remarks.h"
#include "runtime/plugin_bridge.h"

namespace millrace {
namespace {

/// Kafka Connect's refusal of settings without connector.class.
Status require_class(const RawConfig& config) {
  const auto class_name = config.find("connector.class");
  if (class_name != config.end() && class_name->second) return {};
  std::string settings;
  for (const auto& [key, value] : config)
    settings += fmt::format("{}{}={}", settings.empty() ? "" : ", ", key, value.value_or("null"));
  return fail(ErrorCode::kInvalidConfig, fmt::format("Connector config {{{}}} contains no connector type", settings));
}

std::string name_in(const ConfigMap& settings) {
  const auto at = settings.find("name");
  return at == settings.end() ? std::string() : at->second;
}

}  // namespace

Expected<ConfigInfos> ConnectorValidation::validate(const std::string& plugin_name, const RawConfig& config) const {
  if (auto has_class = require_class(config); !has_class) return fail(std::move(has_class.error()));
  auto resolved = providers_.resolve(config);
  if (!resolved) {
    Error error = std::move(resolved.error());
    error.code = ErrorCode::kInternal;
    if (error.exception.empty()) error.exception = "org.apache.kafka.common.config.ConfigException";
    return fail(std::move(error));
  }
  auto plugin = plugins_.find(plugin_name);
  if (!plugin) return fail(std::move(plugin.error()));
  using Messages = std::vector<std::pair<std::string, std::string>>;
  const auto ask_plugin = [&](const ConfigMap& settings) -> Expected<Messages> {
    if ((*plugin)->table.validate == nullptr) return Messages{};
    ValidationContext context(name_in(settings), logger_.named("validate"));
    const ConfigView view(settings);
    mr_error error{};
    if (auto ok = to_status((*plugin)->table.validate(&context, view.get(), &error), error); !ok)
      return fail(std::move(ok.error()));
    return std::move(context.errors);
  };
  return validate_connector(**plugin, *resolved, ask_plugin, rules_);
}

Status ConnectorValidation::require_valid(const RawConfig& config) const {
  if (auto has_class = require_class(config); !has_class) return has_class;
  auto infos = validate(*config.at("connector.class"), config);
  if (!infos) {
    Error error = std::move(infos.error());
    if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict)
      error.code = ErrorCode::kInternal;  // Kafka answers 500
    return fail(std::move(error));
  }
  if (infos->error_count > 0) return fail(ErrorCode::kInvalidConfig, validation_error_message(*infos));
  log_remarks(config);
  return {};
}

void ConnectorValidation::log_remarks(const RawConfig& config) const {
  const auto resolved = providers_.resolve(config);
  if (!resolved) return;
  const auto plugin = plugins_.find(resolved->at("connector.class").value_or(""));
  if (!plugin) return;
  for (const SettingRemark& remark : connector_remarks(**plugin, *resolved, components_of(rules_)))
    logger_.warn("connector_setting", {{"setting", remark.key}, {"remark", remark.message}});
}

}  // namespace millrace
