/// The broker's Executor: one thread for work that may take long, one for timers.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "broker/server/services.h"

namespace millrace {

/// Threads: any. Work that has not begun when the object is destroyed is dropped.
class BackgroundExecutor final : public Executor {
 public:
  /// Timers go by `clock`, which outlives this; with a clock that is moved by hand, call clock_moved().
  explicit BackgroundExecutor(const Clock& clock);
  ~BackgroundExecutor() override;

  void run(std::function<void()> work) override;
  uint64_t run_after(std::chrono::milliseconds delay, std::function<void()> work) override;
  bool cancel(uint64_t id) override;
  /// Looks at the clock at once.
  void clock_moved();
  /// Ends both threads after what they are doing; later work is dropped. Once it has returned nothing runs any more.
  void stop();

 private:
  using Due = std::pair<std::chrono::nanoseconds, uint64_t>;
  void serve_work();
  void serve_timers();

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable work_ready_, timers_changed_;
  bool stopping_ = false;
  bool moved_ = false;
  std::deque<std::function<void()>> work_;
  std::map<Due, std::function<void()>> timers_;
  std::unordered_map<uint64_t, std::chrono::nanoseconds> deadlines_;
  uint64_t timer_last_ = 0;
  std::thread work_thread_, timer_thread_;
};

}  // namespace millrace
