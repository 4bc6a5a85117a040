#include "transforms/java_regex.h"

#include <algorithm>
#include <array>

#include "transforms/operand.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kUnsupported =
    " (looking ahead or behind, back-references, possessive quantifiers and atomic groups are not supported)";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Rewrites what Java and RE2 spell differently, and refuses what RE2 would read as something else.
class Translator {
 public:
  explicit Translator(std::string_view pattern) : from_(pattern) {}

  Expected<std::string> run() {
    while (at_ < from_.size()) {
      const char c = from_[at_];
      Status status = c == '\\'             ? escape(false)
                      : c == '['            ? character_class()
                      : c == '{'            ? repetition()
                      : starts_with_group() ? named_group()
                                            : plain();
      if (!status) return fail(std::move(status.error()));
    }
    return std::move(to_);
  }

 private:
  Status plain() {
    to_ += from_[at_++];
    return {};
  }

  bool starts_with_group() const {
    const auto rest = from_.substr(at_);
    return rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!");
  }
  Status named_group() {
    to_ += "(?P<";
    at_ += 3;
    return {};
  }

  /// RE2 takes a brace that starts no repetition for itself; Java does not.
  Status repetition() {
    size_t end = at_ + 1;
    while (end < from_.size() && is_digit(from_[end])) ++end;
    if (end == at_ + 1) return bad_config(fmt::format("Illegal repetition near index {}\n{}", at_, from_));
    if (end < from_.size() && from_[end] == ',') ++end;
    while (end < from_.size() && is_digit(from_[end])) ++end;
    if (end == from_.size() || from_[end] != '}')
      return bad_config(fmt::format("Unclosed counted closure near index {}\n{}", end, from_));
    to_ += from_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    return {};
  }

  Status escape(bool in_class) {
    const auto rest = from_.substr(at_);
    if (rest.starts_with("\\Q")) return quotation();
    if (rest.starts_with("\\p{") || rest.starts_with("\\P{")) return property(in_class);
    if (rest.starts_with("\\x{"))
      return replace(std::min(rest.find('}'), rest.size() - 1) + 1, rest.substr(0, rest.find('}') + 1));
    if (rest.starts_with("\\u") && rest.size() >= 6) return replace(6, fmt::format("\\x{{{}}}", rest.substr(2, 4)));
    // A line's end is no matter for names of topics.
    if (rest.starts_with("\\Z")) return replace(2, "\\z");
    if (rest.starts_with("\\h")) return replace(2, in_class ? " \\t" : "[ \\t]");
    to_ += from_.substr(at_, 2);
    at_ += std::min<size_t>(2, rest.size());
    return {};
  }

  Status quotation() {
    const size_t end = from_.find("\\E", at_ + 2);
    to_ += RE2::QuoteMeta(re2::StringPiece(from_.data() + at_ + 2, std::min(end, from_.size()) - at_ - 2));
    at_ = end == std::string_view::npos ? from_.size() : end + 2;
    return {};
  }

  Status property(bool in_class) {
    struct Posix {
      std::string_view java, re2;
    };
    static constexpr std::array<Posix, 13> kPosix{{{"Lower", "lower"},
                                                   {"Upper", "upper"},
                                                   {"ASCII", "ascii"},
                                                   {"Alpha", "alpha"},
                                                   {"Digit", "digit"},
                                                   {"Alnum", "alnum"},
                                                   {"Punct", "punct"},
                                                   {"Graph", "graph"},
                                                   {"Print", "print"},
                                                   {"Blank", "blank"},
                                                   {"Cntrl", "cntrl"},
                                                   {"XDigit", "xdigit"},
                                                   {"Space", "space"}}};
    const size_t end = from_.find('}', at_);
    const auto name = from_.substr(at_ + 3, end - at_ - 3);
    const auto known = std::ranges::find(kPosix, name, &Posix::java);
    if (end == std::string_view::npos || known == kPosix.end()) {
      const size_t size = end == std::string_view::npos ? 3 : end + 1 - at_;
      const bool is_script = name.starts_with("Is");  // \p{IsLatin}, \p{IsAlphabetic}
      std::string text(from_.substr(at_, size));
      if (is_script) text.erase(3, 2);
      return replace(size, text);
    }
    const std::string named = fmt::format("[:{}{}:]", from_[at_ + 1] == 'P' ? "^" : "", known->re2);
    return replace(end + 1 - at_, in_class ? named : "[" + named + "]");
  }

  Status character_class() {
    const size_t begin = at_;
    if (auto status = plain(); !status) return status;
    if (at_ < from_.size() && from_[at_] == '^') {
      if (auto status = plain(); !status) return status;
    }
    for (bool first = true; at_ < from_.size(); first = false) {
      const char c = from_[at_];
      if (c == ']' && !first) return plain();
      if (c == '[' || from_.substr(at_).starts_with("&&"))
        return bad_config("classes within classes and intersections (&&) are not supported: " + std::string(from_));
      if (auto status = c == '\\' ? escape(true) : plain(); !status) return status;
    }
    return bad_config(fmt::format("Unclosed character class near index {}\n{}", begin, from_));
  }

