#include <gtest/gtest.h>

#include "data/schema.h"

namespace millrace {
namespace {

SchemaPtr user_schema() {
  return make_schema({.type = Type::kStruct,
                      .name = "users",
                      .fields = {{"id", plain_schema(Type::kInt32)}, {"name", plain_schema(Type::kString, true)}}});
}

TEST(Schema, EqualContentsAreEqualAndHashAlike) {
  EXPECT_TRUE(same_schema(user_schema().get(), user_schema().get()));
  EXPECT_EQ(user_schema()->hash(), user_schema()->hash());
  EXPECT_FALSE(same_schema(user_schema().get(), plain_schema(Type::kInt32).get()));
  EXPECT_FALSE(same_schema(decimal_schema(2).get(), decimal_schema(3).get()));
  EXPECT_TRUE(decimal_schema(2)->is_decimal());
}

TEST(Value, DeepCopyOutlivesItsSource) {
  OwnedValue owned;
  {
    std::string text = "a string that is long enough to be on the heap";
    const Value items[] = {string_value("k"), string_value(text)};
    owned = OwnedValue(items_value(MR_MAP, items));
    text.assign(text.size(), 'x');
  }
  ASSERT_NE(find(owned.get(), "k"), nullptr);
  EXPECT_EQ(bytes_of(*find(owned.get(), "k")), "a string that is long enough to be on the heap");
  EXPECT_EQ(find(owned.get(), "absent"), nullptr);
}

TEST(Schema, ValidationNamesTheField) {
  const Value row[] = {null_value(), null_value()};
  const auto status = validate_value(user_schema().get(), items_value(MR_STRUCT, row));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "Invalid value: null used for required field: \"id\", schema type: INT32");
}

TEST(Arena, ResetKeepsBlocksAndLargeValuesWork) {
  Arena arena(1024);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(arena.copy("0123456789"), "0123456789");
    EXPECT_EQ(arena.copy(std::string(5000, 'x')).size(), 5000U);
    arena.reset();
  }
}

}  // namespace
}  // namespace millrace
