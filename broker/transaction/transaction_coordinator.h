/// The transaction coordinator: producer ids, the state of every transactional id, the decision to commit or abort, and
/// the markers that carry it into the partitions.
///
/// A transition is first written to __transaction_state and counts once it is durable. The end of a transaction takes
/// two syncs: the decision (Prepare*), then the markers of all partitions together; Complete* follows without waiting,
/// since whoever reads Prepare* at the next start writes the markers again, which changes nothing. The answer to EndTxn
/// leaves when the markers are there, so the producer's next request finds the transaction over.
///
/// Nothing here waits: what has to be synced goes on in a callback, what touches the disk for long on the executor.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/server/services.h"
#include "broker/transaction/producer_ids.h"
#include "broker/transaction/transaction_state.h"
#include "log/log_manager.h"

namespace millrace {

struct TransactionOptions {
  int32_t partitions = 50;           ///< transaction.state.log.num.partitions
  int32_t offsets_partitions = 50;   ///< offsets.topic.num.partitions
  int32_t timeout_ms_max = 900'000;  ///< transaction.max.timeout.ms
  std::chrono::milliseconds timeout_scan_interval{
      1000};                               ///< transaction.abort.timed.out.transaction.cleanup.interval.ms
  int64_t id_expiration_ms = 604'800'000;  ///< transactional.id.expiration.ms
  std::chrono::milliseconds expiration_scan_interval{3'600'000};  ///< transaction.remove.expired....interval.ms
  bool background = true;  ///< scan for timeouts and expired ids with the executor; else the owner calls scan()
};

/// What the coordinator works on. All of it outlives the coordinator.
struct TransactionEnvironment {
  FileSystem& fs;
  Clock& clock;
  Executor& executor;
  Logger logger;
  Path directory;  ///< of the logs; the file producer-ids is kept here
  /// All partitions that exist.
  std::function<std::vector<PartitionKey>()> partitions;
  /// Null when the partition does not exist.
  std::function<std::shared_ptr<PartitionLog>(const PartitionKey&)> find_log;
  /// Finds or makes a partition of __transaction_state; may touch the disk for long.
  std::function<Expected<std::shared_ptr<PartitionLog>>(int32_t partition)> state_log;
  /// The marker of `producer_id` is durable in a partition of __consumer_offsets: what it had pending there is
  /// committed or dropped. Must not block.
  std::function<void(int64_t producer_id, int32_t offsets_partition, bool commit)> complete_offsets;
};

/// One transactional id, as it was when it was asked for.
struct TransactionSnapshot {
  std::string transactional_id;
  TransactionState state;
};

/// Threads: any. Callbacks run on the caller's thread before the call returns, or later on the thread that syncs the
/// logs or one of the executor; never under a lock of the coordinator.
class TransactionCoordinator {
 public:
  /// An answer: the error, and on success what the producer goes on with.
  using ProducerDone = std::function<void(KafkaError error, ProducerIdAndEpoch producer)>;
  using Done = std::function<void(KafkaError error)>;

  /// Reads all of __transaction_state (value versions 0 and 1, also as Kafka has written it) and lets the executor
  /// finish the transactions whose decision had been taken. Errors: kCorruption, kUnavailable.
  static Expected<std::unique_ptr<TransactionCoordinator>> open(TransactionEnvironment environment,
                                                                TransactionOptions options);
  /// stop().
  ~TransactionCoordinator();
  TransactionCoordinator(const TransactionCoordinator&) = delete;
  /// Refuses requests from now on (COORDINATOR_NOT_AVAILABLE) and waits until what is under way has been answered or
  /// dropped. Call it while the executor and the logs still work, or once both have let go of their callbacks.
  void stop();

  /// A plain idempotent producer (no transactional id). Errors: kCoordinatorNotAvailable.
  void init_idempotent_producer(ProducerDone done);
  void init_producer_id(std::string_view transactional_id, int32_t timeout_ms,
                        std::optional<ProducerIdAndEpoch> expected, ProducerDone done);

  /// Takes partitions into the transaction; `done` is called when that is durable, at once when they were in it. The
  /// partitions must exist.
  /// `client_version`: kTransactionsV2 when a Produce (12 and up) or TxnOffsetCommit (5 and up) adds them by itself.
  /// `done` may then write to the logs. Calls that meet one another are answered in their order, and until the last of
  /// them has been, verify() turns away all others: so requests that went through here are not overtaken by later ones.
  void add_partitions(std::string_view transactional_id, ProducerIdAndEpoch producer,
                      std::vector<PartitionKey> partitions, int16_t client_version, Done done);
  /// The partition of __consumer_offsets that holds `group`.
  PartitionKey offsets_partition(std::string_view group_id) const;

