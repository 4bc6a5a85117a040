#include "runtime/sink_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace {

using namespace std::chrono_literals;

namespace {
/// So often the plugin hears of the task even when nothing comes, and can flush by time.
constexpr std::chrono::milliseconds kIdlePut = 1s;
}  // namespace

SinkTask::SinkTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy,
                   Logger logger, Pipeline pipeline, LogClient& client, Options options)
    : WorkerTask(plugin, std::move(identity), std::move(task_config), std::move(policy), std::move(logger)),
      pipeline_(std::move(pipeline)),
      client_(client),
      options_(std::move(options)),
      errors_(this->policy(), fmt::format("{}-{}", this->identity().connector, this->identity().task), this->logger(),
              metrics_, [this](std::chrono::milliseconds pause) { return stop_signal().wait_for(pause); }) {}

Status SinkTask::execute() {
  delivered_.clear();
  committed_.clear();
  seeks_.clear();
  paused_by_plugin_.clear();
  holding_ = reading_paused_ = false;
  listener_failure_ = {};
  dead_letters_.reset();
  if (!policy().dead_letter_topic.empty()) {
    auto queue = DeadLetterQueue::open(client_,
                                       {.topic = policy().dead_letter_topic,
                                        .replication_factor = policy().dead_letter_replication,
                                        .context_headers = policy().dead_letter_context,
                                        .connector = identity().connector,
                                        .task = identity().task,
                                        .producer = options_.dead_letters},
                                       metrics_, logger());
    if (!queue) return fail(std::move(queue.error()));
    dead_letters_ = std::move(*queue);
  }
  auto consumer = client_.consumer(options_.consumer);
  if (!consumer) return fail(std::move(consumer.error()));
  {
    std::lock_guard lock(consumer_mutex_);
    consumer_ = std::move(*consumer);
  }
  Status outcome = run();
  metrics_.state.enter(StateClock::Phase::kNeither);
  metrics_.partitions.set(0);
  task_ = nullptr;
  std::lock_guard lock(consumer_mutex_);
  consumer_.reset();
  return outcome;
}

Status SinkTask::run() {
  auto task = PluginTask::create(*this);
  if (!task) return fail(std::move(task.error()));
  task_ = (*task)->get();
  if (!wait_while_paused()) return {};
  if (auto started = (*task)->start(); !started) return started;
  if (auto subscribed = subscribe(); !subscribed) return subscribed;
  set_state(State::kRunning);
  metrics_.state.enter(StateClock::Phase::kRunning);
  Status ran = run_until_stopped();
  if (const auto partitions = consumer_->assignment(); !partitions.empty()) {
    if (auto closed = give_up(partitions); !closed) logger().warn("close_failed", {{"error", closed.error().message}});
  }
  return ran;
}

Status SinkTask::subscribe() {
  if (!options_.topics_regex.empty()) return consumer_->subscribe_pattern(options_.topics_regex, *this);
  return consumer_->subscribe(options_.topics, *this);
}

void SinkTask::interrupt_blocking() {
  std::lock_guard lock(consumer_mutex_);
  if (consumer_) consumer_->wakeup();
}

Status SinkTask::run_until_stopped() {
  Backoff backoff;
  while (!stopping()) {
    if (auto done = iterate(backoff); !done) return done.error().code == ErrorCode::kStopped ? Status{} : done;
  }
  return {};
}