  Status replace(size_t bytes, std::string_view with) {
    to_ += with;
    at_ += bytes;
    return {};
  }

  std::string_view from_;
  size_t at_ = 0;
  std::string to_;
};

}  // namespace

Expected<JavaRegex> JavaRegex::compile(std::string_view pattern) {
  auto translated = Translator(pattern).run();
  if (!translated) return fail(std::move(translated.error()));
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(*translated, options);
  if (compiled->ok()) return JavaRegex(std::move(compiled));
  const bool maybe_java = compiled->error_code() == RE2::ErrorRepeatOp ||
                          compiled->error_code() == RE2::ErrorBadEscape ||
                          compiled->error_code() == RE2::ErrorBadPerlOp;
  return bad_config(fmt::format("{} in {}{}", compiled->error(), pattern, maybe_java ? kUnsupported : ""));
}

bool JavaRegex::matches(std::string_view text) const {
  return pattern_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

Expected<std::string> JavaRegex::replace_first(std::string_view text, std::string_view replacement) const {
  std::string out;
  if (auto done = JavaReplacement(replacement, *pattern_).replace_first(*pattern_, text, out); !done)
    return fail(std::move(done.error()));
  return out;
}

JavaReplacement::JavaReplacement(std::string_view text, const RE2& pattern) { parse(text, pattern); }

int JavaReplacement::refuse(std::string message, std::string_view exception) {
  if (broken_.empty()) broken_.push_back({ErrorCode::kBadRecord, std::move(message), std::string(exception), {}, {}});
  return 0;
}

void JavaReplacement::parse(std::string_view text, const RE2& pattern) {
  std::string literal;
  for (size_t at = 0; at < text.size() && broken_.empty();) {
    const char c = text[at++];
    if (c == '$') {
      parts_.push_back({std::exchange(literal, {})});
      const int group = parse_group(text, at, pattern);
      parts_.push_back({"", group});
    } else if (c != '\\') {
      literal += c;
    } else if (at < text.size()) {
      literal += text[at++];
    } else {
      refuse("character to be escaped is missing", "java.lang.IllegalArgumentException");
    }
  }
  parts_.push_back({std::move(literal)});
}

int JavaReplacement::parse_group(std::string_view text, size_t& at, const RE2& pattern) {
  constexpr std::string_view kIllegal = "java.lang.IllegalArgumentException";
  if (at == text.size()) return refuse("Illegal group reference: group index is missing", kIllegal);
  if (text[at] == '{') {
    const size_t end = text.find('}', at);
    const std::string name(text.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
    if (name.empty()) return refuse("named capturing group is missing trailing '}'", kIllegal);
    const auto& groups = pattern.NamedCapturingGroups();
    const auto group = groups.find(name);
    if (end == std::string_view::npos || group == groups.end())
      return refuse("No group with name {" + name + "}", kIllegal);
    at = end + 1;
    return group->second;
  }
  if (!is_digit(text[at])) return refuse("Illegal group reference", kIllegal);
  int group = text[at++] - '0';
  if (group > pattern.NumberOfCapturingGroups())
    return refuse("No group " + std::to_string(group), "java.lang.IndexOutOfBoundsException");
  // More digits only as long as there is such a group: $10 is group 1 and a 0 if there are nine or less.
  while (at < text.size() && is_digit(text[at])) {
    const int longer = group * 10 + (text[at] - '0');
    if (longer > pattern.NumberOfCapturingGroups()) break;
    group = longer;
    ++at;
  }
  return group;
}

Status JavaReplacement::replace_first(const RE2& pattern, std::string_view text, std::string& out) const {
  if (!broken_.empty()) return fail(Error(broken_.front()));
  constexpr int kFewGroups = 16;
  std::array<re2::StringPiece, kFewGroups> few;
  std::vector<re2::StringPiece> many;
  const int count = pattern.NumberOfCapturingGroups() + 1;
  re2::StringPiece* groups = few.data();
  if (count > kFewGroups) {
    many.resize(static_cast<size_t>(count));
    groups = many.data();
  }
  if (!pattern.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, groups, count)) {
    out += text;
    return {};
  }
  const auto begin = static_cast<size_t>(groups[0].data() - text.data());
  out += text.substr(0, begin);
  for (const Part& part : parts_) {
    if (part.group < 0) {
      out += part.literal;
    } else if (groups[part.group].data() != nullptr) {
      out.append(groups[part.group].data(), groups[part.group].size());
    }
  }
  out += text.substr(begin + groups[0].size());
  return {};
}

}  // namespace millrace::smt
