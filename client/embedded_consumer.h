/// The consumer of the embedded log: reads batches in place and joins groups inside the process.
#pragma once

#include <condition_variable>
#include <deque>
#include <set>

#include "client/embedded_group_member.h"
#include "client/embedded_log_client.h"

namespace millrace {

class EmbeddedConsumer final : public Consumer {
 public:
  EmbeddedConsumer(Broker& broker, GroupCoordinator& groups, ConsumerConfig config, Logger logger);
  ~EmbeddedConsumer() override;

  Status subscribe(std::vector<std::string> topics, RebalanceListener& listener) override;
  Status subscribe_pattern(const std::string& regex, RebalanceListener& listener) override;
  Status assign(std::vector<TopicPartition> partitions) override;
  std::vector<TopicPartition> assignment() const override;
  Expected<std::vector<FetchedPartition>> poll(std::chrono::milliseconds timeout) override;
  void wakeup() override;
  Status seek(const TopicPartition& partition, int64_t offset) override;
  Expected<int64_t> position(const TopicPartition& partition) override;
  void pause(const std::vector<TopicPartition>& partitions) override;
  void resume(const std::vector<TopicPartition>& partitions) override;
  Status commit(const std::map<TopicPartition, OffsetAndMetadata>& offsets) override;
  Expected<std::optional<OffsetAndMetadata>> committed(const TopicPartition& partition) override;

 private:
  /// Wakes a waiting poll(); told by partition logs, by the group and by wakeup().
  class Waker final : public LogListener {
   public:
    void on_advance() override;
    void interrupt();
    /// Waits for a call since the last wait; true after interrupt().
    bool wait(std::chrono::steady_clock::time_point until);

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool advanced_ = false;
    bool interrupted_ = false;
  };
  /// Bytes that were read, with the buffers that compressed batches were opened into. Co-owned by FetchedPartition.
  struct Chunk {
    LogRead read;
    std::deque<std::string> opened;
    int64_t end_offset = INT64_MAX;  // read_committed: what lies behind is of an open transaction
    std::vector<AbortedTransaction> aborted_transactions;
    bool aborted(const RecordBatchView& batch) const;
  };
  struct Partition {
    std::shared_ptr<PartitionLog> log;
    int64_t position = 0;
    bool paused = false;
    std::shared_ptr<Chunk> chunk;  // what is left of the last read: from batch_at on, and the batch in `records`
    size_t batch_at = 0;
    int64_t batch_next_offset = 0;
    std::optional<RecordIterator> records;
  };

  Status join(GroupSubscription subscription, RebalanceListener& listener);
  void leave();
  Status take_turn();
  Status adopt(const std::vector<PartitionKey>& partitions);
  void drop_all();
  Expected<int64_t> start_position(const TopicPartition& key, const PartitionLog& log);
  struct PollRoom {
    size_t records, bytes;  ///< left: records, bytes of chunks
    size_t taken = 0;       ///< bytes of keys and values
  };
  Expected<std::vector<FetchedPartition>> collect();
  Status collect_round(size_t start, PollRoom& room, std::vector<FetchedPartition>& result);
  Status fetch(const TopicPartition& key, Partition& partition, FetchedPartition& out, size_t records_max);
  Expected<LogRead> read(const TopicPartition& key, Partition& partition);
  Expected<bool> refill(const TopicPartition& key, Partition& partition);
  Expected<bool> next_batch(Partition& partition);

  Broker& broker_;
  GroupCoordinator& groups_;
  const ConsumerConfig config_;
  Logger logger_;
  Waker waker_;
  RebalanceListener* listener_ = nullptr;
  std::unique_ptr<EmbeddedGroupMember> member_;  // null = not in a group
  std::map<TopicPartition, Partition> partitions_;
  size_t rotation_ = 0;
};

}  // namespace millrace
