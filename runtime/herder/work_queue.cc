#include "runtime/herder/work_queue.h"

#include <algorithm>

namespace millrace {
namespace {
/// Each may be waiting for the database of one connector; they cost address space, and only when they are needed.
constexpr size_t kMostThreads = 64;
}  // namespace

void WorkQueue::add(const std::string& connector, std::chrono::milliseconds delay) {
  const Time when = std::chrono::steady_clock::now() + delay;
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  const auto [at, added] = due_.emplace(connector, when);
  if (!added) at->second = std::min(at->second, when);
  start_thread_if_needed();
  changed_.notify_all();
}

void WorkQueue::start_thread_if_needed() {
  if (idle_ > 0 || threads_.size() >= kMostThreads) return;
  ++idle_;  // until it has found its first work
  threads_.emplace_back([this] { run(); });
}

std::map<std::string, WorkQueue::Time>::iterator WorkQueue::next_due(Time now) {
  return std::find_if(due_.begin(), due_.end(),
                      [&](const auto& each) { return each.second <= now && !busy_.contains(each.first); });
}

WorkQueue::Time WorkQueue::next_wake(Time now) const {
  Time wake = now + std::chrono::hours(1);
  for (const auto& [connector, when] : due_) {
    if (!busy_.contains(connector)) wake = std::min(wake, when);
  }
  return wake;
}

void WorkQueue::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Time now = std::chrono::steady_clock::now();
    const auto found = next_due(now);
    if (found == due_.end()) {
      changed_.wait_until(lock, next_wake(now));
      continue;
    }
    const std::string connector = found->first;
    due_.erase(found);
    busy_.insert(connector);
    --idle_;
    // Another thread watches over what is still to come while this one may be held up.
    if (!due_.empty()) start_thread_if_needed();
    lock.unlock();
    work_(connector);
    lock.lock();
    busy_.erase(connector);
    ++idle_;
    changed_.notify_all();
  }
}

void WorkQueue::stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    due_.clear();
    threads.swap(threads_);
    changed_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace millrace
