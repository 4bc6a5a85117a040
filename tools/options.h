/// The command lines of Kafka's tools: `--name value`, `--name=value`, options that come again, and the wording of the
/// messages, in the manner of the two parsers that Kafka uses (joptsimple, and argparse4j in the performance and
/// verification tools).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/tool.h"

namespace millrace {

enum class OptionType { kFlag, kString, kInteger, kLong, kDouble };

struct OptionSpec {
  enum class Takes { kOne, kOptional /* `--codec` alone is fine */, kMany /* `--props a=1 b=2` */ };

  std::string_view name;           ///< without dashes; of several spellings the first names it
  std::string_view argument = {};  ///< what the usage calls the value
  std::string_view description = {};
  OptionType type = OptionType::kString;
  std::optional<std::string_view> default_value = {};
  bool required = false;
  bool repeatable = false;
  Takes takes = Takes::kOne;
  std::vector<std::string_view> aliases = {};  ///< other names, not in the usage: deprecated or of newer Kafkas
};

struct CommandSpec {
  enum class Style { kJopt, kArgparse };
  std::string_view program;      ///< as argparse4j's messages name it
  std::string_view description;  ///< first line of the help
  std::vector<OptionSpec> options;
  Style style = Style::kJopt;
  bool positionals = false;  ///< words without dashes are allowed
};

/// Asking for an option that the CommandSpec does not have is a bug and ends the process.
class ParsedOptions {
 public:
  bool has(std::string_view name) const;  ///< given on the command line
  /// Whether the CommandSpec has the option: for code that several tools share.
  bool declared(std::string_view name) const { return states_.contains(name); }
  /// The value given, else the default, else nothing.
  std::optional<std::string> value(std::string_view name) const;
  std::string text(std::string_view name) const { return value(name).value_or(""); }
  std::vector<std::string> values(std::string_view name) const;
  /// Of kInteger and kLong options, which have been checked while parsing; `otherwise` without value and default.
  int64_t number(std::string_view name, int64_t otherwise = -1) const;
  double real(std::string_view name, double otherwise = -1) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  friend class OptionParse;
  struct State {
    const OptionSpec* spec;
    bool given = false;
    std::vector<std::string> values;
  };
  const State& state(std::string_view name) const;
  std::map<std::string, State, std::less<>> states_;
  std::vector<std::string> positionals_;
};

/// The options of `arguments`, or the exit code with which the tool is to end: after --help and --version, and after a
/// mistake or an empty command line, which have been answered with message and usage on the error stream.
/// `spec` must outlive the result.
tl::expected<ParsedOptions, int> parse_options(const CommandSpec& spec, const ToolIo& io, ToolArguments arguments);

/// Message and usage on the error stream; returns kToolFailed.
int usage_error(const CommandSpec& spec, const ToolIo& io, std::string_view message);

/// The help text: a line an option, sorted, in two columns.
std::string usage_text(const CommandSpec& spec);

}  // namespace millrace
