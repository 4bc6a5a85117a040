/// java.text.SimpleDateFormat in UTC and English: patterns such as yyyy-MM-dd'T'HH:mm:ss.SSSXXX, for writing and for
/// reading leniently (2021-13-01 is 2022-01-01, text behind the last field is ignored).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace::smt {

/// Dates before 1582-10-15 follow the Julian calendar, weeks start on Sunday and the first one holds 1 January, as in
/// Java's US locale. Two digits of a year stand for one from 80 years ago to 20 years ahead of the pattern's making.
/// Threads: any (immutable).
class JavaDateFormat {
 public:
  /// Errors: kInvalidConfig with the message of Java's IllegalArgumentException.
  static Expected<JavaDateFormat> create(std::string_view pattern);

  /// Appends.
  void format(int64_t epoch_ms, std::string& out) const;
  /// Milliseconds since the epoch; nothing if the text does not begin as the pattern says. Zone names are those of
  /// UTC, GMT and the United States.
  std::optional<int64_t> parse(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

  /// A run of one pattern letter, or text that stands for itself.
  struct Token {
    char letter = 0;  ///< 0 = literal
    int count = 0;
    std::string literal = {};
  };

 private:
  std::string pattern_;
  std::vector<Token> tokens_;
  int century_start_ = 0;  ///< the first year that two digits may mean
  int64_t century_start_ms_ = 0;
};

}  // namespace millrace::smt
