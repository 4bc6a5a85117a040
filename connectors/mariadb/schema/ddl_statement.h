/// What a DDL statement says, before it meets the tables it is about.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "connectors/mariadb/schema/column_reader.h"
#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

struct KeyClause {
  bool primary = false, unique = false;
  std::vector<std::string> columns;
};

struct TableOptions {
  std::optional<std::string> charset, comment;
  bool database_charset = false;  ///< CHARACTER SET DEFAULT; `charset` goes before it
};

struct CreateTable {
  TableId id;
  bool or_replace = false, if_not_exists = false;
  std::optional<TableId> like;
  std::vector<ColumnClause> columns;
  std::vector<KeyClause> keys;
  TableOptions options;
};

struct AlterAction {
  enum class Kind {
    kAddColumn,     ///< column
    kModifyColumn,  ///< name, column (whose name is the new one)
    kRenameColumn,  ///< name, new_name
    kDropColumn,    ///< name
    kSetDefault,    ///< name, and the default in column
    kDropDefault,   ///< name
    kAddKey,        ///< key
    kDropPrimaryKey,
    kConvertCharset,  ///< options.charset
    kOptions,         ///< options
    kRenameTable,     ///< table
    kNothing,         ///< indexes, partitions, engines: nothing a table definition holds
  } kind = Kind::kNothing;
  std::string name, new_name;
  bool if_exists = false, if_not_exists = false;
  ColumnClause column;
  KeyClause key;
  TableOptions options;
  TableId table;
};

struct AlterTable {
  TableId id;
  bool if_exists = false;
  std::vector<AlterAction> actions;
};

struct RenameTable {
  struct Pair {
    TableId from, to;
    std::string from_text, to_text;  ///< as written
  };
  bool if_exists = false;
  std::vector<Pair> pairs;
};

struct DropTable {
  std::vector<TableId> ids;
  bool if_exists = false;
};

struct TruncateTable {
  TableId id;
};

struct DatabaseStatement {
  enum class Kind { kCreate, kAlter, kDrop } kind = Kind::kCreate;
  std::string name;
  std::optional<std::string> charset;
  bool or_replace = false, if_not_exists = false;
};

struct IndexStatement {
  TableId id;
  KeyClause key;  ///< unique and columns of CREATE UNIQUE INDEX
};

struct SetStatement {
  std::optional<std::string> server_charset;
};

struct UseStatement {
  std::string database;
};

struct RowStatement {
  std::vector<TableId> ids;
};

struct IgnoredStatement {};
struct OtherStatement {};

/// DDL of a table that could not be read.
struct UnreadStatement {
  std::vector<TableId> ids;
  size_t place = 0;  ///< byte where reading stopped
};

using Statement =
    std::variant<IgnoredStatement, OtherStatement, CreateTable, AlterTable, RenameTable, DropTable, TruncateTable,
                 DatabaseStatement, IndexStatement, SetStatement, UseStatement, RowStatement, UnreadStatement>;

/// Never fails; `database` is the one names without a database belong to.
Statement read_statement(std::string_view database, std::string_view sql);

}  // namespace millrace::mariadb
