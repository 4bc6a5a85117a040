#include "connectors/mariadb/schema/column_reader.h"

#include "connectors/mariadb/schema/column_types.h"

namespace millrace::mariadb {
namespace {

using Family = ColumnType::Family;

/// The longest run of words that names a type: "NATIONAL CHARACTER VARYING" before "NATIONAL CHARACTER".
const ColumnType* type_words(DdlCursor& cursor, std::string& name) {
  std::string words;
  const ColumnType* found = nullptr;
  size_t taken = 0;
  for (size_t i = 0; i < 4 && cursor.peek(i).kind == Token::Kind::kWord; ++i) {
    words += (i == 0 ? "" : " ") + to_upper(cursor.peek(i).text);
    if (const ColumnType* type = find_column_type(words)) {
      found = type;
      taken = i + 1;
    }
  }
  if (found == nullptr) {  // NATIONAL and its like name nothing alone; another word is a type of a newer server
    if (cursor.peek().kind != Token::Kind::kWord) return nullptr;
    name = to_upper(cursor.next().text);
    return nullptr;
  }
  for (size_t i = 0; i < taken; ++i) cursor.next();
  name = found->name;
  return found;
}

/// (n), (n,m) or ('a','b').
bool type_arguments(DdlCursor& cursor, ColumnDefinition& column, bool labels) {
  if (!cursor.is_symbol('(')) return true;
  if (labels) {
    cursor.next();
    do {
      std::optional<std::string> label = cursor.string();
      if (!label) return false;
      column.enum_values.push_back(std::move(*label));
    } while (cursor.take_symbol(','));
    return cursor.take_symbol(')');
  }
  cursor.next();
  column.length = cursor.integer();
  if (cursor.take_symbol(',')) column.scale = cursor.integer();
  while (!cursor.at_end() && !cursor.is_symbol(')')) cursor.skip_item();  // VARCHAR2(10 CHAR)
  return cursor.take_symbol(')');
}

struct TypeWords {
  bool is_unsigned = false, zerofill = false, byte = false;
  std::string charset;
};

/// What may stand at any place among the attributes but belongs to the type.
bool type_attribute(DdlCursor& cursor, TypeWords& words) {
  if (cursor.take("UNSIGNED")) return words.is_unsigned = true;
  if (cursor.take("SIGNED")) return true;
  if (cursor.take("ZEROFILL")) return words.zerofill = words.is_unsigned = true;
  if (cursor.take("BYTE")) return words.byte = true;
  if (cursor.take("ASCII")) return words.charset = "latin1", true;
  if (cursor.take("UNICODE")) return words.charset = "ucs2", true;
  if (cursor.take_any({"CHARSET"}) || cursor.take_all({"CHARACTER", "SET"}) || cursor.take_all({"CHAR", "SET"})) {
    if (cursor.is_string() || cursor.is_name()) words.charset = to_lower(cursor.next().text);
    return true;
  }
  if (cursor.take("COLLATE")) {
    if (!cursor.is_string() && !cursor.is_name()) return true;
    const std::string charset = charset_of_collation(cursor.next().text);
    if (words.charset.empty()) words.charset = charset;
    return true;
  }
  return false;
}

void generated_column(DdlCursor& cursor) {
  if (cursor.is_symbol('(')) return cursor.skip_brackets();
  cursor.take("ROW");
  cursor.take_any({"START", "END"});
}

bool key_attribute(DdlCursor& cursor, ColumnClause& clause) {
  if (cursor.take("PRIMARY")) {
    cursor.take("KEY");
    return clause.primary = true;
  }
  if (cursor.take("UNIQUE")) {
    cursor.take("KEY");
    return clause.unique = true;
  }
  if (cursor.take("KEY")) return clause.primary = true;
  return false;
}

void serial(ColumnClause& clause) {
  clause.column.optional = false;
  clause.column.auto_incremented = clause.column.generated = true;
  clause.unique = true;
}

bool value_attribute(DdlCursor& cursor, ColumnClause& clause) {
  ColumnDefinition& column = clause.column;
  if (cursor.take_all({"NOT", "NULL"})) return column.optional = false, true;
  if (cursor.take("NULL")) return column.optional = clause.null_given = true;
  if (cursor.take_all({"SERIAL", "DEFAULT", "VALUE"})) return serial(clause), true;
  if (cursor.take("DEFAULT")) return read_default(cursor, column), true;
  if (cursor.take("AUTO_INCREMENT")) return column.auto_incremented = column.generated = true;
  if (cursor.take("COMMENT")) {
    cursor.take_symbol('=');
    if (std::optional<std::string> text = cursor.string(); text && !text->empty()) column.comment = std::move(text);
    return true;
  }
  if (cursor.take_all({"ON", "UPDATE"})) {
    cursor.next();
    if (cursor.is_symbol('(')) cursor.skip_brackets();
    return true;
  }
  if (cursor.take_all({"GENERATED", "ALWAYS", "AS"}) || cursor.take("AS")) return generated_column(cursor), true;
  return false;
}

/// WITHOUT SYSTEM VERSIONING and others whose words would be mistaken for attributes.
bool other_attribute(DdlCursor& cursor, ColumnClause& clause) {
  if (cursor.take("FIRST")) return clause.first = true;
  if (cursor.take("AFTER")) {
    clause.after = cursor.name().value_or("");
    return true;
  }
  if (cursor.take("CONSTRAINT")) {
    if (!cursor.is("CHECK")) cursor.next();
    return true;
  }
  if (cursor.take("REFERENCES")) {
    // MATCH FULL, ON DELETE SET NULL and the like end with the element.
    while (!cursor.at_element_end() && !cursor.is_any({"COMMENT", "CHECK", "DEFAULT", "AFTER", "FIRST"})) {
      if (cursor.take_all({"SET", "DEFAULT"})) continue;
      cursor.skip_item();
    }
    return true;
  }
  return cursor.take_all({"WITHOUT", "SYSTEM", "VERSIONING"}) || cursor.take_all({"WITH", "SYSTEM", "VERSIONING"});
}

void set_type(ColumnClause& clause, const ColumnType* type, const std::string& name, const TypeWords& words) {
  ColumnDefinition& column = clause.column;
  const ColumnType* known = type;
  std::string type_name = name;
  if (words.byte && type != nullptr && type->family == Family::kText) {
    // CHAR BYTE is BINARY, VARCHAR BYTE VARBINARY, TEXT BYTE BLOB.
    known = find_column_type(type->wire == 254 ? "BINARY" : type->wire == 15 ? "VARBINARY" : "BLOB");
    type_name = known->name;
  }
  if (words.is_unsigned) type_name += " UNSIGNED";
  if (words.zerofill) type_name += " ZEROFILL";
  column.type_name = column.type_expression = type_name;
  column.jdbc_type = known == nullptr ? jdbc_types::kOther : known->jdbc_type;
  if (known == nullptr) return;
  if (!column.length && known->default_length >= 0) column.length = known->default_length;
  if (!column.scale && known->default_scale >= 0) column.scale = known->default_scale;
  if (type_name == "ENUM") column.length = 1;
  if (type_name == "SET")
    column.length = column.enum_values.empty() ? 0 : static_cast<int32_t>(column.enum_values.size()) * 2 - 1;
  if (known->family == Family::kNationalText) {
    column.charset = "utf8";
  } else if (known->family == Family::kText || known->family == Family::kLabels) {
    if (words.charset.empty() || words.charset == "default")
      clause.takes_table_charset = true;
    else
      column.charset = words.charset;
  }
}

}  // namespace

void read_default(DdlCursor& cursor, ColumnDefinition& column) {
  column.has_default = true;  // with no expression: NULL, or one that only the server can work out
  column.default_expression.reset();
  const auto literal = [&](std::string text) { column.default_expression = std::move(text); };
  if (cursor.take("NULL")) return;
  if (std::optional<std::string> text = cursor.string()) return literal(std::move(*text));
  std::string sign;
  while (cursor.is_symbol('-') || cursor.is_symbol('+')) {
    if (cursor.next().text == "-") sign = sign.empty() ? "-" : "";
  }
  const Token& token = cursor.peek();
  switch (token.kind) {
    case Token::Kind::kNumber:
    case Token::Kind::kBits:
    case Token::Kind::kHex:
      return literal(sign + cursor.next().text);
    default:
      break;
  }
  if (cursor.is_any({"TRUE", "FALSE"})) return literal(cursor.next().text);
  if (cursor.is_symbol('(')) return cursor.skip_brackets();
  const size_t begin = cursor.place();
  const bool now = cursor.is_any({"CURRENT_TIMESTAMP", "NOW"});
  const bool clock = cursor.is_any({"CURDATE", "CURTIME", "LOCALTIME", "LOCALTIMESTAMP"});
  if (cursor.take_all({"NEXT", "VALUE", "FOR"})) {
    cursor.table("");
    return;
  }
  if (cursor.at_element_end()) return;
  cursor.next();
  while (cursor.take_symbol('.')) cursor.next();  // a function of another database
  if (cursor.is_symbol('(')) cursor.skip_brackets();
  if (now) literal("1970-01-01 00:00:00");  // what Debezium writes for it
  if (clock) literal(std::string(cursor.text(begin, cursor.place())));
}

bool read_column(DdlCursor& cursor, std::string name, ColumnClause& clause) {
  ColumnDefinition& column = clause.column;
  column.name = std::move(name);
  std::string type_name;
  const ColumnType* type = nullptr;
  TypeWords words;
  const bool is_serial = cursor.is("SERIAL") && !cursor.is("DEFAULT", 1);
  if (is_serial) {  // BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE
    cursor.next();
    type = find_column_type("BIGINT");
    type_name = "BIGINT";
    words.is_unsigned = true;
    serial(clause);
  } else {
    type = type_words(cursor, type_name);
    if (type_name.empty()) return false;
    if (!type_arguments(cursor, column, type != nullptr && type->family == Family::kLabels)) return false;
  }
  while (!cursor.at_element_end()) {
    if (type_attribute(cursor, words) || value_attribute(cursor, clause) || key_attribute(cursor, clause) ||
        other_attribute(cursor, clause))
      continue;
    cursor.skip_item();
  }
  set_type(clause, type, type_name, words);
  if (clause.primary) column.optional = false;
  if (column.optional && !column.default_expression) column.has_default = true;
  return true;
}

}  // namespace millrace::mariadb
