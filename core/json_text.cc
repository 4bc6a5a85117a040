#include "core/json_text.h"

#include <fmt/format.h>

#include <iterator>

namespace millrace {
namespace {

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

void append_escaped(std::string& to, char c, bool well_formed) {
  if (!well_formed) {
    to += "\xEF\xBF\xBD";
  } else if (c == '"' || c == '\\') {
    to += {'\\', c};
  } else if (c == '\n') {
    to += "\\n";
  } else {
    fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  size_t plain = 0;  // up to i the bytes from here on stand for themselves
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
      ++i;
      continue;
    }
    const size_t length = sequence_length(text, i);
    if (length > 1) {
      i += length;
      continue;
    }
    to += text.substr(plain, i - plain);
    append_escaped(to, text[i], length == 1);
    plain = ++i;
  }
  to += text.substr(plain);
  to += '"';
}

}  // namespace millrace
