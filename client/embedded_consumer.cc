#include "client/embedded_consumer.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/embedded_group_calls.h"

namespace millrace {
namespace {

tl::unexpected<Error> no_position(const TopicPartition& key, std::string_view exception, std::string message) {
  return fail(Error{ErrorCode::kNotFound,
                    fmt::format("{} {}-{}: set auto.offset.reset to earliest or latest, or set the group's offsets",
                                message, key.topic, key.partition),
                    fmt::format("org.apache.kafka.clients.consumer.{}", exception),
                    {},
                    {}});
}

/// What a reader may see of a partition.
int64_t visible_end(const PartitionLog& log, bool read_committed) {
  return read_committed ? log.last_stable_offset() : log.high_watermark();
}

}  // namespace

void EmbeddedConsumer::Waker::on_advance() {
  std::lock_guard lock(mutex_);
  advanced_ = true;
  changed_.notify_all();
}

void EmbeddedConsumer::Waker::interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

bool EmbeddedConsumer::Waker::wait(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return advanced_ || interrupted_; });
  advanced_ = false;
  return std::exchange(interrupted_, false);
}

EmbeddedConsumer::EmbeddedConsumer(Broker& broker, GroupCoordinator& groups, ConsumerConfig config, Logger logger)
    : broker_(broker), groups_(groups), config_(std::move(config)), logger_(std::move(logger)) {}

EmbeddedConsumer::~EmbeddedConsumer() {
  leave();
  drop_all();
}

void EmbeddedConsumer::leave() { member_.reset(); }

Status EmbeddedConsumer::subscribe(std::vector<std::string> topics, RebalanceListener& listener) {
  return join({{topics.begin(), topics.end()}, {}}, listener);
}

Status EmbeddedConsumer::subscribe_pattern(const std::string& regex, RebalanceListener& listener) {
  return join({{}, regex}, listener);
}

Status EmbeddedConsumer::join(GroupSubscription subscription, RebalanceListener& listener) {
  if (config_.group_id.empty()) return fail(ErrorCode::kInvalidConfig, "subscribe needs a group.id");
  leave();
  drop_all();
  auto member = EmbeddedGroupMember::join(broker_, groups_, {config_.group_id, config_.client_id},
                                          std::move(subscription), [this] { waker_.on_advance(); });
  if (!member) return fail(std::move(member.error()));
  member_ = std::move(*member);
  listener_ = &listener;
  return {};
}

Status EmbeddedConsumer::assign(std::vector<TopicPartition> partitions) {
  leave();
  drop_all();
  std::vector<PartitionKey> keys;
  for (const TopicPartition& each : partitions) keys.emplace_back(each.topic, each.partition);
  return adopt(keys);
}

void EmbeddedConsumer::drop_all() {
  for (auto& [key, partition] : partitions_) partition.log->remove_listener(&waker_);
  partitions_.clear();
}

Status EmbeddedConsumer::adopt(const std::vector<PartitionKey>& keys) {
  for (const PartitionKey& key : keys) {
    const TopicPartition name{key.first, key.second};
    auto log = broker_.log(key.first, key.second);
    if (!log) return fail(std::move(log.error()));
    auto start = start_position(name, **log);
    if (!start) return fail(std::move(start.error()));
    (*log)->add_listener(&waker_);
    Partition partition;
    partition.log = std::move(*log);
    partition.position = *start;
    partitions_.insert_or_assign(name, std::move(partition));
  }
  return {};
}

Expected<int64_t> EmbeddedConsumer::start_position(const TopicPartition& key, const PartitionLog& log) {
  if (!config_.group_id.empty()) {
    auto known = committed(key);
    if (!known) return fail(std::move(known.error()));
    if (*known) return (*known)->offset;
  }
  if (!config_.reset) {
    return no_position(key, "NoOffsetForPartitionException", "Undefined offset with no reset policy for partition");
  }
  return config_.from_earliest ? log.log_start_offset() : visible_end(log, config_.read_committed);
}

std::vector<TopicPartition> EmbeddedConsumer::assignment() const {
  std::vector<TopicPartition> names;
  for (const auto& [name, partition] : partitions_) names.push_back(name);
  return names;
}

/// Follows the group: gives partitions up, then takes new ones.
Status EmbeddedConsumer::take_turn() {
  while (member_ != nullptr) {
    auto news = member_->turn();
    if (!news) return fail(std::move(news.error()));
    if (news->what == EmbeddedGroupMember::News::What::kNothing) return {};
    if (!partitions_.empty()) listener_->on_revoked(assignment());
    drop_all();
    if (news->what == EmbeddedGroupMember::News::What::kRevoked) continue;
    if (auto adopted = adopt(news->partitions); !adopted) {
      // A topic deleted in this instant: the next generation comes without it.
      if (adopted.error().code != ErrorCode::kNotFound) return adopted;
    }
    listener_->on_assigned(assignment());
  }
  return {};
}

