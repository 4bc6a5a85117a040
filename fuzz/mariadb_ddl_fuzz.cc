// Statements of any bytes to the DDL reader of connectors/mariadb: first a table, then the input as a whole and as the
// rest of an ALTER TABLE, so that both readers are met soon.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/mariadb/schema/history/history_record.h"
#include "connectors/mariadb/schema/schema_registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace::mariadb;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  SchemaRegistry registry;
  registry.set_server_charset("latin1");
  registry.apply("db", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10), e ENUM('a','b'))");
  for (const std::string& sql :
       {std::string(input), "ALTER TABLE t " + std::string(input), "CREATE TABLE u (" + std::string(input) + ")"}) {
    const DdlResult result = registry.apply("db", sql);
    for (const SchemaChange& change : result.changes) {
      HistoryRecord record;
      record.change = change;
      static_cast<void>(parse_history(history_json(record)));
    }
  }
  static_cast<void>(parse_history(input));
  return 0;
}
