#include "transforms/debezium_regex.h"

#include <re2/re2.h>

#include <optional>
#include <vector>

namespace millrace::debezium {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

tl::unexpected<Error> refuse(std::string_view pattern, std::string_view why) {
  return fail(ErrorCode::kInvalidConfig, std::string(why) + " in \"" + std::string(pattern) + "\"");
}

/// RE2's form of a Java pattern: named groups and \u escapes are written otherwise, and what RE2 would silently take
/// for something else is refused.
Expected<std::string> to_re2(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const std::string_view rest = pattern.substr(i);
    if (c == '\\' && rest.starts_with("\\Q")) {
      const size_t end = std::min(pattern.find("\\E", i), pattern.size());
      for (const char literal : pattern.substr(i + 2, end - i - 2)) {
        if (!is_letter(literal) && !is_digit(literal) && static_cast<signed char>(literal) > 0) out += '\\';
        out += literal;
      }
      i = end + 1;
    } else if (c == '\\' && rest.size() >= 6 && rest[1] == 'u') {
      out.append("\\x{").append(rest.substr(2, 4)).append("}");
      i += 5;
    } else if (c == '\\' && rest.size() > 1) {
      out.append(rest.substr(0, 2));
      ++i;
    } else if (in_class && (c == '[' || rest.starts_with("&&"))) {
      return refuse(pattern, "Character classes within character classes are not supported");
    } else if (!in_class && rest.size() > 3 && rest.starts_with("(?<") && is_letter(rest[3])) {
      out += "(?P<";
      i += 2;
    } else {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      out += c;
    }
  }
  return out;
}

tl::unexpected<Error> no_such_group(std::string message, const char* exception) {
  return fail(Error{ErrorCode::kBadRecord, std::move(message), exception, {}, {}});
}

}  // namespace

Expected<JavaRegex> JavaRegex::create(std::string_view pattern) {
  auto translated = to_re2(pattern);
  if (!translated) return fail(std::move(translated.error()));
  RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<const RE2>(*translated, options);
  if (!regex->ok()) return refuse(pattern, regex->error());
  return JavaRegex(std::move(regex));
}

bool JavaRegex::matches(std::string_view text) const { return RE2::FullMatch({text.data(), text.size()}, *regex_); }

Expected<std::string> JavaRegex::replace_first(std::string_view text, std::string_view replacement) const {
  const re2::StringPiece input(text.data(), text.size());
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex_->NumberOfCapturingGroups()) + 1);
  if (!regex_->Match(input, 0, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size())))
    return std::string(text);
  const auto start = static_cast<size_t>(groups[0].data() - text.data());
  std::string out(text.substr(0, start));
  for (size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\') {
      if (++i == replacement.size())
        return no_such_group("character to be escaped is missing", "java.lang.IllegalArgumentException");
      out += replacement[i];
      continue;
    }
    if (c != '$') {
      out += c;
      continue;
    }
    const std::string_view rest = replacement.substr(i + 1);
    size_t group = 0;
    if (rest.starts_with("{")) {
      const size_t end = rest.find('}');
      if (end == std::string_view::npos)
        return no_such_group("named capturing group is missing trailing '}'", "java.lang.IllegalArgumentException");
      const std::string name(rest.substr(1, end - 1));
      const auto& names = regex_->NamedCapturingGroups();
      const auto found = names.find(name);
      if (found == names.end())
        return no_such_group("No group with name {" + name + "}", "java.lang.IllegalArgumentException");
      group = static_cast<size_t>(found->second);
      i += end + 1;
    } else {
      if (rest.empty() || !is_digit(rest[0]))
        return no_such_group("Illegal group reference", "java.lang.IllegalArgumentException");
      group = static_cast<size_t>(rest[0] - '0');
      size_t digits = 1;
      if (group >= groups.size())
        return no_such_group("No group " + std::to_string(group), "java.lang.IndexOutOfBoundsException");
      // More digits count as long as there is such a group.
      while (digits < rest.size() && is_digit(rest[digits])) {
        const size_t longer = group * 10 + static_cast<size_t>(rest[digits] - '0');
        if (longer >= groups.size()) break;
        group = longer;
        ++digits;
      }
      i += digits;
    }
    if (groups[group].data() != nullptr) out.append(groups[group].data(), groups[group].size());
  }
  out.append(text.substr(start + groups[0].size()));
  return out;
}

}  // namespace millrace::debezium
