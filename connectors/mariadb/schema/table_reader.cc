#include "connectors/mariadb/schema/table_reader.h"

namespace millrace::mariadb {

bool at_key(const DdlCursor& cursor) {
  if (cursor.is_any({"PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"}))
    return true;
  if (cursor.is("VECTOR") && (cursor.is("INDEX", 1) || cursor.is("KEY", 1))) return true;
  return cursor.is("PERIOD") && cursor.is("FOR", 1);
}

bool read_key_columns(DdlCursor& cursor, std::vector<std::string>& columns) {
  if (!cursor.take_symbol('(')) return false;
  do {
    std::optional<std::string> column = cursor.name();
    bool period = false;
    while (!cursor.at_element_end()) {
      period = period || cursor.is("WITHOUT");  // p WITHOUT OVERLAPS names a period
      cursor.skip_item();
    }
    if (column && !period) columns.push_back(std::move(*column));
  } while (cursor.take_symbol(','));
  return cursor.take_symbol(')');
}

bool read_key(DdlCursor& cursor, KeyClause& key) {
  if (cursor.take("CONSTRAINT") && !cursor.is_any({"PRIMARY", "UNIQUE", "FOREIGN", "CHECK"})) cursor.next();
  key.primary = cursor.take_all({"PRIMARY", "KEY"});
  key.unique = !key.primary && cursor.take("UNIQUE");
  if (key.primary || key.unique) {
    while (!cursor.at_element_end() && !cursor.is_symbol('(')) cursor.next();  // KEY, IF NOT EXISTS, name, USING
    if (!read_key_columns(cursor, key.columns)) return false;
  }
  cursor.skip_to_element_end();
  return true;
}

namespace {

bool charset_word(DdlCursor& cursor, bool collation, TableOptions& options) {
  cursor.take_symbol('=');
  if (!cursor.is_name() && !cursor.is_string()) return false;
  std::string charset = collation ? charset_of_collation(cursor.next().text) : to_lower(cursor.next().text);
  if (!collation && charset == "default")
    options.database_charset = true;
  else if (!charset.empty() && charset != "default")
    options.charset = std::move(charset);
  return true;
}

}  // namespace

bool read_table_option(DdlCursor& cursor, TableOptions& options) {
  const size_t start = cursor.place();
  cursor.take("DEFAULT");
  if (cursor.take("CHARSET") || cursor.take_all({"CHARACTER", "SET"}) || cursor.take_all({"CHAR", "SET"})) {
    if (charset_word(cursor, false, options)) return true;
  } else if (cursor.take("COLLATE")) {
    if (charset_word(cursor, true, options)) return true;
  } else if (cursor.take("COMMENT")) {
    cursor.take_symbol('=');
    if (std::optional<std::string> text = cursor.string()) {
      options.comment = std::move(text);
      return true;
    }
  }
  cursor.go_to(start);
  return false;
}

namespace {

bool read_elements(DdlCursor& cursor, CreateTable& statement) {
  do {
    if (at_key(cursor)) {
      KeyClause key;
      if (!read_key(cursor, key)) return false;
      if (key.primary || key.unique) statement.keys.push_back(std::move(key));
      continue;
    }
    std::optional<std::string> name = cursor.name();
    if (!name) return false;
    if (!read_column(cursor, std::move(*name), statement.columns.emplace_back())) return false;
  } while (cursor.take_symbol(','));
  return cursor.take_symbol(')');
}

/// What follows the columns. Partitions and a SELECT end it: nothing behind them matters.
void read_options(DdlCursor& cursor, TableOptions& options) {
  while (!cursor.at_end() && !cursor.is_any({"PARTITION", "SELECT", "AS", "IGNORE", "REPLACE"}))
    if (!read_table_option(cursor, options)) cursor.skip_item();
}

}  // namespace

bool read_create_table(DdlCursor& cursor, std::string_view database, CreateTable& statement) {
  const bool bracket = cursor.is_symbol('(');
  if (cursor.is("LIKE", bracket ? 1 : 0)) {
    if (bracket) cursor.next();
    cursor.next();
    statement.like = cursor.table(database);
    return statement.like.has_value();
  }
  if (!bracket || cursor.is("SELECT", 1)) return false;  // CREATE TABLE … SELECT: columns nobody wrote down
  cursor.next();
  if (!read_elements(cursor, statement)) return false;
  read_options(cursor, statement.options);
  return true;
}

}  // namespace millrace::mariadb
