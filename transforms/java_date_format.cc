#include "transforms/java_date_format.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>

#include "transforms/java_calendar.h"
#include "transforms/java_date_names.h"
#include "transforms/java_date_reader.h"
#include "transforms/operand.h"

namespace millrace::smt {
namespace {

using F = CalendarField;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Text between quotes, or a quote of its own; `at` stands behind the first quote.
Expected<std::string> quoted(std::string_view pattern, size_t& at) {
  if (at < pattern.size() && pattern[at] == '\'') {
    ++at;
    return "'";
  }
  std::string text;
  while (at < pattern.size()) {
    const char c = pattern[at++];
    if (c != '\'') {
      text += c;
    } else if (at < pattern.size() && pattern[at] == '\'') {
      text += pattern[at++];
    } else {
      return text;
    }
  }
  return bad_config("Unterminated quote");
}

void append_literal(std::vector<JavaDateFormat::Token>& tokens, std::string_view text) {
  if (tokens.empty() || tokens.back().letter != 0) tokens.push_back({});
  tokens.back().literal += text;
}

Expected<std::vector<JavaDateFormat::Token>> tokens_of(std::string_view pattern) {
  std::vector<JavaDateFormat::Token> tokens;
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at++];
    if (c == '\'') {
      auto text = quoted(pattern, at);
      if (!text) return fail(std::move(text.error()));
      append_literal(tokens, *text);
    } else if (!is_letter(c)) {
      append_literal(tokens, {&c, 1});
    } else if (std::string_view("GyMdkHmsSEDFwWahKzZYuXL").find(c) == std::string_view::npos) {
      return bad_config(fmt::format("Illegal pattern character '{}'", c));
    } else {
      const size_t end = std::min(pattern.find_first_not_of(c, at), pattern.size());
      const int count = static_cast<int>(end - at) + 1;
      if (c == 'X' && count > 3) return bad_config(fmt::format("invalid ISO 8601 format: length={}", count));
      tokens.push_back({c, count});
      at = end;
    }
  }
  return tokens;
}

class Writer {
 public:
  Writer(int64_t epoch_ms, std::string& out) : fields_(calendar_fields(epoch_ms)), out_(out) {}

  void write(const JavaDateFormat::Token& token) {
    const int count = token.count;
    switch (token.letter) {
      case 0:
        out_ += token.literal;
        return;
      case 'G':
        out_ += kEraNames[index(F::kEra)];
        return;
      case 'y':
      case 'Y': {
        const int64_t year = get(token.letter == 'y' ? F::kYear : F::kWeekYear);
        return count == 2 ? number(year % 100, 2) : number(year, count);
      }
      case 'M':
      case 'L':
        if (count < 3) return number(get(F::kMonth) + 1, count);
        out_ += count == 3 ? kMonthNames[index(F::kMonth)].substr(0, 3) : kMonthNames[index(F::kMonth)];
        return;
      case 'E':
        out_ += count < 4 ? kDayNames[index(F::kDayOfWeek) - 1].substr(0, 3) : kDayNames[index(F::kDayOfWeek) - 1];
        return;
      case 'a':
        out_ += kHalfDayNames[index(F::kAmPm)];
        return;
      case 'z':
        out_ += count < 4 ? "UTC" : "Coordinated Universal Time";
        return;
      case 'Z':
        out_ += "+0000";
        return;
      case 'X':
        out_ += 'Z';
        return;
      default:
        return number(plain_number(token.letter), count);
    }
  }

 private:
  int64_t plain_number(char letter) const {
    switch (letter) {
      case 'k':
        return get(F::kHourOfDay) == 0 ? 24 : get(F::kHourOfDay);
      case 'h':
        return get(F::kHour) == 0 ? 12 : get(F::kHour);
      case 'u':
        return get(F::kDayOfWeek) == 1 ? 7 : get(F::kDayOfWeek) - 1;
      default:
        return get(numeric_field(letter));
    }
  }
  void number(int64_t value, int digits) { fmt::format_to(std::back_inserter(out_), "{:0{}}", value, digits); }
  int64_t get(F field) const { return fields_[static_cast<size_t>(field)]; }
  size_t index(F field) const { return static_cast<size_t>(get(field)); }

  std::array<int64_t, kCalendarFields> fields_;
  std::string& out_;
};

}  // namespace

Expected<JavaDateFormat> JavaDateFormat::create(std::string_view pattern) {
  auto tokens = tokens_of(pattern);
  if (!tokens) return fail(std::move(tokens.error()));
  JavaDateFormat format;
  format.pattern_ = pattern;
  format.tokens_ = std::move(*tokens);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto fields = calendar_fields(now.count());
  format.century_start_ = static_cast<int>(fields[static_cast<size_t>(F::kYear)]) - 80;
  const int64_t days = days_of(format.century_start_, fields[static_cast<size_t>(F::kMonth)],
                               fields[static_cast<size_t>(F::kDayOfMonth)]);
  format.century_start_ms_ = days * 86'400'000 + now.count() % 86'400'000;
  return format;
}

void JavaDateFormat::format(int64_t epoch_ms, std::string& out) const {
  Writer writer(epoch_ms, out);
  for (const Token& token : tokens_) writer.write(token);
}

std::optional<int64_t> JavaDateFormat::parse(std::string_view text) const {
  return DateReader(text, century_start_, century_start_ms_).read(tokens_);
}

}  // namespace millrace::smt
