/// Committing, deleting and forgetting offsets and whole groups, and what is read at the start.
#include <fmt/format.h>

#include <future>

#include "broker/group/group_coordinator.h"
#include "broker/group/group_records.h"
#include "protocol/record_batch_format.h"

namespace millrace {

// --- Commits ---

KafkaError GroupCoordinator::check_commit(OffsetCommit& request, GroupPtr& group, GroupTurn& turn) {
  if (closed_) return KafkaError::kCoordinatorNotAvailable;
  group = find(request.who.group_id);
  if (group == nullptr) {
    if (request.who.generation >= 0)
      return request.knows_group_id_not_found ? KafkaError::kGroupIdNotFound : KafkaError::kIllegalGeneration;
    group = find_or_make(request.who.group_id);
  }
  return group->classic.check_commit(request.who, request.producer_id >= 0, turn);
}

void GroupCoordinator::commit(OffsetCommit request, CommitAnswer answer) {
  GroupTurn turn = begin_turn();
  KafkaError error;
  {
    std::lock_guard lock(mutex_);
    GroupPtr group;
    error = check_commit(request, group, turn);
    if (error == KafkaError::kNone && !request.offsets.empty()) {
      queue_commit(group, std::move(request), answer, turn);
      answer = nullptr;
    }
    if (group != nullptr) settle(group, turn);
  }
  finish_turn(turn);
  if (answer) answer(error);
}

void GroupCoordinator::queue_commit(const GroupPtr& group, OffsetCommit request, CommitAnswer answer,
                                    const GroupTurn& turn) {
  const std::string& id = group->classic.id();
  BatchOptions shape;
  shape.bytes_reserved = 256 + request.offsets.size() * 128;
  if (request.producer_id >= 0) {
    shape.producer_id = request.producer_id;
    shape.producer_epoch = request.producer_epoch;
    shape.transactional = true;
  }
  RecordBatchBuilder batch(shape);
  for (OffsetToCommit& each : request.offsets) {
    each.committed.commit_ms = turn.now_ms;
    each.committed.expire_ms = request.retention_ms >= 0 ? turn.now_ms + request.retention_ms : -1;
    batch.append(turn.now_ms, group_records::offset_key(id, each.partition),
                 group_records::offset_value(each.committed));
    group->offsets.begin(each.partition);
  }
  queue(
      partition_of(id), std::move(batch),
      [this, group, request = std::move(request), answer = std::move(answer)](Expected<int64_t> base_offset) {
        const KafkaError error = base_offset ? KafkaError::kNone : kafka_error_of(base_offset.error());
        {
          std::lock_guard lock(mutex_);
          for (const OffsetToCommit& each : request.offsets) group->offsets.end(each.partition);
          for (size_t i = 0; base_offset && i < request.offsets.size(); ++i) {
            apply(group->classic.id(), request.offsets[i], request.producer_id, *base_offset + static_cast<int64_t>(i));
          }
        }
        if (!base_offset) {
          logger_.warn("offsets_not_stored", {{"group", request.who.group_id}, {"error", base_offset.error().message}});
        }
        answer(error);
      });
}

/// What a durable offset record does, live as at the start.
void GroupCoordinator::apply(const std::string& group_id, const OffsetToCommit& each, int64_t producer_id,
                             int64_t record_offset) {
  const GroupPtr group = find_or_make(group_id);
  CommittedOffset committed = each.committed;
  committed.record_offset = record_offset;
  if (producer_id < 0) return group->offsets.put(each.partition, std::move(committed));
  group->offsets.put_pending(producer_id, each.partition, std::move(committed));
  transactions_[{partition_of(group_id), producer_id}].insert(group_id);
}

GroupOffsets::Map GroupCoordinator::committed(const std::string& group_id) const {
  GroupOffsets::Map copy;
  read_offsets(group_id, [&](const GroupOffsets* offsets) {
    if (offsets != nullptr) copy = offsets->committed();
  });
  return copy;
}

void GroupCoordinator::complete_transaction(int64_t producer_id, int32_t offsets_partition, bool commit) {
  std::lock_guard lock(mutex_);
  complete_locked(producer_id, offsets_partition, commit);
}

void GroupCoordinator::complete_locked(int64_t producer_id, int32_t partition, bool commit) {
  const auto found = transactions_.find({partition, producer_id});
  if (found == transactions_.end()) return;
  for (const std::string& id : found->second) {
    if (const GroupPtr group = find(id)) group->offsets.complete(producer_id, commit);
  }
  transactions_.erase(found);
}

// --- Deletions ---

void GroupCoordinator::delete_offsets(const std::string& group_id, std::vector<PartitionKey> partitions,
                                      DeleteOffsetsAnswer answer) {
  GroupTurn turn = begin_turn();
  KafkaError error = KafkaError::kNone;
  std::vector<KafkaError> each(partitions.size(), KafkaError::kNone);
  {
    std::unique_lock lock(mutex_);
    const GroupPtr group = find(group_id);
    if (closed_) {
      error = KafkaError::kCoordinatorNotAvailable;
    } else if (group == nullptr || group->classic.state() == GroupState::kDead) {
      error = KafkaError::kGroupIdNotFound;
    } else if (!group->classic.members().empty() && group->classic.protocol_type() != "consumer") {
      error = KafkaError::kNonEmptyGroup;
    } else {
      const auto subscribed = group->classic.subscribed_topics();
      std::vector<PartitionKey> doomed;
      for (size_t i = 0; i < partitions.size(); ++i) {
        const bool in_use =
            !group->classic.members().empty() && (!subscribed || subscribed->contains(partitions[i].first));
        if (in_use) each[i] = KafkaError::kGroupSubscribedToTopic;
        if (!in_use && group->offsets.find(partitions[i])) doomed.push_back(partitions[i]);
      }
      if (!doomed.empty()) {
        queue_tombstones(
            group, std::move(doomed), false, [answer, each](KafkaError stored) { answer(stored, each); }, turn);
        answer = nullptr;
      }
    }
  }
  finish_turn(turn);
  if (answer) answer(error, std::move(each));
}

void GroupCoordinator::delete_group(const std::string& group_id, DoneAnswer answer) {
  GroupTurn turn = begin_turn();
  KafkaError error = KafkaError::kNone;
  {
    std::lock_guard lock(mutex_);
    const GroupPtr group = find(group_id);
    if (closed_) {
      error = KafkaError::kCoordinatorNotAvailable;
    } else if (group == nullptr || group->classic.state() == GroupState::kDead) {
      error = KafkaError::kGroupIdNotFound;
    } else if (group->classic.state() != GroupState::kEmpty) {
      error = KafkaError::kNonEmptyGroup;
    } else {
      const std::set<PartitionKey> keys = group->offsets.all_keys();
      queue_tombstones(group, {keys.begin(), keys.end()}, true, answer, turn);
      answer = nullptr;
    }
  }
  finish_turn(turn);
  if (answer) answer(error);
}

/// Writes tombstones for offsets and, with `whole_group`, for the group, which is Dead until they are stored.
void GroupCoordinator::queue_tombstones(const GroupPtr& group, std::vector<PartitionKey> partitions, bool whole_group,
                                        DoneAnswer answer, const GroupTurn& turn) {
  const std::string& id = group->classic.id();
  RecordBatchBuilder batch({.bytes_reserved = 256 + partitions.size() * 64});
  for (const PartitionKey& each : partitions)
    batch.append(turn.now_ms, group_records::offset_key(id, each), std::nullopt);
  if (whole_group) {
    batch.append(turn.now_ms, group_records::group_key(id), std::nullopt);
    group->classic.bury();
    set_timer(group);
  }
  queue(partition_of(id), std::move(batch),
        [this, group, partitions = std::move(partitions), whole_group, answer](Expected<int64_t> written) {
          buried(group, partitions, whole_group, written.has_value());
          if (!written) {
            logger_.error("group_not_deleted", {{"group", group->classic.id()}, {"error", written.error().message}});
          }
          if (answer) answer(written ? KafkaError::kNone : kafka_error_of(written.error()));
        });
}

void GroupCoordinator::buried(const GroupPtr& group, const std::vector<PartitionKey>& partitions, bool whole_group,
                              bool stored) {
  std::lock_guard lock(mutex_);
  if (!stored) {
    if (whole_group) group->classic.revive();
    return;
  }
  for (const PartitionKey& each : partitions) group->offsets.erase(each);
  if (!whole_group) return;
  const auto found = groups_.find(group->classic.id());
  if (found != groups_.end() && found->second == group) groups_.erase(found);
}

void GroupCoordinator::on_topic_deleted(const std::string& topic) {
  GroupTurn turn = begin_turn();
  std::vector<std::future<void>> stored;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    for (const auto& [id, group] : groups_) {
      if (group->classic.state() == GroupState::kDead) continue;
      std::vector<PartitionKey> doomed;
      for (const PartitionKey& key : group->offsets.all_keys()) {
        if (key.first == topic) doomed.push_back(key);
      }
      if (doomed.empty()) continue;
      auto done = std::make_shared<std::promise<void>>();  // co-owned by the callback
      stored.push_back(done->get_future());
      queue_tombstones(
          group, std::move(doomed), false, [done](KafkaError) { done->set_value(); }, turn);
    }
  }
  finish_turn(turn);
  for (auto& each : stored) each.wait();
}

