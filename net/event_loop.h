/// One thread that waits for sockets, timers and calls from other threads (epoll and an eventfd).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "net/descriptor.h"

namespace millrace {

/// What an EventLoop calls. All calls come on the loop's thread.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_events(uint32_t epoll_events) = 0;
  /// Asked for by call_at_round_end(): once every event of this wake-up has been handled.
  virtual void on_round_end() {}
  /// Asked for by notify().
  virtual void on_notified() {}
};

/// Threads: run() owns one; notify(), post(), stop() and in_loop_thread() may be called from any, the rest only on the
/// loop's thread (or before run()). Lifetime: whoever may still notify() co-owns the loop.
class EventLoop {
 public:
  /// Errors: kUnavailable when the process has no descriptors left. `clock` outlives the loop.
  static Expected<std::shared_ptr<EventLoop>> create(const Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;

  /// Serves until stop(). What was posted and not run by then is dropped.
  void run();
  void stop();
  bool in_loop_thread() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  /// Runs `work` on the loop. Does nothing once the loop has stopped.
  void post(std::function<void()> work);
  /// Calls handler->on_notified() on the loop: as post(), without an allocation. The loop co-owns the handler until
  /// then.
  void notify(std::shared_ptr<EventHandler> handler);

  /// Watches a descriptor. Errors: kUnavailable.
  Status add(int descriptor, uint32_t epoll_events, EventHandler& handler);
  /// Forgets the descriptor; no call to `handler` follows that the loop has not yet begun.
  void remove(int descriptor, EventHandler& handler);
  /// Calls handler.on_round_end() before the next look at the sockets. The handler asks at most once until it comes.
  void call_at_round_end(EventHandler& handler);

  uint64_t run_after(std::chrono::nanoseconds delay, std::function<void()> work);
  void cancel(uint64_t timer);
  /// When this round began.
  std::chrono::nanoseconds now() const { return now_; }

  /// A buffer for reads that end within one call: shared by all handlers of the loop.
  static constexpr size_t kScratchBytes = 64 * 1024;
  char* scratch() { return scratch_.get(); }

 private:
  EventLoop(const Clock& clock, Descriptor epoll, Descriptor wake);
  int wait_ms() const;
  void run_timers();
  void run_calls();
  void run_round_end();
  void wake();

  const Clock& clock_;
  const Descriptor epoll_;
  const Descriptor wake_;
  std::atomic<std::thread::id> thread_{};
  std::atomic<bool> stopping_{false};
  std::chrono::nanoseconds now_{0};
  std::unique_ptr<char[]> scratch_;

  static constexpr size_t kEventsMax = 256;
  std::array<epoll_event, kEventsMax> events_{};
  size_t events_at_ = 0, events_end_ = 0;
  std::vector<EventHandler*> round_end_;
  std::vector<EventHandler*> round_end_now_;
  std::map<std::pair<std::chrono::nanoseconds, uint64_t>, std::function<void()>> timers_;
  std::unordered_map<uint64_t, std::chrono::nanoseconds> timer_deadlines_;
  uint64_t timer_last_ = 0;

  std::mutex mutex_;  // guards what follows
  bool stopped_ = false;
  std::vector<std::function<void()>> posted_;
  std::vector<std::shared_ptr<EventHandler>> notified_;  // co-owned by the loop until they have been called
};

}  // namespace millrace