/// kStopped: a stop was asked for while it waited.
Status SinkTask::iterate(Backoff& backoff) {
  if (commit_due()) commit_and_log();
  if (auto sought = apply_seeks(); !sought) return sought;
  follow_pause();
  auto fetched = consumer_->poll(poll_wait());
  if (!listener_failure_) return listener_failure_;
  if (!fetched) {
    if (!fetched.error().retriable()) return fail(std::move(fetched.error()));
    if (!back_off(backoff, fetched.error(), "fetch")) return fail(ErrorCode::kStopped, "the task is stopping");
    return {};
  }
  backoff.reset();
  fetched_ = std::move(*fetched);
  for (const FetchedPartition& partition : fetched_) note_active_topic(partition.from.topic);
  if (auto converted = convert(fetched_); !converted) return converted;
  auto put = put_with_retries();
  if (!put) return fail(std::move(put.error()));
  if (*put) {
    for (const FetchedPartition& partition : fetched_) delivered_[partition.from] = partition.next_offset;
  }
  if (dead_letters_) dead_letters_->send();
  batch_.clear();
  origins_.clear();
  fetched_.clear();
  arena_.reset();
  return {};
}

std::chrono::milliseconds SinkTask::poll_wait() {
  auto wait = kIdlePut;
  if (delivered_ != committed_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last_commit_ + options_.commit_interval -
                                                                            std::chrono::steady_clock::now());
    wait = std::clamp<std::chrono::milliseconds>(left, 0ms, wait);
  }
  if (next_wait_ >= 0ms) wait = std::min(wait, std::exchange(next_wait_, -1ms));
  return wait;
}

/// A paused sink keeps its partitions and its membership; it commits once, and the plugin still hears of the time.
void SinkTask::follow_pause() {
  if (paused() == reading_paused_) return;
  reading_paused_ = paused();
  metrics_.state.enter(reading_paused_ ? StateClock::Phase::kPaused : StateClock::Phase::kRunning);
  if (reading_paused_) {
    consumer_->pause(consumer_->assignment());
    if (!holding_) commit_and_log();
  } else {
    resume_reading();
  }
  set_state(reading_paused_ ? State::kPaused : State::kRunning);
}

void SinkTask::resume_reading() {
  if (holding_ || reading_paused_) return;
  std::vector<TopicPartition> reading = consumer_->assignment();
  std::erase_if(reading, [&](const TopicPartition& partition) { return paused_by_plugin_.contains(partition); });
  consumer_->resume(reading);
}

Status SinkTask::apply_seeks() {
  for (const auto& [partition, offset] : std::exchange(seeks_, {})) {
    if (auto sought = consumer_->seek(partition, offset); !sought) return sought;
    delivered_[partition] = offset;
    committed_[partition] = offset;
  }
  return {};
}

Expected<bool> SinkTask::put_with_retries() {
  Backoff backoff;
  batch_dropped_ = false;
  while (!stopping()) {
    Status put = put_once();
    if (put) {
      if (std::exchange(holding_, false)) resume_reading();
      return true;
    }
    if (put.error().code == ErrorCode::kStopped) return false;
    if (!put.error().retriable()) {
      return fail(
          std::move(put.error()).wrap(ErrorCode::kInternal, "Exiting WorkerSinkTask due to unrecoverable exception."));
    }
    auto wait = std::max(backoff.next(), put.error().retry_after);
    if (next_wait_ >= 0ms) wait = std::exchange(next_wait_, -1ms);
    logger().warn("task_retries", {{"doing", "put"},
                                   {"attempt", backoff.attempts()},
                                   {"next_try_ms", wait.count()},
                                   {"error", put.error().message}});
    holding_ = true;
    if (auto waited = wait_polling(wait); !waited) return fail(std::move(waited.error()));
    if (!batch_dropped_) continue;
    holding_ = false;
    if (auto rewound = rewind_to(delivered_); !rewound) return fail(std::move(rewound.error()));
    resume_reading();
    return false;
  }
  return false;
}

Status SinkTask::wait_polling(std::chrono::milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  do {
    consumer_->pause(consumer_->assignment());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    auto polled = consumer_->poll(std::max(left, 0ms));
    if (!listener_failure_) return listener_failure_;
    if (!polled) {
      if (!polled.error().retriable()) return fail(std::move(polled.error()));
      stop_signal().wait_for(left);
    }
    follow_pause();
  } while (!batch_dropped_ && !stopping() && std::chrono::steady_clock::now() < until);
  return {};
}

