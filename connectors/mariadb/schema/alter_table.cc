#include "connectors/mariadb/schema/table_reader.h"

namespace millrace::mariadb {
namespace {

using Kind = AlterAction::Kind;

bool if_exists(DdlCursor& cursor) { return cursor.take_all({"IF", "EXISTS"}); }
bool if_not_exists(DdlCursor& cursor) { return cursor.take_all({"IF", "NOT", "EXISTS"}); }

AlterAction make(Kind kind) {
  AlterAction action;
  action.kind = kind;
  return action;
}

bool nothing(DdlCursor& cursor) {
  cursor.skip_to_element_end();
  return true;
}

bool add_column(DdlCursor& cursor, AlterTable& statement, bool exists_is_fine) {
  std::optional<std::string> name = cursor.name();
  if (!name) return false;
  AlterAction& action = statement.actions.emplace_back();
  action.kind = Kind::kAddColumn;
  action.if_not_exists = exists_is_fine;
  return read_column(cursor, std::move(*name), action.column);
}

bool read_add(DdlCursor& cursor, AlterTable& statement) {
  if (at_key(cursor)) {
    AlterAction action = make(Kind::kAddKey);
    if (!read_key(cursor, action.key)) return false;
    if (action.key.primary || action.key.unique) statement.actions.push_back(std::move(action));
    return true;
  }
  if (cursor.is("PARTITION") || (cursor.is("SYSTEM") && cursor.is("VERSIONING", 1))) return nothing(cursor);
  cursor.take("COLUMN");
  const bool exists_is_fine = if_not_exists(cursor);
  if (!cursor.take_symbol('(')) return add_column(cursor, statement, exists_is_fine);
  do {
    if (at_key(cursor)) {
      if (!read_add(cursor, statement)) return false;
    } else if (!add_column(cursor, statement, exists_is_fine)) {
      return false;
    }
  } while (cursor.take_symbol(','));
  return cursor.take_symbol(')');
}

bool read_drop(DdlCursor& cursor, AlterTable& statement) {
  if (cursor.is("PRIMARY") && cursor.is("KEY", 1)) {
    statement.actions.push_back(make(Kind::kDropPrimaryKey));
    return nothing(cursor);
  }
  const bool other = cursor.is_any({"INDEX", "KEY", "FOREIGN", "CONSTRAINT", "CHECK", "PARTITION"}) ||
                     (cursor.is("SYSTEM") && cursor.is("VERSIONING", 1)) ||
                     (cursor.is("PERIOD") && cursor.is("FOR", 1));
  if (other) return nothing(cursor);
  cursor.take("COLUMN");
  AlterAction action = make(Kind::kDropColumn);
  action.if_exists = if_exists(cursor);
  std::optional<std::string> name = cursor.name();
  if (!name) return false;
  action.name = std::move(*name);
  statement.actions.push_back(std::move(action));
  return nothing(cursor);
}

/// MODIFY a …, CHANGE a b …
bool read_modify(DdlCursor& cursor, AlterTable& statement, bool renames) {
  cursor.take("COLUMN");
  AlterAction action = make(Kind::kModifyColumn);
  action.if_exists = if_exists(cursor);
  std::optional<std::string> name = cursor.name();
  std::optional<std::string> new_name = renames ? cursor.name() : name;
  if (!name || !new_name) return false;
  action.name = std::move(*name);
  if (!read_column(cursor, std::move(*new_name), action.column)) return false;
  statement.actions.push_back(std::move(action));
  return true;
}

/// ALTER [COLUMN] a SET DEFAULT …, DROP DEFAULT
bool read_alter_default(DdlCursor& cursor, AlterTable& statement) {
  if (cursor.is_any({"INDEX", "KEY", "CONSTRAINT", "CHECK"})) return nothing(cursor);
  cursor.take("COLUMN");
  AlterAction action;
  action.if_exists = if_exists(cursor);
  std::optional<std::string> name = cursor.name();
  if (!name) return false;
  action.name = std::move(*name);
  if (cursor.take_all({"SET", "DEFAULT"})) {
    action.kind = Kind::kSetDefault;
    read_default(cursor, action.column.column);
  } else if (cursor.take_all({"DROP", "DEFAULT"})) {
    action.kind = Kind::kDropDefault;
  } else {
    return nothing(cursor);
  }
  statement.actions.push_back(std::move(action));
  return nothing(cursor);
}

bool read_rename(DdlCursor& cursor, std::string_view database, AlterTable& statement) {
  if (cursor.is_any({"INDEX", "KEY"})) return nothing(cursor);
  AlterAction action;
  if (cursor.take("COLUMN")) {
    action.kind = Kind::kRenameColumn;
    action.if_exists = if_exists(cursor);
    std::optional<std::string> from = cursor.name();
    cursor.take("TO");
    std::optional<std::string> to = cursor.name();
    if (!from || !to) return false;
    action.name = std::move(*from);
    action.new_name = std::move(*to);
  } else {
    action.kind = Kind::kRenameTable;
    if (!cursor.take_any({"TO", "AS"})) cursor.take_symbol('=');
    std::optional<TableId> to = cursor.table(database);
    if (!to) return false;
    action.table = std::move(*to);
  }
  statement.actions.push_back(std::move(action));
  return nothing(cursor);
}

/// CHARSET=…, COMMENT=… with or without commas between them, and all other options.
bool read_options(DdlCursor& cursor, AlterTable& statement) {
  AlterAction action = make(Kind::kOptions);
  while (!cursor.at_element_end())
    if (!read_table_option(cursor, action.options)) cursor.skip_item();
  const TableOptions& read = action.options;
  if (read.charset || read.comment || read.database_charset) statement.actions.push_back(std::move(action));
  return true;
}

bool read_convert(DdlCursor& cursor, AlterTable& statement) {
  if (!cursor.take("TO")) return false;  // CONVERT PARTITION … TO TABLE, CONVERT TABLE … TO PARTITION: other tables
  AlterAction action = make(Kind::kConvertCharset);
  while (!cursor.at_element_end())
    if (!read_table_option(cursor, action.options)) cursor.skip_item();
  statement.actions.push_back(std::move(action));
  return true;
}

bool read_action(DdlCursor& cursor, std::string_view database, AlterTable& statement) {
  if (cursor.take("ADD")) return read_add(cursor, statement);
  if (cursor.take("DROP")) return read_drop(cursor, statement);
  if (cursor.take("MODIFY")) return read_modify(cursor, statement, false);
  if (cursor.take("CHANGE")) return read_modify(cursor, statement, true);
  if (cursor.take("ALTER")) return read_alter_default(cursor, statement);
  if (cursor.take("RENAME")) return read_rename(cursor, database, statement);
  if (cursor.take("CONVERT")) return read_convert(cursor, statement);
  if (cursor.is_any({"PARTITION", "ORDER", "EXCHANGE", "REORGANIZE", "COALESCE", "TRUNCATE", "DISCARD", "IMPORT"}))
    return nothing(cursor);
  return read_options(cursor, statement);
}

}  // namespace

bool read_alter_actions(DdlCursor& cursor, std::string_view database, AlterTable& statement) {
  if (cursor.take("WAIT")) cursor.next();
  cursor.take("NOWAIT");
  if (cursor.at_end()) return true;
  do {
    if (!read_action(cursor, database, statement)) return false;
  } while (cursor.take_symbol(','));
  return cursor.at_end() || cursor.is_symbol(';');
}

}  // namespace millrace::mariadb
