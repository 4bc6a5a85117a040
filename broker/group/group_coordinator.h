/// The group coordinator: all groups with their members and committed offsets, kept in __consumer_offsets.
///
/// One lock guards all groups; nothing is called under it that could take another lock of ours or wait. A verb changes
/// the group, queues the records that follow from it, and gives up the lock; only then the records are appended (in the
/// order in which they were queued) and answers are called. What a record stands for counts once it is durable: the
/// leader's SyncGroup, every commit and deletion are answered after that, and committed offsets are changed then, in
/// the order of the log. So memory is always what a restart would read.
///
/// Members inside this process use the same verbs (client/embedded_consumer.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "broker/broker.h"
#include "broker/group/classic_group.h"
#include "broker/group/group_offsets.h"
#include "broker/group/offsets_log.h"
#include "core/clock.h"
#include "core/logger.h"

namespace millrace {

struct GroupCoordinatorOptions {
  std::chrono::milliseconds initial_rebalance_delay{0};         ///< group.initial.rebalance.delay.ms; see ClassicGroup
  std::chrono::milliseconds session_timeout_min{6'000};         ///< group.min.session.timeout.ms
  std::chrono::milliseconds session_timeout_max{1'800'000};     ///< group.max.session.timeout.ms
  size_t size_max = INT32_MAX;                                  ///< group.max.size
  size_t metadata_bytes_max = 4096;                             ///< offset.metadata.max.bytes
  std::chrono::milliseconds offsets_retention{604'800'000};     ///< offsets.retention.minutes
  std::chrono::milliseconds retention_check_interval{600'000};  ///< offsets.retention.check.interval.ms
  bool background = true;  ///< timers on a thread of the coordinator; else the owner calls run_timers()
  uint64_t seed = 0;       ///< of member ids; 0 = from the system
};

struct OffsetToCommit {
  PartitionKey partition;
  CommittedOffset committed;  ///< without the times
};

struct OffsetCommit {
  GroupIdentity who;
  std::vector<OffsetToCommit> offsets;
  int64_t retention_ms = -1;  ///< v2 to v4: how long to keep them
  int64_t producer_id = -1;   ///< of a transaction, else -1
  int16_t producer_epoch = -1;
  /// v9 and up: a group that is not there is GROUP_ID_NOT_FOUND rather than ILLEGAL_GENERATION.
  bool knows_group_id_not_found = false;
};
using CommitAnswer = std::function<void(KafkaError)>;
using DoneAnswer = std::function<void(KafkaError)>;

struct GroupDescription {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;
    std::string assignment;
  };
  bool found = false;
  std::string state = "Dead";
  std::string protocol_type;
  std::string protocol;  ///< empty unless stable
  std::vector<Member> members;
};

struct GroupListing {
  std::string group_id;
  std::string protocol_type;
  std::string state;
  std::string type = "classic";
};

/// Threads: any; answers come on any thread, perhaps before the call returns.
class GroupCoordinator final : public TopicListener {
 public:
  /// Loads all groups from the broker's log and follows its topics. Must not outlive the broker.
  /// Errors: kCorruption, kUnavailable.
  static Expected<std::unique_ptr<GroupCoordinator>> open(Broker& broker, Clock& clock, Logger logger,
                                                          GroupCoordinatorOptions options);
  /// As above over any log; follows no topics.
  static Expected<std::unique_ptr<GroupCoordinator>> open(std::unique_ptr<OffsetsLog> log, Clock& clock, Logger logger,
                                                          GroupCoordinatorOptions options);
  /// close().
  ~GroupCoordinator() override;
  GroupCoordinator(const GroupCoordinator&) = delete;
  /// Stops timers, refuses new requests with COORDINATOR_NOT_AVAILABLE and waits for the records on their way. Before
  /// the broker is closed. Parked answers are dropped.
  void close();

  // --- Membership ---

  void join(GroupJoin request, JoinAnswer answer);
  void sync(GroupSync request, SyncAnswer answer);
  KafkaError heartbeat(const GroupIdentity& who);
  /// One error a leaver. kCoordinatorNotAvailable for all while the group is being deleted.
  std::vector<KafkaError> leave(const std::string& group_id, const std::vector<GroupLeaver>& who);

  // --- Offsets ---

