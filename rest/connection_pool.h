/// Threads that serve connections: made when they are needed, kept, never more than a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace {

/// Threads: any. Work beyond the bound waits in order.
class ConnectionPool {
 public:
  explicit ConnectionPool(size_t threads_max) : threads_max_(threads_max) {}
  ~ConnectionPool() { finish(); }
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  void run(std::function<void()> work);
  /// Waits until all work, also what still waits, is done.
  void finish();

 private:
  void serve();

  const size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool finishing_ = false;
};

}  // namespace millrace
