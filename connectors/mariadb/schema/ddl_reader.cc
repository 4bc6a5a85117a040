#include <algorithm>

#include "connectors/mariadb/schema/ddl_statement.h"
#include "connectors/mariadb/schema/table_reader.h"

namespace millrace::mariadb {
namespace {

class DdlReader {
 public:
  DdlReader(std::string_view database, std::string_view sql, const std::vector<Token>& tokens)
      : database_(database), cursor_(sql, tokens) {}

  Statement read() {
    skip_set_statement();
    if (cursor_.take("CREATE")) return create();
    if (cursor_.take("ALTER")) return alter();
    if (cursor_.take("DROP")) return drop();
    if (cursor_.is("RENAME") && (cursor_.is("TABLE", 1) || cursor_.is("TABLES", 1))) return rename();
    if (cursor_.take("TRUNCATE")) return truncate();
    if (cursor_.take("SET")) return set();
    if (cursor_.take("USE")) return UseStatement{cursor_.name().value_or("")};
    if (cursor_.is_any({"INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD"})) return rows();
    return IgnoredStatement{};
  }

 private:
  /// SET STATEMENT max_statement_time=1 FOR ALTER TABLE …
  void skip_set_statement() {
    if (!cursor_.is("SET") || !cursor_.is("STATEMENT", 1)) return;
    while (!cursor_.at_end() && !cursor_.take("FOR")) cursor_.skip_item();
  }

  Statement unread(std::vector<TableId> ids) { return UnreadStatement{std::move(ids), cursor_.peek().begin}; }

