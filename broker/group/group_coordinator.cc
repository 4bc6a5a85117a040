#include "broker/group/group_coordinator.h"

#include <fmt/format.h>

#include "broker/group/group_records.h"
#include "core/invariant.h"
#include "protocol/hash.h"

namespace millrace {

GroupCoordinator::GroupCoordinator(std::unique_ptr<OffsetsLog> log, Clock& clock, Logger logger,
                                   GroupCoordinatorOptions options)
    : log_(std::move(log)),
      clock_(clock),
      logger_(std::move(logger)),
      options_(std::move(options)),
      random_(options_.seed != 0 ? options_.seed : std::random_device{}()) {}

Expected<std::unique_ptr<GroupCoordinator>> GroupCoordinator::open(std::unique_ptr<OffsetsLog> log, Clock& clock,
                                                                   Logger logger, GroupCoordinatorOptions options) {
  std::unique_ptr<GroupCoordinator> coordinator(
      new GroupCoordinator(std::move(log), clock, std::move(logger), std::move(options)));
  if (auto loaded = coordinator->load(); !loaded) return fail(std::move(loaded.error()));
  coordinator->next_expiry_ = clock.monotonic() + coordinator->options_.retention_check_interval;
  if (coordinator->options_.background)
    coordinator->timer_thread_ = std::thread([self = coordinator.get()] { self->serve_timers(); });
  return coordinator;
}

Expected<std::unique_ptr<GroupCoordinator>> GroupCoordinator::open(Broker& broker, Clock& clock, Logger logger,
                                                                   GroupCoordinatorOptions options) {
  auto coordinator = open(std::make_unique<BrokerOffsetsLog>(broker), clock, std::move(logger), std::move(options));
  if (!coordinator) return coordinator;
  (*coordinator)->broker_ = &broker;
  broker.add_listener(coordinator->get());
  return coordinator;
}

GroupCoordinator::~GroupCoordinator() { close(); }

void GroupCoordinator::close() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    timers_changed_.notify_all();
  }
  if (broker_ != nullptr) broker_->remove_listener(this);
  if (timer_thread_.joinable()) timer_thread_.join();
  std::unique_lock lock(queue_mutex_);
  queue_empty_.wait(lock, [&] { return outstanding_ == 0 && !draining_; });
}

int32_t GroupCoordinator::partition_of(std::string_view group_id) const {
  return partition_of_group(group_id, log_->partition_count());
}

// --- Turns ---

GroupTurn GroupCoordinator::begin_turn() const { return {clock_.monotonic(), clock_.wall_ms(), {}, {}}; }

/// Outside the lock: appends what was queued and gives the answers.
void GroupCoordinator::finish_turn(GroupTurn& turn) {
  drain();
  for (auto& call : turn.calls) call();
}

GroupCoordinator::GroupPtr GroupCoordinator::find(const std::string& group_id) const {
  const auto found = groups_.find(group_id);
  return found == groups_.end() ? nullptr : found->second;
}

GroupCoordinator::GroupPtr GroupCoordinator::find_or_make(const std::string& group_id) {
  GroupPtr& group = groups_[group_id];
  if (group == nullptr) {
    ClassicGroup::Options rules;
    rules.initial_rebalance_delay = options_.initial_rebalance_delay;
    rules.size_max = options_.size_max;
    rules.make_uuid = [this] { return make_uuid(); };
    group = std::make_shared<Group>(group_id, std::move(rules));
  }
  return group;
}

/// A random UUID (version 4) as Java prints it.
std::string GroupCoordinator::make_uuid() {
  const uint64_t high = (random_() & ~0xf000ULL) | 0x4000ULL;
  const uint64_t low = (random_() & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffffffffffffULL);
}

/// After a step of the group: what is due at once, its records, its timer.
void GroupCoordinator::settle(const GroupPtr& group, GroupTurn& turn) {
  group->classic.on_time(turn);
  for (GroupWrite& write : turn.writes) queue_write(group, std::move(write), turn);
  turn.writes.clear();
  set_timer(group);
}