Status SinkTask::put_once() {
  const Stopwatch watch;
  mr_error error{};
  Status put = to_status(table().put(task_, batch_.data(), batch_.size(), &error), error);
  if (!put) return fail(with_causes(std::move(put.error()), std::exchange(given_, std::nullopt)));
  if (batch_.empty()) return put;
  metrics_.put_ms.note(watch.ms());
  metrics_.batch_size.note(static_cast<int64_t>(batch_.size()));
  metrics_.sent.add(static_cast<int64_t>(batch_.size()));
  metrics_.active.add(static_cast<int64_t>(batch_.size()));
  metrics_.active_seen.note(metrics_.active.get());
  return put;
}

// ---- offsets
// ---------------------------------------------------------------------------------------------------------

bool SinkTask::commit_due() const {
  return commit_requested_.load() ||
         (delivered_ != committed_ && std::chrono::steady_clock::now() - last_commit_ >= options_.commit_interval);
}

void SinkTask::commit_and_log() {
  if (auto committed = commit(); !committed) logger().warn("commit_failed", {{"error", committed.error().message}});
}

Status SinkTask::commit() {
  auto durable = pre_commit();
  if (durable) return commit_offsets(*durable);
  // What was put may be lost: read it again from the last commit.
  if (auto rewound = rewind_to(committed_); !rewound) return rewound;
  delivered_ = committed_;
  return fail(std::move(durable.error()));
}

Status SinkTask::rewind_to(const Offsets& offsets) {
  for (const auto& [partition, offset] : offsets) {
    if (auto sought = consumer_->seek(partition, offset); !sought) return sought;
  }
  return {};
}

Expected<SinkTask::Offsets> SinkTask::pre_commit() {
  commit_requested_ = false;
  last_commit_ = std::chrono::steady_clock::now();
  metrics_.commit_sequence.add();
  // The offset of a bad record goes only once its copy is safe.
  if (dead_letters_) dead_letters_->await();
  if (task_ == nullptr || delivered_ == committed_) return Offsets{};
  std::vector<mr_topic_partition> offsets;
  for (const auto& [partition, offset] : delivered_)
    offsets.push_back({to_mr(partition.topic), partition.partition, 0, offset});
  if (table().flush != nullptr) {
    mr_error error{};
    if (auto flushed = to_status(table().flush(task_, offsets.data(), offsets.size(), &error), error); !flushed) {
      metrics_.commit_failures.add();
      return fail(std::move(flushed.error()));
    }
  }
  Offsets durable;
  for (const mr_topic_partition& offset : offsets) {
    TopicPartition partition{std::string(view(offset.topic)), offset.partition};
    const auto delivered = delivered_.find(partition);
    if (delivered == delivered_.end() || offset.offset > delivered->second) continue;
    if (const auto before = committed_.find(partition); before != committed_.end() && before->second == offset.offset)
      continue;
    durable[std::move(partition)] = offset.offset;
  }
  return durable;
}

Status SinkTask::commit_offsets(const Offsets& durable) {
  if (durable.empty()) {
    metrics_.commits_skipped.add();
    return {};
  }
  const Stopwatch watch;
  std::map<TopicPartition, OffsetAndMetadata> offsets;
  for (const auto& [partition, offset] : durable) offsets[partition] = {offset, ""};
  if (auto committed = consumer_->commit(offsets); !committed) {
    metrics_.commit_failures.add();
    return committed;
  }
  int64_t open = 0;
  for (const auto& [partition, offset] : durable) committed_[partition] = offset;
  for (const auto& [partition, offset] : delivered_) open += offset - committed_[partition];
  metrics_.active.set(open);
  metrics_.commit_ms.note(watch.ms());
  metrics_.commits_completed.add();
  return {};
}

// ---- partitions
// ------------------------------------------------------------------------------------------------------

