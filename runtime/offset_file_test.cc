#include "runtime/offset_file.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string bytes(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char each : hex) {
    if (each != ' ') digits += each;
  }
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return out;
}

std::string hex_of(std::string_view text) {
  std::string hex;
  for (const char each : text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    hex += kDigits[static_cast<uint8_t>(each) >> 4];
    hex += kDigits[static_cast<uint8_t>(each) & 15];
  }
  return hex;
}

/// As a JVM writes a map of two byte arrays and a null: `["c",{}]` → `{}`, `["d",{}]` → null.
const std::string kHead =
    "ACED0005 73 72 0011 6A6176612E7574696C2E486173684D6170 0507DAC1C31660D1 03 0002"
    "46 000A 6C6F6164466163746F72 49 0009 7468726573686F6C64 78 70 3F400000 0000000C 77 08 00000010";
const std::string kFirst = "75 72 0002 5B42 ACF317F8060854E0 02 0000 78 70 00000008 5B2263222C7B7D5D";
const std::string kFile =
    kHead + "00000002" + kFirst + "75 71 007E0002 00000002 7B7D" + "75 71 007E0002 00000008 5B2264222C7B7D5D 70 78";
const OffsetEntries kEntries = {{R"(["c",{}])", "{}"}, {R"(["d",{}])", std::nullopt}};

TEST(OffsetFile, ReadsWhatJavaWrites) {
  const auto entries = parse_java_map(bytes(kFile));
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(*entries, kEntries);
}

TEST(OffsetFile, WritesWhatJavaReads) { EXPECT_EQ(hex_of(java_map(kEntries)), hex_of(bytes(kFile))); }

TEST(OffsetFile, AnEmptyMapIsWrittenAndRead) {
  EXPECT_EQ(hex_of(java_map({})), hex_of(bytes(kHead + "00000000 78")));
  const auto entries = parse_java_map(java_map({}));
  ASSERT_TRUE(entries);
  EXPECT_TRUE(entries->empty());
}

TEST(OffsetFile, ManyEntriesGrowTheTableAsJavaDoes) {
  OffsetEntries many;
  for (int i = 0; i < 1000; ++i) many["key" + std::to_string(i)] = std::string(static_cast<size_t>(i), 'v');
  const std::string file = java_map(many);
  const auto read = parse_java_map(file);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, many);
  const std::string_view capacity = std::string_view(file).substr(bytes(kHead).size() - 4, 4);
  EXPECT_EQ(hex_of(capacity), "00000800") << "2048: the first power of two of which 1000 are at most three quarters";
}

TEST(OffsetFile, AnArrayWrittenTwiceIsAReference) {
  // The value is the same object as the key: handle 3, the first array.
  const auto entries = parse_java_map(bytes(kHead + "00000001" + kFirst + "71 007E0003 78"));
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(entries->at(R"(["c",{}])"), R"(["c",{}])");
}

TEST(OffsetFile, AnotherClassIsNamed) {
  const auto entries = parse_java_map(bytes("ACED0005 73 72 0011 6A6176612E7574696C2E547265654D6170 0507"));
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().code, ErrorCode::kCorruption);
  EXPECT_NE(entries.error().message.find("Expected HashMap but found class java.util.TreeMap"), std::string::npos);
}

TEST(OffsetFile, EveryShorterFileIsRefused) {
  const std::string whole = bytes(kFile);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_java_map(std::string_view(whole).substr(0, size))) << size << " bytes";
}

TEST(OffsetFile, AChangedByteNeverLeadsAstray) {
  const std::string whole = bytes(kFile);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto entries = parse_java_map(changed);
      EXPECT_LE(entries ? entries->size() : 0, 2u) << "byte " << at;
    }
  }
}

TEST(OffsetFile, AbsentAndBrokenFiles) {
  PosixFileSystem files;
  std::string folder = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const Path path = Path(folder) / "connect.offsets";
  const auto absent = read_offset_file(files, path);
  ASSERT_TRUE(absent);
  EXPECT_TRUE(absent->empty());
  ASSERT_TRUE(write_offset_file(files, path, kEntries));
  EXPECT_EQ(*read_offset_file(files, path), kEntries);
  ASSERT_TRUE(files.write_file_atomically(path, "offsets"));
  const auto broken = read_offset_file(files, path);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find(path.string()), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace millrace
