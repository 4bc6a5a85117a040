/// Kafka's sample windows: rates, averages and maxima are those of the last metrics.num.samples windows of
/// metrics.sample.window.ms, the one under way among them.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace millrace {

struct SampleRule {
  std::chrono::nanoseconds window{std::chrono::seconds(30)};
  int samples = 2;
};

/// A value for each window: totals as they were when it began, or what has been seen in it. At most rule.samples are
/// kept. Time is any monotonic one. Threads: one at a time.
template <class T>
class SampleWindows {
 public:
  SampleWindows(SampleRule rule, std::chrono::nanoseconds now, T first) : rule_(rule) {
    windows_.push_back({now, std::move(first)});
  }

  /// Whether the present window is over.
  bool due(std::chrono::nanoseconds now) const { return windows_.back().begun + rule_.window <= now; }
  /// Begins a new window. Those that Kafka would have forgotten by now go.
  void begin(std::chrono::nanoseconds now, T value) {
    windows_.push_back({now, std::move(value)});
    while (windows_.size() > 1 && windows_.front().begun + rule_.window * rule_.samples <= now)
      windows_.erase(windows_.begin());
    while (windows_.size() > static_cast<size_t>(rule_.samples)) windows_.erase(windows_.begin());
  }

  T& present() { return windows_.back().value; }
  const T& oldest() const { return windows_.front().value; }
  template <class F>
  void for_each(F&& f) const {
    for (const Window& window : windows_) f(window.value);
  }

  /// What a total's growth since oldest() is divided by. As Kafka counts: windows that have not passed yet, all but the
  /// present one, count as if they had, so that the first records make no peak.
  double seconds(std::chrono::nanoseconds now) const {
    auto elapsed = now - windows_.front().begun;
    const int64_t full = elapsed / rule_.window;
    if (full < rule_.samples - 1) elapsed += (rule_.samples - 1 - full) * rule_.window;
    return std::chrono::duration<double>(elapsed).count();
  }

 private:
  struct Window {
    std::chrono::nanoseconds begun;
    T value;
  };
  SampleRule rule_;
  std::vector<Window> windows_;
};

}  // namespace millrace
