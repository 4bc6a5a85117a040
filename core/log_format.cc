#include "core/log_format.h"

#include <ctime>
#include <utility>

#include "core/json_text.h"

namespace millrace {
namespace {

void append_value(std::string& line, std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"\n\t=") == std::string_view::npos;
  if (plain) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  line += '"';
}

/// nan and inf are no JSON.
bool is_json_literal(std::string_view text) {
  return text == "true" || text == "false" || text.find_first_of("ni") == text.npos;
}

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms % 1000);
}

}  // namespace

std::string text_of(const LogLine& line) {
  std::string text;
  if (!line.context.empty()) text = fmt::format("[{}] ", line.context);
  text += line.event;
  std::string value;
  for (const LogField& field : line.fields) {
    text += ' ';
    text += field.key;
    text += '=';
    value.clear();
    field.append_value(value);
    append_value(text, value);
  }
  return text;
}

std::string json_of(const LogLine& line) {
  std::string text =
      fmt::format(R"({{"ts":"{}","level":"{}","logger":)", timestamp(line.time), log_level_name(line.level));
  append_json_string(text, line.logger);
  if (!line.context.empty()) {
    text += R"(,"context":)";
    append_json_string(text, line.context);
  }
  text += R"(,"event":)";
  append_json_string(text, line.event);
  text += R"(,"fields":{)";
  std::string value;
  bool first = true;
  for (const LogField& field : line.fields) {
    if (!std::exchange(first, false)) text += ',';
    append_json_string(text, field.key);
    text += ':';
    value.clear();
    field.append_value(value);
    if (field.bare && is_json_literal(value)) {
      text += value;
    } else {
      append_json_string(text, value);
    }
  }
  return text += "}}";
}

}  // namespace millrace
