#include "connectors/mariadb/binlog/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/mariadb/binlog/cell_text.h"
#include "connectors/mariadb/binlog/event_builder.h"

namespace millrace::mariadb {
namespace {

using ::testing::ElementsAre;
using testing::EventBuilder;
using ::testing::HasSubstr;
using testing::rows_head;
using testing::table_map;

/// An event that owns its bytes.
struct Held {
  Held(const EventBuilder& body, EventType type)
      : raw(body.event(type, false)), event(*parse_event(raw, false, false)) {}
  std::vector<uint8_t> raw;
  Event event;
};

std::vector<std::string> texts(std::span<const Cell> cells) {
  std::vector<std::string> out;
  for (const Cell& cell : cells) out.push_back(text_of(cell));
  return out;
}

TableMap map_of(const EventBuilder& body) {
  const Held held(body, EventType::kTableMap);
  auto map = parse_table_map(held.event);
  EXPECT_TRUE(map.ok()) << (map.ok() ? "" : map.status().message());
  return map.ok() ? *map : TableMap{};
}

/// All rows of one event, before and after images in turn.
Result<std::vector<std::vector<std::string>>> read(const EventBuilder& body, EventType type, const TableMap& map) {
  const Held held(body, type);
  RowsReader rows;
  if (Status s = rows.open(held.event, map); !s.ok()) return s;
  std::vector<std::vector<std::string>> out;
  while (rows.more()) {
    if (Status s = rows.next(); !s.ok()) return s;
    if (!rows.before().empty()) out.push_back(texts(rows.before()));
    if (!rows.after().empty()) out.push_back(texts(rows.after()));
  }
  return out;
}

/// One column of `type` whose value is `value`.
std::string decode(int type, const EventBuilder& metadata, const EventBuilder& value, uint16_t collation = 0) {
  TableMap map = map_of(table_map({type}, metadata));
  map.columns[0].collation = collation;
  auto rows = read(rows_head(1).list({1, 0}).append(value), EventType::kWriteRowsV1, map);
  return rows.ok() ? rows->at(0).at(0) : rows.status().message();
}

TEST(TableMap, OptionalMetadata) {
  EventBuilder metadata, optional;
  metadata.list({0xFE, 40}).list({0xF7, 1}).list({2}).list({200, 0}).list({0xF8, 1});
  optional.field(1, EventBuilder().list({0xA0}));  // unsigned, signed, (YEAR) unsigned
  optional.field(2, EventBuilder().list({45, 1, 63}));
  optional.field(4, EventBuilder().text("id").text("c").text("n").text("e").text("b").text("v").text("y").text("s"));
  optional.field(5, EventBuilder().list({2}).text("x").text("y"));
  optional.field(6, EventBuilder().list({1}).text("only"));
  optional.field(9, EventBuilder().list({0, 0, 5, 10}));
  optional.field(77, EventBuilder().list({1, 2, 3}));
  const TableMap map = map_of(table_map({3, 254, 8, 254, 252, 15, 13, 254}, metadata, optional));
  ASSERT_EQ(map.columns.size(), 8U);
  EXPECT_EQ(map.table.full(), "shop.t");
  EXPECT_TRUE(map.columns[0].is_unsigned);
  EXPECT_FALSE(map.columns[2].is_unsigned);
  EXPECT_TRUE(map.columns[6].is_unsigned);
  EXPECT_EQ(map.columns[1].collation, 45);
  EXPECT_EQ(map.columns[4].collation, 63);
  EXPECT_EQ(map.columns[5].collation, 45);
  EXPECT_EQ(map.columns[3].type, 247);
  EXPECT_EQ(map.columns[7].type, 248);
  EXPECT_EQ(map.columns[5].name, "v");
  EXPECT_THAT(map.columns[7].labels, ElementsAre("x", "y"));
  EXPECT_THAT(map.columns[3].labels, ElementsAre("only"));
  EXPECT_THAT(map.primary_key, ElementsAre(0U, 5U));
  EXPECT_TRUE(map.has_names && map.has_signs && map.has_charsets);
}

TEST(TableMap, LongCharAndMissingMetadata) {
  // CHAR(255) of four bytes a character: 1020 = 0x3FC, its high bits stand inverted in the type's byte.
  const TableMap map = map_of(table_map({254, 3}, EventBuilder().list({0xCE, 0xFC})));
  EXPECT_EQ(map.columns[0].metadata, 1020);
  EXPECT_FALSE(map.has_names || map.has_signs || map.has_charsets);
}

TEST(TableMap, NonsenseIsRefused) {
  const auto refused = [](const EventBuilder& body) {
    const Held held(body, EventType::kTableMap);
    auto map = parse_table_map(held.event);
    return map.ok() ? "" : map.status().message();
  };
  EXPECT_THAT(refused(table_map({99}, {})), HasSubstr("type 99"));
  EXPECT_THAT(refused(table_map({246}, EventBuilder().list({70, 2}))), HasSubstr("shop.t"));
  EXPECT_THAT(refused(table_map({246}, EventBuilder().list({5, 6}))), HasSubstr("column 1"));
  EXPECT_THAT(refused(table_map({18}, EventBuilder().list({7}))), HasSubstr("column 1"));
  EXPECT_THAT(refused(table_map({252}, {})), HasSubstr("column 1"));
  EXPECT_THAT(refused(table_map({3}, {}, EventBuilder().list({4, 200}))), HasSubstr("optional"));
  EXPECT_THAT(refused(table_map({3}, {}, EventBuilder().field(8, EventBuilder().list({1})))), HasSubstr("optional"));
}

TEST(Rows, Values) {
  EXPECT_EQ(decode(9, {}, EventBuilder().list({0xFF, 0xFF, 0xFF})), "-1");
  EXPECT_EQ(decode(13, {}, EventBuilder().list({0})), "0");
  EXPECT_EQ(decode(13, {}, EventBuilder().list({124})), "2024");
  EXPECT_EQ(decode(16, EventBuilder().list({4, 1}), EventBuilder().list({0x0A, 0xBC})), "2748");
  EXPECT_EQ(decode(246, EventBuilder().list({14, 4}), EventBuilder().list({0x81, 0x0D, 0xFB, 0x38, 0xD2, 0x04, 0xD2})),
            "1234567890.1234");
  EXPECT_EQ(decode(246, EventBuilder().list({14, 4}), EventBuilder().list({0x7E, 0xF2, 0x04, 0xC7, 0x2D, 0xFB, 0x2D})),
            "-1234567890.1234");
  EXPECT_EQ(decode(246, EventBuilder().list({40, 0}),
                   EventBuilder().list({0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42})),
            "42");
  EXPECT_EQ(decode(19, EventBuilder().list({2}), EventBuilder().list({0x7F, 0xFF, 0xFF, 0xFF})), "-00:00:00.010000");
  EXPECT_EQ(decode(10, {}, EventBuilder().list({0, 0, 0})), "0000-00-00");
}

TEST(Rows, OnlyBinaryIsPadded) {
  const EventBuilder four = EventBuilder().list({0xFE, 4});
  const EventBuilder short_value = EventBuilder().list({2, 'a', 'b'});
  EXPECT_EQ(decode(254, four, short_value, 63), std::string("ab\0\0", 4));
  EXPECT_EQ(decode(254, four, short_value, 45), "ab");
  EXPECT_EQ(decode(254, four, short_value), "ab");
  EXPECT_EQ(decode(254, four, EventBuilder().list({0}), 63), std::string(4, '\0'));
}

TEST(Rows, CompressedColumns) {
  const EventBuilder blob = EventBuilder().list({1});
  EXPECT_EQ(decode(140, blob, EventBuilder().list({0})), "");
  EXPECT_EQ(decode(140, blob, EventBuilder().list({3, 0, 'h', 'i'})), "hi");
  // Raw deflate, one stored block of "hi".
  EXPECT_EQ(decode(140, blob, EventBuilder().list({9, 0x89, 2, 1, 2, 0, 0xFD, 0xFF, 'h', 'i'})), "hi");
  EXPECT_THAT(decode(140, blob, EventBuilder().list({9, 0x89, 3, 1, 2, 0, 0xFD, 0xFF, 'h', 'i'})), HasSubstr("column"));
  EXPECT_THAT(decode(140, blob, EventBuilder().list({6, 0x8C, 0xFF, 0xFF, 0xFF, 0xFF, 1})), HasSubstr("column 1"));
}

TEST(Rows, UpdatesWithAbsentAndNullCells) {
  const TableMap map = map_of(table_map({3, 3, 3}, {}));
  // Before: column 1; after: columns 2 and 3, of which 3 is NULL.
  const auto row = EventBuilder().list({0}).little(7, 4).list({2}).little(8, 4);
  auto rows = read(rows_head(3).list({1, 6}).append(row).append(row), EventType::kUpdateRowsV1, map);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  ASSERT_EQ(rows->size(), 4U);
  EXPECT_THAT(rows->at(0), ElementsAre("7", "(absent)", "(absent)"));
  EXPECT_THAT(rows->at(1), ElementsAre("(absent)", "8", "NULL"));
}

TEST(Rows, MySqlVersion2HasExtraData) {
  const TableMap map = map_of(table_map({1}, {}));
  EventBuilder body;
  body.little(9, 6).little(0, 2).little(5, 2).raw("xxx").list({1, 1, 0, 5});
  auto rows = read(body, EventType::kDeleteRowsV2, map);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_THAT(rows->at(0), ElementsAre("5"));
}

TEST(Rows, ARowWithoutAnyColumnIsOneRow) {
  const TableMap map = map_of(table_map({3}, {}));
  auto rows = read(rows_head(1).list({0}), EventType::kWriteRowsV1, map);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_THAT(rows->at(0), ElementsAre("(absent)"));
  EXPECT_FALSE(read(rows_head(1).list({0, 1, 2}), EventType::kWriteRowsV1, map).ok());
}

TEST(Rows, EveryTruncationIsAnError) {
  const TableMap map = map_of(table_map({8, 246, 18, 15, 252, 5}, EventBuilder().list({10, 2, 3, 44, 1, 2, 8})));
  EventBuilder row;
  row.list({0}).little(1, 8).list({0x80, 0, 0, 1, 2}).list({0x99, 0xB2, 0x42, 0x30, 0xC5, 0, 1});
  row.little(3, 2).raw("abc").little(2, 2).raw("de").little(0, 8);
  EventBuilder whole = rows_head(6).list({0x3F}).append(row);
  auto rows = read(whole, EventType::kWriteRowsV1, map);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  const size_t head = whole.bytes().size() - row.bytes().size();
  for (size_t size = 0; size < whole.bytes().size(); ++size) {
    EventBuilder cut;
    cut.raw({reinterpret_cast<const char*>(whole.bytes().data()), size});
    auto result = read(cut, EventType::kWriteRowsV1, map);
    EXPECT_EQ(result.ok(), size == head) << size;  // exactly no row is fine
  }
}

TEST(Rows, AnotherTablesMapIsRefused) {
  TableMap map = map_of(table_map({3}, {}));
  EXPECT_FALSE(read(rows_head(2).list({3, 0}), EventType::kWriteRowsV1, map).ok());
  map.table_id = 10;
  auto rows = read(rows_head(1).list({1, 0, 1, 0, 0, 0}), EventType::kWriteRowsV1, map);
  ASSERT_FALSE(rows.ok());
  EXPECT_THAT(rows.status().message(), HasSubstr("WRITE_ROWS_V1"));
}

}  // namespace
}  // namespace millrace::mariadb
