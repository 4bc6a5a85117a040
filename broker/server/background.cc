#include "broker/server/background.h"

namespace millrace {

BackgroundExecutor::BackgroundExecutor(const Clock& clock)
    : clock_(clock), work_thread_([this] { serve_work(); }), timer_thread_([this] { serve_timers(); }) {}

BackgroundExecutor::~BackgroundExecutor() { stop(); }

void BackgroundExecutor::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_ready_.notify_all();
  timers_changed_.notify_all();
  if (work_thread_.joinable()) work_thread_.join();
  if (timer_thread_.joinable()) timer_thread_.join();
  // What is dropped may own exchanges, whose end calls connections: not under our lock.
  decltype(work_) work;
  decltype(timers_) timers;
  std::lock_guard lock(mutex_);
  work.swap(work_);
  timers.swap(timers_);
  deadlines_.clear();
}

void BackgroundExecutor::run(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    work_.push_back(std::move(work));
  }
  work_ready_.notify_one();
}

uint64_t BackgroundExecutor::run_after(std::chrono::milliseconds delay, std::function<void()> work) {
  const auto deadline = clock_.monotonic() + delay;
  std::lock_guard lock(mutex_);
  const uint64_t id = ++timer_last_;
  if (stopping_) return id;
  const auto placed = timers_.emplace(Due{deadline, id}, std::move(work)).first;
  deadlines_.emplace(id, deadline);
  // Only a new earliest timer is worth waking the thread for: most are long polls that will be cancelled.
  if (placed == timers_.begin()) timers_changed_.notify_one();
  return id;
}

bool BackgroundExecutor::cancel(uint64_t id) {
  std::function<void()> dropped;  // destroyed outside the lock
  std::lock_guard lock(mutex_);
  const auto found = deadlines_.find(id);
  if (found == deadlines_.end()) return false;
  const auto timer = timers_.find(Due{found->second, id});
  dropped = std::move(timer->second);
  timers_.erase(timer);
  deadlines_.erase(found);
  return true;
}

void BackgroundExecutor::clock_moved() {
  {
    std::lock_guard lock(mutex_);
    moved_ = true;
  }
  timers_changed_.notify_one();
}

void BackgroundExecutor::serve_work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_ready_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (stopping_) return;
    std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

void BackgroundExecutor::serve_timers() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      timers_changed_.wait(lock, [this] { return stopping_ || !timers_.empty(); });
      continue;
    }
    const Due next = timers_.begin()->first;
    const auto wait = next.first - clock_.monotonic();
    if (wait.count() > 0) {
      timers_changed_.wait_for(lock, wait, [&] {
        return std::exchange(moved_, false) || stopping_ || timers_.empty() || timers_.begin()->first != next;
      });
      continue;
    }
    auto due = timers_.extract(timers_.begin());
    deadlines_.erase(due.key().second);
    lock.unlock();
    due.mapped()();
    due = {};
    lock.lock();
  }
}

}  // namespace millrace
