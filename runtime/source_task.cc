#include "runtime/source_task.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/hash.h"

namespace millrace {

using namespace std::chrono_literals;

namespace {
/// A batch is sent when it has grown to this; below Kafka's default max.message.bytes of 1048588.
constexpr size_t kBatchBytes = 1'000'000;
constexpr std::chrono::milliseconds kFinalFlush = 5s;
}  // namespace

Status SourceTask::execute() {
  producer_.reset();  // waits for the callbacks of an earlier run
  tracker_.reset();
  topics_.clear();
  last_topic_ = {{}, nullptr};
  auto producer =
      services_.client.producer(fmt::format("connector-producer-{}-{}", identity().connector, identity().task));
  if (!producer) return fail(std::move(producer.error()));
  producer_ = std::move(*producer);

  auto task = PluginTask::create(*this);
  if (!task) return fail(std::move(task.error()));
  if (!wait_while_paused()) return {};
  if (auto started = (*task)->start(); !started) return started;
  set_state(State::kRunning);
  Status outcome = poll_until_stopped(**task);
  // Whatever happened, what has been sent is waited for, so that its offsets are stored and nothing is read twice.
  if (auto flushed = producer_->flush(kFinalFlush); !flushed)
    logger().warn("final_flush_failed", {{"error", flushed.error().message}});
  if (auto committed = commit_offsets(); !committed)
    logger().warn("final_offset_commit_failed", {{"error", committed.error().message}});
  return outcome;
}

Status SourceTask::poll_until_stopped(PluginTask& task) {
  Backoff backoff;
  while (wait_while_paused()) {
    if (auto sent = tracker_.failure(); !sent)
      return fail(std::move(sent.error()).wrap("Unrecoverable exception from producer send callback"));
    if (offsets_stored_.exchange(false) && table().commit != nullptr) {
      mr_error error{};
      if (auto done = to_status(table().commit(task.get(), &error), error); !done) {
        logger().warn("commit_failed", {{"error", done.error().message}});
      }
    }
    mr_error error{};
    Status polled = to_status(table().poll(task.get(), &error), error);
    if (polled) {
      backoff.reset();
      continue;
    }
    if (polled.error().code == ErrorCode::kStopped) continue;
    if (!polled.error().retriable()) return polled;
    if (!back_off(backoff, polled.error(), "poll")) break;
  }
  return {};
}

Expected<mr_value> SourceTask::stored_offset(const mr_value& partition) {
  auto found = services_.offsets.get(identity().connector, partition);
  if (!found) return fail(std::move(found.error()));
  last_stored_offset_ = std::move(*found);
  return last_stored_offset_.get();
}

Status SourceTask::emit(std::span<const mr_record> records) {
  if (stopping()) return fail(ErrorCode::kStopped, "the task is stopping");
  const OffsetTracker::UnitPtr unit = tracker_.begin();
  const int64_t now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  std::vector<std::pair<const Value*, const Value*>> last;  // source partition → its last offset in this call
  for (const mr_record& record : records) {
    if (auto ok = check(record); !ok) return ok;
    if (auto ok = append(record, now_ms, unit); !ok) return ok;
    if (is_null(record.source_partition)) continue;
    const auto same = [&](const auto& entry) {
      return entry.first->u.items == record.source_partition.u.items || equal(*entry.first, record.source_partition);
    };
    // From the back: nearly always the partition of the record before.
    const auto known = std::find_if(last.rbegin(), last.rend(), same);
    if (known == last.rend()) {
      last.emplace_back(&record.source_partition, &record.source_offset);
    } else {
      known->second = &record.source_offset;
    }
  }
  send_all(unit);
  std::vector<OffsetStore::Change> offsets;
  for (const auto& [partition, offset] : last) {
    if (!is_null(*offset)) offsets.push_back({OwnedValue(*partition), OwnedValue(*offset)});
  }
  for (const OffsetStore::Change& change : offsets) {
    for (const Value* map : {&change.partition.get(), &change.offset.get()}) {
      if (auto json = offset_map_to_json(*map); !json) {
        return fail(
            std::move(json.error())
                .wrap(ErrorCode::kInternal,
                      fmt::format("the plugin {} returned a bad source offset or partition", identity().connector)));
      }
    }
  }
  tracker_.seal(unit, std::move(offsets));
  return {};
}

Status SourceTask::check(const mr_record& record) const {
  if (record.topic.size == 0) return fail(ErrorCode::kInternal, "the plugin emitted a record without a topic");
  for (const mr_schema_id id : {record.key_schema, record.value_schema}) {
    if (!schemas_.known(id))
      return fail(ErrorCode::kInternal,
                  fmt::format("the plugin emitted a record with schema {}, which it never registered", id));
  }
  if (record.timestamp_ms < 0 && record.timestamp_ms != MR_NO_TIMESTAMP) {
    return fail(ErrorCode::kBadRecord, fmt::format("Invalid record timestamp {}", record.timestamp_ms));
  }
  return {};
}

Expected<SourceTask::TopicBatches*> SourceTask::batches_of(std::string_view topic) {
  if (last_topic_.second != nullptr && last_topic_.first == topic) return last_topic_.second;
  auto at = topics_.find(topic);
  if (at == topics_.end()) {
    auto partitions = producer_->partition_count(std::string(topic));
    // Passing trouble is waited out here: the plugin has moved on and would not emit these records again.
    Backoff backoff;
    while (!partitions && partitions.error().retriable()) {
      if (!back_off(backoff, partitions.error(), "open topic"))
        return fail(ErrorCode::kStopped, "the task is stopping");
      partitions = producer_->partition_count(std::string(topic));
    }
    if (!partitions) {
      Error error = std::move(partitions.error());
      return fail(std::move(error).wrap(
          ErrorCode::kInternal,
          fmt::format("Unrecoverable exception from producer send callback: cannot write to topic {}", topic)));
    }
    TopicBatches made;
    made.partitions = *partitions;
    made.open.resize(static_cast<size_t>(*partitions));
    at = topics_.emplace(std::string(topic), std::move(made)).first;
    note_active_topic(topic);
  }
  last_topic_ = {at->first, &at->second};
  return &at->second;
}

Status SourceTask::append(const mr_record& record, int64_t now_ms, const OffsetTracker::UnitPtr& unit) {
  bool has_key = false, has_value = false;
  if (auto converted = convert(record, has_key, has_value); !converted)
    return tolerate(record, std::move(converted.error()));
  auto topic = batches_of(view(record.topic));
  if (!topic) return fail(std::move(topic.error()));
  int32_t partition = record.partition;
  if (partition < 0) {
    partition = has_key ? partition_of_key(key_bytes_, (*topic)->partitions) : (*topic)->next_partition;
  }
  if (partition >= (*topic)->partitions) {
    return fail(ErrorCode::kInternal,
                fmt::format("the plugin emitted a record for partition {} of topic {}, which has {} partitions",
                            partition, view(record.topic), (*topic)->partitions));
  }
  RecordBatchBuilder& batch = (*topic)->open[static_cast<size_t>(partition)];
  if (batch.record_count() > 0 && batch.size_bytes() + key_bytes_.size() + value_bytes_.size() > kBatchBytes) {
    send(std::string(view(record.topic)), partition, batch, unit);
  }
  const int64_t timestamp = record.timestamp_ms == MR_NO_TIMESTAMP ? now_ms : record.timestamp_ms;
  batch.append(timestamp, has_key ? NullableBytes(key_bytes_) : std::nullopt,
               has_value ? NullableBytes(value_bytes_) : std::nullopt, headers_);
  return {};
}

Status SourceTask::convert(const mr_record& record, bool& has_key, bool& has_value) {
  const std::string_view topic = view(record.topic);
  key_bytes_.clear();
  value_bytes_.clear();
  auto key = converters_.key->from_connect(topic, schemas_.schema(record.key_schema), record.key, key_bytes_);
  if (!key) return fail(std::move(key.error()));
  auto value = converters_.value->from_connect(topic, schemas_.schema(record.value_schema), record.value, value_bytes_);
  if (!value) return fail(std::move(value.error()));
  has_key = *key;
  has_value = *value;
  return record.header_count == 0 && headers_.empty() ? Status{} : convert_headers(record);
}

Status SourceTask::convert_headers(const mr_record& record) {
  headers_.clear();
  header_bytes_.resize(std::max<size_t>(header_bytes_.size(), record.header_count));
  for (uint32_t i = 0; i < record.header_count; ++i) {
    const mr_header& header = record.headers[i];
    if (!schemas_.known(header.schema)) {
      return fail(ErrorCode::kInternal,
                  fmt::format("the plugin emitted a header with schema {}, which it never registered", header.schema));
    }
    header_bytes_[i].clear();
    auto present = converters_.header->from_header(view(record.topic), view(header.key), schemas_.schema(header.schema),
                                                   header.value, header_bytes_[i]);
    if (!present) return fail(std::move(present.error()));
    headers_.push_back({view(header.key), *present ? NullableBytes(header_bytes_[i]) : std::nullopt});
  }
  return {};
}

void SourceTask::send(const std::string& topic, int32_t partition, RecordBatchBuilder& batch,
                      const OffsetTracker::UnitPtr& unit) {
  note_active_topic(topic);  // here, too: the list may have been reset since the topic's first batch
  tracker_.batch_sent(unit);
  producer_->send({topic, partition}, std::exchange(batch, RecordBatchBuilder{}),
                  [this, unit](Expected<int64_t> result) { tracker_.batch_done(unit, std::move(result)); });
}

void SourceTask::send_all(const OffsetTracker::UnitPtr& unit) {
  for (auto& [topic, batches] : topics_) {
    for (size_t partition = 0; partition < batches.open.size(); ++partition) {
      if (batches.open[partition].record_count() > 0)
        send(topic, static_cast<int32_t>(partition), batches.open[partition], unit);
    }
    batches.next_partition = (batches.next_partition + 1) % batches.partitions;
  }
}

Status SourceTask::tolerate(const mr_record& record, Error error) {
  if (policy().log) {
    logger().error("record_error",
                   {{"stage", "VALUE_CONVERTER"}, {"topic", view(record.topic)}, {"error", error.message}});
  }
  if (policy().tolerate_all) return {};
  return fail(std::move(error).wrap(ErrorCode::kInternal, "Tolerance exceeded in error handler"));
}

Status SourceTask::commit_offsets() {
  std::lock_guard lock(commit_mutex_);
  std::vector<OffsetStore::Change> changes = tracker_.take_committable();
  if (changes.empty()) return {};
  if (auto written = services_.offsets.write(identity().connector, changes); !written) {
    tracker_.give_back(std::move(changes));
    return written;
  }
  offsets_stored_ = true;
  return {};
}

}  // namespace millrace
