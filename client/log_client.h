/// The worker's only door to topics. Two forms stand behind it: the embedded log engine (function calls, no socket)
/// and, later, librdkafka against a Kafka cluster. The names and rules are those of Kafka's clients.
///
/// Records cross this interface in Kafka's record batch v2 (protocol/record_batch.h), built once by the writer and
/// read in place by the reader: "wire = disk", so no form re-encodes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "protocol/record_batch.h"  // RecordBatchBuilder, RecordView

namespace millrace {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

struct NewTopic {
  std::string name;
  int32_t partitions = -1;          ///< -1 = the broker's num.partitions
  int16_t replication_factor = -1;  ///< -1 = the broker's default; the embedded log stores one copy whatever is asked
  std::map<std::string, std::string> configs = {};
};

struct TopicDescription {
  std::string name;
  std::string topic_id;  ///< 22 characters of URL-safe base64
  int32_t partitions = 0;
  bool internal = false;
  std::map<std::string, std::string> configs;  ///< those set on the topic
};

struct OffsetAndMetadata {
  int64_t offset = 0;  ///< the next offset to read
  std::string metadata;
};

/// Sends batches to partitions. Threads: any; batches sent to one partition by one thread keep their order.
class Producer {
 public:
  /// Called once per batch, on a thread of the client, when the batch is durable (the offset of its first record) or
  /// can never be. Must not block and must not call the producer.
  using Callback = std::function<void(Expected<int64_t> base_offset)>;

  /// Waits for the callbacks of what was sent.
  virtual ~Producer() = default;

  /// The number of partitions of `topic`. An absent topic is created with the defaults where auto.create.topics.enable
  /// allows it. Errors: kNotFound, kInvalidConfig for a bad name, kUnavailable.
  virtual Expected<int32_t> partition_count(const std::string& topic) = 0;

  /// Takes a finished or unfinished `batch` (record_count() > 0; moved from). Blocks while more than the client's
  /// buffer bound is on its way. A full disk is retried inside until `delivery_timeout`; the callback then gets
  /// kUnavailable.
  virtual void send(const TopicPartition& to, RecordBatchBuilder batch, Callback done) = 0;

  /// Waits until every batch sent before has had its callback. kUnavailable after `timeout`.
  virtual Status flush(std::chrono::milliseconds timeout) = 0;
};

struct TransactionConfig {
  std::string client_id;
  std::string transactional_id;               ///< a predecessor with the same one is fenced off
  std::chrono::milliseconds timeout{60'000};  ///< the log aborts a transaction that is open for longer
};

/// A producer whose batches become visible to read_committed readers together, with commit(). A transaction begins with
/// the first send() after the last one ended. Batches are built with BatchOptions::transactional.
/// After a failure of send() (its callback tells) the transaction can only be aborted; once fenced, nothing works.
/// Threads: one.
class TransactionalProducer : public Producer {
 public:
  /// Waits until all batches are durable and the transaction is decided and visible. Without an open transaction
  /// nothing happens. Errors: the first failed send, behind which the transaction has been aborted; kFenced when a
  /// successor has taken the id over or the transaction has lasted too long.
  virtual Status commit() = 0;
  /// Drops what was sent since the last end of a transaction. Errors: kFenced (the log has dropped it by itself).
  virtual Status abort() = 0;
  /// Whether something was sent since the last end of a transaction.
  virtual bool in_transaction() const = 0;
};

/// Told of changes of a consumer's partitions, inside Consumer::poll() and on its thread.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  virtual void on_revoked(const std::vector<TopicPartition>& partitions) = 0;   ///< may still commit
  virtual void on_assigned(const std::vector<TopicPartition>& partitions) = 0;  ///< positions are set; seek() allowed
};

/// Records of one partition that one poll() brought, in offset order; a poll may bring several of a partition, one
/// after the other. The views live as long as `owner`.
struct FetchedPartition {
  TopicPartition from;
  std::vector<RecordView> records;  ///< data records only: no control batches
  int64_t next_offset = 0;     ///< where the next fetch starts: may lie beyond the last record (holes, control batches)
  int64_t high_watermark = 0;  ///< end of the partition at the time of the fetch, for lag
  size_t bytes = 0;            ///< of the chunk of log that the records stand in
  std::shared_ptr<const void> owner;  ///< co-owned by whoever still reads the views
};

struct ConsumerConfig {
  std::string group_id = {};  ///< empty = no group: only assign()
  std::string client_id = {};
  bool from_earliest = true;  ///< auto.offset.reset: earliest (else latest)
  size_t max_poll_records = 500;
  size_t fetch_bytes_max = 50 << 20;           ///< fetch.max.bytes: of one poll
  size_t partition_fetch_bytes_max = 1 << 20;  ///< max.partition.fetch.bytes
  /// While records of fewer bytes than this have come and there are more, one poll reads on. 0: each partition once.
  size_t poll_bytes = 0;
  bool reset = true;            ///< false: auto.offset.reset=none, a missing position is an error
  bool read_committed = false;  ///< isolation.level: records of aborted transactions are left out
};

/// Reads partitions. Threads: one, except wakeup().
class Consumer {
 public:
  /// Leaves the group without committing.
  virtual ~Consumer() = default;

