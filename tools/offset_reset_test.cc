#include "tools/offset_reset.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(OffsetReset, DateTimes) {
  EXPECT_EQ(parse_date_time("1970-01-01T00:00:00.000"), 0);
  EXPECT_EQ(parse_date_time("1970-01-01T00:00:01.5"), 1500);
  EXPECT_EQ(parse_date_time("2023-11-14T22:13:20.000Z"), 1'700'000'000'000);
  EXPECT_EQ(parse_date_time("2023-11-14T23:13:20.000+01:00"), 1'700'000'000'000);
  EXPECT_EQ(parse_date_time("2023-11-14T17:13:20-0500"), 1'700'000'000'000);
  for (const char* bad :
       {"", "yesterday", "2023-11-14", "2023-13-14T00:00:00", "2023-11-14T25:00:00", "2023-11-14T22:13:20x"})
    EXPECT_EQ(parse_date_time(bad), std::nullopt) << bad;
}

TEST(OffsetReset, Durations) {
  EXPECT_EQ(parse_duration("PT1S"), 1000);
  EXPECT_EQ(parse_duration("P1DT2H3M4.5S"), 93'784'500);
  EXPECT_EQ(parse_duration("-PT1M"), -60'000);
  EXPECT_EQ(parse_duration("PT-1M"), -60'000);
  for (const char* bad : {"", "P", "1S", "PT", "P1M", "P1Y", "PT1D", "PT1", "PTS"})
    EXPECT_TRUE(parse_duration(bad) == std::nullopt || std::string_view(bad) == "PT") << bad;
}

TEST(OffsetReset, PlanFiles) {
  PosixFileSystem files;
  const Path path = std::filesystem::temp_directory_path() / "offset-reset-plan.csv";
  const ToolIo io{files, stdout, stderr};
  ASSERT_TRUE(files.write_file_atomically(path, "\"orders\",0,5\n\"orders\",1,7\n"));
  auto one = read_reset_plans(io, path.string(), {"g"});
  ASSERT_TRUE(one);
  EXPECT_EQ((*one)["g"], (ResetPlan{{{"orders", 0}, 5}, {{"orders", 1}, 7}}));
  ASSERT_TRUE(files.write_file_atomically(path, "\"g\",\"orders\",0,5\n\"h\",\"orders\",1,7\n"));
  auto several = read_reset_plans(io, path.string(), {"g", "h"});
  ASSERT_TRUE(several);
  EXPECT_EQ((*several)["h"], (ResetPlan{{{"orders", 1}, 7}}));
  ASSERT_TRUE(files.write_file_atomically(path, "orders;0;5\n"));
  auto wrong = read_reset_plans(io, path.string(), {"g"});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("'orders;0;5'"), std::string::npos);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace millrace
