/// For tests with SQLite files: one in a folder of its own for each test.
#pragma once

#include <sqlite3.h>

#include <filesystem>

#include "connectors/jdbc/jdbc_events_test.h"

namespace millrace::jdbc {

class SqliteFile {
 public:
  SqliteFile() {
    char name[] = "/tmp/millrace-sqlite-XXXXXX";
    folder_ = mkdtemp(name);
    sqlite3_open(path().c_str(), &handle_);
  }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;
  ~SqliteFile() {
    sqlite3_close_v2(handle_);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ / "shop.db"; }
  std::string url(const std::string& parameters = "") const {
    return "jdbc:sqlite:" + path() + (parameters.empty() ? "" : "?" + parameters);
  }
  void run(const std::string& statements) const {
    ASSERT_EQ(sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle_);
  }
  /// Everything as text, NULL as "NULL".
  Rows rows(const std::string& sql) const {
    Rows found;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(handle_);
    while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
      Row& row = found.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row.emplace_back(text == nullptr ? "NULL" : text);
      }
    }
    sqlite3_finalize(statement);
    return found;
  }

 private:
  std::filesystem::path folder_;
  sqlite3* handle_ = nullptr;
};

}  // namespace millrace::jdbc