  void commit(OffsetCommit request, CommitAnswer answer);
  /// `read(const GroupOffsets*)` under the lock: null for a group that is not known. Must not call the coordinator.
  template <class Read>
  void read_offsets(const std::string& group_id, Read read) const {
    std::lock_guard lock(mutex_);
    const auto found = groups_.find(group_id);
    read(found == groups_.end() ? static_cast<const GroupOffsets*>(nullptr) : &found->second->offsets);
  }
  GroupOffsets::Map committed(const std::string& group_id) const;
  /// Per partition kNone or kGroupSubscribedToTopic, or one error for all (kGroupIdNotFound, kNonEmptyGroup).
  using DeleteOffsetsAnswer = std::function<void(KafkaError, std::vector<KafkaError>)>;
  void delete_offsets(const std::string& group_id, std::vector<PartitionKey> partitions, DeleteOffsetsAnswer answer);
  /// For the transaction coordinator, once its marker is durable in that partition of __consumer_offsets: what the
  /// producer committed there counts now, or never. Does not block.
  void complete_transaction(int64_t producer_id, int32_t offsets_partition, bool commit);

  // --- Groups ---

  /// Errors: kGroupIdNotFound, kNonEmptyGroup.
  void delete_group(const std::string& group_id, DoneAnswer answer);
  GroupDescription describe(const std::string& group_id) const;
  std::vector<GroupListing> list() const;
  bool has_members(const std::string& group_id) const;
  /// The partition of __consumer_offsets that holds the group.
  int32_t partition_of(std::string_view group_id) const;
  const GroupCoordinatorOptions& options() const { return options_; }

  // --- Time and topics ---

  /// Does what is due by the clock.
  void run_timers();
  /// Forgets old offsets, and groups of which nothing is left. Called by run_timers() at its interval.
  void expire_offsets();
  void on_topics_changed() override {}
  /// Forgets what all groups committed for the topic; durable when it returns.
  void on_topic_deleted(const std::string& topic) override;

 private:
  struct Group {
    Group(std::string id, ClassicGroup::Options options) : classic(std::move(id), std::move(options)) {}
    ClassicGroup classic;
    GroupOffsets offsets;
    GroupTime timer = kNever;  // its entry in timers_
  };
  /// Co-owned by the callbacks of records on their way.
  using GroupPtr = std::shared_ptr<Group>;
  /// A batch that waits to be appended.
  struct Append {
    int32_t partition;
    std::string batch;
    OffsetsLog::Done done;
  };

  GroupCoordinator(std::unique_ptr<OffsetsLog> log, Clock& clock, Logger logger, GroupCoordinatorOptions options);
  Status load();
  Status load_batch(int32_t partition, const RecordBatchView& batch, std::map<std::string, GroupMetadata>& metadata);
  void restore_groups(const std::map<std::string, GroupMetadata>& metadata);

  GroupTurn begin_turn() const;
  void finish_turn(GroupTurn& turn);
  GroupPtr find(const std::string& group_id) const;
  GroupPtr find_or_make(const std::string& group_id);
  void settle(const GroupPtr& group, GroupTurn& turn);
  void queue_write(const GroupPtr& group, GroupWrite write, const GroupTurn& turn);
  void queue(int32_t partition, RecordBatchBuilder batch, OffsetsLog::Done done);
  void drain();
  void set_timer(const GroupPtr& group);
  std::string make_uuid();

  KafkaError check_commit(OffsetCommit& request, GroupPtr& group, GroupTurn& turn);
  void queue_commit(const GroupPtr& group, OffsetCommit request, CommitAnswer answer, const GroupTurn& turn);
  void apply(const std::string& group_id, const OffsetToCommit& each, int64_t producer_id, int64_t record_offset);
  void queue_tombstones(const GroupPtr& group, std::vector<PartitionKey> partitions, bool whole_group,
                        DoneAnswer answer, const GroupTurn& turn);
  void buried(const GroupPtr& group, const std::vector<PartitionKey>& partitions, bool whole_group, bool stored);
  void complete_locked(int64_t producer_id, int32_t partition, bool commit);
  bool expire_group(const GroupPtr& group, const GroupTurn& turn);
  void serve_timers();

  std::unique_ptr<OffsetsLog> log_;
  Clock& clock_;
  const Logger logger_;
  const GroupCoordinatorOptions options_;
  Broker* broker_ = nullptr;  // whose topics are followed
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, GroupPtr> groups_;
  std::set<std::pair<GroupTime, std::string>> timers_;                         // by deadline: groups
  std::map<std::pair<int32_t, int64_t>, std::set<std::string>> transactions_;  // partition, producer id: groups
  std::mt19937_64 random_;
  GroupTime next_expiry_ = kNever;
  bool closed_ = false;
  std::condition_variable timers_changed_;
  // The queue has its own lock, taken inside mutex_ or alone: appending must not hold the groups' lock.
  std::mutex queue_mutex_;
  std::condition_variable queue_empty_;
  std::deque<Append> queue_;
  bool draining_ = false;
  size_t outstanding_ = 0;  // queued or on their way to the disk
  std::thread timer_thread_;
};

}  // namespace millrace
