#include "connect_client/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>

namespace millrace::connect {
namespace {

/// Frameworks' words around the real message.
constexpr std::string_view kWrappers[] = {"Exiting WorkerSinkTask due to unrecoverable exception",
                                          "Tolerance exceeded in error handler",
                                          "Unrecoverable exception from producer send callback",
                                          "Failed to start connector",
                                          "Failed to start task",
                                          "java.util.concurrent."};

struct Hint {
  std::string_view sign;  ///< in any message or class of the chain, without regard to case
  std::string_view to_do;
};
constexpr Hint kHints[] = {
    {"schemas.enable requires",
     "Set value.converter.schemas.enable=false (or key.converter…) if the messages carry no schema envelope"},
    {"tolerance exceeded",
     "Repair the data or the converter; or let such records pass with errors.tolerance=all and "
     "errors.deadletterqueue.topic.name"},
    {"authorizationexception", "Grant the connector's user the right that the message names"},
    {"authenticationexception", "Check the user and password in the configuration"},
    {"access denied", "Check the user and password in the configuration, and the user's rights"},
    {"connection refused", "Check that the other system runs, and its address in the configuration"},
    {"unknownhost", "Check the host name in the configuration"},
    {"classnotfound", "Put the plugin into plugin.path and restart the worker; see: millrace connectors plugins"},
    {"configexception", "Correct the configuration: millrace connectors apply -f FILE"},
    {"recordtoolarge", "Raise max.message.bytes of the topic and producer.override.max.request.size"},
    {"serializationexception", "Check that the converter fits what is in the topic"},
    {"outofmemory", "Give the worker more memory, or lower batch sizes"},
};

std::string lower(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

/// `org.apache.kafka.connect.errors.DataException: text`; a text without a class is all message.
TraceCause cause_of(std::string_view line) {
  const size_t colon = std::min(line.find(": "), line.size());
  const std::string_view name = line.substr(0, colon);
  const size_t dot = name.rfind('.');
  const bool is_class = dot != std::string_view::npos && name.find(' ') == std::string_view::npos &&
                        dot + 1 < name.size() && std::isupper(static_cast<unsigned char>(name[dot + 1])) != 0;
  if (!is_class) return {{}, std::string(line)};
  return {std::string(name.substr(dot + 1)), colon < line.size() ? std::string(line.substr(colon + 2)) : std::string()};
}

bool is_frame(std::string_view line) {
  const size_t text = line.find_first_not_of(" \t");
  if (text == std::string_view::npos) return true;
  const std::string_view rest = line.substr(text);
  return text > 0 && (rest.starts_with("at ") || (rest.starts_with("... ") && rest.ends_with(" more")));
}

bool is_wrapper(const TraceCause& cause) {
  return cause.message.empty() ||
         std::ranges::any_of(kWrappers, [&](std::string_view text) { return cause.message.starts_with(text); });
}

std::string place_in(const std::vector<TraceCause>& causes) {
  static const std::regex stage(R"(at stage '([^']+)')");
  static const std::regex topic(
      R"(topic[ =:']+([A-Za-z0-9._-]+)'?,? *partition[ =:]+(\d+),? *(?:and )?offset[ =:]+(\d+))", std::regex::icase);
  static const std::regex position(R"(([A-Za-z0-9._-]+-\d+@\d+))");
  for (const TraceCause& cause : causes) {
    std::smatch found;
    if (std::regex_search(cause.message, found, topic))
      return fmt::format("topic {}, partition {}, offset {}", found[1].str(), found[2].str(), found[3].str());
    if (std::regex_search(cause.message, found, position)) return found[1].str();
    if (std::regex_search(cause.message, found, stage)) return found[1].str();
  }
  return {};
}

}  // namespace

std::vector<TraceCause> parse_trace(std::string_view trace) {
  constexpr std::string_view kCausedBy = "Caused by: ";
  std::vector<TraceCause> causes;
  while (!trace.empty()) {
    const size_t end = trace.find('\n');
    std::string_view line = trace.substr(0, end);
    trace = end == std::string_view::npos ? "" : trace.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kCausedBy)) {
      causes.push_back(cause_of(line.substr(kCausedBy.size())));
    } else if (causes.empty() && !line.empty()) {
      causes.push_back(cause_of(line));
    } else if (!is_frame(line)) {
      causes.back().message.append("\n").append(line);
    }
  }
  return causes;
}

Explanation explain(std::string_view trace, const std::string& connector) {
  Explanation explanation;
  explanation.causes = parse_trace(trace);
  const auto& causes = explanation.causes;
  const auto telling = std::ranges::find_if_not(causes, is_wrapper);
  if (telling != causes.end()) {
    explanation.what = telling->message;
  } else {
    explanation.what = causes.empty() ? "it failed without saying why" : causes.front().message;
  }
  explanation.where = place_in(causes);
  std::string all;
  for (const TraceCause& cause : causes) all += lower(cause.exception + ": " + cause.message + "\n");
  const auto hint =
      std::ranges::find_if(kHints, [&](const Hint& each) { return all.find(each.sign) != std::string::npos; });
  explanation.to_do = fmt::format("{}; then: millrace connectors restart {} --failed",
                                  hint == std::end(kHints) ? "Remove the cause" : hint->to_do, connector);
  return explanation;
}

}  // namespace millrace::connect
