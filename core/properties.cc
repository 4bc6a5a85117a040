#include "core/properties.h"

#include <charconv>

namespace millrace {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

/// Cuts the text into logical lines: comments dropped, continuations joined, leading blanks removed, escapes kept.
class LogicalLines {
 public:
  explicit LogicalLines(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  bool next(std::string& line) {
    while (!text_.empty()) {
      std::string_view natural = take_natural_line();
      first_line_ = number_;
      if (natural.empty() || natural[0] == '#' || natural[0] == '!') continue;
      line.assign(natural);
      while (continues(line)) {
        line.pop_back();
        if (text_.empty()) break;
        line.append(take_natural_line());
      }
      return true;
    }
    return false;
  }
  int first_line() const { return first_line_; }

 private:
  std::string_view take_natural_line() {
    ++number_;
    const size_t end = text_.find_first_of("\r\n");
    std::string_view line = text_.substr(0, end);
    if (end == std::string_view::npos) {
      text_ = {};
    } else {
      text_.remove_prefix(end + (text_.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    while (!line.empty() && is_blank(line[0])) line.remove_prefix(1);
    return line;
  }

  /// An odd number of backslashes at the end continues the line.
  static bool continues(const std::string& line) {
    size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  std::string_view text_;
  int number_ = 0, first_line_ = 0;
};

void append_utf8(std::string& out, uint32_t point) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The number of a \uXXXX escape whose `u` stands at `at`; -1 when broken.
int32_t unicode_escape(std::string_view text, size_t at) {
  if (text.size() < at + 5) return -1;
  uint32_t number = 0;
  const auto result = std::from_chars(text.data() + at + 1, text.data() + at + 5, number, 16);
  return result.ptr == text.data() + at + 5 ? static_cast<int32_t>(number) : -1;
}

/// False for a broken \u escape.
bool unescape(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      if (text[i] != '\\') out += text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        const int32_t unit = unicode_escape(text, i);
        if (unit < 0) return false;
        i += 4;
        auto point = static_cast<uint32_t>(unit);
        if (point >= 0xD800 && point < 0xDC00 && text.substr(i + 1).starts_with("\\u")) {
          const int32_t low = unicode_escape(text, i + 2);
          if (low >= 0xDC00 && low < 0xE000) {
            point = 0x10000 + ((point - 0xD800) << 10) + (static_cast<uint32_t>(low) - 0xDC00);
            i += 6;
          }
        }
        append_utf8(out, point);
        break;
      }
      default:
        out += c;
    }
  }
  return true;
}

}  // namespace

Expected<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  LogicalLines lines(text);
  std::string line;
  while (lines.next(line)) {
    size_t key_end = 0;
    while (key_end < line.size() && line[key_end] != '=' && line[key_end] != ':' && !is_blank(line[key_end])) {
      key_end += line[key_end] == '\\' ? 2 : 1;
    }
    key_end = std::min(key_end, line.size());
    size_t value_start = key_end;
    while (value_start < line.size() && is_blank(line[value_start])) ++value_start;
    if (value_start < line.size() && (line[value_start] == '=' || line[value_start] == ':')) {
      ++value_start;
      while (value_start < line.size() && is_blank(line[value_start])) ++value_start;
    }
    auto& [key, value] = pairs.emplace_back();
    const std::string_view whole = line;
    if (!unescape(whole.substr(0, key_end), key) || !unescape(whole.substr(value_start), value)) {
      return fail(ErrorCode::kInvalidConfig,
                  "line " + std::to_string(lines.first_line()) +
                      ": malformed \\uXXXX escape; write four hexadecimal digits, or \\\\ for a backslash");
    }
  }
  return pairs;
}

}  // namespace millrace
