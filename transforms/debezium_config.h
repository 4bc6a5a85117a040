/// Settings of Debezium's transformations: they are read, checked and complained about by Debezium's own rules, which
/// are looser than Kafka's (text is not trimmed, a broken number falls back to the default, lists lose empty ends).
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"

namespace millrace::debezium {

class Settings;

struct Option {
  /// The problem, or nothing when fine.
  using Check = std::function<std::optional<std::string>(const Settings& settings)>;

  ConfigKey key;                          ///< as REST shows it
  std::vector<std::string> choices = {};  ///< lower case; empty = any text
  bool required = false;
  Check check = {};     ///< after the check of the type, before choices and `required`
  bool checked = true;  ///< false: Debezium does not look at it while it checks
};

/// Options with the table that REST shows. Threads: any (immutable).
class Options {
 public:
  explicit Options(std::vector<Option> options);
  const std::vector<Option>& list() const { return options_; }
  const Option& find(std::string_view name) const;
  const ConfigDef& table() const { return table_; }

 private:
  std::vector<Option> options_;
  ConfigDef table_;
};

/// What a user wrote, over an Options table. Borrows both.
class Settings {
 public:
  Settings(const Options& options, const ConfigMap& settings) : options_(options), settings_(settings) {}

  bool has(std::string_view name) const { return raw(name) != nullptr; }
  /// As written, or the default; nothing for null.
  std::optional<std::string> text(std::string_view name) const;
  /// As written, or the default; empty for null.
  std::string text_or_empty(std::string_view name) const { return text(name).value_or(""); }
  bool boolean(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  /// The place of the text among the option's choices, whatever its case and outer blanks; 0 if it is none of them.
  size_t choice(std::string_view name) const;
  /// Trimmed elements; no default applies.
  std::vector<std::string> list(std::string_view name) const;

  /// Errors: kInvalidConfig "Invalid value V for configuration K: The 'K' value is invalid: P", the first in HashMap's
  /// order of names.
  Status check() const;
  /// Errors: kInvalidConfig "Unable to validate config." with the first problem as its cause.
  Status check_quietly() const;

 private:
  struct Problem {
    std::string name, text;
  };
  const std::string* raw(std::string_view name) const;
  std::optional<std::string> problem_of(const Option& option) const;
  std::optional<Problem> first_problem() const;

  const Options& options_;
  const ConfigMap& settings_;
};

/// A kInvalidConfig error that shows as `exception`.
tl::unexpected<Error> config_error(std::string message, std::string exception = {});

namespace checks {
/// A regular expression that RE2 can express too.
Option::Check regex(std::string name);
/// Regular expressions between commas.
Option::Check regex_list(std::string name);
Option::Check positive_integer(std::string name);
Option::Check no_space_in_elements(std::string name);
Option::Check no_empty_elements(std::string name);
Option::Check both(Option::Check first, Option::Check second);
}  // namespace checks

/// Shorthands for tables.
ConfigKey config_key(std::string name, ConfigType type, ConfigKey::Default default_value, ConfigImportance importance,
                     ConfigWidth width, std::string display_name, std::string documentation);

}  // namespace millrace::debezium
