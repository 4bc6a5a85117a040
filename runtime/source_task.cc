#include "runtime/source_task.h"

#include <fmt/format.h>

#include "protocol/hash.h"

namespace millrace {

using namespace std::chrono_literals;

namespace {
constexpr std::chrono::milliseconds kFinalFlush = 5s;
}  // namespace

SourceTask::SourceTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy,
                       Logger logger, Pipeline pipeline, Services services)
    : WorkerTask(plugin, std::move(identity), std::move(task_config), std::move(policy), std::move(logger)),
      pipeline_(std::move(pipeline)),
      services_(services),
      errors_(this->policy(), fmt::format("{}-{}", this->identity().connector, this->identity().task), this->logger(),
              metrics_, [this](std::chrono::milliseconds pause) { return stop_signal().wait_for(pause); }) {}

Status SourceTask::execute() {
  transactions_ = nullptr;
  producer_.reset();  // waits for the callbacks of an earlier run
  tracker_.reset();
  topics_.clear();
  last_topic_ = {{}, nullptr};
  pending_offsets_.clear();
  transaction_records_ = 0;
  emit_broken_off_ = false;
  metrics_.active.set(0);
  // A predecessor is fenced off before the plugin reads where to go on.
  if (auto opened = open_producer(); !opened) return opened;

  auto task = PluginTask::create(*this);
  if (!task) return fail(std::move(task.error()));
  if (!wait_until_unpaused()) return {};
  if (auto started = (*task)->start(); !started) return started;
  set_state(State::kRunning);
  metrics_.state.enter(StateClock::Phase::kRunning);
  transaction_ended_ = std::chrono::steady_clock::now();
  Status outcome = poll_until_stopped(**task);
  metrics_.state.enter(StateClock::Phase::kNeither);
  if (transactions_ != nullptr) {
    // What an emit wrote before it was broken off has no offsets yet: it must not be seen.
    Status finished = finish_transaction(!outcome || emit_broken_off_);
    return outcome ? finished : outcome;
  }
  // Whatever happened, what has been sent is waited for, so that its offsets are stored and nothing is read twice.
  if (auto flushed = producer_->flush(kFinalFlush); !flushed)
    logger().warn("final_flush_failed", {{"error", flushed.error().message}});
  if (auto committed = commit_offsets(); !committed)
    logger().warn("final_offset_commit_failed", {{"error", committed.error().message}});
  return outcome;
}

Status SourceTask::open_producer() {
  if (!pipeline_.exactly_once) {
    auto producer = services_.client.producer(pipeline_.producer.client_id);
    if (!producer) return fail(std::move(producer.error()));
    producer_ = std::move(*producer);
    return {};
  }
  auto producer = services_.client.transactional_producer({.client_id = pipeline_.producer.client_id,
                                                           .transactional_id = pipeline_.exactly_once->transactional_id,
                                                           .timeout = pipeline_.exactly_once->timeout});
  if (!producer) return fail(std::move(producer.error()));
  transactions_ = producer->get();
  producer_ = std::move(*producer);
  return {};
}

bool SourceTask::wait_until_unpaused() {
  if (!paused()) return !stopping();
  metrics_.state.enter(StateClock::Phase::kPaused);
  const bool goes_on = wait_while_paused();
  metrics_.state.enter(goes_on ? StateClock::Phase::kRunning : StateClock::Phase::kNeither);
  return goes_on;
}

Status SourceTask::poll_until_stopped(PluginTask& task) {
  Backoff backoff;
  while (!stopping()) {
    if (paused() && transactions_ != nullptr && pipeline_.exactly_once->boundary != TransactionBoundary::kConnector) {
      if (auto ended = end_transaction(); !ended) return ended;
    }
    if (!wait_until_unpaused()) break;
    if (auto sent = tracker_.failure(); !sent) {
      return fail(
          std::move(sent.error()).wrap(ErrorCode::kInternal, "Unrecoverable exception from producer send callback"));
    }
    tell_plugin_of_commit(task);
    Status polled = poll_once(task);
    if (!polled && polled.error().code == ErrorCode::kStopped) continue;
    if (!polled && !polled.error().retriable()) return polled;
    if (transaction_due()) {
      if (auto ended = end_transaction(); !ended) return ended;
    }
    if (polled) {
      backoff.reset();
    } else if (!back_off(backoff, polled.error(), "poll")) {
      break;
    }
  }
  return {};
}

Status SourceTask::poll_once(PluginTask& task) {
  const int64_t polled_before = metrics_.polled.get();
  const Stopwatch watch;
  mr_error error{};
  Status polled = to_status(table().poll(task.get(), &error), error);
  if (const int64_t records = metrics_.polled.get() - polled_before; records > 0) {
    metrics_.poll_ms.note(watch.ms());
    metrics_.batch_size.note(records);
    metrics_.active_seen.note(metrics_.active.get());
  }
  if (polled) return polled;
  return fail(with_causes(std::move(polled.error()), std::exchange(given_, std::nullopt)));
}

void SourceTask::tell_plugin_of_commit(PluginTask& task) {
  if (!offsets_stored_.exchange(false) || table().commit == nullptr) return;
  mr_error error{};
  if (auto done = to_status(table().commit(task.get(), &error), error); !done)
    logger().warn("commit_failed", {{"error", done.error().message}});
}

