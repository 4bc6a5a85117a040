#include "transforms/debezium_config.h"

#include <algorithm>
#include <limits>

#include "core/invariant.h"
#include "core/java_text.h"
#include "transforms/debezium_java.h"
#include "transforms/java_regex.h"

namespace millrace::debezium {
namespace {

ConfigDef table_of(const std::vector<Option>& options) {
  std::vector<ConfigKey> keys;
  for (size_t i = 0; i < options.size(); ++i) {
    keys.push_back(options[i].key);
    // Debezium numbers the options of a group; those without a group are all the first.
    const auto same_group = [&](const Option& other) { return other.key.group == keys.back().group; };
    keys.back().order =
        keys.back().group
            ? static_cast<int>(std::count_if(options.begin(), options.begin() + static_cast<long>(i) + 1, same_group))
            : 1;
  }
  auto def = ConfigDef::create(std::move(keys));
  invariant(def.has_value(), "the defaults of a transformation fit its options");
  return std::move(*def);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::optional<int64_t> int_of(const std::string& text) {
  return parse_java_integer(text, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
}

}  // namespace

Options::Options(std::vector<Option> options) : options_(std::move(options)), table_(table_of(options_)) {}

const Option& Options::find(std::string_view name) const {
  const auto found = std::ranges::find_if(options_, [&](const Option& option) { return option.key.name == name; });
  invariant(found != options_.end(), "a setting is read that its table defines");
  return *found;
}

const std::string* Settings::raw(std::string_view name) const {
  const auto found = settings_.find(std::string(name));
  return found == settings_.end() ? nullptr : &found->second;
}

std::optional<std::string> Settings::text(std::string_view name) const {
  if (const std::string* given = raw(name)) return *given;
  const auto* text = std::get_if<std::string>(&options_.find(name).key.default_value);
  return text == nullptr ? std::nullopt : std::optional<std::string>(*text);
}

bool Settings::boolean(std::string_view name) const {
  if (const std::string* given = raw(name)) {
    const std::string_view trimmed = java_trim(*given);
    if (equals_ignoring_case(trimmed, "true")) return true;
    if (equals_ignoring_case(trimmed, "false")) return false;
  }
  const auto* text = std::get_if<std::string>(&options_.find(name).key.default_value);
  return text != nullptr && *text == "true";
}

int64_t Settings::integer(std::string_view name) const {
  if (const std::string* given = raw(name)) {
    if (const auto number = int_of(*given)) return *number;
  }
  const auto* text = std::get_if<std::string>(&options_.find(name).key.default_value);
  return text == nullptr ? 0 : int_of(*text).value_or(0);
}

size_t Settings::choice(std::string_view name) const {
  const std::vector<std::string>& choices = options_.find(name).choices;
  const std::string value = text_or_empty(name);
  const auto found = std::ranges::find(choices, lower(java_trim(value)));
  return found == choices.end() ? 0 : static_cast<size_t>(found - choices.begin());
}

std::vector<std::string> Settings::list(std::string_view name) const {
  const std::string* given = raw(name);
  return given == nullptr ? std::vector<std::string>() : java_split_trimmed(*given, ',');
}

std::optional<std::string> Settings::problem_of(const Option& option) const {
  const std::optional<std::string> value = text(option.key.name);
  if (value && option.key.type == ConfigType::kBoolean) {
    const std::string_view trimmed = java_trim(*value);
    if (!equals_ignoring_case(trimmed, "true") && !equals_ignoring_case(trimmed, "false"))
      return "Either 'true' or 'false' is expected";
  }
  if (value && option.key.type == ConfigType::kInt && !int_of(*value)) return "An integer is expected";
  if (option.check) {
    if (auto problem = option.check(*this)) return problem;
  }
  if (value && !option.choices.empty() && std::ranges::count(option.choices, lower(java_trim(*value))) == 0)
    return "Value must be one of " + joined(in_hash_order(option.choices));
  if (option.required && (!value || is_blank(*value))) return "A value is required";
  return {};
}

std::optional<Settings::Problem> Settings::first_problem() const {
  std::vector<std::string> names;
  for (const Option& option : options_.list()) {
    if (option.checked) names.push_back(option.key.name);
  }
  for (const std::string& name : in_hash_order(std::move(names))) {
    if (auto problem = problem_of(options_.find(name)))
      return Problem{name, "The '" + name + "' value is invalid: " + *problem};
  }
  return {};
}

Status Settings::check() const {
  const auto problem = first_problem();
  if (!problem) return {};
  const std::string* given = raw(problem->name);
  return config_error(
      invalid_config_value(problem->name, given == nullptr ? ConfigValue() : ConfigValue(*given), problem->text));
}

Status Settings::check_quietly() const {
  const auto problem = first_problem();
  if (!problem) return {};
  Error outer = Error{ErrorCode::kInvalidConfig, problem->text, {}, {}, {}}.wrap("Unable to validate config.");
  outer.exception = "org.apache.kafka.connect.errors.ConnectException";
  return fail(std::move(outer));
}

tl::unexpected<Error> config_error(std::string message, std::string exception) {
  return fail(Error{ErrorCode::kInvalidConfig, std::move(message), std::move(exception), {}, {}});
}

namespace checks {

Option::Check regex(std::string name) {
  return [name](const Settings& settings) -> std::optional<std::string> {
    const auto value = settings.text(name);
    if (!value) return {};
    auto compiled = smt::JavaRegex::compile(*value);
    if (compiled) return {};
    return "A valid regular expressions is expected, but " + compiled.error().message;
  };
}

Option::Check regex_list(std::string name) {
  return [name](const Settings& settings) -> std::optional<std::string> {
    for (const std::string& element : settings.list(name)) {
      if (auto compiled = smt::JavaRegex::compile(element); !compiled)
        return "A comma-separated list of valid regular expressions is expected, but " + compiled.error().message;
    }
    return {};
  };
}

Option::Check positive_integer(std::string name) {
  return [name](const Settings& settings) -> std::optional<std::string> {
    const auto value = settings.text(name);
    if (!value || int_of(*value).value_or(0) > 0) return {};
    return "A positive, non-zero integer value is expected";
  };
}

Option::Check no_space_in_elements(std::string name) {
  return [name](const Settings& settings) -> std::optional<std::string> {
    for (const std::string& element : settings.list(name)) {
      if (element.find(' ') != std::string::npos) return "Element(s) containing space not permitted";
    }
    return {};
  };
}

Option::Check no_empty_elements(std::string name) {
  return [name](const Settings& settings) -> std::optional<std::string> {
    if (std::ranges::count(settings.list(name), "") == 0) return {};
    return "Empty string element(s) not permitted";
  };
}

Option::Check both(Option::Check first, Option::Check second) {
  return [first = std::move(first), second = std::move(second)](const Settings& settings) {
    auto problem = first(settings);
    return problem ? problem : second(settings);
  };
}

}  // namespace checks

ConfigKey config_key(std::string name, ConfigType type, ConfigKey::Default default_value, ConfigImportance importance,
                     ConfigWidth width, std::string display_name, std::string documentation) {
  ConfigKey key;
  key.name = std::move(name);
  key.type = type;
  key.default_value = std::move(default_value);
  key.importance = importance;
  key.width = width;
  key.display_name = std::move(display_name);
  key.documentation = std::move(documentation);
  return key;
}

}  // namespace millrace::debezium
