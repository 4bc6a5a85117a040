/// The server listens before the worker has started: requests wait here for the herder.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/error.h"
#include "runtime/herder.h"

namespace millrace {

/// Threads: any.
class HerderGate {
 public:
  /// `herder` must outlive the last wait(): stop the server first.
  void attach(Herder& herder);
  /// Ends all waiting, now and later.
  void close();

  /// nullptr while there is none.
  Herder* now() const;
  /// Errors: kStopped after close(); kUnavailable if none was attached within `timeout`.
  Expected<Herder*> wait(std::chrono::milliseconds timeout);
  /// Lets the time pass. False: closed meanwhile.
  bool pause(std::chrono::milliseconds time);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Herder* herder_ = nullptr;
  bool closed_ = false;
};

}  // namespace millrace