  /// Whether `producer` may write to `partition` within its transaction now, as Produce and TxnOffsetCommit ask for
  /// each transactional batch. A look-up. kTransactionAbortable: the partition is not in the transaction (yet: a
  /// Produce from 12 on then calls add_partitions()). Show the client what error_for_produce() makes of it.
  KafkaError verify(std::string_view transactional_id, int64_t producer_id, int16_t producer_epoch,
                    const PartitionKey& partition) const;
  /// The error of verify() or add_partitions() as clients of that Produce version know it: a producer fenced by the
  /// coordinator is INVALID_PRODUCER_EPOCH here, a partition outside the transaction INVALID_TXN_STATE up to version
  /// 10, and what is over soon NOT_ENOUGH_REPLICAS up to version 11, as old producers retry that.
  static KafkaError error_for_produce(KafkaError error, int16_t produce_version);

  /// `client_version`: kTransactionsV2 for EndTxn 5 and up.
  void end_transaction(std::string_view transactional_id, ProducerIdAndEpoch producer, bool commit,
                       int16_t client_version, ProducerDone done);

  std::optional<TransactionSnapshot> describe(std::string_view transactional_id) const;
  std::vector<TransactionSnapshot> list() const;

  /// Aborts what has timed out and forgets expired ids, as the executor has it done every so often.
  void scan();

 private:
  /// Work under way, for stop(): held by every callback.
  using Ticket = std::shared_ptr<void>;
  /// A call of add_partitions() that is not yet answered.
  struct Adding {
    std::vector<PartitionKey> partitions;
    Done done;
    Ticket ticket;
  };
  struct Entry {
    TransactionState state;
    std::optional<TransactionState> pending;  ///< written, not yet durable
    std::deque<Adding> adding;                ///< in version 2; not empty only while `pending`
    /// Ends of the transaction that came before its last partition had settled.
    std::vector<std::function<void()>> ends;

    /// Partitions that join by being written to are on their way.
    bool growing() const {
      return pending && pending->status == TransactionStatus::kOngoing && pending->client_version >= kTransactionsV2;
    }
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;
  struct Markers;
  /// How the timer finds the coordinator, for as long as there is one.
  struct Handle {
    std::mutex mutex;  // held during a scan: stop() waits for it
    TransactionCoordinator* coordinator;
  };

  TransactionCoordinator(TransactionEnvironment environment, TransactionOptions options);

  Status load();
  Status load_partition(const PartitionLog& log);
  int64_t producer_id_used_max() const;
  void start();
  Ticket take_ticket() const;
  void run_soon(std::function<void()> work) const;
  void schedule_scan();

  void init_with(std::string id, int32_t timeout_ms, std::optional<ProducerIdAndEpoch> expected,
                 std::optional<int64_t> fresh, ProducerDone done);
  void end_with(std::string id, ProducerIdAndEpoch producer, bool commit, int16_t client_version,
                std::optional<int64_t> fresh, ProducerDone done);
  void with_fresh_id(std::function<void(int64_t)> then, ProducerDone done);

  void persist(std::string id, TransactionState next, Done done);
  void append(int32_t partition, std::string batch, Done done);
  void append_to(const std::shared_ptr<PartitionLog>& log, std::string batch, Done done);
  void settle(const std::string& id, bool durable);
  void persist_added(std::string id, const TransactionState& next);
  void answer_added(const std::string& id, KafkaError error);
  void persist_decision(std::string id, TransactionState next, Done done);
  void finish(const std::string& id, Done done);
  void write_markers(const std::shared_ptr<Markers>& markers);
  void write_marker(const std::shared_ptr<Markers>& markers, const PartitionKey& partition);
  void marker_settled(const std::shared_ptr<Markers>& markers, const PartitionKey* failed);
  void markers_written(const std::shared_ptr<Markers>& markers);
  void complete(const std::string& id);
  void abort_timed_out(int64_t now_ms);
  void retry_markers();
  void forget_expired(int64_t now_ms);

  const TransactionEnvironment environment_;
  const TransactionOptions options_;
  std::shared_ptr<ProducerIds> producer_ids_;  // co-owned by its own work
  mutable std::mutex mutex_;
  Entries entries_;
  bool stopping_ = false;
  int64_t expiration_scanned_ms_ = 0;
  std::vector<std::shared_ptr<Markers>> unfinished_;  // markers that could not be written; scan() tries again
  std::shared_ptr<Handle> handle_;                    // co-owned by the timer's work
  mutable std::mutex tickets_mutex_;
  mutable std::condition_variable tickets_back_;
  mutable size_t tickets_ = 0;
};

}  // namespace millrace