Status SinkTask::give_up(const std::vector<TopicPartition>& partitions) {
  const auto durable = pre_commit();
  Status closed = close_partitions(partitions);
  const Status committed = durable ? commit_offsets(*durable) : Status(fail(durable.error()));
  if (!committed) logger().warn("commit_failed", {{"error", committed.error().message}});
  return closed;
}

Status SinkTask::close_partitions(const std::vector<TopicPartition>& partitions) {
  if (table().close == nullptr || task_ == nullptr) return {};
  const auto list = to_abi(partitions);
  mr_error error{};
  return to_status(table().close(task_, list.data(), list.size(), &error), error);
}

void SinkTask::on_revoked(const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return;
  if (auto closed = give_up(partitions); !closed) listener_failure_ = closed;
  for (const TopicPartition& partition : partitions) {
    delivered_.erase(partition);
    committed_.erase(partition);
    seeks_.erase(partition);
  }
  metrics_.partitions.set(static_cast<int64_t>(delivered_.size()));
  batch_dropped_ = true;
}

void SinkTask::on_assigned(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& partition : partitions) {
    auto position = consumer_->position(partition);
    if (!position) {
      listener_failure_ = fail(std::move(position.error()));
      return;
    }
    delivered_[partition] = committed_[partition] = *position;
  }
  metrics_.partitions.set(static_cast<int64_t>(delivered_.size()));
  // What the plugin has paused stays so where it comes back.
  std::erase_if(paused_by_plugin_, [&](const TopicPartition& partition) { return !delivered_.contains(partition); });
  consumer_->pause({paused_by_plugin_.begin(), paused_by_plugin_.end()});
  if (holding_ || reading_paused_) consumer_->pause(consumer_->assignment());
  if (!listener_failure_ || table().open == nullptr || task_ == nullptr || partitions.empty()) return;
  const auto list = to_abi(partitions);
  mr_error error{};
  if (auto opened = to_status(table().open(task_, list.data(), list.size(), &error), error); !opened)
    listener_failure_ = opened;
}

Status SinkTask::seek(const mr_topic_partition& to) {
  TopicPartition partition{std::string(view(to.topic)), to.partition};
  if (!delivered_.contains(partition))
    return fail(ErrorCode::kConflict, fmt::format("{}-{} is not assigned", partition.topic, partition.partition));
  seeks_[std::move(partition)] = to.offset;
  return {};
}

namespace {
Expected<std::vector<TopicPartition>> assigned_only(const Consumer& consumer,
                                                    std::span<const mr_topic_partition> partitions,
                                                    std::string_view verb) {
  const auto assignment = consumer.assignment();
  std::vector<TopicPartition> list;
  for (const mr_topic_partition& partition : partitions) {
    list.push_back({std::string(view(partition.topic)), partition.partition});
    if (std::find(assignment.begin(), assignment.end(), list.back()) == assignment.end()) {
      return fail(ErrorCode::kInternal,
                  fmt::format("SinkTasks may not {} partitions that are not currently assigned to them.", verb));
    }
  }
  return list;
}
}  // namespace

Status SinkTask::pause(std::span<const mr_topic_partition> partitions) {
  auto list = assigned_only(*consumer_, partitions, "pause");
  if (!list) return fail(std::move(list.error()));
  consumer_->pause(*list);
  paused_by_plugin_.insert(list->begin(), list->end());
  return {};
}

Status SinkTask::resume(std::span<const mr_topic_partition> partitions) {
  auto list = assigned_only(*consumer_, partitions, "resume");
  if (!list) return fail(std::move(list.error()));
  for (const TopicPartition& partition : *list) paused_by_plugin_.erase(partition);
  resume_reading();
  return {};
}

std::vector<mr_topic_partition> SinkTask::to_abi(const std::vector<TopicPartition>& partitions) const {
  std::vector<mr_topic_partition> list;
  for (const TopicPartition& partition : partitions) {
    const auto at = delivered_.find(partition);
    list.push_back({to_mr(partition.topic), partition.partition, 0, at == delivered_.end() ? 0 : at->second});
  }
  return list;
}

}  // namespace millrace
