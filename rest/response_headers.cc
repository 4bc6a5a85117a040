#include "rest/response_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "rest/http_answer.h"

namespace millrace {
namespace {

/// The parts between commas that are outside of quotes, without the quotes.
std::vector<std::string> split_rules(std::string_view config) {
  std::vector<std::string> rules(1);
  bool quoted = false;
  for (size_t i = 0; i < config.size(); ++i) {
    const char c = config[i];
    if (c == '\\' && i + 1 < config.size() && quoted) {
      rules.back() += config[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rules.emplace_back();
    } else {
      rules.back() += c;
    }
  }
  for (std::string& rule : rules) rule = trim_blanks(rule);
  std::erase(rules, "");
  return rules;
}

auto invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

Expected<HeaderRule> parse_rule(const std::string& text) {
  const size_t blank = text.find_first_of(" \t");
  if (blank == text.npos) {
    return invalid(
        fmt::format("Invalid format of header config '{}'. Expected: '[action] [header name]:[header value]'", text));
  }
  HeaderRule rule;
  const std::string action = text.substr(0, blank);
  rule.add = equals_ignoring_case(action, "add") || equals_ignoring_case(action, "addDate");
  rule.date = equals_ignoring_case(action, "setDate") || equals_ignoring_case(action, "addDate");
  if (!rule.add && !rule.date && !equals_ignoring_case(action, "set")) {
    return invalid(
        fmt::format("Invalid header config action: '{}'. Expected one of [set, add, setDate, addDate]", action));
  }
  const std::string_view header = trim_blanks(std::string_view(text).substr(blank));
  const size_t colon = header.find(':');
  if (colon == header.npos || colon + 1 == header.size()) {
    return invalid(fmt::format(
        "Invalid format of header name and header value pair '{}'. Expected: '[header name]:[header value]'", header));
  }
  rule.name = trim_blanks(header.substr(0, colon));
  rule.value = trim_blanks(header.substr(colon + 1));
  if (rule.name.empty() || rule.name.find_first_of(" \t") != rule.name.npos) {
    return invalid(fmt::format("Invalid header name '{}'. The '[header name]' cannot contain whitespace", rule.name));
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rule.value.data(), rule.value.data() + rule.value.size(), number);
  if (rule.date && (error != std::errc() || end != rule.value.data() + rule.value.size()))
    return invalid(fmt::format("Invalid header config '{}'. A date is given in milliseconds from now", text));
  return rule;
}

std::string value_of(const HeaderRule& rule, std::chrono::system_clock::time_point now) {
  return rule.date ? http_date(now + std::chrono::milliseconds(std::stoll(rule.value))) : rule.value;
}

}  // namespace

Expected<std::vector<HeaderRule>> parse_header_rules(std::string_view config) {
  std::vector<HeaderRule> rules;
  for (const std::string& text : split_rules(config)) {
    auto rule = parse_rule(text);
    if (!rule) return fail(std::move(rule.error()));
    rules.push_back(std::move(*rule));
  }
  return rules;
}

void apply_header_rules(const std::vector<HeaderRule>& rules, std::chrono::system_clock::time_point now,
                        RestResponse& response) {
  for (const HeaderRule& rule : rules) {
    if (equals_ignoring_case(rule.name, "Content-Type")) {
      response.content_type = value_of(rule, now);
      continue;
    }
    if (!rule.add)
      std::erase_if(response.headers, [&](const auto& each) { return equals_ignoring_case(each.first, rule.name); });
    response.headers.emplace_back(rule.name, value_of(rule, now));
  }
}

}  // namespace millrace
