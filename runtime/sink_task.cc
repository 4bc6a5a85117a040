#include "runtime/sink_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

namespace millrace {

using namespace std::chrono_literals;

Status SinkTask::execute() {
  delivered_.clear();
  committed_.clear();
  paused_by_plugin_.clear();
  listener_failure_ = {};
  auto consumer =
      client_.consumer({.group_id = options_.group,
                        .client_id = fmt::format("connector-consumer-{}-{}", identity().connector, identity().task),
                        .from_earliest = options_.from_earliest,
                        .max_poll_records = options_.max_poll_records});
  if (!consumer) return fail(std::move(consumer.error()));
  {
    std::lock_guard lock(consumer_mutex_);
    consumer_ = std::move(*consumer);
  }
  const auto forget_consumer = [&] {
    std::lock_guard lock(consumer_mutex_);
    consumer_.reset();
  };
  Status outcome = [&]() -> Status {
    auto task = PluginTask::create(*this);
    if (!task) return fail(std::move(task.error()));
    task_ = (*task)->get();
    if (!wait_while_paused()) return {};
    if (auto started = (*task)->start(); !started) return started;
    if (auto subscribed = subscribe(); !subscribed) return subscribed;
    set_state(State::kRunning);
    Status ran = run_until_stopped();
    if (auto committed = commit(true); !committed)
      logger().warn("final_commit_failed", {{"error", committed.error().message}});
    return ran;
  }();
  task_ = nullptr;
  forget_consumer();
  return outcome;
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
    if (paused()) {
      if (auto committed = commit(false); !committed)
        logger().warn("commit_failed", {{"error", committed.error().message}});
      if (!wait_while_paused()) break;
    }
    if (commit_due()) {
      if (auto committed = commit(false); !committed)
        logger().warn("commit_failed", {{"error", committed.error().message}});
    }
    const bool uncommitted = delivered_ != committed_;
    auto fetched =
        consumer_->poll(uncommitted ? std::min<std::chrono::milliseconds>(options_.commit_interval, 1000ms) : 1000ms);
    if (!listener_failure_) return listener_failure_;
    if (!fetched) {
      if (!fetched.error().retriable()) return fail(std::move(fetched.error()));
      if (!back_off(backoff, fetched.error(), "fetch")) break;
      continue;
    }
    backoff.reset();
    fetched_ = std::move(*fetched);
    if (auto converted = convert(fetched_); !converted) return converted;
    auto put = put_with_retries();
    if (!put) return fail(std::move(put.error()));
    if (*put) {
      for (const FetchedPartition& partition : fetched_) delivered_[partition.from] = partition.next_offset;
    }
    batch_.clear();
    raw_.clear();
    fetched_.clear();
    arena_.reset();
  }
  return {};
}

Status SinkTask::convert(const std::vector<FetchedPartition>& fetched) {
  batch_.clear();
  raw_.clear();
  for (HeaderConverter* converter :
       {static_cast<HeaderConverter*>(converters_.key.get()), static_cast<HeaderConverter*>(converters_.value.get()),
        converters_.header.get()}) {
    converter->new_batch();
  }
  for (const FetchedPartition& partition : fetched) {
    for (const RecordView& record : partition.records) {
      mr_record& out = batch_.emplace_back();
      raw_.push_back(&record);
      auto converted = convert_record(partition, record, out);
      if (converted) continue;
      Status handled = handle_bad_record(out, batch_.size() - 1, "VALUE_CONVERTER", std::move(converted.error()));
      batch_.pop_back();
      raw_.pop_back();
      if (!handled) return handled;
    }
  }
  return {};
}

Status SinkTask::convert_record(const FetchedPartition& from, const RecordView& record, mr_record& out) {
  out.topic = to_mr(from.from.topic);
  out.original_topic = out.topic;
  out.partition = out.original_partition = from.from.partition;
  out.offset = record.offset;
  out.timestamp_ms = record.timestamp;
  auto key = converters_.key->to_connect(from.from.topic, record.key, arena_);
  if (!key) return fail(std::move(key.error()));
  out.key = key->value;
  out.key_schema = schemas_.id_of(key->schema);
  auto value = converters_.value->to_connect(from.from.topic, record.value, arena_);
  if (!value) return fail(std::move(value.error()));
  out.value = value->value;
  out.value_schema = schemas_.id_of(value->schema);
  return record.headers.count == 0 ? Status{} : convert_headers(from, record, out);
}

