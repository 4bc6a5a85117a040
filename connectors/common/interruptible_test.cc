#include "connectors/common/interruptible.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace millrace::connectors {
namespace {

/// Tells whether it is interrupted after its end.
class Probe {
 public:
  explicit Probe(std::atomic<int>& late) : late_(late) {}
  ~Probe() { alive_ = false; }
  void interrupt() {
    if (!alive_) ++late_;
    ++interrupts_;
  }
  int interrupts() const { return interrupts_; }

 private:
  std::atomic<int>& late_;
  std::atomic<bool> alive_ = true;
  std::atomic<int> interrupts_ = 0;
};

TEST(Interruptible, ReachesWhatIsThere) {
  std::atomic<int> late = 0;
  Interruptible<Probe> probe;
  probe.interrupt();
  EXPECT_FALSE(probe);
  probe.set(std::make_unique<Probe>(late));
  probe.interrupt();
  EXPECT_EQ(probe->interrupts(), 1);
  probe.reset();
  probe.interrupt();
  EXPECT_FALSE(probe);
  EXPECT_EQ(late, 0);
}

TEST(Interruptible, NeverReachesWhatHasEnded) {
  std::atomic<int> late = 0;
  std::atomic<bool> enough = false;
  Interruptible<Probe> probe;
  std::thread other([&] {
    while (!enough) probe.interrupt();
  });
  for (int i = 0; i < 20'000; ++i) {
    probe.set(std::make_unique<Probe>(late));
    probe.reset();
  }
  enough = true;
  other.join();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace millrace::connectors
