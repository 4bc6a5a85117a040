#include <gtest/gtest.h>

#include "core/crc32c.h"
#include "protocol/golden_testing.h"
#include "protocol/hash.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

using testing::from_hex;
using testing::golden_root;
using testing::read_json_lines;
using testing::to_hex;

std::filesystem::path folder() { return golden_root() / "kafka-primitives"; }

TEST(GoldenPrimitives, Murmur2) {
  const auto lines = read_json_lines(folder() / "murmur2.jsonl");
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) {
    const std::string key = from_hex(line["key_hex"]);
    EXPECT_EQ(murmur2(key), line["murmur2"].get<int32_t>()) << line;
    for (const auto& [count, partition] : line["partition"].items())
      EXPECT_EQ(partition_of_key(key, std::stoi(count)), partition.get<int>()) << line;
  }
}

TEST(GoldenPrimitives, Crc32c) {
  for (const auto& line : read_json_lines(folder() / "crc32c.jsonl")) {
    std::string bytes;
    if (line.contains("hex")) {
      bytes = from_hex(line["hex"]);
    } else if (line["made"] == "byte i is (i*31 + (i>>8)) & 255") {
      for (int64_t i = 0; i < line["length"]; ++i) bytes += static_cast<char>((i * 31 + (i >> 8)) & 255);
    } else {
      continue;
    }
    EXPECT_EQ(crc32c(bytes), line["crc32c"].get<uint32_t>());
    EXPECT_EQ(crc32c(BytesView(bytes).substr(bytes.size() / 2), crc32c(BytesView(bytes).substr(0, bytes.size() / 2))),
              line["crc32c"].get<uint32_t>());
  }
}

TEST(GoldenPrimitives, VarintsBothWays) {
  const auto lines = read_json_lines(folder() / "varint.jsonl");
  ASSERT_FALSE(lines.empty());
  for (const auto& line : lines) {
    const auto value = line["value"].get<int64_t>();
    char raw[kVarlongBytesMax];
    EXPECT_EQ(to_hex({raw, static_cast<size_t>(write_varlong(raw, value) - raw)}), line["varlong"].get<std::string>());
    EXPECT_EQ(varlong_size(value) * 2, line["varlong"].get<std::string>().size());
    if (line.contains("varint")) {
      EXPECT_EQ(to_hex({raw, static_cast<size_t>(write_varint(raw, static_cast<int32_t>(value)) - raw)}),
                line["varint"].get<std::string>());
    }
    if (line.contains("unsigned_varint")) {
      EXPECT_EQ(to_hex({raw, static_cast<size_t>(write_unsigned_varint(raw, static_cast<uint32_t>(value)) - raw)}),
                line["unsigned_varint"].get<std::string>());
    }
  }
}

template <class T, class Read>
void expect_read(const nlohmann::json& expected, const std::string& bytes, Read read) {
  T value{};
  const char* end = read(bytes.data(), bytes.data() + bytes.size(), value);
  if (expected.contains("error")) {
    EXPECT_EQ(end, nullptr) << to_hex(bytes);
  } else {
    ASSERT_NE(end, nullptr) << to_hex(bytes);
    EXPECT_EQ(static_cast<int64_t>(value), expected["value"].get<int64_t>()) << to_hex(bytes);
    EXPECT_EQ(end - bytes.data(), expected["read"].get<int64_t>()) << to_hex(bytes);
  }
}

TEST(GoldenPrimitives, VarintDecoding) {
  for (const auto& line : read_json_lines(folder() / "varint-decode.jsonl")) {
    const std::string bytes = from_hex(line["hex"]);
    expect_read<uint32_t>(line["unsigned_varint"], bytes, read_unsigned_varint);
    expect_read<int32_t>(line["varint"], bytes, read_varint);
    expect_read<int64_t>(line["varlong"], bytes, read_varlong);
  }
}

TEST(GoldenPrimitives, StringHash) {
  for (const auto& line : read_json_lines(folder() / "string-hash.jsonl")) {
    const std::string text = from_hex(line["utf8_hex"]);
    EXPECT_EQ(java_string_hash(text), line["hash"].get<int32_t>()) << line;
    EXPECT_EQ(kafka_abs(java_string_hash(text)), line["abs"].get<int32_t>()) << line;
    for (const auto& [count, partition] : line["partition"].items())
      EXPECT_EQ(partition_of_group(text, std::stoi(count)), partition.get<int>()) << line;
  }
}

}  // namespace
}  // namespace millrace
