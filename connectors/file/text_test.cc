#include <millrace/testing.hpp>

#include <gtest/gtest.h>

namespace millrace::sdk {
namespace {

mr_value f64(double number) {
  mr_value value{};
  value.kind = MR_FLOAT64;
  value.u.f64 = number;
  return value;
}
mr_value f32(float number) {
  mr_value value = f64(static_cast<double>(number));
  value.kind = MR_FLOAT32;
  return value;
}
mr_value bytes(std::string_view content, mr_kind kind = MR_BYTES, int16_t scale = 0) {
  mr_value value = string_value(content);
  value.kind = static_cast<uint8_t>(kind);
  value.scale = scale;
  return value;
}
mr_value list(mr_kind kind, std::span<const mr_value> items) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.size = static_cast<uint32_t>(items.size());
  value.u.items = items.data();
  return value;
}
mr_schema schema_of(mr_kind type, std::string_view name = {}) {
  mr_schema schema{};
  schema.struct_size = sizeof(schema);
  schema.type = static_cast<uint8_t>(type);
  if (!name.empty()) schema.name = to_mr(name);
  return schema;
}

TEST(Text, PrimitivesAsJava) {
  EXPECT_EQ(to_text(mr_value{}), "null");
  EXPECT_EQ(to_text(int_value(MR_BOOLEAN, 1)), "true");
  EXPECT_EQ(to_text(int_value(MR_INT64, INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(to_text(string_value("a b")), "a b");
  EXPECT_EQ(to_text(bytes("raw\n")), "raw\n");
}

TEST(Text, FloatingPointAsJava) {
  const std::pair<double, const char*> cases[] = {{0.0, "0.0"},
                                                  {-0.0, "-0.0"},
                                                  {1, "1.0"},
                                                  {0.1, "0.1"},
                                                  {100, "100.0"},
                                                  {123456.789, "123456.789"},
                                                  {9999999, "9999999.0"},
                                                  {1e7, "1.0E7"},
                                                  {1.5e10, "1.5E10"},
                                                  {0.001, "0.001"},
                                                  {0.00012, "1.2E-4"},
                                                  {1e-300, "1.0E-300"},
                                                  {-2.5, "-2.5"},
                                                  {HUGE_VAL, "Infinity"},
                                                  {-HUGE_VAL, "-Infinity"},
                                                  {std::nan(""), "NaN"},
                                                  {1.7976931348623157e308, "1.7976931348623157E308"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(to_text(f64(number)), text);
  EXPECT_EQ(to_text(f32(0.1f)), "0.1");
  EXPECT_EQ(to_text(f32(3.4028235e38f)), "3.4028235E38");
}

TEST(Text, DecimalsAsJava) {
  const auto decimal = [](std::string_view content, int scale) {
    return to_text(bytes(content, MR_DECIMAL, static_cast<int16_t>(scale)));
  };
  EXPECT_EQ(decimal({"\x04\xE2", 2}, 2), "12.50");
  EXPECT_EQ(decimal({"\xFF", 1}, 2), "-0.01");
  EXPECT_EQ(decimal({"\x00", 1}, 0), "0");
  EXPECT_EQ(decimal({"\x00", 1}, 2), "0.00");
  EXPECT_EQ(decimal({"\x7B", 1}, -2), "1.23E+4");
  EXPECT_EQ(decimal({"\x01", 1}, 7), "1E-7");
  EXPECT_EQ(decimal({"\x01", 1}, 6), "0.000001");
  EXPECT_EQ(decimal({"\x80\x00\x00\x00\x00\x00\x00\x00\x00", 9}, 0), "-2361183241434822606848");
}

TEST(Text, ContainersAsJava) {
  const mr_value items[] = {int_value(MR_INT32, 1), mr_value{}, bytes("abcd")};
  EXPECT_EQ(to_text(list(MR_ARRAY, items)), "[1, null, YWJjZA==]");
  EXPECT_EQ(to_text(list(MR_ARRAY, {})), "[]");
  const mr_value entries[] = {string_value("id"), int_value(MR_INT64, 1), string_value("name"), string_value("x")};
  EXPECT_EQ(to_text(map_value(entries)), "{name=x, id=1}");  // a HashMap's order
  EXPECT_EQ(to_text(map_value({})), "{}");
}

TEST(Text, StructsLeaveOutNulls) {
  FakeHost host;
  const mr_schema_id number = host.add_schema(schema_of(MR_INT32)), text = host.add_schema(schema_of(MR_STRING));
  const mr_field fields[] = {{to_mr("a"), number, 0}, {to_mr("n"), text, 0}, {to_mr("b"), text, 0}};
  mr_schema schema = schema_of(MR_STRUCT);
  schema.fields = fields;
  schema.field_count = 3;
  const mr_schema_id id = host.add_schema(schema);
  const mr_value values[] = {int_value(MR_INT32, 1), mr_value{}, string_value("x")};
  EXPECT_EQ(host.text(OwnedValue(list(MR_STRUCT, values)), id), "Struct{a=1,b=x}");
}

TEST(Text, LogicalTypesAsDates) {
  FakeHost host;
  const auto text = [&](std::string_view name, mr_kind type, int64_t number) {
    const mr_schema_id id = host.add_schema(schema_of(type, "org.apache.kafka.connect.data." + std::string(name)));
    return host.text(OwnedValue(int_value(type, number)), id);
  };
  EXPECT_EQ(text("Date", MR_INT32, 19782), "Thu Feb 29 00:00:00 UTC 2024");
  EXPECT_EQ(text("Time", MR_INT32, 3'723'000), "Thu Jan 01 01:02:03 UTC 1970");
  EXPECT_EQ(text("Timestamp", MR_INT64, 1'735'689'599'999), "Tue Dec 31 23:59:59 UTC 2024");
  EXPECT_EQ(text("Timestamp", MR_INT64, -1), "Wed Dec 31 23:59:59 UTC 1969");
  EXPECT_EQ(to_text(int_value(MR_TIMESTAMP, 0)), "Thu Jan 01 00:00:00 UTC 1970");
}

}  // namespace
}  // namespace millrace::sdk
