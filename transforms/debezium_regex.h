/// Java's regular expressions on RE2: what RE2 cannot express (look-around, back references, possessive quantifiers,
/// classes within classes) is a configuration error, and matching takes linear time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"

namespace re2 {
class RE2;
}

namespace millrace::debezium {

/// Threads: any (immutable).
class JavaRegex {
 public:
  /// Errors: kInvalidConfig saying what is wrong or not supported.
  static Expected<JavaRegex> create(std::string_view pattern);

  /// Matcher.matches(): the whole text.
  bool matches(std::string_view text) const;
  /// Matcher.replaceFirst(): $1 and ${name} stand for groups, \ takes the meaning from the next character.
  /// Errors: kBadRecord as Java's for a group that is not there.
  Expected<std::string> replace_first(std::string_view text, std::string_view replacement) const;

 private:
  explicit JavaRegex(std::shared_ptr<const re2::RE2> regex) : regex_(std::move(regex)) {}
  std::shared_ptr<const re2::RE2> regex_;  // co-owned by copies
};

}  // namespace millrace::debezium
