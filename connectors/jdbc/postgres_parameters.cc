#include "connectors/jdbc/postgres_parameters.h"

#include <cctype>

namespace millrace::jdbc {
namespace {

/// Past a quoted text, name, dollar quote or comment that begins at `at`; `at` itself when none does.
size_t past_quoted(std::string_view sql, size_t at) {
  const auto until = [&](std::string_view end, size_t from) {
    const size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--")) return until("\n", at);
  if (rest.starts_with("/*")) return until("*/", at);
  if (rest.front() == '"') return until("\"", at + 1);
  if (rest.front() == '\'') {
    const bool escapes = at > 0 && (sql[at - 1] | 32) == 'e' &&
                         (at == 1 || !(std::isalnum(static_cast<unsigned char>(sql[at - 2])) || sql[at - 2] == '_'));
    for (size_t i = at + 1; i < sql.size(); ++i) {
      if (escapes && sql[i] == '\\') {
        ++i;
      } else if (sql[i] == '\'') {
        return i + 1;
      }
    }
    return sql.size();
  }
  if (rest.front() == '$') {
    size_t end = 1;
    while (end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '_')) ++end;
    const bool number = end > 1 && rest[1] >= '0' && rest[1] <= '9';
    if (!number && end < rest.size() && rest[end] == '$') return until(rest.substr(0, end + 1), at + end + 1);
  }
  return at;
}

}  // namespace

std::string numbered_parameters(std::string_view sql, size_t& count, size_t operators) {
  std::string out;
  count = 0;
  for (size_t at = 0; at < sql.size();) {
    if (const size_t end = past_quoted(sql, at); end != at) {
      out += sql.substr(at, end - at);
      at = end;
    } else if (sql.substr(at).starts_with("??")) {
      out += '?';
      at += 2;
    } else if (sql[at] == '?') {
      out += ++count > operators ? "$" + std::to_string(count - operators) : "?";
      ++at;
    } else {
      out += sql[at++];
    }
  }
  return out;
}

Result<std::string> with_own_parameters(std::string_view sql, size_t own) {
  size_t count = 0;
  std::string text = numbered_parameters(sql, count);
  if (count < own) {
    return Status(
        Code::kInvalidConfig,
        "the query hides the connector's own conditions, which are written behind it; end its last comment or "
        "quote, and a comment with a new line");
  }
  return count == own ? text : numbered_parameters(sql, count, count - own);
}

}  // namespace millrace::jdbc
