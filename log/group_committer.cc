#include "log/group_committer.h"

namespace millrace {

GroupCommitter::GroupCommitter() : thread_([this] { run(); }) {}

GroupCommitter::~GroupCommitter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filled_.notify_one();
  thread_.join();
}

void GroupCommitter::dirty(std::shared_ptr<PartitionLog> log) {
  std::lock_guard lock(mutex_);
  if (!queued_.insert(log.get()).second) return;
  dirty_.push_back(std::move(log));
  if (dirty_.size() == 1) filled_.notify_one();
}

void GroupCommitter::run() {
  std::vector<std::shared_ptr<PartitionLog>> round;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [&] { return stopping_ || !dirty_.empty(); });
      if (dirty_.empty()) return;
      round.swap(dirty_);
      queued_.clear();
    }
    for (const auto& log : round) {
      // A failure has been told to the waiters and logged; the log refuses or takes the next append by itself.
      [[maybe_unused]] const Status flushed = log->flush();
    }
    round.clear();
  }
}

}  // namespace millrace