void GroupCoordinator::expire_offsets() {
  GroupTurn turn = begin_turn();
  size_t groups_forgotten = 0;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    for (const auto& [id, group] : groups_) {
      if (expire_group(group, turn)) ++groups_forgotten;
    }
  }
  finish_turn(turn);
  if (groups_forgotten > 0) logger_.info("groups_expired", {{"count", groups_forgotten}});
}

/// True when nothing of the group is left and it goes too.
bool GroupCoordinator::expire_group(const GroupPtr& group, const GroupTurn& turn) {
  const ClassicGroup& classic = group->classic;
  if (classic.state() == GroupState::kDead) return false;
  const auto subscribed = classic.subscribed_topics();
  GroupOffsets::Age age;
  age.now_ms = turn.now_ms;
  age.retention_ms = options_.offsets_retention.count();
  age.state = classic.state();
  age.simple = classic.protocol_type().empty();
  age.state_ms = classic.state_ms();
  age.subscribed = classic.protocol_type() == "consumer" && subscribed ? &*subscribed : nullptr;
  std::vector<PartitionKey> expired = group->offsets.expired(age);
  const bool last = group->offsets.all_keys().size() == expired.size();
  const bool forget = classic.state() == GroupState::kEmpty && classic.pending_count() == 0 && last;
  if (expired.empty() && !forget) return false;
  queue_tombstones(group, std::move(expired), forget, {}, turn);
  return forget;
}

