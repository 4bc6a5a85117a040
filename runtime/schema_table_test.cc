#include "runtime/schema_table.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

mr_schema plain(mr_kind type) {
  mr_schema schema{};
  schema.struct_size = sizeof(schema);
  schema.type = static_cast<uint8_t>(type);
  return schema;
}

TEST(SchemaTable, EqualDescriptionsGetOneNumber) {
  SchemaTable table;
  const auto number = table.register_schema(plain(MR_INT32));
  ASSERT_TRUE(number);
  EXPECT_EQ(*table.register_schema(plain(MR_INT32)), *number);
  EXPECT_NE(*table.register_schema(plain(MR_INT64)), *number);

  const mr_field fields[] = {{to_mr("id"), *number, 0}};
  mr_schema row = plain(MR_STRUCT);
  row.name = to_mr("users");
  row.fields = fields;
  row.field_count = 1;
  const auto struct_number = table.register_schema(row);
  ASSERT_TRUE(struct_number);
  EXPECT_EQ(table.schema(*struct_number)->fields()[0].name, "id");
  const mr_schema* described = table.describe(*struct_number);
  ASSERT_NE(described, nullptr);
  EXPECT_EQ(view(described->name), "users");
  EXPECT_EQ(described->fields[0].schema, *number);
}

TEST(SchemaTable, BadDescriptionsAreRefusedWithAReason) {
  SchemaTable table;
  mr_schema list = plain(MR_ARRAY);
  list.value_schema = 7;
  const auto refused = table.register_schema(list);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("never registered"), std::string::npos);
  EXPECT_FALSE(table.register_schema(plain(MR_DECIMAL)));
  EXPECT_EQ(table.describe(99), nullptr);
  EXPECT_FALSE(table.known(1));
}

TEST(SchemaTable, AConverterSchemaKeepsItsNumberAtAnyAddress) {
  SchemaTable table;
  const SchemaPtr one = make_schema({.type = Type::kStruct, .fields = {{"a", plain_schema(Type::kString)}}});
  const SchemaPtr same = make_schema({.type = Type::kStruct, .fields = {{"a", plain_schema(Type::kString)}}});
  EXPECT_EQ(table.id_of(one.get()), table.id_of(same.get()));
  EXPECT_EQ(table.id_of(nullptr), 0U);
}

TEST(SchemaTable, ASchemaMadeAnewForEachRecordKeepsItsNumber) {
  SchemaTable table;
  const auto anew = [](const char* name) {
    SchemaParts parts;
    parts.name = name;
    return make_schema(std::move(parts));
  };
  const mr_schema_id first = table.id_of(anew("a").get());
  std::weak_ptr<const Schema> early;
  for (int i = 0; i < 10'000; ++i) {
    const SchemaPtr a = anew("a"), b = anew("b");
    if (i == 1) early = a;
    ASSERT_EQ(table.id_of(a.get()), first);
    ASSERT_EQ(table.id_of(b.get()), first + 1);
  }
  EXPECT_TRUE(early.expired()) << "not every address is remembered";
}

}  // namespace
}  // namespace millrace