  /// Joins the group for `topics`; partitions arrive through `listener` in a later poll(). `listener` outlives this.
  virtual Status subscribe(std::vector<std::string> topics, RebalanceListener& listener) = 0;
  /// As subscribe(), for every topic, present or future, whose whole name matches `regex` (RE2 syntax).
  virtual Status subscribe_pattern(const std::string& regex, RebalanceListener& listener) = 0;
  /// Reads exactly these partitions, without group membership; starts at the committed offset or the reset policy.
  virtual Status assign(std::vector<TopicPartition> partitions) = 0;
  virtual std::vector<TopicPartition> assignment() const = 0;

  /// Waits up to `timeout` for records; empty when none came or after wakeup(). At most max_poll_records records.
  /// A position outside the log follows the reset policy and is logged; without one it is an error (kNotFound with
  /// NoOffsetForPartitionException or OffsetOutOfRangeException).
  virtual Expected<std::vector<FetchedPartition>> poll(std::chrono::milliseconds timeout) = 0;
  /// Ends the current or next poll() early. Threads: any.
  virtual void wakeup() = 0;

  virtual Status seek(const TopicPartition& partition, int64_t offset) = 0;
  virtual Expected<int64_t> position(const TopicPartition& partition) = 0;
  /// Paused partitions stay assigned and are not fetched.
  virtual void pause(const std::vector<TopicPartition>& partitions) = 0;
  virtual void resume(const std::vector<TopicPartition>& partitions) = 0;

  /// Durable when it returns. Errors: kFenced when the group has moved on and this member must rejoin.
  virtual Status commit(const std::map<TopicPartition, OffsetAndMetadata>& offsets) = 0;
  virtual Expected<std::optional<OffsetAndMetadata>> committed(const TopicPartition& partition) = 0;
};

/// Threads: any.
class Admin {
 public:
  virtual ~Admin() = default;
  virtual std::string cluster_id() = 0;
  /// kAlreadyExists when the topic is there.
  virtual Status create_topic(const NewTopic& topic) = 0;
  virtual Status delete_topic(const std::string& name) = 0;
  virtual Expected<std::vector<std::string>> list_topics() = 0;
  virtual Expected<TopicDescription> describe_topic(const std::string& name) = 0;
  virtual Expected<int64_t> earliest_offset(const TopicPartition& partition) = 0;
  virtual Expected<int64_t> latest_offset(const TopicPartition& partition) = 0;
  /// First offset whose timestamp is at or after `timestamp_ms`; nothing when none is.
  virtual Expected<std::optional<int64_t>> offset_for_time(const TopicPartition& partition, int64_t timestamp_ms) = 0;
  virtual Expected<std::map<TopicPartition, OffsetAndMetadata>> group_offsets(const std::string& group) = 0;
  /// Errors: kConflict while the group has members; kNotFound for an unknown topic or partition.
  virtual Status alter_group_offsets(const std::string& group, const std::map<TopicPartition, int64_t>& offsets) = 0;
  virtual Status delete_group_offsets(const std::string& group, const std::vector<TopicPartition>& partitions) = 0;
  /// Forgets the group and its offsets. An unknown group is no error; kConflict while it has members.
  virtual Status delete_group(const std::string& group) = 0;
  /// Aborts every transaction that holds a partition of `topic`, fencing its producer off, and returns when the
  /// markers are durable. For topics with one owner, who has just started: what is open was left by a predecessor.
  virtual Status abort_transactions_on(const std::string&) { return {}; }
};

/// Threads: any. Producers and consumers must be gone before the client.
class LogClient {
 public:
  virtual ~LogClient() = default;
  virtual Expected<std::unique_ptr<Producer>> producer(const std::string& client_id) = 0;
  /// Fences off a predecessor with the same transactional id and aborts what it left open. Errors: kInvalidConfig where
  /// there are no transactions, kUnavailable.
  virtual Expected<std::unique_ptr<TransactionalProducer>> transactional_producer(const TransactionConfig&) {
    return fail(ErrorCode::kInvalidConfig, "this log has no transactions");
  }
  virtual Expected<std::unique_ptr<Consumer>> consumer(ConsumerConfig config) = 0;
  virtual Admin& admin() = 0;
};

}  // namespace millrace