Expected<mr_value> SourceTask::stored_offset(const mr_value& partition) {
  auto found = services_.offsets.get(identity().connector, partition);
  if (!found) return fail(std::move(found.error()));
  last_stored_offset_ = std::move(*found);
  return last_stored_offset_.get();
}

Status SourceTask::commit_offsets() {
  if (pipeline_.exactly_once) return {};
  std::lock_guard lock(commit_mutex_);
  std::vector<OffsetStore::Change> changes = tracker_.take_committable();
  if (changes.empty()) return {};
  const Stopwatch watch;
  if (auto written = services_.offsets.write(identity().connector, changes); !written) {
    tracker_.give_back(std::move(changes));
    metrics_.commit_failures.add();
    return written;
  }
  metrics_.commit_ms.note(watch.ms());
  offsets_stored_ = true;
  return {};
}

// ---- transactions
// ----------------------------------------------------------------------------------------------------

bool SourceTask::transaction_due() const {
  if (transactions_ == nullptr) return false;
  switch (pipeline_.exactly_once->boundary) {
    case TransactionBoundary::kPoll:
      return true;
    case TransactionBoundary::kInterval:
      return std::chrono::steady_clock::now() - transaction_ended_ >= pipeline_.exactly_once->interval;
    case TransactionBoundary::kConnector:
      return false;
  }
  return false;
}

/// Records and the offsets they came from become visible together; the store is told afterwards.
Status SourceTask::end_transaction() {
  transaction_ended_ = std::chrono::steady_clock::now();
  if (pending_offsets_.empty() && !transactions_->in_transaction()) return {};
  const Stopwatch watch;
  std::vector<OffsetStore::Change> changes;
  for (const auto& [partition, change] : pending_offsets_) changes.push_back(change);
  auto entries = services_.offsets.encode(identity().connector, changes);
  if (!entries) return fail(std::move(entries.error()));
  send_offsets(*entries);
  if (auto committed = transactions_->commit(); !committed) {
    metrics_.commit_failures.add();
    return transaction_failed(std::move(committed.error()));
  }
  services_.offsets.adopt(*entries);
  pending_offsets_.clear();
  metrics_.commit_ms.note(watch.ms());
  metrics_.transaction_size.note(std::exchange(transaction_records_, 0));
  offsets_stored_ = true;
  return {};
}

void SourceTask::send_offsets(const std::vector<TopicStore::Entry>& entries) {
  std::map<int32_t, RecordBatchBuilder> batches;
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  for (const TopicStore::Entry& entry : entries) {
    const int32_t partition = partition_of_key(entry.key, services_.offsets.partitions());
    auto [batch, added] = batches.try_emplace(partition, BatchOptions{.transactional = true, .bytes_reserved = 1024});
    batch->second.append(now, BytesView(entry.key), entry.value ? NullableBytes(*entry.value) : std::nullopt);
  }
  // commit() waits for these, and reports what goes wrong with them.
  for (auto& [partition, batch] : batches)
    producer_->send({services_.offsets.topic(), partition}, std::move(batch), [](Expected<int64_t>) {});
}

Status SourceTask::finish_transaction(bool failed) {
  const bool ours = pipeline_.exactly_once->boundary != TransactionBoundary::kConnector;
  if (!failed && ours) return end_transaction();
  if (auto aborted = transactions_->abort(); !aborted)
    logger().warn("transaction_abort_failed", {{"error", aborted.error().message}});
  return {};
}

tl::unexpected<Error> SourceTask::transaction_failed(Error error) const {
  const std::string id = fmt::format("{}-{}", identity().connector, identity().task);
  if (error.code == ErrorCode::kFenced) {
    return fail(std::move(error).wrap(
        ErrorCode::kInternal,
        fmt::format(
            "The task {} was unable to finish writing records to Kafka before its producer transaction expired. "
            "It may be necessary to reconfigure this connector in order for it to run healthily with "
            "exactly-once support. Options for this include: tune the connector's producer configuration for "
            "higher throughput, increase the transaction timeout for the connector's producers, decrease the "
            "offset commit interval (if using interval-based transaction boundaries), or use the 'poll' "
            "transaction boundary (if the connector is not already configured to use it).",
            id)));
  }
  // What is full or away may come back: the transaction has been aborted, and a new run reads its records again.
  const ErrorCode code = error.retriable() ? ErrorCode::kUnavailable : ErrorCode::kInternal;
  return fail(std::move(error).wrap(code, fmt::format("Failed to flush offsets and/or records for task {}", id)));
}

bool SourceTask::defines_transactions() {
  return pipeline_.exactly_once && pipeline_.exactly_once->boundary == TransactionBoundary::kConnector;
}

Status SourceTask::commit_transaction() {
  if (!defines_transactions()) return WorkerTask::commit_transaction();
  return end_transaction();
}

/// The offsets of what is dropped stay: the plugin has decided about those records, and they go with the next commit.
Status SourceTask::abort_transaction() {
  if (!defines_transactions()) return WorkerTask::abort_transaction();
  transaction_ended_ = std::chrono::steady_clock::now();
  transaction_records_ = 0;
  if (!transactions_->in_transaction()) {
    logger().warn("transaction_empty", {{"note", "an abort without records before it changes nothing"}});
    return {};
  }
  if (auto aborted = transactions_->abort(); !aborted) return transaction_failed(std::move(aborted.error()));
  return {};
}

}  // namespace millrace
