// The two columns that `--help` and a mistake show, 80 characters wide.
#include <fmt/format.h>

#include <algorithm>

#include "tools/options.h"

namespace millrace {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kGap = 2;
constexpr size_t kIndent = 2;  // of the second and later lines of a cell

struct Row {
  std::string option;
  std::string description;
};

std::string_view type_name(OptionType type) {
  switch (type) {
    case OptionType::kInteger:
      return "Integer";
    case OptionType::kLong:
      return "Long";
    case OptionType::kDouble:
      return "Double";
    default:
      return "String";
  }
}

std::string option_cell(const OptionSpec& option) {
  if (option.type == OptionType::kFlag) return fmt::format("--{}", option.name);
  const std::string value = option.argument.empty() ? std::string(type_name(option.type))
                                                    : fmt::format("{}: {}", type_name(option.type), option.argument);
  if (option.takes == OptionSpec::Takes::kOptional) return fmt::format("--{} [{}]", option.name, value);
  return fmt::format("--{} <{}>{}", option.name, value, option.takes == OptionSpec::Takes::kMany ? "…" : "");
}

std::string description_cell(const OptionSpec& option) {
  std::string text(option.description);
  if (option.required && !text.starts_with("REQUIRED")) text.insert(0, "REQUIRED: ");
  if (option.default_value && option.type != OptionType::kFlag)
    text += fmt::format(" (default: {})", *option.default_value);
  return text;
}

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    std::string& line = lines.back();
    const bool fresh = line.find_first_not_of(' ') == std::string::npos;
    if (!fresh && line.size() + 1 + word.size() > width) {
      lines.push_back(std::string(kIndent, ' ').append(word));
    } else {
      if (!fresh) line += ' ';
      line += word;
    }
    if (end < text.size() && text[end] == '\n') lines.emplace_back();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string usage_text(const CommandSpec& spec) {
  std::vector<Row> rows;
  for (const OptionSpec& option : spec.options) rows.push_back({option_cell(option), description_cell(option)});
  rows.push_back({"--help", "Print usage information."});
  rows.push_back({"--version", "Display Kafka version."});
  std::ranges::sort(rows, {}, &Row::option);

  size_t widest = 0;
  for (const Row& row : rows) widest = std::max(widest, row.option.size());
  const size_t left = std::min((kWidth - kGap) / 2, widest);
  const size_t right = kWidth - kGap - left;
  std::string text;
  const auto line = [&](std::string_view option, std::string_view description) {
    std::string row = fmt::format("{:<{}}{}", option, left + kGap, description);
    row.resize(row.find_last_not_of(' ') + 1);
    text += row + '\n';
  };
  line("Option", "Description");
  line("------", "-----------");
  for (const Row& row : rows) {
    const auto options = wrap(row.option, left);
    const auto descriptions = wrap(row.description, right);
    for (size_t i = 0; i < std::max(options.size(), descriptions.size()); ++i) {
      line(i < options.size() ? options[i] : "", i < descriptions.size() ? descriptions[i] : "");
    }
  }
  return text;
}

}  // namespace millrace
