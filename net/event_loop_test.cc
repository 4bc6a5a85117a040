#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>

namespace millrace {
namespace {

using namespace std::chrono_literals;

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    first = Descriptor(ends[0]);
    second = Descriptor(ends[1]);
  }
  Descriptor first, second;
};

class EventLoopTest : public ::testing::Test {
 protected:
  ~EventLoopTest() override {
    loop_->stop();
    if (thread_.joinable()) thread_.join();
  }
  void start() {
    thread_ = std::thread([this] { loop_->run(); });
  }
  /// Runs `work` on the loop and waits.
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    loop_->post([&] {
      work();
      done.set_value();
    });
    ASSERT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
  }

  ManualClock clock_;
  std::shared_ptr<EventLoop> loop_ = std::move(*EventLoop::create(clock_));
  std::thread thread_;
};

TEST_F(EventLoopTest, TimersRunInOrderAndCancelledOnesDoNot) {
  std::string order;
  loop_->run_after(20ms, [&] { order += 'b'; });
  loop_->run_after(10ms, [&] { order += 'a'; });
  const uint64_t dropped = loop_->run_after(15ms, [&] { order += 'x'; });
  loop_->run_after(1h, [&] { order += 'y'; });
  loop_->cancel(dropped);
  clock_.advance(30ms);
  start();
  on_loop([] {});
  on_loop([] {});  // timers run behind the calls of a round
  EXPECT_EQ(order, "ab");
}

struct Watcher final : EventHandler {
  EventLoop& loop;
  Pair pair;
  Watcher* other = nullptr;
  int events = 0, ends = 0;
  std::promise<void> notified;
  explicit Watcher(EventLoop& its_loop) : loop(its_loop) {}
  void on_events(uint32_t) override {
    ++events;
    if (other != nullptr) loop.remove(other->pair.first.get(), *other);
    loop.call_at_round_end(*this);
  }
  void on_round_end() override { ++ends; }
  void on_notified() override { notified.set_value(); }
};

TEST_F(EventLoopTest, ARemovedHandlerHearsNothingMoreEvenInTheSameRound) {
  Watcher a(*loop_), b(*loop_);
  a.other = &b;
  b.other = &a;
  for (Watcher* watcher : {&a, &b}) {
    ASSERT_TRUE(loop_->add(watcher->pair.first.get(), EPOLLIN | EPOLLET, *watcher).has_value());
    ASSERT_EQ(::write(watcher->pair.second.get(), "x", 1), 1);
  }
  start();
  on_loop([] {});
  on_loop([] {});
  EXPECT_EQ(a.events + b.events, 1);
  EXPECT_EQ(a.ends + b.ends, 1);
}

TEST_F(EventLoopTest, NotifiesFromOtherThreadsAndDropsWhatComesAfterTheEnd) {
  auto watcher = std::make_shared<Watcher>(*loop_);
  auto notified = watcher->notified.get_future();
  start();
  loop_->notify(watcher);
  EXPECT_EQ(notified.wait_for(20s), std::future_status::ready);
  loop_->stop();
  thread_.join();
  loop_->notify(watcher);
  loop_->post([] { ADD_FAILURE(); });
  EXPECT_EQ(watcher.use_count(), 1);  // not kept by a loop that will never call
}

}  // namespace
}  // namespace millrace
