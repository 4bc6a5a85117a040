#include "connectors/mariadb/binlog/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "connectors/mariadb/binlog/compression.h"
#include "connectors/mariadb/binlog/event_builder.h"

namespace millrace::mariadb {
namespace {

using testing::EventBuilder;
using ::testing::HasSubstr;

EventBuilder format(int algorithm) {
  EventBuilder body;
  std::string version = "10.11.6-MariaDB-log";
  version.resize(50);
  return body.little(4, 2).raw(version).little(0, 4).little(19, 1).raw(std::string(170, '\x13')).little(algorithm, 1);
}

TEST(Gtid, ListsParseAndPrint) {
  auto list = GtidList::parse(" 1-2-3 ,\n0-1-18446744073709551615");
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->text(), "0-1-18446744073709551615,1-2-3");
  EXPECT_TRUE(GtidList::parse("")->empty());
  for (const char* bad : {"1-2", "1-2-3-4", "a-1-2", "1-2-", "-1-2-3", "1-2-3,,", "4294967296-1-1", "1-2-3 4"})
    EXPECT_FALSE(GtidList::parse(bad).ok()) << bad;
}

TEST(Gtid, ContainmentIsByDomain) {
  auto at = GtidList::parse("0-1-5,1-1-9");
  EXPECT_TRUE(at->contains({0, 99, 5}));
  EXPECT_FALSE(at->contains({0, 1, 6}));
  EXPECT_FALSE(at->contains({2, 1, 1}));
  EXPECT_TRUE(at->contains_all(*GtidList::parse("1-1-9")));
  EXPECT_FALSE(at->contains_all(*GtidList::parse("1-1-10,0-1-1")));
  EXPECT_TRUE(at->contains_all(GtidList{}));
}

TEST(Event, ChecksumIsVerifiedAndNamed) {
  auto raw = EventBuilder().raw("hello").event(EventType::kAnnotateRows);
  auto event = parse_event(raw, true, true);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->body.size(), 5U);
  EXPECT_EQ(event->header.server_id, 7U);
  raw[20] ^= 1;
  event = parse_event(raw, true, true);
  ASSERT_FALSE(event.ok());
  EXPECT_THAT(event.status().message(), HasSubstr("ANNOTATE_ROWS"));
  EXPECT_THAT(event.status().message(), HasSubstr("4242"));
  EXPECT_TRUE(parse_event(raw, true, false).ok());
}

TEST(Event, CrcIsZlibsAtEveryLengthAndAlignment) {
  std::vector<uint8_t> bytes(700);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 131 + i / 7);
  for (size_t from = 0; from < 17; ++from) {
    for (size_t size = 0; size + from <= bytes.size(); ++size) {
      const std::span<const uint8_t> part(bytes.data() + from, size);
      ASSERT_EQ(crc32_of(part), ::crc32(0, part.data(), static_cast<uInt>(size))) << from << " " << size;
    }
  }
}

TEST(Event, ParserFollowsTheChecksumsOfTheStream) {
  EventParser parser;
  const EventBuilder rotate = EventBuilder().little(4, 8).raw("binlog.000001");
  for (const bool with : {true, false}) {
    const auto bytes = rotate.event(EventType::kRotate, with, kArtificialEvent);  // what the event's body points into
    auto event = parser.parse(bytes);
    ASSERT_TRUE(event.ok());
    EXPECT_EQ(parse_rotate(*event)->file, "binlog.000001");
  }
  const EventBuilder text = EventBuilder().raw("text");
  ASSERT_TRUE(parser.parse(format(1).event(EventType::kFormatDescription)).ok());
  EXPECT_EQ(parser.server_version(), "10.11.6-MariaDB-log");
  EXPECT_EQ(parser.parse(text.event(EventType::kAnnotateRows, true))->body.size(), 4U);
  EXPECT_FALSE(parser.parse(text.event(EventType::kAnnotateRows, false)).ok());
  ASSERT_TRUE(parser.parse(format(0).event(EventType::kFormatDescription)).ok());
  EXPECT_EQ(parser.parse(text.event(EventType::kAnnotateRows, false))->body.size(), 4U);
}

