#include "tools/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace millrace {

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  descriptor_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

StopSignals::~StopSignals() {
  if (descriptor_ >= 0) ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignals::stopped() {
  signalfd_siginfo info{};
  if (signal_ == 0 && ::read(descriptor_, &info, sizeof(info)) == sizeof(info))
    signal_ = static_cast<int>(info.ssi_signo);
  return signal_ != 0;
}

}  // namespace millrace
