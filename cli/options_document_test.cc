#include "cli/options_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace millrace {
namespace {

TEST(OptionsDocument, IsWhatTheTablesSay) {
  std::ifstream file(MILLRACE_SOURCE_DIR "/docs/configuration.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  // Not EXPECT_EQ: the difference would fill the screen.
  EXPECT_TRUE(page == options_document())
      << "docs/configuration.md is not up to date: millrace lint --print-options > docs/configuration.md";
}

TEST(OptionsDocument, HasSettingsOfAllKinds) {
  const std::string page = options_document();
  for (const char* part :
       {"| `offset.flush.interval.ms` | LONG | `60000` |", "| `group.id` | STRING | required |", "| `topics.regex` |",
        "| `topic.creation.groups` |", "| `plugin.discovery` |", "org.apache.kafka.connect.json.JsonConverter"}) {
    EXPECT_THAT(page, testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace millrace
