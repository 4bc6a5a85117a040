#include "runtime/offset_tracker.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

OwnedValue map_of(std::string_view key, Value value) {
  const Value items[] = {string_value(key), value};
  return OwnedValue(items_value(MR_MAP, items));
}

std::vector<OffsetStore::Change> change(std::string_view partition, int64_t offset) {
  return {{map_of("table", string_value(partition)), map_of("id", int64_value(offset))}};
}

int64_t offset_in(const OffsetStore::Change& change) { return find(change.offset.get(), "id")->u.i64; }

TEST(OffsetTracker, AnOffsetWaitsForAllRecordsBeforeIt) {
  OffsetTracker tracker;
  const auto first = tracker.begin();
  tracker.batch_sent(first);
  tracker.seal(first, change("a", 1));
  const auto second = tracker.begin();
  tracker.batch_sent(second);
  tracker.seal(second, change("a", 2));

  tracker.batch_done(second, 10);
  EXPECT_TRUE(tracker.take_committable().empty());  // the first has not been acknowledged
  tracker.batch_done(first, 0);
  const auto taken = tracker.take_committable();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(offset_in(taken[0]), 2);  // only the newest of a partition
  EXPECT_TRUE(tracker.take_committable().empty());
}

TEST(OffsetTracker, AFailedSendHoldsItsOffsetsBackForGood) {
  OffsetTracker tracker;
  const auto unit = tracker.begin();
  tracker.batch_sent(unit);
  tracker.seal(unit, change("a", 1));
  tracker.batch_done(unit, fail(ErrorCode::kUnavailable, "disk full"));
  EXPECT_TRUE(tracker.take_committable().empty());
  ASSERT_FALSE(tracker.failure());
  EXPECT_EQ(tracker.failure().error().message, "disk full");
  tracker.reset();
  EXPECT_TRUE(tracker.failure());
}

TEST(OffsetTracker, OffsetsGivenBackDoNotReplaceNewerOnes) {
  OffsetTracker tracker;
  const auto first = tracker.begin();
  tracker.seal(first, change("a", 1));
  auto taken = tracker.take_committable();
  const auto second = tracker.begin();
  tracker.seal(second, change("a", 2));
  tracker.give_back(std::move(taken));
  const auto again = tracker.take_committable();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(offset_in(again[0]), 2);
}

TEST(OffsetMaps, JsonRoundTripAndPrimitivesOnly) {
  const Value items[] = {string_value("protocol"), string_value("1"),    string_value("n"),
                         int64_value(-5),          string_value("none"), null_value()};
  const auto json = offset_map_to_json(items_value(MR_MAP, items));
  ASSERT_TRUE(json);
  EXPECT_EQ(*json, R"({"protocol":"1","n":-5,"none":null})");  // the connector's order
  const auto back = offset_map_from_json(*json);
  ASSERT_TRUE(back);
  EXPECT_TRUE(equal(back->get(), items_value(MR_MAP, items)));

  const Value nested[] = {string_value("list"), items_value(MR_ARRAY, {})};
  EXPECT_EQ(offset_map_to_json(items_value(MR_MAP, nested)).error().code, ErrorCode::kBadRecord);
  EXPECT_EQ(offset_map_to_json(int64_value(1)).error().code, ErrorCode::kBadRecord);
}

}  // namespace
}  // namespace millrace