Status SinkTask::convert_headers(const FetchedPartition& from, const RecordView& record, mr_record& out) {
  auto* headers = arena_.allocate_array<mr_header>(static_cast<size_t>(record.headers.count));
  uint32_t count = 0;
  RecordHeader raw;
  for (HeaderIterator it(record.headers); it.next(raw);) {
    auto value = converters_.header->to_header(from.from.topic, raw.key, raw.value, arena_);
    if (!value) return fail(std::move(value.error()));
    headers[count++] = {to_mr(raw.key), schemas_.id_of(value->schema), 0, value->value};
  }
  out.headers = headers;
  out.header_count = count;
  return {};
}

Expected<bool> SinkTask::put_with_retries() {
  Backoff backoff;
  batch_dropped_ = false;
  while (!stopping()) {
    Status put = put_once();
    if (put) {
      if (backoff.attempts() > 0) resume_after_retries();
      return true;
    }
    if (put.error().code == ErrorCode::kStopped) return false;
    if (!put.error().retriable()) {
      return fail(
          std::move(put.error()).wrap(ErrorCode::kInternal, "Exiting WorkerSinkTask due to unrecoverable exception."));
    }
    if (!back_off(backoff, put.error(), "put")) return false;
    // A poll with everything paused keeps the membership alive and lets partitions move away.
    consumer_->pause(consumer_->assignment());
    if (auto polled = consumer_->poll(0ms); !polled && !polled.error().retriable())
      return fail(std::move(polled.error()));
    if (!listener_failure_) return fail(listener_failure_.error());
    if (batch_dropped_) {
      if (auto rewound = rewind_to_delivered(); !rewound) return fail(std::move(rewound.error()));
      resume_after_retries();
      return false;
    }
  }
  return false;
}

Status SinkTask::rewind_to_delivered() {
  for (const auto& [partition, offset] : delivered_) {
    if (auto sought = consumer_->seek(partition, offset); !sought) return sought;
  }
  return {};
}

void SinkTask::resume_after_retries() {
  std::vector<TopicPartition> reading = consumer_->assignment();
  std::erase_if(reading, [&](const TopicPartition& partition) { return paused_by_plugin_.contains(partition); });
  consumer_->resume(reading);
}

Status SinkTask::put_once() {
  mr_error error{};
  return to_status(table().put(task_, batch_.data(), batch_.size(), &error), error);
}

bool SinkTask::commit_due() const {
  return commit_requested_.load() ||
         (delivered_ != committed_ && std::chrono::steady_clock::now() - last_commit_ >= options_.commit_interval);
}

Status SinkTask::commit(bool closing) {
  commit_requested_ = false;
  last_commit_ = std::chrono::steady_clock::now();
  if (task_ == nullptr || delivered_ == committed_) return {};
  std::vector<mr_topic_partition> offsets;
  for (const auto& [partition, offset] : delivered_)
    offsets.push_back({to_mr(partition.topic), partition.partition, 0, offset});
  if (table().flush != nullptr) {
    mr_error error{};
    if (auto flushed = to_status(table().flush(task_, offsets.data(), offsets.size(), &error), error); !flushed) {
      if (closing) return flushed;
      // What was put may be lost: read it again from the last commit.
      for (const auto& [partition, offset] : committed_) {
        if (auto sought = consumer_->seek(partition, offset); !sought) return sought;
      }
      delivered_ = committed_;
      return flushed;
    }
  }
  std::map<TopicPartition, OffsetAndMetadata> durable;
  for (const mr_topic_partition& offset : offsets) {
    const TopicPartition partition{std::string(view(offset.topic)), offset.partition};
    const auto delivered = delivered_.find(partition);
    if (delivered != delivered_.end() && offset.offset <= delivered->second) durable[partition] = {offset.offset, ""};
  }
  if (auto committed = consumer_->commit(durable); !committed) return committed;
  for (const auto& [partition, offset] : durable) committed_[partition] = offset.offset;
  return {};
}

