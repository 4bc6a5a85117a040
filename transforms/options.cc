#include "transforms/options.h"

#include "core/invariant.h"
#include "transforms/java_regex.h"

namespace millrace::smt {

ConfigDef make_options(std::vector<ConfigKey> keys) {
  auto made = ConfigDef::create(std::move(keys));
  invariant(made.has_value(), "a transformation's options fit their own rules");
  return std::move(*made);
}

ConfigKey replace_null_key() {
  return {.name = std::string(kReplaceNull),
          .type = ConfigType::kBoolean,
          .default_value = "true",
          .importance = ConfigImportance::kMedium,
          .documentation = "Whether a null in a field that has a default is read as that default."};
}

ConfigValidator non_empty_list() {
  return [](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list != nullptr && !list->empty()) return {};
    return invalid_config_value(key, value, "Empty list");
  };
}

ConfigValidator regex() {
  return [](std::string_view key, const ConfigValue& value) -> std::optional<std::string> {
    const auto* text = std::get_if<std::string>(&value);
    const auto compiled = JavaRegex::compile(text == nullptr ? "" : *text);
    if (text != nullptr && compiled) return {};
    return invalid_config_value(key, value, "Invalid regex: " + (text == nullptr ? "null" : compiled.error().message));
  };
}

std::vector<std::string> java_split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return {""};
  for (size_t at = 0;;) {
    const size_t end = text.find(separator, at);
    parts.emplace_back(text.substr(at, end - at));
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  return parts;
}

}  // namespace millrace::smt
