#include "transforms/java_date_reader.h"

#include "transforms/java_date_names.h"

namespace millrace::smt {
namespace {

using F = CalendarField;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Whether a number before this token has to stop after as many digits as it has letters.
bool takes_digits(const JavaDateFormat::Token& token) {
  if (token.letter == 'M' || token.letter == 'L') return token.count <= 2;
  return std::string_view("yYdkHmsSDFwWhKu").find(token.letter) != std::string_view::npos && token.letter != 0;
}

constexpr int64_t kHourMs = 3'600'000, kMinuteMs = 60'000;

struct ZoneName {
  std::string_view name;
  int64_t hours;
};
constexpr std::array<ZoneName, 12> kZoneNames{{{"Coordinated Universal Time", 0},
                                               {"Greenwich Mean Time", 0},
                                               {"UTC", 0},
                                               {"GMT", 0},
                                               {"EST", -5},
                                               {"EDT", -4},
                                               {"CST", -6},
                                               {"CDT", -5},
                                               {"MST", -7},
                                               {"MDT", -6},
                                               {"PST", -8},
                                               {"PDT", -7}}};

}  // namespace

std::optional<int64_t> DateReader::read(const std::vector<JavaDateFormat::Token>& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool adjacent = i + 1 < tokens.size() && takes_digits(tokens[i + 1]);
    if (!(tokens[i].letter == 0 ? literal(tokens[i].literal) : field(tokens[i], adjacent))) return std::nullopt;
  }
  const int64_t ms = calendar_.epoch_ms();
  if (!century_open_ || ms >= century_start_ms_) return ms;
  calendar_.set(F::kYear, open_year_ + 100);
  return calendar_.epoch_ms();
}

bool DateReader::literal(std::string_view expected) {
  if (!text_.substr(at_).starts_with(expected)) return false;
  at_ += expected.size();
  return true;
}

bool DateReader::field(const Token& token, bool adjacent) {
  const size_t start = at_;
  while (peek() == ' ' || peek() == '\t') ++at_;
  if (at_ >= text_.size()) return false;
  switch (token.letter) {
    case 'G':
      return name(F::kEra, kEraNames, 0, 2);
    case 'E':
      return name(F::kDayOfWeek, kDayNames, 1, 3);
    case 'a':
      return name(F::kAmPm, kHalfDayNames, 0, 2);
    case 'z':
    case 'Z':
    case 'X':
      return zone(token.letter, token.count);
    case 'M':
    case 'L':
      if (token.count > 2) return name(F::kMonth, kMonthNames, 0, 3);
      break;
    default:
      break;
  }
  if (adjacent && start + static_cast<size_t>(token.count) > text_.size()) return false;
  const size_t digits_at = at_;
  const auto value = number(adjacent ? start + static_cast<size_t>(token.count) : text_.size());
  if (!value) return false;
  if (token.letter == 'y' || token.letter == 'Y') return year(token, digits_at, *value);
  return set_number(token.letter, *value);
}

/// Values wrap to an int, as Java's do.
std::optional<int64_t> DateReader::number(size_t end) {
  const bool negative = peek() == '-';
  size_t at = at_ + (negative ? 1 : 0);
  const size_t digits_at = at;
  constexpr int64_t kTooLarge = int64_t{1} << 56;
  int64_t value = 0;
  for (; at < end && is_digit(text_[at]); ++at) value = value < kTooLarge ? value * 10 + (text_[at] - '0') : value;
  if (at == digits_at) return std::nullopt;
  at_ = at;
  return static_cast<int32_t>(negative ? -value : value);
}

bool DateReader::year(const Token& token, size_t digits_at, int64_t value) {
  if (token.count <= 2 && at_ - digits_at == 2 && is_digit(text_[digits_at])) {
    const int64_t border = century_start_ % 100;
    century_open_ = value == border;
    value += century_start_ / 100 * 100 + (value < border ? 100 : 0);
    open_year_ = value;
  }
  calendar_.set(token.letter == 'y' ? F::kYear : F::kWeekYear, value);
  return true;
}

bool DateReader::set_number(char letter, int64_t value) {
  switch (letter) {
    case 'M':
    case 'L':
      calendar_.set(F::kMonth, value - 1);
      break;
    case 'k':
      calendar_.set(F::kHourOfDay, value == 24 ? 0 : value);
      break;
    case 'h':
      calendar_.set(F::kHour, value == 12 ? 0 : value);
      break;
    case 'u':
      calendar_.set(F::kDayOfWeek, value == 7 ? 1 : value + 1);
      break;
    default:
      calendar_.set(numeric_field(letter), value);
      break;
  }
  return true;
}

bool DateReader::at_ignoring_case(std::string_view word) const {
  if (text_.size() - at_ < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(text_[at_ + i]) != lower(word[i])) return false;
  }
  return true;
}

template <class Names>
bool DateReader::name(CalendarField field, const Names& names, int first, size_t short_size) {
  for (const bool whole : {true, false}) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view word = whole ? names[i] : names[i].substr(0, short_size);
      if (!at_ignoring_case(word)) continue;
      calendar_.set(field, static_cast<int64_t>(i) + first);
      at_ += word.size();
      return true;
    }
  }
  return false;
}

bool DateReader::zone(char letter, int count) {
  const auto sign_at = [this](char c) { return c == '+' ? 1 : c == '-' ? -1 : 0; };
  if (letter == 'X') {
    if (peek() == 'Z') {
      ++at_;
      calendar_.set(F::kZoneOffset, 0);
      return true;
    }
    const int sign = sign_at(peek());
    ++at_;
    return sign != 0 && zone_offset(sign, count, count == 3);
  }
  if (const int sign = sign_at(peek()); sign != 0) {
    ++at_;
    return zone_offset(sign, 0, false);
  }
  if (at_ignoring_case("GMT")) {
    at_ += 3;
    if (const int sign = sign_at(peek()); sign != 0) {
      ++at_;
      return zone_offset(sign, 0, true);
    }
    calendar_.set(F::kZoneOffset, 0);
    return true;
  }
  return zone_name();
}

bool DateReader::digit(int64_t& to) {
  if (!is_digit(peek())) return false;
  to = to * 10 + (text_[at_++] - '0');
  return true;
}

bool DateReader::zone_offset(int sign, int count, bool colon) {
  int64_t hours = 0, minutes = 0;
  if (!digit(hours)) return false;
  if (!digit(hours) && (count > 0 || !colon)) return false;
  if (hours > 23) return false;
  if (count != 1) {
    if (colon && !literal(":")) return false;
    if (!digit(minutes) || !digit(minutes) || minutes > 59) return false;
  }
  calendar_.set(F::kZoneOffset, sign * (hours * kHourMs + minutes * kMinuteMs));
  return true;
}

bool DateReader::zone_name() {
  for (const ZoneName& zone : kZoneNames) {
    if (!at_ignoring_case(zone.name)) continue;
    at_ += zone.name.size();
    calendar_.set(F::kZoneOffset, zone.hours * kHourMs);
    return true;
  }
  return false;
}

}  // namespace millrace::smt
