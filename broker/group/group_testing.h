/// What tests of groups need: a log in memory whose syncs, failures and crashes the test decides, and clients that keep
/// what they were answered.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "broker/group/group_coordinator.h"
#include "core/error.h"

namespace millrace::testing {

/// Batches wait until sync(). Shared by a coordinator and its successor after a crash. Threads: one.
class MemoryOffsetsDisk {
 public:
  explicit MemoryOffsetsDisk(int32_t partitions = 4) : partitions_(partitions) {}
  int32_t partitions() const { return partitions_; }
  bool immediate = true;  ///< every append is durable at once
  bool broken = false;    ///< every append fails

  void append(int32_t partition, std::string batch, OffsetsLog::Done done) {
    if (broken) return done(fail(ErrorCode::kUnavailable, "the disk is full"));
    waiting_.push_back({partition, std::move(batch), std::move(done)});
    if (immediate) sync();
  }
  /// Makes the first `count` batches durable.
  void sync(size_t count = SIZE_MAX) {
    while (count-- > 0 && !waiting_.empty()) {
      Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      const int64_t base = ends_[next.partition];
      store_be(next.batch.data(), base);
      ends_[next.partition] = RecordBatchView::parse(next.batch)->next_offset();
      durable_[next.partition].push_back(std::move(next.batch));
      next.done(base);
    }
  }
  size_t waiting() const { return waiting_.size(); }
  /// What was not durable is gone; nobody is told.
  void crash() { waiting_.clear(); }
  /// Tells those whose batches are lost, so that a coordinator can be closed.
  void fail_waiting() {
    auto lost = std::move(waiting_);
    waiting_.clear();
    for (Waiting& each : lost) each.done(fail(ErrorCode::kUnavailable, "the disk went away"));
  }
  const std::map<int32_t, std::vector<std::string>>& durable() const { return durable_; }

 private:
  struct Waiting {
    int32_t partition;
    std::string batch;
    OffsetsLog::Done done;
  };
  const int32_t partitions_;
  std::deque<Waiting> waiting_;
  std::map<int32_t, std::vector<std::string>> durable_;
  std::map<int32_t, int64_t> ends_;
};

class MemoryOffsetsLog final : public OffsetsLog {
 public:
  explicit MemoryOffsetsLog(MemoryOffsetsDisk& disk) : disk_(disk) {}
  int32_t partition_count() const override { return disk_.partitions(); }
  void append(int32_t partition, std::string batch, Done done) override {
    disk_.append(partition, std::move(batch), std::move(done));
  }
  Status replay(const Visitor& visit) override {
    for (const auto& [partition, batches] : disk_.durable()) {
      for (const std::string& bytes : batches) {
        if (auto visited = visit(partition, *RecordBatchView::parse(bytes)); !visited) return visited;
      }
    }
    return {};
  }

 private:
  MemoryOffsetsDisk& disk_;
};

/// The marker that ends a transaction in a partition of the offsets topic.
inline std::string end_marker(int64_t producer_id, int16_t epoch, bool commit) {
  BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = epoch;
  options.transactional = true;
  options.control = true;
  RecordBatchBuilder batch(options);
  std::string key(4, '\0'), value(6, '\0');
  key[3] = commit ? 1 : 0;
  batch.append(0, key, value);
  [[maybe_unused]] const Status finished = batch.finish();
  return batch.take();
}

/// What a parked request was answered, once it was.
template <class Answer>
struct Held {
  std::shared_ptr<std::optional<Answer>> answer = std::make_shared<std::optional<Answer>>();
  std::function<void(Answer)> receiver() const {
    return [to = answer](Answer given) { *to = std::move(given); };
  }
  bool parked() const { return !answer->has_value(); }
  const Answer& operator*() const { return **answer; }
  const Answer* operator->() const { return &**answer; }
};

}  // namespace millrace::testing