void SinkTask::on_revoked(const std::vector<TopicPartition>& partitions) {
  if (auto committed = commit(true); !committed) logger().warn("commit_failed", {{"error", committed.error().message}});
  if (table().close != nullptr && task_ != nullptr) {
    const auto list = to_abi(partitions);
    mr_error error{};
    if (auto closed = to_status(table().close(task_, list.data(), list.size(), &error), error); !closed)
      listener_failure_ = closed;
  }
  for (const TopicPartition& partition : partitions) {
    delivered_.erase(partition);
    committed_.erase(partition);
    paused_by_plugin_.erase(partition);
  }
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
    note_active_topic(partition.topic);
  }
  if (table().open == nullptr || task_ == nullptr) return;
  const auto list = to_abi(partitions);
  mr_error error{};
  if (auto opened = to_status(table().open(task_, list.data(), list.size(), &error), error); !opened)
    listener_failure_ = opened;
}

Status SinkTask::report(size_t record_index, Error why) {
  if (record_index >= batch_.size())
    return fail(ErrorCode::kInternal, fmt::format("report: there is no record {} in the batch", record_index));
  if (policy().dead_letter_topic.empty() && !policy().log)
    return fail(std::move(why));  // no reporter: the task fails with the reason itself
  return handle_bad_record(batch_[record_index], record_index, "TASK_PUT", std::move(why));
}

Status SinkTask::handle_bad_record(const mr_record& record, size_t index, std::string_view stage, Error error) {
  if (policy().log) {
    logger().error("record_error", {{"stage", stage},
                                    {"topic", view(record.original_topic)},
                                    {"partition", record.original_partition},
                                    {"offset", record.offset},
                                    {"error", error.message}});
  }
  if (!policy().tolerate_all) {
    error.message = fmt::format("{} (record at {}-{}@{})", error.message, view(record.original_topic),
                                record.original_partition, record.offset);
    return fail(std::move(error).wrap(ErrorCode::kInternal, "Tolerance exceeded in error handler"));
  }
  return policy().dead_letter_topic.empty() ? Status{} : write_dead_letter(index);
}

Status SinkTask::write_dead_letter(size_t index) {
  const std::string& topic = policy().dead_letter_topic;
  if (!dead_letters_) {
    auto producer =
        client_.producer(fmt::format("connector-dlq-producer-{}-{}", identity().connector, identity().task));
    if (!producer) return fail(std::move(producer.error()));
    const Status created = client_.admin().create_topic({topic, 1, policy().dead_letter_replication, {}});
    if (!created && created.error().code != ErrorCode::kAlreadyExists) {
      return fail(
          Error(created.error()).wrap(fmt::format("Could not initialize dead letter queue with topic={}", topic)));
    }
    dead_letters_ = std::move(*producer);
  }
  const RecordView& record = *raw_[index];
  RecordBatchBuilder batch;
  batch.append(record.timestamp, record.key, record.value, record.headers);
  // The offset of a bad record is committed only once its copy is safe.
  auto promise = std::make_shared<std::promise<Status>>();
  auto result = promise->get_future();
  dead_letters_->send({topic, 0}, std::move(batch), [promise](Expected<int64_t> offset) {
    promise->set_value(offset ? Status{} : Status(fail(std::move(offset.error()))));
  });
  return result.get();
}

Status SinkTask::seek(const mr_topic_partition& to) {
  const TopicPartition partition{std::string(view(to.topic)), to.partition};
  if (auto sought = consumer_->seek(partition, to.offset); !sought) return sought;
  delivered_[partition] = to.offset;
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
  consumer_->resume(*list);
  for (const TopicPartition& partition : *list) paused_by_plugin_.erase(partition);
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
