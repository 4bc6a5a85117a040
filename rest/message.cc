#include "rest/message.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace millrace {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_escape(std::string_view text, size_t at) {
  return at + 2 < text.size() && text[at] == '%' && hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
}

enum class Plus { kLiteral, kSpace };

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (!is_escape(text, i)) return {};
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::kSpace ? ' ' : text[i];
    }
  }
  return out;
}

template <class F>
void for_each_part(std::string_view text, char separator, F&& use) {
  while (true) {
    const size_t end = text.find(separator);
    use(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

bool add_path(std::string_view path, Target& target) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  if (path.empty()) return true;
  if (path.ends_with('/')) path.remove_suffix(1);
  bool well_formed = true;
  for_each_part(path, '/', [&](std::string_view segment) {
    // Matrix parameters (;a=b) belong to the segment but not to its value.
    auto decoded = percent_decode(segment.substr(0, segment.find(';')), Plus::kLiteral);
    if (!decoded) return void(well_formed = false);
    target.segments.push_back(std::move(*decoded));
  });
  return well_formed;
}

bool add_query(std::string_view query, Target& target) {
  bool well_formed = true;
  for_each_part(query, '&', [&](std::string_view parameter) {
    if (parameter.empty()) return;
    const size_t equals = parameter.find('=');
    auto name = percent_decode(parameter.substr(0, equals), Plus::kSpace);
    auto value =
        percent_decode(equals == parameter.npos ? std::string_view() : parameter.substr(equals + 1), Plus::kSpace);
    if (!name || !value) return void(well_formed = false);
    target.query.emplace_back(std::move(*name), std::move(*value));
  });
  return well_formed;
}

/// RFC 9110: q=0 means "not acceptable".
bool is_refused(std::string_view parameters) {
  bool refused = false;
  for_each_part(parameters, ';', [&](std::string_view parameter) {
    parameter = trim_blanks(parameter);
    if (parameter.size() < 3 || !equals_ignoring_case(parameter.substr(0, 2), "q=")) return;
    refused = parameter.find_first_not_of("0.", 2) == parameter.npos;
  });
  return refused;
}

/// Whether a media range (`*/*`, `application/*`, `application/json`) holds a type.
bool range_holds(std::string_view range, std::string_view type) {
  range = trim_blanks(range);
  if (range == "*/*" || equals_ignoring_case(range, type)) return true;
  return range.ends_with("/*") &&
         equals_ignoring_case(range.substr(0, range.size() - 1), type.substr(0, type.find('/') + 1));
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trim_blanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

const std::string* RestRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, [](const auto& entry) { return std::string_view(entry.first); });
  return found == headers.end() ? nullptr : &found->second;
}

const std::string* Target::parameter(std::string_view name) const {
  const auto found = std::ranges::find(query, name, [](const auto& entry) { return std::string_view(entry.first); });
  return found == query.end() ? nullptr : &found->second;
}

bool Target::flag(std::string_view name, bool if_absent) const {
  const std::string* value = parameter(name);
  return value == nullptr ? if_absent : equals_ignoring_case(*value, "true");
}

std::optional<Target> parse_target(std::string_view target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {  // absolute form, as proxies send it
    const size_t path = target.find('/', target.find("//") + 2);
    target = path == target.npos ? std::string_view("/") : target.substr(path);
  }
  target = target.substr(0, target.find('#'));
  Target parts;
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (!path.starts_with('/')) {
    parts.segments.emplace_back(path);  // `*` and the like: a path that no route has
  } else if (!add_path(path, parts)) {
    return {};
  }
  if (question != target.npos && !add_query(target.substr(question + 1), parts)) return {};
  return parts;
}

bool accepts(std::string_view accept, std::string_view media_type) {
  bool accepted = false;
  for_each_part(accept, ',', [&](std::string_view range) {
    const size_t semicolon = range.find(';');
    const bool refused = semicolon != range.npos && is_refused(range.substr(semicolon + 1));
    accepted = accepted || (!refused && range_holds(range.substr(0, semicolon), media_type));
  });
  return accepted;
}

bool is_json_type(std::string_view content_type) {
  return range_holds(content_type.substr(0, content_type.find(';')), "application/json");
}

std::string encode_path(std::string_view name) {
  constexpr std::string_view kStays = "-._~!$&'()*+,;=:@/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool plain = byte < 0x80 && std::isalnum(byte) != 0;
    if (plain || kStays.find(name[i]) != kStays.npos || is_escape(name, i)) {
      out += name[i];
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace millrace
