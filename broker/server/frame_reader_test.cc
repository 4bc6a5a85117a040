#include "broker/server/frame_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace millrace {
namespace {

std::string framed(std::string_view body) {
  std::string out;
  append_be(out, static_cast<int32_t>(body.size()));
  return out += body;
}

/// Feeds `bytes` in reads of at most `step` bytes with a scratch buffer of `scratch_bytes`; gives the frames.
std::vector<std::string> cut(std::string_view bytes, size_t step, size_t scratch_bytes) {
  FramePool pool(1 << 20);
  FrameReader reader(pool);
  std::vector<std::string> frames;
  std::vector<char> scratch(scratch_bytes);
  while (!bytes.empty()) {
    std::array<iovec, 2> targets;
    const size_t count = reader.targets(targets, scratch.data(), scratch.size());
    size_t moved = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t part = std::min({bytes.size(), targets[i].iov_len, step - moved});
      std::copy_n(bytes.data(), part, static_cast<char*>(targets[i].iov_base));
      bytes.remove_prefix(part);
      moved += part;
    }
    reader.arrived(moved, scratch.data());
    while (const auto shown = reader.peek(1 << 24)) {
      const std::string copy(*shown);
      Frame frame = reader.take();
      EXPECT_EQ(frame.bytes.substr(0, frame.size), copy);
      frames.push_back(copy);
      pool.give(std::move(frame.bytes));
    }
    reader.settle();
    std::fill(scratch.begin(), scratch.end(), '!');  // others use it between our turns
  }
  EXPECT_FALSE(reader.broken());
  EXPECT_FALSE(reader.mid_frame());
  return frames;
}

TEST(FrameReader, CutsTheSameFramesHoweverTheBytesArrive) {
  std::vector<std::string> bodies = {
      "", "a", std::string(100, 'b'), std::string(70'000, 'c'), "d", std::string(3'000'000, 'e'), std::string(16, 'f')};
  std::string bytes;
  for (const std::string& body : bodies) bytes += framed(body);
  for (const size_t step : {3'000'000UL, 65'536UL, 4'097UL}) EXPECT_EQ(cut(bytes, step, 65'536), bodies) << step;

  bodies.resize(3);
  bytes.clear();
  for (const std::string& body : bodies) bytes += framed(body);
  for (size_t step = 1; step < 20; ++step) EXPECT_EQ(cut(bytes, step, 7), bodies) << step;
}

TEST(FrameReader, RefusesLengthsThatAreNegativeOrTooLarge) {
  for (const int32_t length : {-1, INT32_MIN, 1001, INT32_MAX}) {
    FramePool pool(0);
    FrameReader reader(pool);
    std::string bytes;
    append_be(bytes, length);
    reader.arrived(bytes.size(), bytes.data());
    EXPECT_FALSE(reader.peek(1000));
    EXPECT_TRUE(reader.broken());
    EXPECT_EQ(reader.broken_length(), length);
  }
}

TEST(FrameReader, HoldsNoMoreMemoryThanHasArrived) {
  FramePool pool(0);
  FrameReader reader(pool);
  std::string bytes;
  append_be(bytes, int32_t{100'000'000});
  reader.arrived(bytes.size(), bytes.data());
  EXPECT_FALSE(reader.peek(104857600));
  std::array<iovec, 2> targets;
  char scratch[16];
  ASSERT_EQ(reader.targets(targets, scratch, sizeof(scratch)), 1U);
  EXPECT_LE(targets[0].iov_len, 1U << 20);
}

}  // namespace
}  // namespace millrace
