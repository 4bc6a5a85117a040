#include "connectors/mariadb/schema/schema_registry.h"

#include <algorithm>

#include "connectors/mariadb/schema/ddl_lexer.h"
#include "connectors/mariadb/schema/registry_state.h"
#include "connectors/mariadb/schema/table_edit.h"

namespace millrace::mariadb {
namespace {

std::string_view trimmed(std::string_view sql) {
  while (!sql.empty() && static_cast<unsigned char>(sql.back()) <= ' ') sql.remove_suffix(1);
  while (!sql.empty() && static_cast<unsigned char>(sql.front()) <= ' ') sql.remove_prefix(1);
  return sql;
}

/// Without the comments before and after it, as Debezium's parser gives a statement's text; what is in it stays.
std::string_view without_outer_comments(std::string_view sql) {
  const std::vector<Token> tokens = tokenize(sql);
  if (tokens.size() < 2) return sql;
  const size_t begin = tokens.front().begin, end = tokens[tokens.size() - 2].end;
  const std::string_view before = sql.substr(0, begin), after = trimmed(sql.substr(end));
  const auto is_comment = [](std::string_view text) {
    return text.starts_with("/*") || text.starts_with("--") || text.starts_with("#");
  };
  if (is_comment(after)) sql = sql.substr(0, end);
  const bool executable = before.find("/*!") != before.npos || before.find("/*M!") != before.npos;
  if (is_comment(before) && !executable) sql = sql.substr(begin);
  return sql;
}

}  // namespace

struct SchemaRegistry::Impl : RegistryState {};

SchemaRegistry::SchemaRegistry() : impl_(std::make_unique<Impl>()) {}
SchemaRegistry::~SchemaRegistry() = default;

DdlResult SchemaRegistry::apply(std::string_view database, std::string_view sql) {
  return apply_statement(*impl_, database, without_outer_comments(trimmed(sql)));
}

Result<TableDefinition> SchemaRegistry::apply_create(const TableId& id, std::string_view create_table) {
  const Statement statement = read_statement(id.database, create_table);
  const auto* create = std::get_if<CreateTable>(&statement);
  if (create == nullptr || create->like) {
    const auto* unread = std::get_if<UnreadStatement>(&statement);
    const size_t place = unread == nullptr ? 0 : unread->place;
    return Status(Code::kBadRecord, "The definition of table " + id.full() + " could not be read at byte " +
                                        std::to_string(place) + ": " +
                                        std::string(create_table.substr(std::min(place, create_table.size()), 60)));
  }
  TableDefinition table = make_table(*create, impl_->charset(id.database));
  table.id = id;
  impl_->put(table);
  return table;
}

void SchemaRegistry::put(TableDefinition table) { impl_->put(std::move(table)); }
void SchemaRegistry::remove(const TableId& id) { impl_->tables.erase(impl_->key(id)); }
const TableDefinition* SchemaRegistry::find(const TableId& id) const { return impl_->find(id); }

std::vector<TableId> SchemaRegistry::tables() const {
  std::vector<TableId> ids;
  for (const auto& [key, table] : impl_->tables) ids.push_back(table.id);
  return ids;
}

void SchemaRegistry::set_server_charset(std::string charset) { impl_->server_charset = std::move(charset); }
void SchemaRegistry::forget_charsets() {
  impl_->server_charset.clear();
  impl_->charsets.clear();
}
void SchemaRegistry::set_database_charset(const std::string& database, std::string charset) {
  impl_->charsets.insert_or_assign(impl_->fold(database), std::move(charset));
}
std::string SchemaRegistry::database_charset(const std::string& database) const { return impl_->charset(database); }
void SchemaRegistry::set_case_insensitive(bool yes) { impl_->case_insensitive = yes; }

}  // namespace millrace::mariadb
