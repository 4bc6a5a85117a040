/// Ctrl-C and SIGTERM as something to ask for, so that a tool ends as Kafka's do: offsets committed, summary printed.
#pragma once

#include <signal.h>

namespace millrace {

/// Blocks SIGINT and SIGTERM from now on in this thread and in all that it starts, and takes them up here; a second
/// signal is taken up too, so kill -9 is what ends a tool that waits for a dead broker. Threads: one.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Does not block. True from the first signal on.
  bool stopped();
  /// The exit code of a program that the signal has ended, as a JVM has it: 130 or 143. 0 before a signal.
  int exit_code() const { return signal_ == 0 ? 0 : 128 + signal_; }
  /// Readable when a signal waits, for poll(2).
  int descriptor() const { return descriptor_; }

 private:
  sigset_t before_;
  int descriptor_ = -1;
  int signal_ = 0;
};

}  // namespace millrace
