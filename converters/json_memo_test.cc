// What the writer copies from the record before must be what it would have written.
#include <gtest/gtest.h>

#include "converters/json_converter.h"

namespace millrace {
namespace {

constexpr size_t kFields = 12;

SchemaPtr schema_of_row() {
  SchemaParts parts{.type = Type::kStruct};
  for (size_t i = 0; i < kFields; ++i)
    parts.fields.push_back({"f\"" + std::to_string(i), plain_schema(i % 3 == 0 ? Type::kInt64 : Type::kString, true)});
  return make_schema(std::move(parts));
}

std::string written(JsonConverter& converter, const Schema& schema, const std::vector<Value>& fields) {
  std::string out;
  const Value row = items_value(MR_STRUCT, std::span<const Value>(fields));
  EXPECT_TRUE(converter.from_connect("t", &schema, row, out).value_or(false));
  return out;
}

std::string written_anew(const Schema& schema, const std::vector<Value>& fields) {
  JsonConverter converter;
  EXPECT_TRUE(converter.configure({{"schemas.enable", "false"}}, false));
  return written(converter, schema, fields);
}

TEST(JsonMemo, WritesWhatAConverterWithoutAPastWrites) {
  const SchemaPtr schema = schema_of_row();
  JsonConverter converter;
  ASSERT_TRUE(converter.configure({{"schemas.enable", "false"}}, false));
  const std::vector<std::string> texts = {"",
                                          "a",
                                          "b",
                                          "a longer text of two blocks",
                                          "quote\"",
                                          "quote\\\"",
                                          "\n",
                                          "\\n",
                                          "\xF0\x9F\x98\x80",
                                          "\xED\xA0\x80",
                                          "\xFF",
                                          "null"};
  uint32_t random = 1;
  const auto next = [&](uint32_t below) { return (random = random * 1664525 + 1013904223) / 65536 % below; };
  std::vector<Value> fields(kFields);
  std::vector<std::string> kept(kFields);
  for (int record = 0; record < 5000; ++record) {
    // Mostly one field changes, near the end; now and then all do.
    const bool all = next(50) == 0;
    const size_t changed = next(4) == 0 ? next(kFields) : kFields - 1 - next(3);
    for (size_t i = 0; i < kFields; ++i) {
      if (record != 0 && !all && i != changed) continue;
      if (next(5) == 0) {
        fields[i] = Value{};
      } else if (i % 3 == 0) {
        fields[i] = int64_value(static_cast<int64_t>(next(3)) - 1);
      } else {
        kept[i] = texts[next(static_cast<uint32_t>(texts.size()))];  // often at the same address with other content
        fields[i] = string_value(kept[i]);
      }
    }
    for (size_t i = 0; i < kFields; ++i)
      if (fields[i].kind == MR_STRING) fields[i] = string_value(kept[i]);
    ASSERT_EQ(written(converter, *schema, fields), written_anew(*schema, fields)) << record;
  }
}

TEST(JsonMemo, TheTextOfOneStringMayBeTheBytesOfAnother) {
  const SchemaPtr schema = schema_of_row();
  // Line end, quote, tab; bytes that are no UTF-8 are written shorter or longer, which must not make up for an escape.
  const std::pair<std::string, std::string> pairs[] = {{"\n", "\\n"},  {"a\"b", "a\\\"b"},      {"\t", "\\t"},
                                                       {"\\", "\\\\"}, {"\n\xFF\xFF", "\\n??"}, {"\n\xE0\x80", "\\n?"}};
  for (const auto& [before, after] : pairs) {
    JsonConverter converter;
    ASSERT_TRUE(converter.configure({{"schemas.enable", "false"}}, false));
    std::vector<Value> fields(kFields, Value{});
    fields[7] = string_value("the same");
    for (const std::string* text : {&before, &before, &after, &after, &before}) {
      fields[11] = string_value(*text);
      EXPECT_EQ(written(converter, *schema, fields), written_anew(*schema, fields)) << before;
    }
  }
}

TEST(JsonMemo, AFailedRecordLeavesNothingBehind) {
  const SchemaPtr schema = schema_of_row();
  JsonConverter converter;
  ASSERT_TRUE(converter.configure({{"schemas.enable", "false"}}, false));
  std::vector<Value> fields(kFields, Value{});
  for (int round = 0; round < 3; ++round) {
    fields[0] = int64_value(round);
    EXPECT_EQ(written(converter, *schema, fields), written_anew(*schema, fields));
    fields[1] = string_value("other");
    fields[10] = int64_value(1);  // no text
    std::string out;
    const Value row = items_value(MR_STRUCT, std::span<const Value>(fields));
    EXPECT_FALSE(converter.from_connect("t", schema.get(), row, out).has_value());
    fields[1] = fields[10] = Value{};
    EXPECT_EQ(written(converter, *schema, fields), written_anew(*schema, fields));
  }
}

}  // namespace
}  // namespace millrace
