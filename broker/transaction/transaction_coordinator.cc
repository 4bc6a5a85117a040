#include "broker/transaction/transaction_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/broker.h"
#include "broker/transaction/transaction_records.h"
#include "protocol/hash.h"

namespace millrace {
namespace {

PartitionKey state_partition(int32_t partition) { return {std::string(kTransactionsTopic), partition}; }

void no_answer(KafkaError) {}

}  // namespace

TransactionCoordinator::TransactionCoordinator(TransactionEnvironment environment, TransactionOptions options)
    : environment_(std::move(environment)), options_(options), handle_(std::make_shared<Handle>()) {
  handle_->coordinator = this;
}

Expected<std::unique_ptr<TransactionCoordinator>> TransactionCoordinator::open(TransactionEnvironment environment,
                                                                               TransactionOptions options) {
  std::unique_ptr<TransactionCoordinator> coordinator(new TransactionCoordinator(std::move(environment), options));
  if (auto loaded = coordinator->load(); !loaded) return fail(std::move(loaded.error()));
  const TransactionEnvironment& around = coordinator->environment_;
  auto ids = ProducerIds::open(around.fs, around.executor, around.directory, coordinator->producer_id_used_max());
  if (!ids) return fail(std::move(ids.error()));
  coordinator->producer_ids_ = std::move(*ids);
  coordinator->start();
  return coordinator;
}

TransactionCoordinator::~TransactionCoordinator() { stop(); }

void TransactionCoordinator::stop() {
  {
    std::lock_guard scan_over(handle_->mutex);
    handle_->coordinator = nullptr;
  }
  std::vector<Adding> adding;
  std::vector<std::function<void()>> ends;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    unfinished_.clear();  // the next start writes them
    for (auto& [id, entry] : entries_) {
      std::move(entry.adding.begin(), entry.adding.end(), std::back_inserter(adding));
      entry.adding.clear();
      std::move(entry.ends.begin(), entry.ends.end(), std::back_inserter(ends));
      entry.ends.clear();
    }
  }
  for (const Adding& each : adding) each.done(KafkaError::kCoordinatorNotAvailable);
  for (const auto& end : ends) end();
  adding.clear();
  ends.clear();
  if (producer_ids_ != nullptr) producer_ids_->stop();
  std::unique_lock lock(tickets_mutex_);
  tickets_back_.wait(lock, [this] { return tickets_ == 0; });
}

void TransactionCoordinator::start() {
  std::vector<std::string> decided;
  for (const auto& [id, entry] : entries_) {
    if (entry.state.prepared()) decided.push_back(id);
  }
  for (std::string& id : decided) {
    run_soon([this, id = std::move(id)] { finish(id, no_answer); });
  }
  expiration_scanned_ms_ = environment_.clock.wall_ms();
  if (options_.background) schedule_scan();
}

void TransactionCoordinator::schedule_scan() {
  environment_.executor.run_after(options_.timeout_scan_interval, [handle = handle_] {
    std::lock_guard lock(handle->mutex);
    if (handle->coordinator == nullptr) return;
    handle->coordinator->scan();
    handle->coordinator->schedule_scan();
  });
}

TransactionCoordinator::Ticket TransactionCoordinator::take_ticket() const {
  std::lock_guard lock(tickets_mutex_);
  ++tickets_;
  return Ticket(static_cast<void*>(nullptr), [this](void*) {
    std::lock_guard returned(tickets_mutex_);
    --tickets_;
    // Under the lock: once it is free, the coordinator may be gone.
    tickets_back_.notify_all();
  });
}

void TransactionCoordinator::run_soon(std::function<void()> work) const {
  environment_.executor.run([ticket = take_ticket(), work = std::move(work)] { work(); });
}

// --- Requests ---

void TransactionCoordinator::init_idempotent_producer(ProducerDone done) {
  with_fresh_id([done](int64_t id) { done(KafkaError::kNone, {id, 0}); }, done);
}

void TransactionCoordinator::with_fresh_id(std::function<void(int64_t)> then, ProducerDone done) {
  const bool stopping = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  }();
  if (stopping) return done(KafkaError::kCoordinatorNotAvailable, {});
  producer_ids_->allocate(
      [this, ticket = take_ticket(), then = std::move(then), done = std::move(done)](Expected<int64_t> id) {
        if (id) return then(*id);
        environment_.logger.error("producer_ids_not_reserved", {{"error", id.error().message}});
        done(KafkaError::kCoordinatorNotAvailable, {});
      });
}

