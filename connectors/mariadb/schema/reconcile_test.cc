#include "connectors/mariadb/schema/reconcile.h"

#include <gtest/gtest.h>

#include "connectors/mariadb/schema/schema_registry.h"

namespace millrace::mariadb {
namespace {

WireColumn wire(std::string name, uint8_t type, uint16_t metadata = 0, uint16_t collation = 0) {
  WireColumn column;
  column.name = std::move(name);
  column.type = type;
  column.metadata = metadata;
  column.collation = collation;
  return column;
}

/// A FULL map of: CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(20), price DECIMAL(12,2), note TEXT,
/// kind ENUM('a','b'), at TIMESTAMP(6), raw BINARY(4), flag TINYINT)
TableMap full_map() {
  TableMap map;
  map.table = {"db", "t"};
  map.has_names = map.has_signs = map.has_charsets = true;
  map.columns = {wire("id", 8),           wire("name", 15, 80, 45), wire("price", 246, 12 << 8 | 2),
                 wire("note", 252, 2, 8), wire("kind", 247, 1, 45), wire("at", 17, 6),
                 wire("raw", 254, 4, 63), wire("flag", 1)};
  map.columns[0].is_unsigned = true;
  map.columns[0].nullable = false;
  map.columns[4].labels = {"a", "b"};
  map.primary_key = {0};
  return map;
}

TableDefinition defined(const std::string& columns) {
  SchemaRegistry registry;
  registry.apply("db", "CREATE TABLE t (" + columns + ")");
  return *registry.find({"db", "t"});
}

constexpr const char* kColumns =
    "id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(20) CHARSET utf8mb4, price DEC(12,2), note TEXT, kind ENUM('a','b'), "
    "at TIMESTAMP(6), raw BINARY(4), flag BOOL";

TEST(Reconcile, TheSameVersionOfTheTable) {
  EXPECT_TRUE(reconcile(defined(kColumns), full_map()).ok()) << reconcile(defined(kColumns), full_map()).message();
  TableMap without_names = full_map();
  without_names.has_names = without_names.has_signs = false;
  EXPECT_TRUE(reconcile(defined(kColumns), without_names).ok());
}

TEST(Reconcile, WhatDiffersIsSaid) {
  TableMap map = full_map();
  map.columns[1].name = "title";
  EXPECT_NE(reconcile(defined(kColumns), map).message().find("title"), std::string::npos);
  map = full_map();
  map.columns[2].metadata = 10 << 8 | 2;
  EXPECT_NE(reconcile(defined(kColumns), map).message().find("price"), std::string::npos);
  map = full_map();
  map.columns[0].is_unsigned = false;
  EXPECT_FALSE(reconcile(defined(kColumns), map).ok());
  map = full_map();
  map.columns.pop_back();
  EXPECT_FALSE(reconcile(defined(kColumns), map).ok());
  map.has_names = false;
  EXPECT_FALSE(reconcile(defined(kColumns), map).ok());
}

TEST(Reconcile, HiddenColumnsAreLeftOut) {
  TableMap map = full_map();
  map.columns.insert(map.columns.begin() + 3, wire("DB_ROW_HASH_1", 8));
  map.columns.push_back(wire("row_start", 17, 6));
  map.columns.push_back(wire("row_end", 17, 6));
  const Result<std::vector<uint32_t>> match = match_columns(defined(kColumns), map);
  ASSERT_TRUE(match.ok()) << match.status().message();
  EXPECT_EQ(match.value(), (std::vector<uint32_t>{0, 1, 2, 4, 5, 6, 7, 8}));
  map.columns.erase(map.columns.begin() + 3);
  map.has_names = false;
  EXPECT_TRUE(reconcile(defined(kColumns), map).ok());
  map.columns.push_back(wire("", 3));
  EXPECT_FALSE(reconcile(defined(kColumns), map).ok()) << "an INT is none of the server's own columns";
}

TEST(FromTableMap, AgreesWithItsMap) {
  const Result<TableDefinition> made = from_table_map(full_map());
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(reconcile(made.value(), full_map()).ok());
  EXPECT_EQ(made.value().primary_key, std::vector<std::string>{"id"});
  EXPECT_EQ(made.value().find("id")->type_name, "BIGINT UNSIGNED");
  EXPECT_EQ(made.value().find("name")->length, 20);
  EXPECT_EQ(made.value().find("name")->charset, "utf8mb4");
  EXPECT_EQ(made.value().find("price")->scale, 2);
  EXPECT_EQ(made.value().find("note")->charset, "latin1");
  EXPECT_EQ(made.value().find("kind")->enum_values, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(made.value().find("raw")->type_name, "BINARY");
  EXPECT_FALSE(made.value().find("raw")->charset);
  TableMap latin = full_map();
  latin.columns[4].collation = 8;
  latin.columns[4].labels = {"na\xefve", "\xfc"};
  EXPECT_EQ(from_table_map(latin)->find("kind")->enum_values, (std::vector<std::string>{"naïve", "ü"}));
  TableMap nameless = full_map();
  nameless.has_names = false;
  EXPECT_FALSE(from_table_map(nameless).ok());
}

}  // namespace
}  // namespace millrace::mariadb
