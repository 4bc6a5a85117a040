/// Splits MariaDB SQL into tokens. Comments are left out, what stands in executable comments (/*!50100 …*/, /*M! …*/)
/// is read as if it stood outside. Any bytes are accepted: what is not closed ends at the end of the text. Source:
/// MariaDB Knowledge Base, "Comment Syntax", "String Literals", "Identifier Names".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::mariadb {

struct Token {
  enum class Kind {
    kWord,          ///< a keyword or a name without quotes
    kName,          ///< `name`
    kDoubleQuoted,  ///< "text": a string, with ANSI_QUOTES a name; the place in the statement decides
    kString,        ///< 'text', N'text', 'a' 'b' joined
    kBits,          ///< b'101', 0b101: the digits
    kHex,           ///< x'4142', 0x4142: the bytes
    kNumber,        ///< 1, 1.5, 1e3; without sign
    kSymbol,        ///< one character
    kEnd,
  } kind = Kind::kEnd;
  std::string text;           ///< unquoted and unescaped
  size_t begin = 0, end = 0;  ///< the bytes of the statement it came from
};

/// The last token is of kind kEnd.
std::vector<Token> tokenize(std::string_view sql);

/// What stands between the quotes of a literal, without escapes: '' and \' become '.
std::string unescape_literal(std::string_view inside, char quote);
/// As SHOW CREATE TABLE writes the inside of a literal: ' doubled, \ doubled, NUL, line ends as \0 \n \r.
std::string escape_literal(std::string_view text);

}  // namespace millrace::mariadb
