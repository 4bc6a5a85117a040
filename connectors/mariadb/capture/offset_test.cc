#include <gtest/gtest.h>

#include "connectors/mariadb/capture/offset_state.h"

namespace millrace::mariadb {
namespace {

/// The value of an entry, as it was rendered.
const mr_value* entry(const mr_value& map, std::string_view name) {
  for (uint32_t i = 0; i < map.size; ++i) {
    const mr_value& key = map.u.items[2 * i];
    if (std::string_view(key.u.bytes, key.size) == name) return &map.u.items[2 * i + 1];
  }
  return nullptr;
}
std::string text(const mr_value* value) { return value == nullptr ? "" : std::string(value->u.bytes, value->size); }

TEST(Offset, EntriesAreRenderedWhenTheyChangeAndNotForEachRecord) {
  OffsetState offset("srv");
  offset.current.file = "bin.000001";
  offset.current.extra.set("state", "large");
  connectors::ByteArena arena;
  const mr_value* first = entry(offset.offset(arena), "state");
  ASSERT_EQ(text(first), "large");
  const char* bytes = first->u.bytes;
  arena.clear();
  offset.current.extra.set("state", "large");
  offset.current.position = 99;
  const mr_value map = offset.offset(arena);
  EXPECT_EQ(entry(map, "state")->u.bytes, bytes) << "rendered again";
  EXPECT_EQ(entry(map, "pos")->u.i64, 99);
  EXPECT_EQ(text(entry(map, "file")), "bin.000001");
  EXPECT_LT(arena.bytes(), 1000u);

  offset.current.extra.set("state", "other");
  EXPECT_EQ(text(entry(offset.offset(arena), "state")), "other");
  offset.current = SourceOffset{};
  EXPECT_EQ(entry(offset.offset(arena), "state"), nullptr);
  offset.current.extra.set("state", "new");
  EXPECT_EQ(text(entry(offset.offset(arena), "state")), "new");
  EXPECT_TRUE(offset.current.extra.erase("state"));
  EXPECT_FALSE(offset.current.extra.erase("state"));
  EXPECT_EQ(entry(offset.offset(arena), "state"), nullptr);
  EXPECT_EQ(offset.given(), 6u);
}

TEST(Offset, CopiesShareTheirVersionUntilOneChanges) {
  OffsetExtra one;
  EXPECT_EQ(one.version(), 0u);
  one.set("a", "1");
  OffsetExtra other = one;
  EXPECT_EQ(one.version(), other.version());
  other.set("a", "1");
  EXPECT_EQ(one.version(), other.version());
  other.set("a", "2");
  one.set("a", "3");
  EXPECT_NE(one.version(), other.version());
}

}  // namespace
}  // namespace millrace::mariadb
