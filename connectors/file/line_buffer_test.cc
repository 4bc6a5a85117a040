#include "connectors/file/line_buffer.h"

#include <gmock/gmock.h>

#include <cstring>
#include <random>
#include <string>

#include "connectors/file/utf8.h"

namespace millrace::file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kNoLimit = 1 << 20;

void feed(LineBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    const auto room = buffer.room(kNoLimit);
    const size_t size = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), size);
    buffer.filled(size);
    text.remove_prefix(size);
  }
}

std::vector<std::string> take(LineBuffer& buffer) {
  std::vector<std::string> lines;
  for (std::string_view line; buffer.next(line);) lines.emplace_back(line);
  return lines;
}

TEST(LineBuffer, SplitsAtEveryKindOfLineEnd) {
  LineBuffer buffer(64);
  buffer.reset(0);
  feed(buffer, "one\ntwo\r\nthree\rfour\n\n\r\rlast");
  EXPECT_THAT(take(buffer), ElementsAre("one", "two", "three", "four", "", "", ""));
  EXPECT_EQ(buffer.position(), 23);
  EXPECT_EQ(buffer.read_position(), 27);
}

TEST(LineBuffer, CarriageReturnAtTheEndWaitsForItsSuccessor) {
  LineBuffer buffer(64);
  buffer.reset(100);
  feed(buffer, "one\r");
  EXPECT_THAT(take(buffer), IsEmpty());
  feed(buffer, "\ntwo\r");
  EXPECT_THAT(take(buffer), ElementsAre("one"));
  EXPECT_EQ(buffer.position(), 105);
  feed(buffer, "x");
  EXPECT_THAT(take(buffer), ElementsAre("two"));
  EXPECT_EQ(buffer.position(), 109);
}

TEST(LineBuffer, GrowsForALongLineUpToTheLimit) {
  LineBuffer buffer(8);
  buffer.reset(0);
  const std::string line(1000, 'x');
  feed(buffer, line + "\ny");
  EXPECT_THAT(take(buffer), ElementsAre(line));
  LineBuffer small(8);
  small.reset(0);
  std::memset(small.room(8).data(), 'x', 8);
  small.filled(8);
  EXPECT_TRUE(small.room(8).empty());
}

TEST(LineBuffer, RewindGivesTheSameLinesAgain) {
  LineBuffer buffer(64);
  buffer.reset(0);
  feed(buffer, "a\r\nb\nc\n");
  const auto mark = buffer.mark();
  EXPECT_THAT(take(buffer), ElementsAre("a", "b", "c"));
  buffer.rewind(mark);
  EXPECT_EQ(buffer.position(), 0);
  EXPECT_THAT(take(buffer), ElementsAre("a", "b", "c"));
}

TEST(LineBuffer, RestIsWhatHasNoLineEnd) {
  LineBuffer buffer(64);
  buffer.reset(0);
  feed(buffer, "a\nb\r");
  EXPECT_THAT(take(buffer), ElementsAre("a"));
  std::string_view line;
  ASSERT_TRUE(buffer.rest(line));
  EXPECT_EQ(line, "b");
  EXPECT_FALSE(buffer.rest(line));
  EXPECT_EQ(buffer.position(), 4);
}

/// However the bytes arrive, the lines and positions are those of reading them one by one.
TEST(LineBuffer, PiecesOfAnySizeGiveTheSameLines) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "ab\n\r"[random() % 4];
    text += "end\n";
    std::vector<std::string> expected(1);
    for (size_t i = 0; i < text.size(); ++i) {
      const bool both = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
      if (both) ++i;
      if (both || text[i] == '\n' || text[i] == '\r')
        expected.emplace_back();
      else
        expected.back() += text[i];
    }
    expected.pop_back();
    LineBuffer buffer(16);
    buffer.reset(0);
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t size = std::min<size_t>(1 + random() % 20, text.size() - at);
      feed(buffer, std::string_view(text).substr(at, size));
      at += size;
      for (auto& line : take(buffer)) lines.push_back(line);
    }
    ASSERT_EQ(lines, expected) << "round " << round;
    ASSERT_EQ(buffer.position(), static_cast<int64_t>(text.size()));
  }
}

TEST(Utf8, ValidAndRepaired) {
  EXPECT_TRUE(valid_utf8("plain text that is longer than a word"));
  EXPECT_TRUE(valid_utf8("Grüße, 世界 😀 after"));
  for (const std::string_view bad :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\xFF", "abcdefgh\x80"}) {
    EXPECT_FALSE(valid_utf8(bad));
    EXPECT_TRUE(valid_utf8(repaired_utf8(bad)));
  }
  EXPECT_EQ(repaired_utf8("a\xE4\xB8z\xFFü"), "a\uFFFDz\uFFFDü");
}

}  // namespace
}  // namespace millrace::file
