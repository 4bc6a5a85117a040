/// Work on connectors that nobody waits for: a connector is looked at again, now or later. Different connectors are
/// served side by side, so that one which waits for its database holds up no other; one connector only once at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace millrace {

/// Threads: any. The threads that work are started as they are needed.
class WorkQueue {
 public:
  using Work = std::function<void(const std::string& connector)>;
  explicit WorkQueue(Work work) : work_(std::move(work)) {}
  ~WorkQueue() { stop(); }

  /// Calls the work for `connector` after `delay`. What is due earlier for it covers this call, too.
  void add(const std::string& connector, std::chrono::milliseconds delay = {});
  /// Ends what is waiting and waits for what is under way. Idempotent.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  void run();
  /// The connector that is due and not being worked on; the caller holds mutex_.
  std::map<std::string, Time>::iterator next_due(Time now);
  Time next_wake(Time now) const;
  void start_thread_if_needed();

  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Time> due_;
  std::set<std::string> busy_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace millrace
