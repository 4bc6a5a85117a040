/// What a task counts for GET /metrics, under the words of Kafka Connect's metric groups. Rates, averages and ratios
/// are for the reader to make of these totals.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace millrace {

/// A number that several threads add to; relaxed, because nothing else is read on the strength of it.
class Counter {
 public:
  void add(int64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

/// The smallest and the largest of some measurements; none: the smallest is above the largest.
struct Extremes {
  int64_t min = std::numeric_limits<int64_t>::max();
  int64_t max = std::numeric_limits<int64_t>::min();
  bool empty() const { return min > max; }
  void merge(const Extremes& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }
};

/// Extremes since they were last taken away. A measurement that comes while they are taken is in what was taken, in
/// what is taken next, or in both. Threads: any.
class RecentExtremes {
 public:
  void note(int64_t value) {
    int64_t seen = max_.load(std::memory_order_relaxed);
    while (value > seen && !max_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
    seen = min_.load(std::memory_order_relaxed);
    while (value < seen && !min_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
  }
  Extremes take() {
    const Extremes none;
    Extremes taken{min_.exchange(none.min, std::memory_order_relaxed),
                   max_.exchange(none.max, std::memory_order_relaxed)};
    // Taken between the two halves of a note: the half that is there stands for both.
    if (taken.empty() && taken.max != none.max) taken.min = taken.max;
    if (taken.empty() && taken.min != none.min) taken.max = taken.min;
    return taken;
  }

 private:
  std::atomic<int64_t> min_{Extremes().min}, max_{Extremes().max};
};

/// Sum, number, largest and smallest of measurements. Threads: one writer, any readers; one of them takes extremes.
class Measure {
 public:
  void note(int64_t value) {
    if (count_.get() == 0 || value < min_.get()) min_.set(value);
    if (value > max_.get()) max_.set(value);
    recent_.note(value);
    sum_.add(value);
    count_.add();
  }
  int64_t count() const { return count_.get(); }
  int64_t sum() const { return sum_.get(); }
  int64_t max() const { return max_.get(); }
  int64_t min() const { return min_.get(); }
  /// Of the measurements since the last call; for the sampler of windows.
  Extremes take_recent() const { return recent_.take(); }

 private:
  Counter count_, sum_, max_, min_;
  mutable RecentExtremes recent_;
};

/// How long a task has been running and paused. Threads: one writer, any readers.
class StateClock {
 public:
  enum class Phase : int64_t { kNeither, kRunning, kPaused };
  void enter(Phase phase) {
    const int64_t now = now_us();
    spent(static_cast<Phase>(phase_.get())).add(now - since_us_.get());
    since_us_.set(now);
    phase_.set(static_cast<int64_t>(phase));
  }
  int64_t running_us() const { return total_us(Phase::kRunning); }
  int64_t paused_us() const { return total_us(Phase::kPaused); }
  /// Since the task object was made.
  int64_t alive_us() const { return now_us() - born_us_; }

 private:
  static int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  Counter& spent(Phase phase) {
    return phase == Phase::kRunning ? running_us_ : phase == Phase::kPaused ? paused_us_ : neither_us_;
  }
  int64_t total_us(Phase phase) const {
    const int64_t past = phase == Phase::kRunning ? running_us_.get() : paused_us_.get();
    return static_cast<Phase>(phase_.get()) == phase ? past + now_us() - since_us_.get() : past;
  }
  const int64_t born_us_ = now_us();
  Counter phase_, since_us_, running_us_, paused_us_, neither_us_;
};

/// Counted per batch, poll or put, never per record on the plain path. Threads: the task's and its producer's write,
/// any read.
struct TaskMetrics {
  // connector-task-metrics
  StateClock state;         ///< running-ratio, pause-ratio
  Measure batch_size;       ///< batch-size-*: records of a poll (source) or a put (sink)
  Measure commit_ms;        ///< offset-commit-*-time-ms: of successful commits
  Counter commit_failures;  ///< with commit_ms.count(): offset-commit-*-percentage

  // source-task-metrics
  Counter polled;            ///< source-record-poll-total
  Counter written;           ///< source-record-write-total: acknowledged by the log
  Measure poll_ms;           ///< poll-batch-*-time-ms: of polls that brought records
  Counter active;            ///< source- or sink-record-active-count: polled or read, not yet written or committed
  Measure active_seen;       ///< …-active-count-max, -avg: once a batch
  Measure transaction_size;  ///< transaction-size-*: records of committed transactions

  // sink-task-metrics
  Counter read;               ///< sink-record-read-total: before transformations
  Counter sent;               ///< sink-record-send-total: given to the plugin
  Counter partitions;         ///< partition-count
  Counter commit_sequence;    ///< offset-commit-seq-no
  Counter commits_completed;  ///< offset-commit-completion-total
  Counter commits_skipped;    ///< offset-commit-skip-total
  Measure put_ms;             ///< put-batch-*-time-ms

  // task-error-metrics
  Counter record_failures;       ///< total-record-failures: each failed try
  Counter record_errors;         ///< total-record-errors: records that failed for good
  Counter records_skipped;       ///< total-records-skipped
  Counter retries;               ///< total-retries
  Counter errors_logged;         ///< total-errors-logged
  Counter dead_letters;          ///< deadletterqueue-produce-requests
  Counter dead_letter_failures;  ///< deadletterqueue-produce-failures
  Counter last_error_ms;         ///< last-error-timestamp: since the epoch; 0 = never
};

/// Milliseconds since construction.
class Stopwatch {
 public:
  int64_t ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace millrace