TEST(Event, UnknownTypesAreErrorsUnlessIgnorable) {
  EventParser parser;
  const auto unknown = static_cast<EventType>(200);
  auto event = parser.parse(EventBuilder().event(unknown, false));
  ASSERT_FALSE(event.ok());
  EXPECT_THAT(event.status().message(), HasSubstr("type 200"));
  EXPECT_TRUE(parser.parse(EventBuilder().event(unknown, false, kIgnorableEvent)).ok());
}

TEST(Event, TruncationIsAnErrorEverywhere) {
  for (size_t size = 0; size < 19; ++size) EXPECT_FALSE(parse_event(std::vector<uint8_t>(size), false, false).ok());
  const auto cut = [](EventBuilder body, EventType type, size_t size) {
    EventBuilder shorter;
    shorter.raw({reinterpret_cast<const char*>(body.bytes().data()), size});
    static std::vector<uint8_t> raw;
    raw = shorter.event(type, false);
    return *parse_event(raw, false, false);
  };
  EventBuilder gtid;
  gtid.little(5, 8).little(3, 4).little(0x42, 1).little(77, 8).little(9, 4).little(1, 1).little(2, 1).raw("abb");
  for (size_t size = 0; size < gtid.bytes().size(); ++size)
    EXPECT_FALSE(parse_gtid(cut(gtid, EventType::kGtid, size)).ok()) << size;
  auto whole = parse_gtid(cut(gtid, EventType::kGtid, gtid.bytes().size()));
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->id.text(), "3-7-5");
  EXPECT_EQ(whole->xid.substr(6), "abb");
  EventBuilder list;
  list.little(2, 4).little(0, 4).little(1, 4).little(9, 8).little(1, 4).little(2, 4).little(3, 8);
  for (size_t size = 0; size < list.bytes().size(); ++size)
    EXPECT_FALSE(parse_gtid_list(cut(list, EventType::kGtidList, size)).ok()) << size;
  EXPECT_EQ(parse_gtid_list(cut(list, EventType::kGtidList, list.bytes().size()))->text(), "0-1-9,1-2-3");
}

TEST(Event, QueriesPlainAndCompressed) {
  EventBuilder head;
  head.little(11, 4).little(0, 4).little(4, 1).little(0, 2).little(17, 2);
  head.little(4, 1).little(33, 2).little(8, 2).little(9, 2).little(8, 1).little(45, 2).little(128, 1).little(5, 3);
  head.little(7, 1).little(0, 2).raw("shop").little(0, 1);
  std::string inflated;
  const auto plain = EventBuilder(head).raw("DROP TABLE t").event(EventType::kQuery, false);
  auto query = parse_query(*parse_event(plain, false, false), inflated);
  ASSERT_TRUE(query.ok()) << query.status().message();
  EXPECT_EQ(query->database, "shop");
  EXPECT_EQ(query->sql, "DROP TABLE t");
  EXPECT_EQ(query->client_charset, 33);
  EXPECT_EQ(query->database_charset, 45);
  EXPECT_EQ(query->thread_id, 11U);

  const std::string sql(300, 'x');
  std::string deflated(400, '\0');
  uLongf size = deflated.size();
  ASSERT_EQ(::compress(reinterpret_cast<Bytef*>(deflated.data()), &size, reinterpret_cast<const Bytef*>(sql.data()),
                       sql.size()),
            Z_OK);
  deflated.resize(size);
  const auto packed =
      EventBuilder(head).little(0x82, 1).big(300, 2).raw(deflated).event(EventType::kQueryCompressed, false);
  query = parse_query(*parse_event(packed, false, false), inflated);
  ASSERT_TRUE(query.ok()) << query.status().message();
  EXPECT_EQ(query->sql, sql);
  inflated.reserve(2 * kInflatedBytesKept);
  ASSERT_TRUE(parse_query(*parse_event(plain, false, false), inflated).ok());
  EXPECT_LE(inflated.capacity(), kInflatedBytesKept) << "what one large statement needed is not kept";
  for (const uint64_t wrong : {299, 301, 65'000}) {
    const auto bad =
        EventBuilder(head).little(0x82, 1).big(wrong, 2).raw(deflated).event(EventType::kQueryCompressed, false);
    EXPECT_FALSE(parse_query(*parse_event(bad, false, false), inflated).ok());
  }
}

}  // namespace
}  // namespace millrace::mariadb