Expected<std::vector<FetchedPartition>> EmbeddedConsumer::poll(std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (auto taken = take_turn(); !taken) return fail(std::move(taken.error()));
    auto fetched = collect();
    if (!fetched || !fetched->empty()) return fetched;
    if (waker_.wait(until) || std::chrono::steady_clock::now() >= until) return std::vector<FetchedPartition>{};
  }
}

/// Rounds over the partitions, each poll starting with another one so that none starves.
Expected<std::vector<FetchedPartition>> EmbeddedConsumer::collect() {
  std::vector<FetchedPartition> result;
  if (partitions_.empty()) return result;
  PollRoom room{config_.max_poll_records, config_.fetch_bytes_max};
  const size_t start = rotation_++ % partitions_.size();
  for (;;) {
    const size_t before = result.size();
    if (auto done = collect_round(start, room, result); !done) {
      if (result.empty()) return fail(std::move(done.error()));
      break;  // what was read is delivered first; the next poll meets the error again
    }
    const bool more =
        std::any_of(result.begin() + static_cast<ptrdiff_t>(before), result.end(),
                    [](const FetchedPartition& fetched) { return fetched.next_offset < fetched.high_watermark; });
    if (!more || room.records == 0 || room.bytes == 0 || room.taken >= config_.poll_bytes) break;
  }
  return result;
}

/// Takes one chunk of each partition while there is room.
Status EmbeddedConsumer::collect_round(size_t start, PollRoom& room, std::vector<FetchedPartition>& result) {
  auto at = std::next(partitions_.begin(), static_cast<ptrdiff_t>(start));
  for (size_t i = 0; i < partitions_.size() && room.records > 0 && room.bytes > 0; ++i, ++at) {
    if (at == partitions_.end()) at = partitions_.begin();
    if (at->second.paused) continue;
    FetchedPartition fetched;
    if (auto done = fetch(at->first, at->second, fetched, room.records); !done) {
      if (done.error().code == ErrorCode::kStopped) continue;
      return done;
    }
    if (fetched.records.empty()) continue;
    room.records -= fetched.records.size();
    room.bytes -= std::min(room.bytes, fetched.bytes);
    for (const RecordView& record : fetched.records) {
      room.taken += record.key.value_or(BytesView{}).size() + record.value.value_or(BytesView{}).size();
    }
    result.push_back(std::move(fetched));
  }
  return {};
}

Status EmbeddedConsumer::fetch(const TopicPartition& key, Partition& partition, FetchedPartition& out,
                               size_t records_max) {
  while (out.records.size() < records_max) {
    RecordView record;
    if (partition.records && partition.records->next(record)) {
      if (record.offset < partition.position) continue;  // the batch starts before what was asked for
      if (out.records.empty()) out.records.reserve(std::min<size_t>(records_max, 512));
      out.records.push_back(record);
      partition.position = record.offset + 1;
      continue;
    }
    if (partition.records) {
      if (!partition.records->status()) {
        if (!out.records.empty()) break;
        return fail(Error(partition.records->status().error()).wrap(fmt::format("{}-{}", key.topic, key.partition)));
      }
      partition.position = std::max(partition.position, partition.batch_next_offset);
      partition.records.reset();
    }
    auto more = next_batch(partition);
    if (!more)
      return fail(std::move(more.error())
                      .wrap(fmt::format("{}-{} at offset {}", key.topic, key.partition, partition.position)));
    if (*more) continue;
    if (!out.records.empty()) break;  // one owner per delivery: the next chunk waits for the next poll
    auto filled = refill(key, partition);
    if (!filled) return fail(std::move(filled.error()));
    if (!*filled) break;
  }
  out.from = key;
  out.next_offset = partition.position;
  out.high_watermark = partition.log->high_watermark();
  out.bytes = partition.chunk ? partition.chunk->read.bytes.size() : 0;
  out.owner = partition.chunk;
  return {};
}

/// Opens the next data batch of the chunk; false when the chunk is used up.
Expected<bool> EmbeddedConsumer::next_batch(Partition& partition) {
  if (!partition.chunk) return false;
  const BytesView bytes = partition.chunk->read.bytes;
  while (partition.batch_at < bytes.size()) {
    auto batch = RecordBatchView::parse(bytes.substr(partition.batch_at));
    if (!batch) return fail(std::move(batch.error()));
    partition.batch_at += batch->size_bytes();
    partition.batch_next_offset = batch->next_offset();
    if (batch->base_offset() >= partition.chunk->end_offset) {  // of a transaction that is still open, or behind one
      partition.batch_at = bytes.size();
      return false;
    }
    if (batch->control() || partition.chunk->aborted(*batch)) {
      partition.position = std::max(partition.position, batch->next_offset());
      continue;
    }
    std::string none;
    std::string& scratch = batch->codec() == Codec::kNone ? none : partition.chunk->opened.emplace_back();
    auto records = RecordIterator::open(*batch, scratch);
    if (!records) return fail(std::move(records.error()));
    partition.records = std::move(*records);
    return true;
  }
  return false;
}

