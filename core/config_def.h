/// A component's options as one table, after Kafka's ConfigDef: it drives parsing, validation with Kafka's texts, the
/// REST descriptions and the documentation. mr_config_key of the plugin ABI has the same members.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"

namespace millrace {

/// Settings as stored and as handed to components.
using ConfigMap = std::map<std::string, std::string>;
/// Settings as a client sent them: null stays apart from absent.
using RawConfig = std::map<std::string, std::optional<std::string>>;

/// The numbers are those of mr_type, mr_importance and mr_width.
enum class ConfigType : uint8_t { kBoolean, kString, kInt, kShort, kLong, kDouble, kList, kClass, kPassword };
enum class ConfigImportance : uint8_t { kHigh, kMedium, kLow };
enum class ConfigWidth : uint8_t { kNone, kShort, kMedium, kLong };
std::string_view config_type_name(ConfigType type);               ///< BOOLEAN, STRING, ...
std::string_view config_importance_name(ConfigImportance level);  ///< HIGH, MEDIUM, LOW
std::string_view config_width_name(ConfigWidth width);            ///< NONE, SHORT, MEDIUM, LONG

struct ClassName {
  std::string value;
};
/// A secret; config_text() shows it as [hidden].
struct Password {
  std::string value;
};
/// A parsed setting. monostate is Java's null; INT, SHORT and LONG are int64_t.
using ConfigValue =
    std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<std::string>, ClassName, Password>;

/// The text form of REST and of the documentation: lists joined by commas, passwords as [hidden]; nothing for null.
std::optional<std::string> config_text(const ConfigValue& value);

/// Kafka's "Invalid value V for configuration K: why"; V as Java prints the object (null, [a, b]).
std::string invalid_config_value(std::string_view key, const ConfigValue& value, std::string_view why);

/// Checks a parsed value of the key `key`; the result is the whole message, or nothing when fine.
using ConfigValidator = std::function<std::optional<std::string>(std::string_view key, const ConfigValue& value)>;

namespace validators {
using Number = std::variant<int64_t, double>;  ///< printed in messages as it was given
ConfigValidator at_least(Number min);
ConfigValidator between(Number min, Number max);
ConfigValidator one_of(std::vector<std::string> allowed);
ConfigValidator one_of_ignoring_case(std::vector<std::string> allowed);
ConfigValidator non_null();
ConfigValidator non_empty_string();
ConfigValidator non_empty_string_without_control_chars();
/// Every element of a LIST is one of `allowed`.
ConfigValidator list_of(std::vector<std::string> allowed);
ConfigValidator list_size_max(size_t max);
/// No element of a LIST twice ("Duplicate alias provided.").
ConfigValidator unique_list();
/// All of them in turn; the first message wins.
ConfigValidator all_of(std::vector<ConfigValidator> validators);
/// A check of the trimmed text; the result completes "Invalid value V for configuration K: ". Null passes.
ConfigValidator text_check(std::function<std::optional<std::string>(std::string_view text)> check);
}  // namespace validators

struct ConfigKey {
  /// No default: the setting is required.
  struct Required {};
  /// Required, null, or the text of the default.
  using Default = std::variant<Required, std::nullptr_t, std::string>;

  std::string name;
  ConfigType type = ConfigType::kString;
  Default default_value = Required{};
  ConfigImportance importance = ConfigImportance::kMedium;
  std::string documentation = {};
  ConfigValidator validator = {};
  std::optional<std::string> group = {};
  int order = -1;  ///< within the group, from 1; -1 = none
  ConfigWidth width = ConfigWidth::kNone;
  std::string display_name = {};  ///< empty = the name
  std::vector<std::string> dependents = {};
  /// Values to choose from, given all parsed values; empty = none known.
  std::function<std::vector<std::string>(const std::map<std::string, ConfigValue>&)> recommended = {};
  /// Whether the option matters, given all parsed values; empty = always.
  std::function<bool(const std::map<std::string, ConfigValue>&)> visible = {};

  bool required() const { return std::holds_alternative<Required>(default_value); }
};

/// One option with its value and what is wrong with it.
struct ValidatedConfig {
  std::string name;
  std::optional<std::string> value;  ///< as REST shows it; nothing for null or not parsable
  std::vector<std::string> recommended_values;
  std::vector<std::string> errors;
  bool visible = true;
};

/// Parsed settings by name; every defined key is present.
class ParsedConfig {
 public:
  explicit ParsedConfig(std::map<std::string, ConfigValue> values) : values_(std::move(values)) {}

  /// The readers stop the process when the key is not defined or of another type: the caller wrote the table.
  bool boolean(std::string_view key) const;
  int64_t integer(std::string_view key) const;
  double floating(std::string_view key) const;
  /// STRING, CLASS, PASSWORD; null is "".
  const std::string& text(std::string_view key) const;
  const std::vector<std::string>& list(std::string_view key) const;
  bool is_null(std::string_view key) const;
  const std::map<std::string, ConfigValue>& values() const { return values_; }

 private:
  const ConfigValue& at(std::string_view key) const;
  std::map<std::string, ConfigValue> values_;
};

/// Threads: any (immutable).
class ConfigDef {
 public:
  /// Whether a class of this name can be loaded. The default takes every name that is not empty.
  using ClassKnown = std::function<bool(std::string_view name)>;

  /// Errors: kInvalidConfig when a default does not parse or its validator refuses it, or a name is defined twice.
  static Expected<ConfigDef> create(std::vector<ConfigKey> keys, ClassKnown class_known = {});

  /// All defined keys with their values or defaults; other settings are ignored. Errors: kInvalidConfig, the first one.
  Expected<ParsedConfig> parse(const RawConfig& settings) const;
  Expected<ParsedConfig> parse(const ConfigMap& settings) const {
    return parse(RawConfig(settings.begin(), settings.end()));
  }

  /// Every key in the order of definition, then dependents that nobody defined. As Kafka does, the validator also sees
  /// the null that a parse error or a missing value leaves, and may add a second message.
  std::vector<ValidatedConfig> validate(const RawConfig& settings) const;

  const std::vector<ConfigKey>& keys() const { return keys_; }
  const ConfigKey* find(std::string_view name) const;

  /// One setting as `type`. Errors: kInvalidConfig. `text` null gives null.
  Expected<ConfigValue> parse_value(std::string_view key, const std::optional<std::string>& text,
                                    ConfigType type) const;

 private:
  ConfigDef(std::vector<ConfigKey> keys, ClassKnown class_known)
      : keys_(std::move(keys)), class_known_(std::move(class_known)) {}
  Expected<ConfigValue> default_of(const ConfigKey& key) const;
  std::vector<std::string> undefined_dependents() const;

  std::vector<ConfigKey> keys_;
  ClassKnown class_known_;
};

}  // namespace millrace
