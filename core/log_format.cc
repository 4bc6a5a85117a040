#include "core/log_format.h"

#include <ctime>
#include <utility>

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

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

/// The length of the well-formed UTF-8 sequence at `at`; 0 if there is none.
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xC2 && first < 0xE0   ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  for (size_t i = 1; i < length; ++i) {
    if (!continues(text, at + i)) return 0;
  }
  if (length == 0) return 0;
  // Overlong forms, surrogates and what lies beyond Unicode.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

void append_json(std::string& to, std::string_view text) {
  to += '"';
  for (size_t i = 0; i < text.size();) {
    const size_t length = sequence_length(text, i);
    const char c = text[i];
    if (length == 0) {
      to += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      to += {'\\', c};
    } else if (c == '\n') {
      to += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      to += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  to += '"';
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
  append_json(text, line.logger);
  if (!line.context.empty()) {
    text += R"(,"context":)";
    append_json(text, line.context);
  }
  text += R"(,"event":)";
  append_json(text, line.event);
  text += R"(,"fields":{)";
  std::string value;
  bool first = true;
  for (const LogField& field : line.fields) {
    if (!std::exchange(first, false)) text += ',';
    append_json(text, field.key);
    text += ':';
    value.clear();
    field.append_value(value);
    if (field.bare && is_json_literal(value)) {
      text += value;
    } else {
      append_json(text, value);
    }
  }
  return text += "}}";
}

}  // namespace millrace
