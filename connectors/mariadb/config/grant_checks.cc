#include <algorithm>
#include <set>

#include "connectors/mariadb/config/server_check_parts.h"

namespace millrace::mariadb {
namespace {

/// What SHOW GRANTS says.
struct Grants {
  std::set<std::string> global;    ///< on *.*
  std::set<std::string> readable;  ///< objects other than *.* with SELECT or ALL PRIVILEGES
  bool all = false;                ///< ALL PRIVILEGES on *.*

  bool has(std::string_view privilege) const { return all || global.contains(std::string(privilege)); }
};

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' '; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  while (!text.empty() && blank(text.back())) text.pop_back();
  return text;
}

/// One line: GRANT A, B (c, d) ON object TO user …; lines that grant roles have no ON.
void read_grant(const std::string& line, Grants& grants) {
  const size_t on = line.find(" ON "), to = line.find(" TO ", on == std::string::npos ? 0 : on);
  if (!line.starts_with("GRANT ") || on == std::string::npos || to == std::string::npos) return;
  const std::string object = trimmed(line.substr(on + 4, to - on - 4));
  int depth = 0;
  std::string privilege;
  for (size_t i = 6; i <= on; ++i) {
    const char c = i == on ? ',' : line[i];
    if (c == '(') ++depth;
    if (c == ',' && depth == 0) {
      privilege = trimmed(privilege);
      const bool everything = privilege == "ALL PRIVILEGES" || privilege == "ALL";
      if (object == "*.*") {
        grants.all = grants.all || everything;
        grants.global.insert(privilege);
      } else if (everything || privilege == "SELECT") {
        grants.readable.insert(object);
      }
      privilege.clear();
    } else if (depth == 0) {
      privilege += c;
    }
    if (c == ')') --depth;
  }
}

Grants read_grants(ServerCheck& check) {
  Grants grants;
  for (const SqlRow& row : check.rows("SHOW GRANTS", "what database.user may do")) {
    if (!row.empty() && row[0]) read_grant(*row[0], grants);
  }
  return grants;
}

std::string user_of(ServerCheck& check) {
  const auto rows = check.rows_if_allowed("SELECT CURRENT_USER()");
  const std::string user = rows.empty() || rows[0].empty() ? "" : rows[0][0].value_or("");
  const size_t at = user.rfind('@');
  if (at == std::string::npos) return "the user";
  return "'" + user.substr(0, at) + "'@'" + user.substr(at + 1) + "'";
}

}  // namespace

void check_grants(ServerCheck& check) {
  const Grants grants = read_grants(check);
  if (grants.all || (grants.global.empty() && grants.readable.empty())) return;  // or the question was refused
  const std::string user = user_of(check);
  const auto cure = [&](const std::string& privilege) { return "GRANT " + privilege + " ON *.* TO " + user; };
  if (!grants.has("REPLICATION SLAVE") && !grants.has("REPLICATION REPLICA"))
    check.error(user + " may not read the binlog", cure("REPLICATION SLAVE"));
  if (!grants.has("SELECT") && grants.readable.empty()) check.error(user + " may read no table", cure("SELECT"));
  // REPLICATION CLIENT is how MariaDB before 10.5 and MySQL call it.
  if (!grants.has("BINLOG MONITOR") && !grants.has("REPLICATION CLIENT") && !grants.has("SUPER")) {
    check.error(user + " may not see which binlog files there are",
                cure(check.is_mariadb ? "BINLOG MONITOR" : "REPLICATION CLIENT"));
  }
  if (!check.needs.locks) return;
  if (!grants.has("RELOAD") && !grants.has("LOCK TABLES")) {
    check.error(user + " may lock neither the server nor tables, which snapshot.locking.mode asks for",
                cure("RELOAD, LOCK TABLES") + "; or remove snapshot.locking.mode: the snapshot is consistent without");
  } else if (!grants.has("RELOAD")) {
    check.info(user + " may not lock the whole server, so each table is locked for the snapshot", cure("RELOAD"));
  }
}

}  // namespace millrace::mariadb
