#include "connectors/mariadb/schema/ddl_cursor.h"

#include <algorithm>
#include <charconv>

namespace millrace::mariadb {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

constexpr std::string_view kCharsets[] = {
    "armscii8", "ascii", "big5",    "binary",  "cp1250", "cp1251", "cp1256",  "cp1257",   "cp850",  "cp852", "cp866",
    "cp932",    "dec8",  "eucjpms", "euckr",   "gb2312", "gbk",    "geostd8", "greek",    "hebrew", "hp8",   "keybcs2",
    "koi8r",    "koi8u", "latin1",  "latin2",  "latin5", "latin7", "macce",   "macroman", "sjis",   "swe7",  "tis620",
    "ucs2",     "ujis",  "utf16",   "utf16le", "utf32",  "utf8",   "utf8mb3", "utf8mb4"};

}  // namespace

std::string charset_of_collation(std::string_view collation) {
  const std::string name = to_lower(collation.substr(0, collation.find('_')));
  return std::find(std::begin(kCharsets), std::end(kCharsets), name) != std::end(kCharsets) ? name : "";
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool DdlCursor::is(std::string_view keyword, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == Token::Kind::kWord && same_word(token.text, keyword);
}

bool DdlCursor::is_any(std::initializer_list<std::string_view> keywords) const {
  return std::any_of(keywords.begin(), keywords.end(), [this](std::string_view word) { return is(word); });
}

bool DdlCursor::is_symbol(char c, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == Token::Kind::kSymbol && token.text[0] == c;
}

bool DdlCursor::is_name(size_t ahead) const {
  const Token::Kind kind = peek(ahead).kind;
  return kind == Token::Kind::kWord || kind == Token::Kind::kName || kind == Token::Kind::kDoubleQuoted;
}

bool DdlCursor::is_string() const {
  return peek().kind == Token::Kind::kString || peek().kind == Token::Kind::kDoubleQuoted;
}

bool DdlCursor::take(std::string_view keyword) {
  if (!is(keyword)) return false;
  next();
  return true;
}

bool DdlCursor::take_all(std::initializer_list<std::string_view> keywords) {
  size_t ahead = 0;
  for (const std::string_view keyword : keywords)
    if (!is(keyword, ahead++)) return false;
  for (size_t i = 0; i < ahead; ++i) next();
  return true;
}

bool DdlCursor::take_any(std::initializer_list<std::string_view> keywords) {
  if (!is_any(keywords)) return false;
  next();
  return true;
}

bool DdlCursor::take_symbol(char c) {
  if (!is_symbol(c)) return false;
  next();
  return true;
}

std::optional<std::string> DdlCursor::name() {
  if (!is_name()) return std::nullopt;
  return next().text;
}

std::optional<TableId> DdlCursor::table(std::string_view database) {
  const bool leading_dot = take_symbol('.');
  std::optional<std::string> first = name();
  if (!first) return std::nullopt;
  if (leading_dot || !is_symbol('.')) return TableId{std::string(database), std::move(*first)};
  next();
  std::optional<std::string> second = name();
  if (!second) return std::nullopt;
  return TableId{std::move(*first), std::move(*second)};
}

std::optional<std::string> DdlCursor::string() {
  if (peek().kind == Token::Kind::kWord && peek().text.starts_with('_') &&
      (peek(1).kind == Token::Kind::kString || peek(1).kind == Token::Kind::kDoubleQuoted))
    next();
  if (!is_string()) return std::nullopt;
  return next().text;
}

std::optional<int32_t> DdlCursor::integer() {
  if (peek().kind != Token::Kind::kNumber) return std::nullopt;
  const std::string& text = next().text;
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void DdlCursor::skip_brackets() {
  size_t depth = 0;
  while (!at_end()) {
    if (is_symbol('(')) ++depth;
    if (is_symbol(')')) --depth;
    next();
    if (depth == 0) return;
  }
}

void DdlCursor::skip_item() {
  if (is_symbol('('))
    skip_brackets();
  else
    next();
}

void DdlCursor::skip_to_element_end() {
  while (!at_element_end()) skip_item();
}

std::string_view DdlCursor::text(size_t first, size_t past_last) const {
  if (first >= past_last) return {};
  const size_t begin = tokens_[first].begin, end = tokens_[past_last - 1].end;
  return sql_.substr(begin, end - begin);
}

}  // namespace millrace::mariadb
