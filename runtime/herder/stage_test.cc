#include "runtime/herder/stage.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Stage, InstantsAreWrittenAsJavaWritesThem) {
  EXPECT_EQ(instant_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(instant_text(1'709'251'199'007), "2024-02-29T23:59:59.007Z");
}

TEST(Stage, TellsWhatIsDoneNowOrWasDoneLast) {
  int64_t now = 0;
  StageKeeper stages([&] { return now; });
  EXPECT_EQ(stages.summary(), "");
  {
    const auto first = stages.begin("starting connector a");
    now = 1000;
    {
      const auto second = stages.begin("stopping connector b");
      EXPECT_EQ(stages.summary(), "The worker is currently starting connector a, which began at 1970-01-01T00:00:00Z.")
          << "the one that has lasted longest";
    }
    now = 2500;
    EXPECT_EQ(stages.summary(), "The worker is currently starting connector a, which began at 1970-01-01T00:00:00Z.");
  }
  EXPECT_EQ(stages.summary(),
            "The last operation the worker completed was starting connector a, which began at 1970-01-01T00:00:00Z and "
            "completed at 1970-01-01T00:00:02.500Z.");
}

}  // namespace
}  // namespace millrace
