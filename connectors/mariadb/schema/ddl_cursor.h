/// A place in the tokens of a statement, and the small readings that all statements share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/schema/ddl_lexer.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

/// "latin1" of "latin1_swedish_ci"; "" when the collation names no character set ("uca1400_ai_ci", DEFAULT).
std::string charset_of_collation(std::string_view collation);
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);

class DdlCursor {
 public:
  /// `tokens` must outlive the cursor.
  DdlCursor(std::string_view sql, const std::vector<Token>& tokens) : sql_(sql), tokens_(tokens) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& next() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool at_end() const { return peek().kind == Token::Kind::kEnd; }
  size_t place() const { return at_; }
  void go_to(size_t place) { at_ = place; }

  bool is(std::string_view keyword, size_t ahead = 0) const;  ///< a word without quotes, in any case
  bool is_any(std::initializer_list<std::string_view> keywords) const;
  bool is_symbol(char c, size_t ahead = 0) const;
  bool is_name(size_t ahead = 0) const;
  bool is_string() const;

  bool take(std::string_view keyword);
  /// All of them, one after another, or none.
  bool take_all(std::initializer_list<std::string_view> keywords);
  bool take_any(std::initializer_list<std::string_view> keywords);
  bool take_symbol(char c);

  std::optional<std::string> name();
  /// db.table, .table or table; `database` where none is written.
  std::optional<TableId> table(std::string_view database);
  /// 'text' with an optional _charset before it.
  std::optional<std::string> string();
  std::optional<int32_t> integer();

  /// The end of a list element: a comma or bracket that no open bracket holds, or the end.
  bool at_element_end() const { return at_end() || is_symbol(',') || is_symbol(')'); }
  void skip_to_element_end();
  /// ( … ) with all within; the place must be at the opening bracket.
  void skip_brackets();
  /// One token, or a whole bracket.
  void skip_item();

  std::string_view text(size_t first, size_t past_last) const;
  std::string_view rest() const { return sql_.substr(peek().begin); }

 private:
  std::string_view sql_;
  const std::vector<Token>& tokens_;
  size_t at_ = 0;
};

}  // namespace millrace::mariadb