  Statement create() {
    const bool or_replace = cursor_.take_all({"OR", "REPLACE"});
    if (cursor_.is_any({"DEFINER", "AGGREGATE", "ALGORITHM", "SQL"})) return definer();
    if (cursor_.take("TEMPORARY")) return IgnoredStatement{};
    if (cursor_.take("TABLE")) return create_table(or_replace);
    if (cursor_.take_any({"DATABASE", "SCHEMA"})) return database(DatabaseStatement::Kind::kCreate, or_replace);
    if (cursor_.is_any({"ONLINE", "OFFLINE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "INDEX"})) return index();
    return other_object();
  }

  /// CREATE DEFINER=… EVENT is recorded, routines, views and triggers are not.
  Statement definer() {
    while (!cursor_.at_end() && !cursor_.is_any({"EVENT", "VIEW", "TRIGGER", "FUNCTION", "PROCEDURE", "PACKAGE"}))
      cursor_.next();
    return other_object();
  }

  Statement other_object() {
    if (cursor_.is_any({"SEQUENCE", "EVENT", "TABLESPACE", "LOGFILE"})) return OtherStatement{};
    return IgnoredStatement{};
  }

  Statement create_table(bool or_replace) {
    CreateTable statement;
    statement.or_replace = or_replace;
    statement.if_not_exists = cursor_.take_all({"IF", "NOT", "EXISTS"});
    std::optional<TableId> id = cursor_.table(database_);
    if (!id) return unread({});
    statement.id = std::move(*id);
    if (!read_create_table(cursor_, database_, statement)) return unread({statement.id});
    return statement;
  }

  Statement alter() {
    cursor_.take("ONLINE");
    cursor_.take("IGNORE");
    if (cursor_.take_any({"DATABASE", "SCHEMA"})) return database(DatabaseStatement::Kind::kAlter, false);
    if (cursor_.is("DEFINER")) return definer();
    if (!cursor_.take("TABLE")) return other_object();
    AlterTable statement;
    statement.if_exists = cursor_.take_all({"IF", "EXISTS"});
    std::optional<TableId> id = cursor_.table(database_);
    if (!id) return unread({});
    statement.id = std::move(*id);
    if (!read_alter_actions(cursor_, database_, statement)) return unread(named_by(statement));
    return statement;
  }

  static std::vector<TableId> named_by(const AlterTable& statement) {
    std::vector<TableId> ids = {statement.id};
    for (const AlterAction& action : statement.actions)
      if (action.kind == AlterAction::Kind::kRenameTable) ids.push_back(action.table);
    return ids;
  }

  Statement drop() {
    if (cursor_.take("TEMPORARY")) return IgnoredStatement{};
    if (cursor_.take_any({"DATABASE", "SCHEMA"})) return database(DatabaseStatement::Kind::kDrop, false);
    if (cursor_.is("INDEX")) return index();
    if (!cursor_.take_any({"TABLE", "TABLES"})) return other_object();
    DropTable statement;
    statement.if_exists = cursor_.take_all({"IF", "EXISTS"});
    do {
      std::optional<TableId> id = cursor_.table(database_);
      if (!id) return unread(std::move(statement.ids));
      statement.ids.push_back(std::move(*id));
    } while (cursor_.take_symbol(','));
    return statement;
  }

  Statement rename() {
    cursor_.next();
    cursor_.next();
    RenameTable statement;
    statement.if_exists = cursor_.take_all({"IF", "EXISTS"});
    do {
      RenameTable::Pair pair;
      const size_t from_place = cursor_.place();
      std::optional<TableId> from = cursor_.table(database_);
      if (!from) return unread(named_by(statement));
      pair.from = std::move(*from);
      pair.from_text = cursor_.text(from_place, cursor_.place());
      if (cursor_.take("WAIT")) cursor_.next();
      cursor_.take("NOWAIT");
      cursor_.take("TO");
      const size_t to_place = cursor_.place();
      std::optional<TableId> to = cursor_.table(database_);
      if (!to) return unread(named_by(statement));
      pair.to = std::move(*to);
      pair.to_text = cursor_.text(to_place, cursor_.place());
      statement.pairs.push_back(std::move(pair));
    } while (cursor_.take_symbol(','));
    return statement;
  }

  static std::vector<TableId> named_by(const RenameTable& statement) {
    std::vector<TableId> ids;
    for (const RenameTable::Pair& pair : statement.pairs) {
      ids.push_back(pair.from);
      ids.push_back(pair.to);
    }
    return ids;
  }

  Statement truncate() {
    cursor_.take("TABLE");
    std::optional<TableId> id = cursor_.table(database_);
    if (!id) return unread({});
    return TruncateTable{std::move(*id)};
  }

  Statement database(DatabaseStatement::Kind kind, bool or_replace) {
    DatabaseStatement statement;
    statement.kind = kind;
    statement.name = database_;
    statement.or_replace = or_replace;
    statement.if_not_exists = cursor_.take_all({"IF", "NOT", "EXISTS"});
    cursor_.take_all({"IF", "EXISTS"});
    const bool option = cursor_.is_any({"DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT"});  // ALTER DATABASE
    if (cursor_.is_name() && !option) statement.name = cursor_.next().text;
    TableOptions options;
    while (!cursor_.at_end())
      if (!read_table_option(cursor_, options)) cursor_.skip_item();
    statement.charset = options.charset;
    return statement;
  }

  /// CREATE INDEX, DROP INDEX
  Statement index() {
    IndexStatement statement;
    statement.key.unique = cursor_.is("UNIQUE");
    while (!cursor_.at_end() && !cursor_.take("ON")) cursor_.skip_item();
    std::optional<TableId> id = cursor_.table(database_);
    if (!id) return unread({});
    statement.id = std::move(*id);
    if (statement.key.unique) {
      while (!cursor_.at_end() && !cursor_.is_symbol('(')) cursor_.next();
      if (!read_key_columns(cursor_, statement.key.columns)) return unread({statement.id});
    }
    return statement;
  }

  Statement set() {
    if (cursor_.is_any({"PASSWORD", "ROLE"}) || (cursor_.is("DEFAULT") && cursor_.is("ROLE", 1)))
      return IgnoredStatement{};
    SetStatement statement;
    do {
      cursor_.take_any({"GLOBAL", "SESSION", "LOCAL"});
      if (cursor_.take("character_set_server") && cursor_.take_symbol('='))
        if (cursor_.is_name() || cursor_.is_string()) statement.server_charset = to_lower(cursor_.next().text);
      while (!cursor_.at_end() && !cursor_.is_symbol(',')) cursor_.skip_item();
    } while (cursor_.take_symbol(','));
    return statement;
  }

  /// The table after INTO, FROM or UPDATE; of a statement on several, the first.
  Statement rows() {
    RowStatement statement;
    const bool update = cursor_.is("UPDATE");
    cursor_.next();
    if (!update)
      while (!cursor_.at_end() && !cursor_.is_any({"INTO", "FROM"})) cursor_.skip_item();
    cursor_.take_any({"INTO", "FROM"});
    cursor_.take("TABLE");  // LOAD DATA … INTO TABLE
    while (cursor_.take_any({"LOW_PRIORITY", "IGNORE"})) {
    }
    if (std::optional<TableId> id = cursor_.table(database_)) statement.ids.push_back(std::move(*id));
    return statement;
  }

  std::string_view database_;
  DdlCursor cursor_;
};

}  // namespace

Statement read_statement(std::string_view database, std::string_view sql) {
  const std::vector<Token> tokens = tokenize(sql);
  return DdlReader(database, sql, tokens).read();
}

}  // namespace millrace::mariadb
