#include "connectors/mariadb/binlog/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace millrace::mariadb {
namespace {

using ::testing::ElementsAre;

/// Gives what it is fed, blocks when there is nothing.
class FakeTransport final : public BinlogTransport {
 public:
  void feed(std::vector<uint8_t> event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  void fail(unsigned number) {
    std::lock_guard lock(mutex_);
    number_ = number;
    changed_.notify_all();
  }
  Result<Bytes> fetch() override {
    std::unique_lock lock(mutex_);
    ++fetches_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !events_.empty() || number_ != 0 || interrupted_; });
    if (interrupted_) return Status(Code::kStopped, "interrupted");
    if (events_.empty()) return Status(Code::kInternal, "refused");
    current_ = std::move(events_.front());
    events_.pop_front();
    return Bytes(current_);
  }
  unsigned server_error() const override { return number_; }
  void interrupt() override {
    std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  void wait_for_fetches(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return fetches_ >= count; });
  }
  int fetches() {
    std::lock_guard lock(mutex_);
    return fetches_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<uint8_t>> events_;
  std::vector<uint8_t> current_;
  unsigned number_ = 0;
  int fetches_ = 0;
  bool interrupted_ = false;
};

std::vector<size_t> sizes(EventBlock& block) {
  std::vector<size_t> out;
  for (Bytes raw; block.next(raw);) out.push_back(raw.size());
  return out;
}

TEST(BinlogStream, GivesAllThatIsThereAndThenTheFailure) {
  auto transport = std::make_unique<FakeTransport>();
  FakeTransport& source = *transport;
  for (const size_t size : {20, 30, 40}) source.feed(std::vector<uint8_t>(size, 1));
  source.fail(1236);
  BinlogStream stream(std::move(transport), 1 << 20);
  source.wait_for_fetches(4);
  auto block = stream.take(10'000);
  ASSERT_TRUE(block.ok());
  EXPECT_THAT(sizes(**block), ElementsAre(20U, 30U, 40U));
  for (int i = 0; i < 2; ++i) {
    block = stream.take(10'000);
    ASSERT_FALSE(block.ok());
    EXPECT_EQ(block.status().code(), Code::kInternal);
    EXPECT_EQ(stream.server_error(), 1236U);
  }
}

TEST(BinlogStream, ReadsAheadOnlySoFarAndOneLargeEventAlone) {
  auto transport = std::make_unique<FakeTransport>();
  FakeTransport& source = *transport;
  for (const size_t size : {400, 400, 400, 5000, 10}) source.feed(std::vector<uint8_t>(size, 1));
  BinlogStream stream(std::move(transport), 1000);
  source.wait_for_fetches(3);  // the third waits for room
  auto block = stream.take(10'000);
  EXPECT_THAT(sizes(**block), ElementsAre(400U, 400U));
  source.wait_for_fetches(4);
  block = stream.take(10'000);
  EXPECT_THAT(sizes(**block), ElementsAre(400U));
  source.wait_for_fetches(5);
  block = stream.take(10'000);
  EXPECT_THAT(sizes(**block), ElementsAre(5000U));
  block = stream.take(10'000);
  EXPECT_THAT(sizes(**block), ElementsAre(10U));
}

TEST(BinlogStream, AnEmptyBlockWhenNothingComes) {
  auto transport = std::make_unique<FakeTransport>();
  BinlogStream stream(std::move(transport), 1000);
  auto block = stream.take(1);
  ASSERT_TRUE(block.ok());
  EXPECT_TRUE((*block)->empty());
}

TEST(BinlogStream, InterruptAndDestructionEndAWaitingReader) {
  auto transport = std::make_unique<FakeTransport>();
  FakeTransport& source = *transport;
  BinlogStream stream(std::move(transport), 1000);
  source.wait_for_fetches(1);
  stream.interrupt();
  auto block = stream.take(10'000);
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.status().code(), Code::kStopped);

  auto full = std::make_unique<FakeTransport>();
  FakeTransport& filled = *full;
  for (int i = 0; i < 3; ++i) filled.feed(std::vector<uint8_t>(900, 1));
  const BinlogStream waiting(std::move(full), 1000);
  filled.wait_for_fetches(2);
}

}  // namespace
}  // namespace millrace::mariadb
