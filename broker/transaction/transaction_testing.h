/// A world for tests of the transaction coordinator: logs over a file system that can fail, work that runs when the
/// test says so, syncs one log at a time. Nothing runs by itself, so a seed repeats a run exactly.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "broker/broker.h"
#include "broker/transaction/transaction_coordinator.h"
#include "log/fault_file_system.h"

namespace millrace {

/// Work waits for run_one(). Timers never fire. Threads: one.
class ManualExecutor final : public Executor {
 public:
  void run(std::function<void()> work) override { work_.push_back(std::move(work)); }
  uint64_t run_after(std::chrono::milliseconds, std::function<void()>) override { return 0; }
  bool cancel(uint64_t) override { return true; }
  bool run_one() {
    if (work_.empty()) return false;
    auto work = std::move(work_.front());
    work_.pop_front();
    work();
    return true;
  }
  void drop() { work_.clear(); }

 private:
  std::deque<std::function<void()>> work_;
};

/// Threads: one.
class TransactionWorld {
 public:
  FaultFileSystem fs;
  ManualClock clock;
  ManualExecutor executor;
  TransactionOptions options = {.partitions = 3, .offsets_partitions = 2, .background = false};
  std::vector<std::tuple<int64_t, int32_t, bool>> offsets_completed;

  ~TransactionWorld() { drop(); }

  Status open() {
    if (auto made = fs.create_directories("/logs"); !made) return made;
    auto folders = fs.list("/logs");
    if (!folders) return fail(std::move(folders.error()));
    for (const std::string& folder : *folders) {
      const size_t dash = folder.rfind('-');
      if (dash == std::string::npos || folder == "producer-ids" || folder.ends_with(".tmp")) continue;
      auto log = make_log({folder.substr(0, dash), std::stoi(folder.substr(dash + 1))});
      if (!log) return fail(std::move(log.error()));
    }
    auto opened = TransactionCoordinator::open(environment(), options);
    if (!opened) return fail(std::move(opened.error()));
    coordinator_ = std::move(*opened);
    return {};
  }
  /// A power cut: what was not synced is gone, what was under way is never answered.
  void crash(uint64_t seed) {
    drop();
    fs.fail_nth(INT64_MAX / 2);
    fs.crash(seed);
  }
  /// Lets go of all that runs.
  void drop() {
    executor.drop();
    for (auto& [key, log] : logs_) log->abandon();
    executor.drop();
    coordinator_.reset();
    logs_.clear();
  }

  TransactionCoordinator& coordinator() { return *coordinator_; }
  Expected<std::shared_ptr<PartitionLog>> make_log(const PartitionKey& key) {
    if (const auto found = logs_.find(key); found != logs_.end()) return found->second;
    auto log = PartitionLog::open({fs, clock, Logger(), nullptr},
                                  Path("/logs") / (key.first + "-" + std::to_string(key.second)), LogConfig{}, {});
    if (log) logs_[key] = *log;
    return log;
  }
  PartitionLog& log(const PartitionKey& key) { return *logs_.at(key); }
  const std::map<PartitionKey, std::shared_ptr<PartitionLog>>& logs() const { return logs_; }

  bool sync_one(std::mt19937_64& random) {
    if (logs_.empty()) return false;
    auto it = logs_.begin();
    std::advance(it, static_cast<ptrdiff_t>(random() % logs_.size()));
    const auto log = it->second;
    return log->flush().has_value();
  }
  /// Runs until nothing is left to do.
  void settle() {
    for (int quiet = 0; quiet < 2; ++quiet) {
      while (executor.run_one()) quiet = 0;
      const auto logs = logs_;
      for (const auto& [key, log] : logs) [[maybe_unused]] const Status flushed = log->flush();
    }
  }

 private:
  TransactionEnvironment environment() {
    return {
        .fs = fs,
        .clock = clock,
        .executor = executor,
        .logger = Logger(),
        .directory = "/logs",
        .partitions =
            [this] {
              std::vector<PartitionKey> keys;
              for (const auto& [key, log] : logs_) keys.push_back(key);
              return keys;
            },
        .find_log =
            [this](const PartitionKey& key) {
              const auto found = logs_.find(key);
              return found == logs_.end() ? nullptr : found->second;
            },
        .state_log =
            [this](int32_t partition) {
              return make_log({std::string(kTransactionsTopic), partition});
            },
        .complete_offsets = [this](int64_t producer_id, int32_t partition,
                                   bool commit) { offsets_completed.emplace_back(producer_id, partition, commit); }};
  }

  std::map<PartitionKey, std::shared_ptr<PartitionLog>> logs_;  // co-owned by callbacks under way
  std::unique_ptr<TransactionCoordinator> coordinator_;
};

}  // namespace millrace
