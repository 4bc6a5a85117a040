#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "core/bounded_queue.h"
#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/file_system.h"

namespace millrace {
namespace {

TEST(Crc32c, MatchesTheStandardCheckValueAndLongInputs) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  std::string text(10'000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + 7);
  uint32_t by_byte = 0;
  for (const char c : text) by_byte = crc32c(std::string_view(&c, 1), by_byte);
  EXPECT_EQ(crc32c(text), by_byte);  // the three-lane path equals the byte path
}

TEST(Bytes, BigEndianRoundTrip) {
  std::string out;
  append_be<int32_t>(out, 0x01020304);
  append_be<int64_t>(out, -2);
  EXPECT_EQ(out.substr(0, 4), std::string("\x01\x02\x03\x04", 4));
  EXPECT_EQ(load_be<int64_t>(out.data() + 4), -2);
}

TEST(Error, TraceHasJavaLayoutWithCauses) {
  Error error = Error{ErrorCode::kBadRecord, "bad number", {}, {}, {}}.wrap(ErrorCode::kInternal,
                                                                            "Tolerance exceeded in error handler");
  EXPECT_EQ(error_trace(error),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
            "Caused by: org.apache.kafka.connect.errors.DataException: bad number\n");
}

TEST(BoundedQueue, FullQueueMakesTheProducerWaitAndCloseReleasesIt) {
  BoundedQueue<int> queue{{.bytes_max = 10}};
  ASSERT_TRUE(queue.push(1, 8));
  std::thread producer([&] { EXPECT_TRUE(queue.push(2, 8)); });
  EXPECT_EQ(queue.pop(std::chrono::milliseconds(1000)), 1);
  EXPECT_EQ(queue.pop(std::chrono::milliseconds(1000)), 2);
  producer.join();
  queue.close();
  EXPECT_FALSE(queue.push(3, 1));
}

TEST(FileSystem, AtomicWriteReplacesAndMissingFileIsNotFound) {
  PosixFileSystem files;
  const Path folder = std::filesystem::temp_directory_path() / ("millrace-core-" + std::to_string(::getpid()));
  ASSERT_TRUE(files.create_directories(folder));
  ASSERT_TRUE(files.write_file_atomically(folder / "a", "one"));
  ASSERT_TRUE(files.write_file_atomically(folder / "a", "two"));
  EXPECT_EQ(files.read_file(folder / "a").value(), "two");
  EXPECT_EQ(files.read_file(folder / "b").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(files.remove_all(folder));
}

}  // namespace
}  // namespace millrace
