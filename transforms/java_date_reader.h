/// Reads one text by the tokens of a JavaDateFormat.
#pragma once

#include "transforms/java_calendar.h"
#include "transforms/java_date_format.h"

namespace millrace::smt {

class DateReader {
 public:
  DateReader(std::string_view text, int century_start, int64_t century_start_ms)
      : text_(text), century_start_(century_start), century_start_ms_(century_start_ms) {}

  /// Nothing if the text does not fit.
  std::optional<int64_t> read(const std::vector<JavaDateFormat::Token>& tokens);

 private:
  using Token = JavaDateFormat::Token;

  bool literal(std::string_view expected);
  /// `adjacent`: another number follows at once, so this one has as many digits as its token has letters.
  bool field(const Token& token, bool adjacent);
  std::optional<int64_t> number(size_t end);
  bool year(const Token& token, size_t digits_at, int64_t value);
  bool set_number(char letter, int64_t value);
  /// The longest of `names` that the text goes on with, in any case; else one of their first `short_size` letters.
  template <class Names>
  bool name(CalendarField field, const Names& names, int first, size_t short_size);
  bool zone(char letter, int count);
  /// hh, hhmm or hh:mm behind a sign; `count` 1 = hours only, 0 = one digit of hours may do.
  bool zone_offset(int sign, int count, bool colon);
  bool zone_name();
  bool digit(int64_t& to);
  bool at_ignoring_case(std::string_view word) const;
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string_view text_;
  int century_start_;
  int64_t century_start_ms_;
  size_t at_ = 0;
  bool century_open_ = false;  ///< a year of two digits at the very border of the century
  int64_t open_year_ = 0;
  CalendarBuilder calendar_;
};

}  // namespace millrace::smt
