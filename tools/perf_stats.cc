#include "tools/perf_stats.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

constexpr int64_t kSamplesMax = 500'000;
constexpr double kMegabyte = 1024.0 * 1024.0;

}  // namespace

void PerfStats::Sum::add(int64_t latency_ms, size_t size) {
  ++count;
  bytes += static_cast<int64_t>(size);
  latency_sum_ms += latency_ms;
  latency_max_ms = std::max(latency_max_ms, latency_ms);
}

PerfStats::PerfStats(int64_t records, int64_t window_ms, const Clock& clock)
    : clock_(&clock), window_ms_(window_ms), sampling_(std::max<int64_t>(records / std::min(records, kSamplesMax), 1)) {
  latencies_.reserve(static_cast<size_t>(records / sampling_ + 1));
  all_.start_ms = window_.start_ms = clock_->wall_ms();
}

void PerfStats::record(int64_t latency_ms, size_t bytes) {
  if (all_.count % sampling_ == 0) latencies_.push_back(static_cast<int32_t>(latency_ms));
  all_.add(latency_ms, bytes);
  window_.add(latency_ms, bytes);
}

std::string PerfStats::take_window() {
  const int64_t now = clock_->wall_ms();
  if (now - window_.start_ms < window_ms_ || window_.count == 0) return {};
  const auto elapsed = static_cast<double>(now - window_.start_ms);
  const auto count = static_cast<double>(window_.count);
  std::string line = fmt::format(
      "{} records sent, {:.1f} records/sec ({:.2f} MB/sec), {:.1f} ms avg latency, {:.1f} ms max latency.\n",
      window_.count, 1000.0 * count / elapsed, 1000.0 * static_cast<double>(window_.bytes) / elapsed / kMegabyte,
      static_cast<double>(window_.latency_sum_ms) / count, static_cast<double>(window_.latency_max_ms));
  window_ = Sum{.start_ms = now};
  return line;
}

std::string PerfStats::total() const {
  const auto elapsed = static_cast<double>(std::max<int64_t>(clock_->wall_ms() - all_.start_ms, 1));
  const auto count = static_cast<double>(all_.count);
  std::vector<int32_t> sorted = latencies_;
  std::ranges::sort(sorted);
  return fmt::format(
      "{} records sent, {:.6f} records/sec ({:.2f} MB/sec), {:.2f} ms avg latency, {:.2f} ms max latency, {} ms 50th, "
      "{} ms 95th, {} ms 99th, {} ms 99.9th.\n",
      all_.count, 1000.0 * count / elapsed, 1000.0 * static_cast<double>(all_.bytes) / elapsed / kMegabyte,
      all_.count == 0 ? 0.0 : static_cast<double>(all_.latency_sum_ms) / count,
      static_cast<double>(all_.latency_max_ms), percentile(sorted, 0.5), percentile(sorted, 0.95),
      percentile(sorted, 0.99), percentile(sorted, 0.999));
}

int64_t percentile(const std::vector<int32_t>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<size_t>(fraction * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace millrace
