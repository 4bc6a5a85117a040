#include "core/config_def.h"

#include <algorithm>
#include <limits>

#include "core/invariant.h"
#include "core/java_text.h"

namespace millrace {
namespace {

template <class Enum, size_t N>
std::string_view name_in(const std::string_view (&names)[N], Enum value) {
  return names[std::min(static_cast<size_t>(value), N - 1)];
}

tl::unexpected<Error> invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

/// Splits at commas, without the blanks around them. Empty text is an empty list; "a," has an empty second element.
std::vector<std::string> split_list(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  std::vector<std::string> list;
  if (text.empty()) return list;
  for (bool first = true;; first = false) {
    const size_t comma = text.find(',');
    std::string_view element = text.substr(0, comma);
    if (!first) element.remove_prefix(std::min(element.find_first_not_of(kBlanks), element.size()));
    if (comma != std::string_view::npos) element = element.substr(0, element.find_last_not_of(kBlanks) + 1);
    list.emplace_back(element);
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

/// String.valueOf of the value, for messages.
std::string shown(const ConfigValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "null";
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string text = "[";
    for (const std::string& element : *list) text += (text.size() == 1 ? "" : ", ") + element;
    return text + "]";
  }
  if (const auto* name = std::get_if<ClassName>(&value)) return "class " + name->value;
  return *config_text(value);
}

}  // namespace

std::string_view config_type_name(ConfigType type) {
  return name_in({"BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}, type);
}
std::string_view config_importance_name(ConfigImportance level) { return name_in({"HIGH", "MEDIUM", "LOW"}, level); }
std::string_view config_width_name(ConfigWidth width) { return name_in({"NONE", "SHORT", "MEDIUM", "LONG"}, width); }

std::optional<std::string> config_text(const ConfigValue& value) {
  struct {
    std::optional<std::string> operator()(std::monostate) const { return std::nullopt; }
    std::optional<std::string> operator()(bool flag) const { return flag ? "true" : "false"; }
    std::optional<std::string> operator()(int64_t number) const { return std::to_string(number); }
    std::optional<std::string> operator()(double number) const { return java_double_text(number); }
    std::optional<std::string> operator()(const std::string& text) const { return text; }
    std::optional<std::string> operator()(const std::vector<std::string>& list) const {
      std::string text;
      for (size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : ",") + list[i];
      return text;
    }
    std::optional<std::string> operator()(const ClassName& name) const { return name.value; }
    std::optional<std::string> operator()(const Password&) const { return "[hidden]"; }
  } constexpr visitor;
  return std::visit(visitor, value);
}

std::string invalid_config_value(std::string_view key, const ConfigValue& value, std::string_view why) {
  std::string message = "Invalid value " + shown(value) + " for configuration ";
  message.append(key).append(": ").append(why);
  return message;
}

const ConfigValue& ParsedConfig::at(std::string_view key) const {
  const auto found = values_.find(std::string(key));
  invariant(found != values_.end(), "a setting is read that its table defines");
  return found->second;
}
bool ParsedConfig::boolean(std::string_view key) const {
  const auto* value = std::get_if<bool>(&at(key));
  return value != nullptr && *value;
}
int64_t ParsedConfig::integer(std::string_view key) const {
  const auto* value = std::get_if<int64_t>(&at(key));
  return value == nullptr ? 0 : *value;
}
double ParsedConfig::floating(std::string_view key) const {
  const auto* value = std::get_if<double>(&at(key));
  return value == nullptr ? 0 : *value;
}
const std::string& ParsedConfig::text(std::string_view key) const {
  static const std::string empty;
  const ConfigValue& value = at(key);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* name = std::get_if<ClassName>(&value)) return name->value;
  if (const auto* secret = std::get_if<Password>(&value)) return secret->value;
  return empty;
}
const std::vector<std::string>& ParsedConfig::list(std::string_view key) const {
  static const std::vector<std::string> empty;
  const auto* value = std::get_if<std::vector<std::string>>(&at(key));
  return value == nullptr ? empty : *value;
}
bool ParsedConfig::is_null(std::string_view key) const { return std::holds_alternative<std::monostate>(at(key)); }

Expected<ConfigDef> ConfigDef::create(std::vector<ConfigKey> keys, ClassKnown class_known) {
  ConfigDef def(std::move(keys), std::move(class_known));
  for (size_t i = 0; i < def.keys_.size(); ++i) {
    ConfigKey& key = def.keys_[i];
    if (key.display_name.empty()) key.display_name = key.name;
    for (size_t j = 0; j < i; ++j) {
      if (def.keys_[j].name == key.name) return invalid("Configuration " + key.name + " is defined twice.");
    }
    if (key.required()) continue;
    auto value = def.default_of(key);
    if (!value) return fail(std::move(value.error()));
    if (!key.validator) continue;
    if (auto message = key.validator(key.name, *value)) return invalid(std::move(*message));
  }
  return def;
}

const ConfigKey* ConfigDef::find(std::string_view name) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys_.end() ? nullptr : &*found;
}

Expected<ConfigValue> ConfigDef::default_of(const ConfigKey& key) const {
  const auto* text = std::get_if<std::string>(&key.default_value);
  return parse_value(key.name, text == nullptr ? std::nullopt : std::optional<std::string>(*text), key.type);
}

Expected<ConfigValue> ConfigDef::parse_value(std::string_view key, const std::optional<std::string>& text,
                                             ConfigType type) const {
  if (!text) return ConfigValue{};
  const std::string trimmed(java_trim(*text));
  const auto refuse = [&](std::string_view why) { return invalid(invalid_config_value(key, *text, why)); };
  const auto integer = [&](int64_t min, int64_t max) -> Expected<ConfigValue> {
    if (const auto number = parse_java_integer(trimmed, min, max)) return ConfigValue(*number);
    return refuse("Not a number of type " + std::string(config_type_name(type)));
  };
  switch (type) {
    case ConfigType::kBoolean:
      if (equals_ignoring_case(trimmed, "true")) return ConfigValue(true);
      if (equals_ignoring_case(trimmed, "false")) return ConfigValue(false);
      return refuse("Expected value to be either true or false");
    case ConfigType::kString:
      return ConfigValue(trimmed);
    case ConfigType::kInt:
      return integer(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case ConfigType::kShort:
      return integer(std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max());
    case ConfigType::kLong:
      return integer(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
    case ConfigType::kDouble:
      if (const auto number = parse_java_double(trimmed)) return ConfigValue(*number);
      return refuse("Not a number of type DOUBLE");
    case ConfigType::kList:
      return ConfigValue(split_list(trimmed));
    case ConfigType::kClass:
      if (class_known_ ? class_known_(trimmed) : !trimmed.empty()) return ConfigValue(ClassName{trimmed});
      return refuse("Class " + *text + " could not be found.");
    case ConfigType::kPassword:
      return ConfigValue(Password{trimmed});
  }
  return refuse("Unknown type.");
}

std::vector<std::string> ConfigDef::undefined_dependents() const {
  std::vector<std::string> undefined;
  for (const ConfigKey& key : keys_) {
    for (const std::string& name : key.dependents) {
      if (find(name) == nullptr && std::find(undefined.begin(), undefined.end(), name) == undefined.end())
        undefined.push_back(name);
    }
  }
  return undefined;
}

Expected<ParsedConfig> ConfigDef::parse(const RawConfig& settings) const {
  std::string undefined;
  for (const std::string& name : undefined_dependents()) undefined += (undefined.empty() ? "" : ",") + name;
  if (!undefined.empty())
    return invalid("Some configurations in are referred in the dependents, but not defined: " + undefined);

  std::map<std::string, ConfigValue> values;
  for (const ConfigKey& key : keys_) {
    const auto given = settings.find(key.name);
    if (given == settings.end() && key.required()) {
      return invalid("Missing required configuration \"" + key.name + "\" which has no default value.");
    }
    auto value = given == settings.end() ? default_of(key) : parse_value(key.name, given->second, key.type);
    if (!value) return fail(std::move(value.error()));
    if (key.validator) {
      if (auto message = key.validator(key.name, *value)) return invalid(std::move(*message));
    }
    values.emplace(key.name, std::move(*value));
  }
  return ParsedConfig(std::move(values));
}

std::vector<ValidatedConfig> ConfigDef::validate(const RawConfig& settings) const {
  std::vector<ValidatedConfig> result;
  std::map<std::string, ConfigValue> values;
  for (const ConfigKey& key : keys_) {
    ValidatedConfig& checked = result.emplace_back();
    checked.name = key.name;
    ConfigValue& value = values[key.name];
    const auto given = settings.find(key.name);
    if (given == settings.end() && key.required()) {
      checked.errors.push_back("Missing required configuration \"" + key.name + "\" which has no default value.");
    } else if (auto parsed =
                   given == settings.end() ? default_of(key) : parse_value(key.name, given->second, key.type)) {
      value = std::move(*parsed);
    } else {
      checked.errors.push_back(std::move(parsed.error().message));
    }
    if (key.validator) {
      if (auto message = key.validator(key.name, value)) checked.errors.push_back(std::move(*message));
    }
    checked.value = config_text(value);
  }
  // Recommendations look at all values, so they wait until all are parsed.
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].recommended) result[i].recommended_values = keys_[i].recommended(values);
    if (keys_[i].visible) result[i].visible = keys_[i].visible(values);
  }
  for (const std::string& name : undefined_dependents()) {
    result.push_back({name, {}, {}, {name + " is referred in the dependents, but not defined."}, false});
  }
  return result;
}

}  // namespace millrace
