// The way of a sink record: key, value, headers, transformations; and what becomes of one that fails.
#include <fmt/format.h>

#include <utility>

#include "runtime/record_text.h"
#include "runtime/sink_task.h"

namespace millrace {
namespace {

constexpr std::string_view kReporterClass = "org.apache.kafka.connect.sink.SinkTask";

}  // namespace

Status SinkTask::convert(const std::vector<FetchedPartition>& fetched) {
  batch_.clear();
  origins_.clear();
  pipeline_.converters.new_batch();
  if (!pipeline_.transforms.empty()) pipeline_.transforms.new_batch();
  for (const FetchedPartition& partition : fetched) {
    metrics_.read.add(static_cast<int64_t>(partition.records.size()));
    for (const RecordView& record : partition.records) {
      mr_record& out = batch_.emplace_back();
      auto kept = convert_record(partition, record, out);
      if (kept && *kept) {
        origins_.push_back({&partition, &record});
        continue;
      }
      batch_.pop_back();
      if (kept) continue;
      if (auto handled = handle_bad_record(partition.from, record, failed_stage_, failed_class(), kept.error());
          !handled)
        return handled;
    }
  }
  if (dead_letters_) dead_letters_->send();
  return {};
}

std::string_view SinkTask::failed_class() const {
  switch (failed_stage_) {
    case Stage::kTransformation:
      return pipeline_.transforms.failed_class();
    case Stage::kKeyConverter:
      return pipeline_.converters.key_class;
    case Stage::kHeaderConverter:
      return pipeline_.converters.header_class;
    default:
      return pipeline_.converters.value_class;
  }
}

Expected<bool> SinkTask::convert_record(const FetchedPartition& from, const RecordView& record, mr_record& out) {
  out.topic = out.original_topic = to_mr(from.from.topic);
  out.partition = out.original_partition = from.from.partition;
  out.offset = record.offset;
  out.timestamp_ms = record.timestamp < 0 ? MR_NO_TIMESTAMP : record.timestamp;
  if (auto converted = errors_.run([&] { return convert_parts(from, record, out); }); !converted)
    return fail(std::move(converted.error()));
  if (pipeline_.transforms.empty()) return true;
  return errors_.run([&, first = true]() mutable -> Expected<bool> {
    // A try that failed may have changed the headers already.
    if (!std::exchange(first, false)) {
      if (auto again = convert_parts(from, record, out); !again) return fail(std::move(again.error()));
    }
    return transform(from, record, out);
  });
}

Status SinkTask::convert_parts(const FetchedPartition& from, const RecordView& record, mr_record& out) {
  failed_stage_ = Stage::kKeyConverter;
  auto key = pipeline_.converters.key->to_connect(from.from.topic, record.key, arena_);
  if (!key) return fail(std::move(key.error()));
  failed_stage_ = Stage::kValueConverter;
  auto value = pipeline_.converters.value->to_connect(from.from.topic, record.value, arena_);
  if (!value) return fail(std::move(value.error()));
  if (record.headers.count > 0) {
    failed_stage_ = Stage::kHeaderConverter;
    if (auto converted = convert_headers(from, record); !converted) return converted;
  } else if (!record_.headers.empty()) {
    record_.headers.clear();
  }
  if (!pipeline_.transforms.empty()) {
    key_ = *key;
    value_ = *value;
    return {};
  }
  out.key = key->value;
  out.key_schema = schemas_.id_of(key->schema);
  out.value = value->value;
  out.value_schema = schemas_.id_of(value->schema);
  if (!record_.headers.empty()) give_headers(out);
  return {};
}

Status SinkTask::convert_headers(const FetchedPartition& from, const RecordView& record) {
  record_.headers.clear();
  RecordHeader raw;
  for (HeaderIterator it(record.headers); it.next(raw);) {
    auto value = pipeline_.converters.header->to_header(from.from.topic, raw.key, raw.value, arena_);
    if (!value) return fail(std::move(value.error()));
    record_.headers.push_back({raw.key, value->schema, value->value});
  }
  return {};
}

void SinkTask::give_headers(mr_record& out) {
  auto* headers = arena_.allocate_array<mr_header>(record_.headers.size());
  uint32_t count = 0;
  for (const ConnectHeader& header : record_.headers)
    headers[count++] = {to_mr(header.key), schemas_.id_of(header.schema), 0, header.value};
  out.headers = headers;
  out.header_count = count;
}

Expected<bool> SinkTask::transform(const FetchedPartition& from, const RecordView& record, mr_record& out) {
  failed_stage_ = Stage::kTransformation;
  record_.kind = ConnectRecord::Kind::kSink;
  record_.topic = from.from.topic;
  record_.partition = from.from.partition;
  record_.key = key_;
  record_.value = value_;
  record_.timestamp_ms = record.timestamp < 0 ? std::nullopt : std::optional<int64_t>(record.timestamp);
  record_.offset = record.offset;
  auto kept = pipeline_.transforms.apply(record_, arena_);
  if (!kept || !*kept) return kept;
  out.topic = to_mr(record_.topic);
  out.partition = record_.partition;
  out.timestamp_ms = record_.timestamp_ms.value_or(MR_NO_TIMESTAMP);
  out.key = record_.key.value;
  out.key_schema = schemas_.id_of(record_.key.schema);
  out.value = record_.value.value;
  out.value_schema = schemas_.id_of(record_.value.schema);
  if (!record_.headers.empty()) give_headers(out);
  return true;
}

/// A record that fails goes to the dead letter queue whatever errors.tolerance then says, as in Kafka Connect.
Status SinkTask::handle_bad_record(const TopicPartition& from, const RecordView& record, Stage stage,
                                   std::string_view class_name, const Error& error) {
  const Failure failure{stage, class_name, error, from.topic, from.partition, record.offset, [&] {
                          return consumed_record_text(from.topic, from.partition, record);
                        }};
  if (dead_letters_ && error.code != ErrorCode::kStopped) dead_letters_->add(record, failure);
  Status judged = errors_.judge(failure);
  if (!judged && dead_letters_) dead_letters_->await();
  return judged;
}

Status SinkTask::report(size_t record_index, Error why) {
  if (record_index >= batch_.size())
    return fail(ErrorCode::kInternal, fmt::format("report: there is no record {} in the batch", record_index));
  if (!dead_letters_ && !policy().log)
    return fail(std::move(why));  // no reporter: the task fails with the reason itself
  const Origin& origin = origins_[record_index];
  Status handled = handle_bad_record(origin.from->from, *origin.record, Stage::kTaskPut, kReporterClass, why);
  if (!handled) given_ = handled.error();
  return handled;
}

}  // namespace millrace
