#include "connectors/mariadb/schema/ddl_lexer.h"

#include <charconv>
#include <cstdint>

namespace millrace::mariadb {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  int pending = digits.size() % 2 == 1 ? 0 : -1;
  for (const char c : digits) {
    const int digit = hex_digit(c);
    if (digit < 0) break;
    if (pending < 0) {
      pending = digit;
    } else {
      bytes += static_cast<char>(pending << 4 | digit);
      pending = -1;
    }
  }
  return bytes;
}

/// Whether MariaDB runs what stands in an executable comment: /*!50700 … to /*!99999 … are MySQL's own.
bool runs_in_mariadb(std::string_view version, bool mariadb_only) {
  uint32_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return mariadb_only || number < 50700 || number > 99999;
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<Token> run() {
    while (skip_blanks(), at_ < sql_.size()) next();
    tokens_.push_back({Token::Kind::kEnd, "", sql_.size(), sql_.size()});
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void skip_blanks() {
    while (at_ < sql_.size()) {
      if (is_space(peek())) {
        ++at_;
      } else if (peek() == '#' || (peek() == '-' && peek(1) == '-' && (at_ + 2 >= sql_.size() || is_space(peek(2))))) {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        comment();
      } else if (executable_ > 0 && peek() == '*' && peek(1) == '/') {
        at_ += 2;
        --executable_;
      } else {
        return;
      }
    }
  }

  void comment() {
    const bool mariadb_only = peek(2) == 'M' && peek(3) == '!';
    if (mariadb_only || peek(2) == '!') {
      size_t begin = at_ + (mariadb_only ? 4 : 3), end = begin;
      while (end < sql_.size() && end < begin + 6 && is_digit(sql_[end])) ++end;
      if (end - begin < 5) end = begin;  // a version has five or six digits
      if (runs_in_mariadb(sql_.substr(begin, end - begin), mariadb_only)) {
        at_ = end;
        ++executable_;
        return;
      }
    }
    const size_t close = sql_.find("*/", at_ + 2);
    at_ = close == std::string_view::npos ? sql_.size() : close + 2;
  }

  void push(Token::Kind kind, std::string text, size_t begin) {
    tokens_.push_back({kind, std::move(text), begin, at_});
  }

  /// The inside of a quoted text that begins here; leaves the place behind its end.
  std::string_view quoted() {
    const char quote = peek();
    const size_t begin = ++at_;
    while (at_ < sql_.size()) {
      if (peek() == '\\' && quote != '`') {
        at_ = std::min(at_ + 2, sql_.size());
      } else if (peek() != quote) {
        ++at_;
      } else if (peek(1) == quote) {
        at_ += 2;
      } else {
        return sql_.substr(begin, at_++ - begin);
      }
    }
    return sql_.substr(begin);
  }

  void string_token(size_t begin) {
    const std::string text = unescape_literal(quoted(), '\'');
    if (!tokens_.empty() && tokens_.back().kind == Token::Kind::kString) {
      tokens_.back().text += text;  // 'a' 'b' is one literal
      tokens_.back().end = at_;
    } else {
      push(Token::Kind::kString, text, begin);
    }
  }

  void number() {
    const size_t begin = at_;
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && is_digit(peek(1)))
      for (++at_; is_digit(peek());) ++at_;
    else if (peek() == '.' && begin < at_ && !is_word(peek(1)))
      ++at_;
    if ((peek() | 0x20) == 'e' && (is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2)))))
      for (at_ += 2; is_digit(peek());) ++at_;
    if (is_word(peek())) {  // names may begin with digits: 2nd_table
      while (at_ < sql_.size() && is_word(peek())) ++at_;
      return push(Token::Kind::kWord, std::string(sql_.substr(begin, at_ - begin)), begin);
    }
    push(Token::Kind::kNumber, std::string(sql_.substr(begin, at_ - begin)), begin);
  }

  /// x'…', b'…', n'…', 0x…, 0b…; false when it is something else.
  bool prefixed(size_t begin) {
    const char letter = static_cast<char>(peek() | 0x20);
    if ((letter == 'x' || letter == 'b' || letter == 'n') && peek(1) == '\'') {
      ++at_;
      if (letter == 'n') return string_token(begin), true;
      const std::string_view inside = quoted();
      push(letter == 'x' ? Token::Kind::kHex : Token::Kind::kBits,
           letter == 'x' ? from_hex(inside) : std::string(inside), begin);
      return true;
    }
    if (peek() != '0' || (peek(1) != 'x' && peek(1) != 'b')) return false;
    size_t end = at_ + 2;
    const bool hex = peek(1) == 'x';
    while (end < sql_.size() && (hex ? hex_digit(sql_[end]) >= 0 : sql_[end] == '0' || sql_[end] == '1')) ++end;
    if (end == at_ + 2 || (end < sql_.size() && is_word(sql_[end]))) return false;
    const std::string_view digits = sql_.substr(at_ + 2, end - at_ - 2);
    at_ = end;
    push(hex ? Token::Kind::kHex : Token::Kind::kBits, hex ? from_hex(digits) : std::string(digits), begin);
    return true;
  }

  void next() {
    const size_t begin = at_;
    const char c = peek();
    if (c == '\'') return string_token(begin);
    if (c == '"') {
      std::string text = unescape_literal(quoted(), '"');
      return push(Token::Kind::kDoubleQuoted, std::move(text), begin);
    }
    if (c == '`') {
      std::string text;
      const std::string_view inside = quoted();
      for (size_t i = 0; i < inside.size(); ++i) {
        text += inside[i];
        if (inside[i] == '`') ++i;
      }
      return push(Token::Kind::kName, std::move(text), begin);
    }
    if (prefixed(begin)) return;
    const bool after_dot =
        !tokens_.empty() && tokens_.back().kind == Token::Kind::kSymbol && tokens_.back().text == ".";
    if ((is_digit(c) && !after_dot) || (c == '.' && is_digit(peek(1)) && !after_name())) return number();
    if (is_word(c)) {
      while (at_ < sql_.size() && is_word(peek())) ++at_;
      return push(Token::Kind::kWord, std::string(sql_.substr(begin, at_ - begin)), begin);
    }
    ++at_;
    push(Token::Kind::kSymbol, std::string(1, c), begin);
  }

  bool after_name() const {
    return !tokens_.empty() && (tokens_.back().kind == Token::Kind::kWord || tokens_.back().kind == Token::Kind::kName);
  }

  std::string_view sql_;
  size_t at_ = 0;
  size_t executable_ = 0;  ///< executable comments that are open
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view sql) { return Lexer(sql).run(); }

std::string unescape_literal(std::string_view inside, char quote) {
  std::string text;
  text.reserve(inside.size());
  for (size_t i = 0; i < inside.size(); ++i) {
    const char c = inside[i];
    if (c == quote && i + 1 < inside.size() && inside[i + 1] == quote) {
      ++i;
    } else if (c == '\\' && i + 1 < inside.size()) {
      switch (const char escaped = inside[++i]) {
        case '0':
          text += '\0';
          break;
        case 'b':
          text += '\b';
          break;
        case 'n':
          text += '\n';
          break;
        case 'r':
          text += '\r';
          break;
        case 't':
          text += '\t';
          break;
        case 'Z':
          text += '\x1a';
          break;
        case '%':
        case '_':
          text += '\\';
          [[fallthrough]];  // only LIKE takes these apart
        default:
          text += escaped;
      }
      continue;
    }
    text += c;
  }
  return text;
}

std::string escape_literal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\0':
        out += "\\0";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\'':
        out += "''";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace millrace::mariadb
