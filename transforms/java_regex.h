/// Regular expressions in Java's syntax, run by RE2: in linear time, so that a topic's name cannot stall a task.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace::smt {

/// java.util.regex.Pattern as far as RE2 allows. Not supported, and refused when compiled: looking ahead and behind,
/// back-references, possessive quantifiers and atomic groups, classes within classes and their intersections (&&).
/// Threads: any (immutable).
class JavaRegex {
 public:
  /// Errors: kInvalidConfig; the message says what is wrong, without naming the setting.
  static Expected<JavaRegex> compile(std::string_view pattern);

  /// Matcher.matches(): the whole text.
  bool matches(std::string_view text) const;
  /// Matcher.replaceFirst(), for what is not done per record. Errors: as of JavaReplacement.
  Expected<std::string> replace_first(std::string_view text, std::string_view replacement) const;
  const RE2& pattern() const { return *pattern_; }

 private:
  explicit JavaRegex(std::shared_ptr<const RE2> pattern) : pattern_(std::move(pattern)) {}
  std::shared_ptr<const RE2> pattern_;
};

/// The replacement of Matcher.replaceFirst: $1, ${name}, and a backslash before a character that stands for itself.
class JavaReplacement {
 public:
  /// A broken replacement fails where Java's does: when it is used.
  JavaReplacement(std::string_view text, const RE2& pattern);

  /// Appends `text` with its first match replaced to `out`. Errors: kBadRecord, with Java's class.
  Status replace_first(const RE2& pattern, std::string_view text, std::string& out) const;

 private:
  struct Part {
    std::string literal;
    int group = -1;  ///< -1 = the literal
  };
  void parse(std::string_view text, const RE2& pattern);
  /// The group that the reference at `at` (behind the $) names; sets `at` behind it.
  int parse_group(std::string_view text, size_t& at, const RE2& pattern);
  int refuse(std::string message, std::string_view exception);

  std::vector<Part> parts_;
  std::vector<Error> broken_;  ///< at most one
};

}  // namespace millrace::smt