void GroupCoordinator::set_timer(const GroupPtr& group) {
  const GroupTime due = group->classic.next_deadline();
  if (due == group->timer) return;
  const GroupTime first = timers_.empty() ? kNever : timers_.begin()->first;
  if (group->timer != kNever) timers_.erase({group->timer, group->classic.id()});
  group->timer = due;
  if (due != kNever) timers_.emplace(due, group->classic.id());
  if (due < first) timers_changed_.notify_all();
}

void GroupCoordinator::queue_write(const GroupPtr& group, GroupWrite write, const GroupTurn& turn) {
  const std::string& id = group->classic.id();
  RecordBatchBuilder batch({.bytes_reserved = 1024});
  batch.append(turn.now_ms, group_records::group_key(id), group_records::group_value(write.metadata));
  queue(partition_of(id), std::move(batch), [this, group, then = std::move(write.then)](Expected<int64_t> written) {
    if (!written) {
      logger_.error("group_not_stored", {{"group", group->classic.id()}, {"error", written.error().message}});
    }
    if (!then) return;
    GroupTurn after = begin_turn();
    {
      std::lock_guard lock(mutex_);
      then(written.has_value(), after);
      settle(group, after);
    }
    finish_turn(after);
  });
}

// --- The queue to the log ---

/// Under the groups' lock, so that records have the order of the changes they stand for.
void GroupCoordinator::queue(int32_t partition, RecordBatchBuilder batch, OffsetsLog::Done done) {
  const Status finished = batch.finish();
  invariant(finished.has_value(), "a batch without a codec can be finished");
  std::lock_guard lock(queue_mutex_);
  ++outstanding_;
  queue_.push_back({partition, batch.take(), [this, done = std::move(done)](Expected<int64_t> offset) {
                      done(std::move(offset));
                      std::lock_guard count(queue_mutex_);
                      // Told under the lock: whoever waits may destroy the coordinator at once.
                      if (--outstanding_ == 0) queue_empty_.notify_all();
                    }});
}

/// One thread at a time appends, for all: their order is that of the queue. Whoever comes meanwhile goes on.
void GroupCoordinator::drain() {
  std::unique_lock lock(queue_mutex_);
  if (draining_) return;
  draining_ = true;
  while (!queue_.empty()) {
    Append next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    log_->append(next.partition, std::move(next.batch), std::move(next.done));
    lock.lock();
  }
  draining_ = false;
  queue_empty_.notify_all();
}

// --- Membership ---

void GroupCoordinator::join(GroupJoin request, JoinAnswer answer) {
  const auto refuse = [&](KafkaError error) {
    GroupJoined refused;
    refused.error = error;
    refused.member_id = request.member_id;
    answer(std::move(refused));
  };
  if (request.group_id.empty()) return refuse(KafkaError::kInvalidGroupId);
  if (request.session_timeout < options_.session_timeout_min || request.session_timeout > options_.session_timeout_max)
    return refuse(KafkaError::kInvalidSessionTimeout);
  GroupTurn turn = begin_turn();
  {
    std::unique_lock lock(mutex_);
    GroupPtr group = find(request.group_id);
    const bool unknown = group == nullptr && !request.member_id.empty();
    if (closed_ || unknown) {
      lock.unlock();
      return refuse(closed_ ? KafkaError::kCoordinatorNotAvailable : KafkaError::kUnknownMemberId);
    }
    if (group == nullptr) group = find_or_make(request.group_id);
    group->classic.join(std::move(request), std::move(answer), turn);
    settle(group, turn);
  }
  finish_turn(turn);
}

void GroupCoordinator::sync(GroupSync request, SyncAnswer answer) {
  if (request.group_id.empty()) return answer({KafkaError::kInvalidGroupId, {}, {}, {}});
  GroupTurn turn = begin_turn();
  {
    std::unique_lock lock(mutex_);
    const GroupPtr group = find(request.group_id);
    if (closed_ || group == nullptr) {
      const KafkaError error = closed_ ? KafkaError::kCoordinatorNotAvailable : KafkaError::kUnknownMemberId;
      lock.unlock();
      return answer({error, {}, {}, {}});
    }
    group->classic.sync(std::move(request), std::move(answer), turn);
    settle(group, turn);
  }
  finish_turn(turn);
}

