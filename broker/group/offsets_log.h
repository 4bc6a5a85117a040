/// Where the coordinator's records go: the partitions of __consumer_offsets, or a stand-in of a test.
#pragma once

#include <functional>
#include <string>

#include "broker/broker.h"
#include "core/error.h"
#include "protocol/record_batch.h"

namespace millrace {

/// Threads: any.
class OffsetsLog {
 public:
  using Done = std::function<void(Expected<int64_t> base_offset)>;
  virtual ~OffsetsLog() = default;

  /// Fixed for the life of the log directory: the hash of a group id modulo this number says where a group lives.
  virtual int32_t partition_count() const = 0;
  /// Appends a finished batch. `done` is called exactly once: when the batch is durable, or with the error, perhaps
  /// before append() returns. Batches of a partition become durable in the order of the calls.
  virtual void append(int32_t partition, std::string batch, Done done) = 0;
  /// Hands out all durable batches, partition by partition in order of offset. Stops at the first error.
  using Visitor = std::function<Status(int32_t partition, const RecordBatchView& batch)>;
  virtual Status replay(const Visitor& visit) = 0;
};

/// The real one. Must not outlive the broker.
class BrokerOffsetsLog final : public OffsetsLog {
 public:
  explicit BrokerOffsetsLog(Broker& broker);
  int32_t partition_count() const override { return partition_count_; }
  void append(int32_t partition, std::string batch, Done done) override;
  Status replay(const Visitor& visit) override;

 private:
  Status replay_partition(int32_t partition, const PartitionLog& log, const Visitor& visit);
  Broker& broker_;
  int32_t partition_count_;
};

}  // namespace millrace
