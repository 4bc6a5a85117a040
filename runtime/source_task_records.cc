// The way of a source record: transformations, headers, key, value, topic, batch.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "protocol/hash.h"
#include "protocol/varint.h"
#include "runtime/record_text.h"
#include "runtime/source_task.h"

namespace millrace {
namespace {

/// A batch is sent when it has grown to this; below Kafka's default max.message.bytes of 1048588.
constexpr size_t kBatchBytes = 1'000'000;
constexpr size_t kRecordOverhead = 21;  // Kafka's bound for what a record has beside key, value and headers
constexpr std::string_view kProduceClass = "org.apache.kafka.connect.runtime.WorkerSourceTask";
constexpr const char* kSendFailed = "Unrecoverable exception from producer send callback";

size_t varint_bytes(size_t number) {
  size_t bytes = 1;
  for (number <<= 1; number >= 0x80; number >>= 7) ++bytes;
  return bytes;
}

size_t with_length(size_t bytes) { return varint_bytes(bytes) + bytes; }

}  // namespace

Status SourceTask::emit(std::span<const mr_record> records) {
  Status written = write_all(records);
  if (!written) given_ = written.error();
  return written;
}

Status SourceTask::write_all(std::span<const mr_record> records) {
  if (stopping()) return fail(ErrorCode::kStopped, "the task is stopping");
  emit_broken_off_ = true;  // until the end
  const OffsetTracker::UnitPtr unit = tracker_.begin();
  now_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count();
  metrics_.polled.add(static_cast<int64_t>(records.size()));
  metrics_.active.add(static_cast<int64_t>(records.size()));
  pipeline_.converters.new_batch();
  if (!pipeline_.transforms.empty()) {
    pipeline_.transforms.new_batch();
    arena_.reset();
  }
  noted_.clear();
  headers_from_ = nullptr;
  int64_t left_out = 0;
  for (const mr_record& record : records) {
    if (auto ok = check(record); !ok) return ok;
    auto fate = process(record, unit);
    if (!fate) return fail(std::move(fate.error()));
    note_offset(record, *fate);
    if (*fate != Fate::kWritten) ++left_out;
  }
  send_all(unit);
  metrics_.active.add(-left_out);
  auto offsets = take_noted_offsets();
  if (!offsets) return fail(std::move(offsets.error()));
  emit_broken_off_ = false;
  if (transactions_ == nullptr) {
    tracker_.seal(unit, std::move(*offsets));
    return {};
  }
  tracker_.seal(unit, {});
  tracker_.take_committable();  // nothing is kept there, but the units must go
  for (OffsetStore::Change& change : *offsets)
    pending_offsets_.insert_or_assign(*offset_map_to_json(change.partition.get()), std::move(change));
  return {};
}

/// A skipped record does not move its offset by itself; one that was filtered out is done with. Of records before it
/// that came without an offset, though, the skipped one's is the first to tell that they are written.
void SourceTask::note_offset(const mr_record& record, Fate fate) {
  if (is_null(record.source_partition)) return;
  const auto same = [&](const auto& entry) {
    return entry.first->u.items == record.source_partition.u.items || equal(*entry.first, record.source_partition);
  };
  // From the back: nearly always the partition of the record before.
  const auto known = std::find_if(noted_.rbegin(), noted_.rend(), same);
  if (known == noted_.rend()) {
    if (fate != Fate::kSkipped) noted_.emplace_back(&record.source_partition, &record.source_offset);
  } else if (fate != Fate::kSkipped || is_null(*known->second)) {
    known->second = &record.source_offset;
  }
}

Expected<std::vector<OffsetStore::Change>> SourceTask::take_noted_offsets() {
  std::vector<OffsetStore::Change> offsets;
  for (const auto& [partition, offset] : noted_) {
    if (is_null(*offset)) continue;
    for (const Value* map : {partition, offset}) {
      if (auto json = offset_map_to_json(*map); !json) {
        return fail(
            std::move(json.error())
                .wrap(ErrorCode::kInternal,
                      fmt::format("the plugin {} returned a bad source offset or partition", identity().connector)));
      }
    }
    offsets.push_back({OwnedValue(*partition), OwnedValue(*offset)});
  }
  return offsets;
}

Status SourceTask::check(const mr_record& record) const {
  if (record.topic.size == 0) return fail(ErrorCode::kInternal, "the plugin emitted a record without a topic");
  for (const mr_schema_id id : {record.key_schema, record.value_schema}) {
    if (!schemas_.known(id))
      return fail(ErrorCode::kInternal,
                  fmt::format("the plugin emitted a record with schema {}, which it never registered", id));
  }
  for (uint32_t i = 0; i < record.header_count; ++i) {
    if (schemas_.known(record.headers[i].schema)) continue;
    return fail(
        ErrorCode::kInternal,
        fmt::format("the plugin emitted a header with schema {}, which it never registered", record.headers[i].schema));
  }
  if (record.timestamp_ms < 0 && record.timestamp_ms != MR_NO_TIMESTAMP) {
    return fail(ErrorCode::kBadRecord, fmt::format("Invalid record timestamp {}", record.timestamp_ms));
  }
  return {};
}

void SourceTask::read_headers(const mr_record& record) {
  record_.headers.clear();
  for (uint32_t i = 0; i < record.header_count; ++i) {
    const mr_header& header = record.headers[i];
    record_.headers.push_back({view(header.key), schemas_.schema(header.schema), header.value});
  }
}

Expected<SourceTask::Fate> SourceTask::process(const mr_record& record, const OffsetTracker::UnitPtr& unit) {
  headers_kept_ = has_headers_of_before(record);
  if (!headers_kept_) {
    headers_from_ = nullptr;
    if (record.header_count > 0 || !record_.headers.empty()) read_headers(record);
  }
  if (!pipeline_.transforms.empty()) return transform_and_write(record, unit);
  auto fate = write(record,
                    {view(record.topic), record.partition, schemas_.schema(record.key_schema), &record.key,
                     schemas_.schema(record.value_schema), &record.value, record.timestamp_ms},
                    unit);
  if (fate && *fate == Fate::kWritten) headers_from_ = &record;
  return fate;
}

/// The very same headers for the same topic: within one emit the same address is the same content, rendered already.
bool SourceTask::has_headers_of_before(const mr_record& record) const {
  return headers_from_ != nullptr && record.header_count > 0 && headers_from_->headers == record.headers &&
         headers_from_->header_count == record.header_count && view(headers_from_->topic) == view(record.topic);
}

Expected<SourceTask::Fate> SourceTask::transform_and_write(const mr_record& record,
                                                           const OffsetTracker::UnitPtr& unit) {
  const auto apply = [&]() -> Expected<bool> {
    record_.kind = ConnectRecord::Kind::kSource;
    record_.topic = view(record.topic);
    record_.partition = record.partition;
    record_.key = {schemas_.schema(record.key_schema), record.key};
    record_.value = {schemas_.schema(record.value_schema), record.value};
    record_.timestamp_ms =
        record.timestamp_ms == MR_NO_TIMESTAMP ? std::nullopt : std::optional<int64_t>(record.timestamp_ms);
    return pipeline_.transforms.apply(record_, arena_);
  };
  auto kept = errors_.run([&, first = true]() mutable {
    if (!std::exchange(first, false)) read_headers(record);  // a failed try may have changed them
    return apply();
  });
  if (!kept) return skip(record, Stage::kTransformation, pipeline_.transforms.failed_class(), kept.error());
  if (!*kept) return Fate::kFiltered;
  return write(record,
               {record_.topic, record_.partition, record_.key.schema, &record_.key.value, record_.value.schema,
                &record_.value.value, record_.timestamp_ms.value_or(MR_NO_TIMESTAMP)},
               unit);
}

Failure SourceTask::failure_of(const mr_record& record, Stage stage, std::string_view class_name,
                               const Error& error) const {
  return {stage,
          class_name,
          error,
          view(record.topic),
          -1,
          -1,
          [this, &record] { return source_record_text(record, schemas_); }};
}

Expected<SourceTask::Fate> SourceTask::skip(const mr_record& record, Stage stage, std::string_view class_name,
                                            const Error& error) {
  Status judged = errors_.judge(failure_of(record, stage, class_name, error));
  if (!judged) return fail(std::move(judged.error()));
  return Fate::kSkipped;
}

Expected<SourceTask::Fate> SourceTask::write(const mr_record& record, const Outgoing& out,
                                             const OffsetTracker::UnitPtr& unit) {
  if (auto converted = errors_.run([&] { return convert(out); }); !converted) {
    const ConverterSet& set = pipeline_.converters;
    const std::string& class_name = failed_stage_ == Stage::kHeaderConverter ? set.header_class
                                    : failed_stage_ == Stage::kKeyConverter  ? set.key_class
                                                                             : set.value_class;
    return skip(record, failed_stage_, class_name, converted.error());
  }
  if (auto fits = check_size(); !fits) {
    if (may_skip_unsent()) return skip(record, Stage::kKafkaProduce, kProduceClass, fits.error());
    return fail(std::move(fits.error()).wrap(ErrorCode::kInternal, kSendFailed));
  }
  auto topic = batches_of(out.topic);
  if (!topic) return fail(std::move(topic.error()));
  int32_t partition = out.partition;
  if (partition < 0)
    partition = has_key_ ? partition_of_key(key_bytes_, (*topic)->partitions) : (*topic)->next_partition;
  if (partition >= (*topic)->partitions) {
    return fail(ErrorCode::kInternal,
                fmt::format("the plugin emitted a record for partition {} of topic {}, which has {} partitions",
                            partition, out.topic, (*topic)->partitions));
  }
  RecordBatchBuilder& batch = (*topic)->open[static_cast<size_t>(partition)];
  if (batch.record_count() > 0 &&
      batch.size_bytes() + key_bytes_.size() + value_bytes_.size() + kRecordOverhead > (*topic)->batch_bytes) {
    send(std::string(out.topic), partition, batch, unit);
  }
  const int64_t timestamp_ms = out.timestamp_ms == MR_NO_TIMESTAMP ? now_ms_ : out.timestamp_ms;
  const NullableBytes key = has_key_ ? NullableBytes(key_bytes_) : std::nullopt;
  const NullableBytes value = has_value_ ? NullableBytes(value_bytes_) : std::nullopt;
  if (headers_kept_) {
    batch.append(timestamp_ms, key, value, encoded_headers());
  } else {
    batch.append(timestamp_ms, key, value, headers_);
  }
  return Fate::kWritten;
}

RawHeaders SourceTask::encoded_headers() {
  if (raw_headers_.empty()) {
    const auto add = [&](const NullableBytes& bytes) {
      char length[kVarintBytesMax];
      const int32_t size = bytes ? static_cast<int32_t>(bytes->size()) : -1;
      raw_headers_.append(length, static_cast<size_t>(write_varint(length, size) - length));
      if (bytes) raw_headers_.append(*bytes);
    };
    for (const RecordHeader& header : headers_) {
      add(header.key);
      add(header.value);
    }
  }
  return {static_cast<int32_t>(headers_.size()), raw_headers_};
}

Status SourceTask::convert(const Outgoing& out) {
  if (!headers_kept_ && (!record_.headers.empty() || !headers_.empty())) {
    failed_stage_ = Stage::kHeaderConverter;
    if (auto converted = convert_headers(out.topic); !converted) return converted;
  }
  key_bytes_.clear();
  value_bytes_.clear();
  failed_stage_ = Stage::kKeyConverter;
  auto key = pipeline_.converters.key->from_connect(out.topic, out.key_schema, *out.key, key_bytes_);
  if (!key) return fail(std::move(key.error()));
  failed_stage_ = Stage::kValueConverter;
  auto value = pipeline_.converters.value->from_connect(out.topic, out.value_schema, *out.value, value_bytes_);
  if (!value) return fail(std::move(value.error()));
  has_key_ = *key;
  has_value_ = *value;
  return {};
}

Status SourceTask::convert_headers(std::string_view topic) {
  headers_.clear();
  raw_headers_.clear();
  header_bytes_.resize(std::max(header_bytes_.size(), record_.headers.size()));
  for (size_t i = 0; i < record_.headers.size(); ++i) {
    const ConnectHeader& header = record_.headers[i];
    header_bytes_[i].clear();
    auto present =
        pipeline_.converters.header->from_header(topic, header.key, header.schema, header.value, header_bytes_[i]);
    if (!present) return fail(std::move(present.error()));
    headers_.push_back({header.key, *present ? NullableBytes(header_bytes_[i]) : std::nullopt});
  }
  return {};
}

/// max.request.size, reckoned as Kafka's producer does: before compression, in a batch of its own.
Status SourceTask::check_size() const {
  if (!pipeline_.producer.request_bytes_max) return {};
  size_t size = batch_format::kHeaderBytes + kRecordOverhead + with_length(key_bytes_.size()) +
                with_length(value_bytes_.size()) + varint_bytes(headers_.size());
  for (const RecordHeader& header : headers_)
    size += with_length(header.key.size()) + with_length(header.value ? header.value->size() : 0);
  if (size <= *pipeline_.producer.request_bytes_max) return {};
  return fail(
      Error{ErrorCode::kBadRecord,
            fmt::format("The message is {} bytes when serialized which is larger than {}, which is the value of "
                        "the max.request.size configuration.",
                        size, *pipeline_.producer.request_bytes_max),
            "org.apache.kafka.common.errors.RecordTooLargeException",
            {},
            {}});
}

Expected<SourceTask::TopicBatches*> SourceTask::batches_of(std::string_view topic) {
  if (last_topic_.second != nullptr && last_topic_.first == topic) return last_topic_.second;
  auto at = topics_.find(topic);
  if (at == topics_.end()) {
    const std::string name(topic);
    // Passing trouble is waited out here: the plugin has moved on and would not emit these records again.
    Backoff backoff;
    auto opened = open_topic(name);
    while (!opened && opened.error().retriable()) {
      if (!back_off(backoff, opened.error(), "open topic")) return fail(ErrorCode::kStopped, "the task is stopping");
      opened = open_topic(name);
    }
    if (!opened) return fail(std::move(opened.error()));
    at = topics_.emplace(name, std::move(*opened)).first;
  }
  last_topic_ = {at->first, &at->second};
  return &at->second;
}

Expected<SourceTask::TopicBatches> SourceTask::open_topic(const std::string& topic) {
  if (transactions_ != nullptr && topic == services_.offsets.topic()) {
    return fail(ErrorCode::kInternal,
                "Source tasks may not produce to their own offsets topics when exactly-once support is enabled");
  }
  Admin& admin = services_.client.admin();
  if (pipeline_.topic_creation) {
    if (auto there = pipeline_.topic_creation->ensure(admin, topic); !there) return fail(std::move(there.error()));
  }
  auto partitions = producer_->partition_count(topic);
  if (!partitions) {
    if (partitions.error().retriable()) return fail(std::move(partitions.error()));
    return fail(std::move(partitions.error())
                    .wrap(ErrorCode::kInternal, fmt::format("{}: cannot write to topic {}", kSendFailed, topic)));
  }
  TopicBatches made;
  made.partitions = *partitions;
  made.batch_bytes = pipeline_.producer.batch_bytes.value_or(kBatchBytes);
  // A topic for small messages takes no large batches.
  if (auto described = admin.describe_topic(topic)) {
    size_t most = 0;
    const auto limit = described->configs.find("max.message.bytes");
    if (limit != described->configs.end() &&
        std::from_chars(limit->second.data(), limit->second.data() + limit->second.size(), most).ec == std::errc())
      made.batch_bytes = std::min(made.batch_bytes, most);
  }
  for (int32_t i = 0; i < made.partitions; ++i) made.open.emplace_back(batch_options());
  return made;
}

BatchOptions SourceTask::batch_options() const {
  return {.compression = pipeline_.producer.compression, .transactional = transactions_ != nullptr};
}

void SourceTask::send(const std::string& topic, int32_t partition, RecordBatchBuilder& batch,
                      const OffsetTracker::UnitPtr& unit) {
  note_active_topic(topic);  // with each batch: the list may have been reset since the topic's first one
  tracker_.batch_sent(unit);
  const int64_t records = batch.record_count();
  if (transactions_ != nullptr) transaction_records_ += records;
  producer_->send({topic, partition}, std::exchange(batch, RecordBatchBuilder(batch_options())),
                  [this, unit, topic, records](Expected<int64_t> result) {
                    metrics_.active.add(-records);
                    if (result) {
                      metrics_.written.add(records);
                    } else if (may_skip_unsent()) {
                      metrics_.record_errors.add(records - 1);
                      metrics_.records_skipped.add(records - 1);
                      result =
                          errors_.judge({Stage::kKafkaProduce, kProduceClass, result.error(), topic}).transform([] {
                            return int64_t{0};
                          });
                    }
                    tracker_.batch_done(unit, std::move(result));
                  });
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

}  // namespace millrace