void TransactionCoordinator::init_producer_id(std::string_view transactional_id, int32_t timeout_ms,
                                              std::optional<ProducerIdAndEpoch> expected, ProducerDone done) {
  if (transactional_id.empty()) return done(KafkaError::kInvalidRequest, {});
  if (timeout_ms <= 0 || timeout_ms > options_.timeout_ms_max) return done(KafkaError::kInvalidTransactionTimeout, {});
  init_with(std::string(transactional_id), timeout_ms, expected, {}, std::move(done));
}

void TransactionCoordinator::init_with(std::string id, int32_t timeout_ms, std::optional<ProducerIdAndEpoch> expected,
                                       std::optional<int64_t> fresh, ProducerDone done) {
  const int64_t now_ms = environment_.clock.wall_ms();
  Transition transition;
  {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(id);
    if (stopping_) {
      transition.error = KafkaError::kCoordinatorNotAvailable;
    } else if (found == entries_.end() && !fresh) {
      transition.needs_producer_id = true;
    } else {
      if (found == entries_.end()) {
        found = entries_.emplace(id, Entry{}).first;
        found->second.state.producer.id = *fresh;
      }
      Entry& entry = found->second;
      if (entry.pending) {
        transition.error = KafkaError::kConcurrentTransactions;
      } else {
        transition = millrace::init_producer_id(entry.state, expected, timeout_ms, fresh, now_ms);
        entry.pending = transition.next;
      }
    }
  }
  if (transition.needs_producer_id) {
    auto again = [this, id, timeout_ms, expected, done](int64_t producer_id) {
      init_with(id, timeout_ms, expected, producer_id, done);
    };
    return with_fresh_id(std::move(again), done);
  }
  if (!transition.next) return done(transition.error, {});
  const ProducerIdAndEpoch producer = transition.next->producer;
  if (transition.next->prepared()) {
    auto aborted = [done, answer = transition.error](KafkaError error) {
      done(error == KafkaError::kNone ? answer : error, {});
    };
    return persist_decision(std::move(id), std::move(*transition.next), std::move(aborted));
  }
  persist(std::move(id), std::move(*transition.next), [done = std::move(done), producer](KafkaError error) {
    done(error, error == KafkaError::kNone ? producer : ProducerIdAndEpoch{});
  });
}

PartitionKey TransactionCoordinator::offsets_partition(std::string_view group_id) const {
  return {std::string(kOffsetsTopic), partition_of_group(group_id, options_.offsets_partitions)};
}

void TransactionCoordinator::add_partitions(std::string_view transactional_id, ProducerIdAndEpoch producer,
                                            std::vector<PartitionKey> partitions, int16_t client_version, Done done) {
  if (transactional_id.empty()) return done(KafkaError::kInvalidRequest);
  const bool by_writing = client_version >= kTransactionsV2;
  Transition transition;
  std::string id(transactional_id);
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (stopping_) {
      transition.error = KafkaError::kCoordinatorNotAvailable;
    } else if (found == entries_.end() || found->second.state.producer.epoch < 0) {
      transition.error = KafkaError::kInvalidProducerIdMapping;
    } else {
      Entry& entry = found->second;
      const int64_t now_ms = environment_.clock.wall_ms();
      transition = millrace::add_partitions(entry.state, producer, partitions, client_version, now_ms);
      if (transition.next && entry.pending && !(by_writing && entry.growing()))
        transition = {KafkaError::kConcurrentTransactions, false, {}};
      if (transition.next) {
        if (by_writing) entry.adding.push_back({std::move(partitions), std::move(done), take_ticket()});
        if (entry.pending) return;  // its turn comes once those before it are durable
        entry.pending = transition.next;
      }
    }
  }
  if (!transition.next) return done(transition.error);
  if (by_writing) return persist_added(std::move(id), *transition.next);
  persist(std::move(id), std::move(*transition.next), std::move(done));
}