bool EmbeddedConsumer::Chunk::aborted(const RecordBatchView& batch) const {
  return batch.transactional() && std::ranges::any_of(aborted_transactions, [&](const AbortedTransaction& each) {
           return each.producer_id == batch.producer_id() && each.first_offset <= batch.base_offset() &&
                  batch.base_offset() < each.last_offset;
         });
}

Expected<LogRead> EmbeddedConsumer::read(const TopicPartition& key, Partition& partition) {
  const size_t bytes_max = std::min(config_.partition_fetch_bytes_max, config_.fetch_bytes_max);
  auto read = partition.log->read(partition.position, bytes_max);
  if (read || read.error().code != ErrorCode::kNotFound) return read;
  if (!config_.reset) {
    return no_position(key, "OffsetOutOfRangeException",
                       fmt::format("Fetch position {} is out of range for partition", partition.position));
  }
  const int64_t reset =
      config_.from_earliest ? partition.log->log_start_offset() : visible_end(*partition.log, config_.read_committed);
  logger_.warn("position_reset", {{"topic", key.topic},
                                  {"partition", key.partition},
                                  {"group", config_.group_id},
                                  {"from", partition.position},
                                  {"to", reset}});
  partition.position = reset;
  return partition.log->read(partition.position, bytes_max);
}

/// Reads from the log; false when there is nothing to read. A position outside the log follows the reset policy.
Expected<bool> EmbeddedConsumer::refill(const TopicPartition& key, Partition& partition) {
  const PartitionLog& log = *partition.log;
  if (config_.read_committed && partition.position >= log.last_stable_offset() &&
      partition.position <= log.high_watermark()) {
    partition.chunk.reset();
    return false;
  }
  auto read = this->read(key, partition);
  if (!read) return fail(std::move(read.error()));
  if (read->bytes.empty()) {
    partition.position = std::max(partition.position, read->next_offset);
    partition.chunk.reset();
    return false;
  }
  auto chunk = std::make_shared<Chunk>();
  if (config_.read_committed) {
    chunk->end_offset = read->last_stable_offset;
    chunk->aborted_transactions = partition.log->aborted_transactions(partition.position, read->next_offset);
  }
  chunk->read = std::move(*read);
  partition.chunk = std::move(chunk);
  partition.batch_at = 0;
  return true;
}

void EmbeddedConsumer::wakeup() { waker_.interrupt(); }

Status EmbeddedConsumer::seek(const TopicPartition& name, int64_t offset) {
  const auto found = partitions_.find(name);
  if (found == partitions_.end())
    return fail(ErrorCode::kConflict, fmt::format("{}-{} is not assigned", name.topic, name.partition));
  found->second.position = offset;
  found->second.records.reset();
  found->second.chunk.reset();
  waker_.on_advance();
  return {};
}

Expected<int64_t> EmbeddedConsumer::position(const TopicPartition& name) {
  const auto found = partitions_.find(name);
  if (found == partitions_.end())
    return fail(ErrorCode::kConflict, fmt::format("{}-{} is not assigned", name.topic, name.partition));
  return found->second.position;
}

void EmbeddedConsumer::pause(const std::vector<TopicPartition>& names) {
  for (const TopicPartition& name : names) {
    if (const auto found = partitions_.find(name); found != partitions_.end()) found->second.paused = true;
  }
}

void EmbeddedConsumer::resume(const std::vector<TopicPartition>& names) {
  for (const TopicPartition& name : names) {
    if (const auto found = partitions_.find(name); found != partitions_.end()) found->second.paused = false;
  }
  waker_.on_advance();
}

Status EmbeddedConsumer::commit(const std::map<TopicPartition, OffsetAndMetadata>& offsets) {
  if (config_.group_id.empty()) return fail(ErrorCode::kInvalidConfig, "commit needs a group.id");
  OffsetCommit request;
  request.who = member_ != nullptr ? member_->identity() : GroupIdentity{config_.group_id, {}, {}, -1};
  for (const auto& [name, each] : offsets)
    request.offsets.push_back({{name.topic, name.partition}, {.offset = each.offset, .metadata = each.metadata}});
  return commit_and_wait(groups_, std::move(request));
}

Expected<std::optional<OffsetAndMetadata>> EmbeddedConsumer::committed(const TopicPartition& name) {
  if (config_.group_id.empty()) return fail(ErrorCode::kInvalidConfig, "committed needs a group.id");
  std::optional<OffsetAndMetadata> result;
  groups_.read_offsets(config_.group_id, [&](const GroupOffsets* known) {
    if (known == nullptr) return;
    if (const auto found = known->find({name.topic, name.partition}))
      result = OffsetAndMetadata{found->offset, found->metadata};
  });
  return result;
}

}  // namespace millrace
