/// Threads that handle requests: made when they are needed, kept, never more than a bound.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace millrace {

/// Threads: any. Work beyond the bound waits in order.
class RequestPool {
 public:
  class Job;

  explicit RequestPool(size_t threads_max);
  ~RequestPool() { finish(std::chrono::milliseconds(0)); }
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  std::shared_ptr<Job> run(std::function<void()> work);
  /// Nobody waits for the job any more. One that has not begun is dropped; for one that hangs another thread may be
  /// made, up to four times the bound, so that hanging jobs do not stop the others.
  void abandon(const std::shared_ptr<Job>& job);
  /// Takes no more work and waits for what there is. False: some still hangs after `grace`. Its threads run on by
  /// themselves, so what the work uses must stay alive. Idempotent.
  bool finish(std::chrono::milliseconds grace);

 private:
  struct State;
  const std::shared_ptr<State> state_;  // co-owned by the threads
};

}  // namespace millrace