KafkaError TransactionCoordinator::verify(std::string_view transactional_id, int64_t producer_id,
                                          int16_t producer_epoch, const PartitionKey& partition) const {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(transactional_id);
  if (found == entries_.end() || found->second.state.producer.epoch < 0) return KafkaError::kInvalidProducerIdMapping;
  const Entry& entry = found->second;
  const KafkaError error = verify_partition(entry.state, {producer_id, producer_epoch}, partition);
  // Once the decision is on its way, what is written may come to lie behind the marker.
  if (error == KafkaError::kNone && entry.pending && entry.pending->status != TransactionStatus::kOngoing)
    return KafkaError::kConcurrentTransactions;
  return error;
}

KafkaError TransactionCoordinator::error_for_produce(KafkaError error, int16_t produce_version) {
  constexpr int16_t kKnowsAbortable = 11;
  constexpr int16_t kAddsPartitions = 12;
  switch (error) {
    case KafkaError::kProducerFenced:
      return KafkaError::kInvalidProducerEpoch;
    case KafkaError::kTransactionAbortable:
      return produce_version >= kKnowsAbortable ? error : KafkaError::kInvalidTxnState;
    case KafkaError::kConcurrentTransactions:
      return produce_version >= kAddsPartitions ? error : KafkaError::kNotEnoughReplicas;
    case KafkaError::kCoordinatorNotAvailable:
      return KafkaError::kNotEnoughReplicas;
    default:
      return error;
  }
}

void TransactionCoordinator::end_transaction(std::string_view transactional_id, ProducerIdAndEpoch producer,
                                             bool commit, int16_t client_version, ProducerDone done) {
  if (transactional_id.empty()) return done(KafkaError::kInvalidRequest, {});
  end_with(std::string(transactional_id), producer, commit, client_version, {}, std::move(done));
}

void TransactionCoordinator::end_with(std::string id, ProducerIdAndEpoch producer, bool commit, int16_t client_version,
                                      std::optional<int64_t> fresh, ProducerDone done) {
  Transition transition;
  ProducerIdAndEpoch after;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (stopping_) {
      transition.error = KafkaError::kCoordinatorNotAvailable;
    } else if (found == entries_.end() || found->second.state.producer.epoch < 0) {
      transition.error = KafkaError::kInvalidProducerIdMapping;
    } else {
      Entry& entry = found->second;
      transition =
          millrace::end_transaction(entry.state, producer, commit, client_version, fresh, environment_.clock.wall_ms());
      const bool wrong_producer =
          transition.error == KafkaError::kInvalidProducerIdMapping || transition.error == KafkaError::kProducerFenced;
      if (entry.growing() && !wrong_producer) {
        entry.ends.push_back([this, ticket = take_ticket(), id, producer, commit, client_version, fresh, done] {
          end_with(id, producer, commit, client_version, fresh, done);
        });
        return;
      }
      if (entry.pending && !wrong_producer) transition = {KafkaError::kConcurrentTransactions, false, {}};
      if (transition.next) entry.pending = transition.next;
      after = producer_after(transition.next ? *transition.next : entry.state);
    }
  }
  if (transition.needs_producer_id) {
    auto again = [this, id, producer, commit, client_version, done](int64_t producer_id) {
      end_with(id, producer, commit, client_version, producer_id, done);
    };
    return with_fresh_id(std::move(again), done);
  }
  auto answer = [done = std::move(done), after](KafkaError error) {
    done(error, error == KafkaError::kNone ? after : ProducerIdAndEpoch{});
  };
  if (!transition.next) return answer(transition.error);
  persist_decision(std::move(id), std::move(*transition.next), std::move(answer));
}

std::optional<TransactionSnapshot> TransactionCoordinator::describe(std::string_view transactional_id) const {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(transactional_id);
  if (found == entries_.end() || found->second.state.producer.epoch < 0) return std::nullopt;
  return TransactionSnapshot{found->first, found->second.state};
}

std::vector<TransactionSnapshot> TransactionCoordinator::list() const {
  std::vector<TransactionSnapshot> all;
  std::lock_guard lock(mutex_);
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    if (entry.state.producer.epoch >= 0) all.push_back({id, entry.state});
  }
  return all;
}

// --- What is written ---