// --- Loading ---

Status GroupCoordinator::load() {
  std::map<std::string, GroupMetadata> metadata;
  {
    std::lock_guard lock(mutex_);
    auto replayed = log_->replay(
        [&](int32_t partition, const RecordBatchView& batch) { return load_batch(partition, batch, metadata); });
    if (!replayed) return replayed;
    restore_groups(metadata);
  }
  drain();
  return {};
}

Status GroupCoordinator::load_batch(int32_t partition, const RecordBatchView& batch,
                                    std::map<std::string, GroupMetadata>& metadata) {
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return fail(std::move(records.error()));
  RecordView record;
  while (records->next(record)) {
    if (!record.key) continue;
    if (batch.control()) {
      if (record.key->size() < 4) continue;
      const auto type = load_be<int16_t>(record.key->data() + 2);
      if (type == batch_format::kControlCommit || type == batch_format::kControlAbort)
        complete_locked(batch.producer_id(), partition, type == batch_format::kControlCommit);
      continue;
    }
    auto decoded = group_records::decode(*record.key, record.value);
    if (!decoded) {
      return fail(std::move(decoded.error()).wrap(fmt::format("record at offset {}", record.offset)));
    }
    if (auto* offset = std::get_if<group_records::OffsetRecord>(&*decoded)) {
      if (offset->committed) {
        apply(offset->group, {offset->partition, *offset->committed}, batch.transactional() ? batch.producer_id() : -1,
              record.offset);
      } else if (const GroupPtr group = find(offset->group)) {
        group->offsets.erase(offset->partition);
      }
    } else if (auto* group = std::get_if<group_records::GroupRecord>(&*decoded)) {
      metadata.erase(group->group);
      if (group->metadata) metadata.emplace(group->group, std::move(*group->metadata));
    }
  }
  return records->status();
}

void GroupCoordinator::restore_groups(const std::map<std::string, GroupMetadata>& metadata) {
  GroupTurn turn = begin_turn();
  for (const auto& [id, each] : metadata) {
    const GroupPtr group = find_or_make(id);
    group->classic.restore(each, turn);
    settle(group, turn);
  }
  // Of a deleted group nothing but its name would be left.
  std::erase_if(groups_,
                [&](const auto& each) { return each.second->offsets.empty() && !metadata.contains(each.first); });
  if (!groups_.empty()) logger_.info("groups_loaded", {{"count", groups_.size()}});
}

}  // namespace millrace
