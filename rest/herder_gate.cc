#include "rest/herder_gate.h"

namespace millrace {

void HerderGate::attach(Herder& herder) {
  {
    std::lock_guard lock(mutex_);
    herder_ = &herder;
  }
  changed_.notify_all();
}

void HerderGate::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

Herder* HerderGate::now() const {
  std::lock_guard lock(mutex_);
  return closed_ ? nullptr : herder_;
}

Expected<Herder*> HerderGate::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return closed_ || herder_ != nullptr; });
  if (closed_) return fail(ErrorCode::kStopped, "Worker is shutting down");
  if (herder_ == nullptr) return fail(ErrorCode::kUnavailable, "Request timed out. The worker is still starting up.");
  return herder_;
}

bool HerderGate::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return closed_; });
}

}  // namespace millrace