void TransactionCoordinator::persist(std::string id, TransactionState next, Done done) {
  std::string batch = transaction_batch(id, next, environment_.clock.wall_ms());
  const int32_t partition = partition_of_group(id, options_.partitions);
  append(partition, std::move(batch), [this, id = std::move(id), done = std::move(done)](KafkaError error) {
    settle(id, error == KafkaError::kNone);
    done(error);
  });
}

void TransactionCoordinator::append(int32_t partition, std::string batch, Done done) {
  if (const auto log = environment_.find_log(state_partition(partition)))
    return append_to(log, std::move(batch), std::move(done));
  run_soon([this, partition, batch = std::move(batch), done = std::move(done)] {
    auto made = environment_.state_log(partition);
    if (made) return append_to(*made, batch, done);
    environment_.logger.error("transaction_state_not_created",
                              {{"partition", partition}, {"error", made.error().message}});
    done(KafkaError::kCoordinatorNotAvailable);
  });
}

void TransactionCoordinator::append_to(const std::shared_ptr<PartitionLog>& log, std::string batch, Done done) {
  auto appended =
      log->append(std::span<char>(batch), {.check_producer = false}, [ticket = take_ticket(), done](auto durable) {
        done(durable ? KafkaError::kNone : KafkaError::kCoordinatorNotAvailable);
      });
  if (appended) return;
  environment_.logger.error("transaction_state_not_written",
                            {{"log", log->directory().string()}, {"error", appended.error().message}});
  done(KafkaError::kCoordinatorNotAvailable);
}

void TransactionCoordinator::settle(const std::string& id, bool durable) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (durable && entry.pending) entry.state = std::move(*entry.pending);
  entry.pending.reset();
  const bool never_was = entry.state.producer.epoch < 0;
  if (never_was || entry.state.status == TransactionStatus::kDead) entries_.erase(found);
}

void TransactionCoordinator::persist_added(std::string id, const TransactionState& next) {
  std::string batch = transaction_batch(id, next, environment_.clock.wall_ms());
  const int32_t partition = partition_of_group(id, options_.partitions);
  append(partition, std::move(batch), [this, id = std::move(id)](KafkaError error) {
    // Whoever is answered writes to the log, which the thread that syncs it must not do.
    run_soon([this, id, error] { answer_added(id, error); });
  });
}

/// Answers in the order of arrival. Only when nobody is left does the state count for others, see add_partitions().
void TransactionCoordinator::answer_added(const std::string& id, KafkaError error) {
  for (;;) {
    std::vector<Adding> ready;
    std::vector<std::function<void()>> ends;
    std::optional<TransactionState> more;
    {
      std::lock_guard lock(mutex_);
      const auto found = entries_.find(id);
      if (found == entries_.end() || !found->second.pending) return;
      Entry& entry = found->second;
      TransactionState& pending = *entry.pending;
      const auto durable = [&](const Adding& each) {
        return std::all_of(each.partitions.begin(), each.partitions.end(),
                           [&](const PartitionKey& key) { return pending.partitions.contains(key); });
      };
      while (!entry.adding.empty() && (error != KafkaError::kNone || durable(entry.adding.front()))) {
        ready.push_back(std::move(entry.adding.front()));
        entry.adding.pop_front();
      }
      if (error != KafkaError::kNone || (ready.empty() && entry.adding.empty())) {
        if (error == KafkaError::kNone) entry.state = std::move(pending);
        entry.pending.reset();
        ends.swap(entry.ends);
      } else if (ready.empty()) {
        for (const Adding& each : entry.adding)
          pending.partitions.insert(each.partitions.begin(), each.partitions.end());
        more = pending;
      }
    }
    if (more) return persist_added(id, *more);
    const bool settled = ready.empty() || error != KafkaError::kNone;
    for (const Adding& each : ready) each.done(error);
    for (const auto& end : ends) end();
    if (settled) return;
  }
}

void TransactionCoordinator::persist_decision(std::string id, TransactionState next, Done done) {
  std::string key = id;
  persist(std::move(id), std::move(next), [this, id = std::move(key), done = std::move(done)](KafkaError error) {
    if (error != KafkaError::kNone) return done(error);
    run_soon([this, id, done] { finish(id, done); });
  });
}

}  // namespace millrace
