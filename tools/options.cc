#include "tools/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/invariant.h"

namespace millrace {
namespace {

template <class Number>
bool parses_as(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool fits(OptionType type, std::string_view text) {
  switch (type) {
    case OptionType::kInteger:
      return parses_as<int32_t>(text);
    case OptionType::kLong:
      return parses_as<int64_t>(text);
    case OptionType::kDouble:
      return parses_as<double>(text);
    default:
      return true;
  }
}

bool looks_like_option(std::string_view word) {
  // A lone dash and negative numbers are values.
  return word.size() > 1 && word[0] == '-' && !parses_as<double>(word);
}

const OptionSpec* find_option(const CommandSpec& spec, std::string_view name) {
  for (const OptionSpec& option : spec.options) {
    if (option.name == name || std::ranges::find(option.aliases, name) != option.aliases.end()) return &option;
  }
  return nullptr;
}

}  // namespace

/// One pass over the words of a command line.
class OptionParse {
 public:
  OptionParse(const CommandSpec& spec, ToolArguments arguments) : spec_(spec), arguments_(arguments) {
    for (const OptionSpec& option : spec.options)
      result_.states_.emplace(option.name, ParsedOptions::State{&option, false, {}});
  }

  bool wants_help() const { return help_; }
  bool wants_version() const { return version_; }
  /// What is wrong with the command line; empty when nothing is.
  std::string run();
  ParsedOptions take() { return std::move(result_); }

 private:
  bool argparse() const { return spec_.style == CommandSpec::Style::kArgparse; }
  std::string option(std::string_view word);
  std::string add_value(const OptionSpec& option, std::string_view value);
  std::string check_required() const;

  const CommandSpec& spec_;
  ToolArguments arguments_;
  size_t at_ = 0;
  bool help_ = false;
  bool version_ = false;
  ParsedOptions result_;
};

std::string OptionParse::run() {
  std::string problem;
  while (at_ < arguments_.size() && problem.empty()) {
    const std::string& word = arguments_[at_++];
    if (looks_like_option(word)) {
      problem = option(word);
    } else if (spec_.positionals || !argparse()) {
      result_.positionals_.push_back(word);  // joptsimple lets stray words pass
    } else {
      problem = fmt::format("unrecognized arguments: '{}'", word);
    }
  }
  if (help_ || version_) return {};
  return problem.empty() ? check_required() : problem;
}

std::string OptionParse::option(std::string_view word) {
  std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
  std::optional<std::string_view> value;
  if (const size_t equals = name.find('='); equals != std::string_view::npos) {
    value = name.substr(equals + 1);
    name = name.substr(0, equals);
  }
  const OptionSpec* found = find_option(spec_, name);
  if (found == nullptr && (name == "help" || word == "-h"))
    help_ = true;
  else if (found == nullptr && name == "version")
    version_ = true;
  else if (found == nullptr)
    return argparse() ? fmt::format("unrecognized arguments: '{}'", word)
                      : fmt::format("{} is not a recognized option", name);
  if (found == nullptr) return {};

  ParsedOptions::State& state = result_.states_.find(found->name)->second;
  state.given = true;
  if (found->type == OptionType::kFlag) {
    return value ? fmt::format("Option {} takes no value", name) : std::string();
  }
  if (value && !value->empty()) return add_value(*found, *value);
  const bool more = at_ < arguments_.size();
  switch (found->takes) {
    case OptionSpec::Takes::kOptional:
      return more && !looks_like_option(arguments_[at_]) ? add_value(*found, arguments_[at_++]) : std::string();
    case OptionSpec::Takes::kMany: {
      std::string problem;
      const size_t first = at_;
      while (problem.empty() && at_ < arguments_.size() && !looks_like_option(arguments_[at_]))
        problem = add_value(*found, arguments_[at_++]);
      return at_ == first ? fmt::format("argument --{}: expected at least one argument", name) : problem;
    }
    case OptionSpec::Takes::kOne:
      break;
  }
  // joptsimple takes the next word whatever it looks like, argparse4j only what is no option.
  if (more && (!argparse() || !looks_like_option(arguments_[at_]))) return add_value(*found, arguments_[at_++]);
  return argparse() ? fmt::format("argument --{}: expected one argument", name)
                    : fmt::format("Option {} requires an argument", name);
}

std::string OptionParse::add_value(const OptionSpec& option, std::string_view value) {
  if (!fits(option.type, value)) {
    return argparse() ? fmt::format("argument --{}: could not convert '{}' to {}", option.name, value,
                                    option.type == OptionType::kInteger ? "Integer (32 bits)"
                                    : option.type == OptionType::kLong  ? "Long (64 bits)"
                                                                        : "Double")
                      : fmt::format("Cannot parse argument '{}' of option {}", value, option.name);
  }
  ParsedOptions::State& state = result_.states_.find(option.name)->second;
  if (!state.values.empty() && !option.repeatable && option.takes != OptionSpec::Takes::kMany) {
    if (!argparse())
      return fmt::format("Found multiple arguments for option {}, but you asked for only one", option.name);
    state.values.clear();
  }
  state.values.emplace_back(value);
  return {};
}

std::string OptionParse::check_required() const {
  for (const auto& option : spec_.options) {
    if (!option.required || result_.has(option.name)) continue;
    return argparse() ? fmt::format("argument --{} is required", option.name)
                      : fmt::format("Missing required argument \"[{}]\"", option.name);
  }
  return {};
}

const ParsedOptions::State& ParsedOptions::state(std::string_view name) const {
  const auto found = states_.find(name);
  invariant(found != states_.end(), "options that are asked for have been declared");
  return found->second;
}

bool ParsedOptions::has(std::string_view name) const { return state(name).given; }

std::optional<std::string> ParsedOptions::value(std::string_view name) const {
  const State& option = state(name);
  if (!option.values.empty()) return option.values.back();
  if (option.spec->default_value) return std::string(*option.spec->default_value);
  return std::nullopt;
}

std::vector<std::string> ParsedOptions::values(std::string_view name) const { return state(name).values; }

int64_t ParsedOptions::number(std::string_view name, int64_t otherwise) const {
  const std::string text = value(name).value_or("");
  int64_t parsed = otherwise;
  const size_t sign = text.starts_with('+') ? 1 : 0;
  std::from_chars(text.data() + sign, text.data() + text.size(), parsed);
  return parsed;
}

double ParsedOptions::real(std::string_view name, double otherwise) const {
  const std::string text = value(name).value_or("");
  double parsed = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), parsed);
  return parsed;
}

tl::expected<ParsedOptions, int> parse_options(const CommandSpec& spec, const ToolIo& io, ToolArguments arguments) {
  if (arguments.empty()) return tl::unexpected(usage_error(spec, io, spec.description));
  OptionParse parse(spec, arguments);
  const std::string problem = parse.run();
  if (parse.wants_help()) {
    io.print(fmt::format("{}\n{}", spec.description, usage_text(spec)));
    return tl::unexpected(kToolOk);
  }
  if (parse.wants_version()) {
    io.print(fmt::format("{}\n", kKafkaToolsVersion));
    return tl::unexpected(kToolOk);
  }
  if (!problem.empty()) return tl::unexpected(usage_error(spec, io, problem));
  return parse.take();
}

int usage_error(const CommandSpec& spec, const ToolIo& io, std::string_view message) {
  if (spec.style == CommandSpec::Style::kArgparse) {
    io.print_error(fmt::format("{}{}: error: {}\n", usage_text(spec), spec.program, message));
  } else {
    io.print_error(fmt::format("{}\n{}", message, usage_text(spec)));
  }
  return kToolFailed;
}

}  // namespace millrace