KafkaError GroupCoordinator::heartbeat(const GroupIdentity& who) {
  if (who.group_id.empty()) return KafkaError::kInvalidGroupId;
  GroupTurn turn = begin_turn();
  KafkaError error;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return KafkaError::kCoordinatorNotAvailable;
    const GroupPtr group = find(who.group_id);
    if (group == nullptr) return KafkaError::kUnknownMemberId;
    error = group->classic.heartbeat(who, turn);
    settle(group, turn);
  }
  finish_turn(turn);
  return error;
}

std::vector<KafkaError> GroupCoordinator::leave(const std::string& group_id, const std::vector<GroupLeaver>& who) {
  std::vector<KafkaError> errors;
  GroupTurn turn = begin_turn();
  {
    std::lock_guard lock(mutex_);
    const GroupPtr group = find(group_id);
    if (closed_) return std::vector<KafkaError>(who.size(), KafkaError::kCoordinatorNotAvailable);
    if (group == nullptr) return std::vector<KafkaError>(who.size(), KafkaError::kUnknownMemberId);
    for (const GroupLeaver& each : who) errors.push_back(group->classic.leave(each, turn));
    settle(group, turn);
  }
  finish_turn(turn);
  return errors;
}

// --- What tools see ---

bool GroupCoordinator::has_members(const std::string& group_id) const {
  std::lock_guard lock(mutex_);
  const GroupPtr group = find(group_id);
  return group != nullptr && !group->classic.members().empty();
}

GroupDescription GroupCoordinator::describe(const std::string& group_id) const {
  std::lock_guard lock(mutex_);
  GroupDescription result;
  const GroupPtr group = find(group_id);
  if (group == nullptr) return result;
  const ClassicGroup& classic = group->classic;
  const bool stable = classic.state() == GroupState::kStable;
  result.found = classic.state() != GroupState::kDead;
  result.state = group_state_name(classic.state());
  if (!result.found) return result;
  result.protocol_type = classic.protocol_type();
  if (stable) result.protocol = classic.protocol().value_or("");
  for (const auto& [id, member] : classic.members()) {
    result.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                              stable ? std::string(member.metadata_of(result.protocol)) : std::string(),
                              stable ? member.assignment : std::string()});
  }
  return result;
}

std::vector<GroupListing> GroupCoordinator::list() const {
  std::lock_guard lock(mutex_);
  std::vector<GroupListing> all;
  for (const auto& [id, group] : groups_) {
    if (group->classic.state() == GroupState::kDead) continue;
    all.push_back(
        {id, group->classic.protocol_type(), std::string(group_state_name(group->classic.state())), "classic"});
  }
  return all;
}

// --- Time ---

void GroupCoordinator::run_timers() {
  GroupTurn turn = begin_turn();
  bool expire = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    while (!timers_.empty() && timers_.begin()->first <= turn.now) {
      const GroupPtr group = find(timers_.begin()->second);
      timers_.erase(timers_.begin());
      if (group == nullptr) continue;
      group->timer = kNever;
      settle(group, turn);
    }
    if (next_expiry_ <= turn.now) {
      next_expiry_ = turn.now + options_.retention_check_interval;
      expire = true;
    }
  }
  finish_turn(turn);
  if (expire) expire_offsets();
}

void GroupCoordinator::serve_timers() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const GroupTime due = std::min(next_expiry_, timers_.empty() ? kNever : timers_.begin()->first);
    const GroupTime now = clock_.monotonic();
    if (due > now) {
      timers_changed_.wait_for(lock, due - now);
      continue;
    }
    lock.unlock();
    run_timers();
    lock.lock();
  }
}

}  // namespace millrace
