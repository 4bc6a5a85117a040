#include "runtime/dead_letter_queue.h"

#include <fmt/format.h>

#include <array>

#include "protocol/hash.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

constexpr size_t kLetterBatchBytes = 256 << 10;
constexpr std::chrono::milliseconds kFlushTimeout = 150s;  // longer than the client tries to deliver

constexpr std::array<std::string_view, 10> kContextHeaders = {"__connect.errors.topic",
                                                              "__connect.errors.partition",
                                                              "__connect.errors.offset",
                                                              "__connect.errors.connector.name",
                                                              "__connect.errors.task.id",
                                                              "__connect.errors.stage",
                                                              "__connect.errors.class.name",
                                                              "__connect.errors.exception.class.name",
                                                              "__connect.errors.exception.message",
                                                              "__connect.errors.exception.stacktrace"};

}  // namespace

Expected<std::unique_ptr<DeadLetterQueue>> DeadLetterQueue::open(LogClient& client, Options options,
                                                                 TaskMetrics& metrics, Logger logger) {
  const auto refuse = [&](Error error) {
    return fail(std::move(error).wrap(
        ErrorCode::kInternal, fmt::format("Could not initialize dead letter queue with topic={}", options.topic)));
  };
  const Status created = client.admin().create_topic({options.topic, 1, options.replication_factor, {}});
  if (!created && created.error().code != ErrorCode::kAlreadyExists) return refuse(created.error());
  auto producer = client.producer(options.producer.client_id);
  if (!producer) return refuse(std::move(producer.error()));
  auto partitions = (*producer)->partition_count(options.topic);
  if (!partitions) return refuse(std::move(partitions.error()));
  return std::unique_ptr<DeadLetterQueue>(
      new DeadLetterQueue(std::move(options), metrics, std::move(logger), std::move(*producer), *partitions));
}

DeadLetterQueue::DeadLetterQueue(Options options, TaskMetrics& metrics, Logger logger,
                                 std::unique_ptr<Producer> producer, int32_t partitions)
    : options_(std::move(options)),
      metrics_(metrics),
      logger_(std::move(logger)),
      texts_(kContextHeaders.size()),
      producer_(std::move(producer)) {
  for (int32_t i = 0; i < partitions; ++i) open_.push_back(new_batch());
}

RecordBatchBuilder DeadLetterQueue::new_batch() const {
  return RecordBatchBuilder({.compression = options_.producer.compression, .bytes_reserved = 1024});
}

void DeadLetterQueue::add(const RecordView& record, const Failure& why) {
  const auto partitions = static_cast<int32_t>(open_.size());
  const int32_t to = record.key ? partition_of_key(*record.key, partitions) : next_partition_++ % partitions;
  RecordBatchBuilder& batch = open_[static_cast<size_t>(to)];
  metrics_.dead_letters.add();
  if (!options_.context_headers) {
    batch.append(record.timestamp, record.key, record.value, record.headers);
  } else {
    headers_.clear();
    RecordHeader header;
    for (HeaderIterator it(record.headers); it.next(header);) headers_.push_back(header);
    texts_ = {std::string(why.topic),      std::to_string(why.partition), std::to_string(why.offset),
              options_.connector,          std::to_string(options_.task), std::string(stage_name(why.stage)),
              std::string(why.class_name), exception_class(why.error),    why.error.message,
              error_trace(why.error)};
    for (size_t i = 0; i < texts_.size(); ++i) {
      const bool no_message = i == 8 && texts_[i].empty();
      headers_.push_back({kContextHeaders[i], no_message ? NullableBytes() : NullableBytes(texts_[i])});
    }
    batch.append(record.timestamp, record.key, record.value, headers_);
  }
  if (batch.size_bytes() >= kLetterBatchBytes) send(to);
}

void DeadLetterQueue::send(int32_t partition) {
  RecordBatchBuilder& batch = open_[static_cast<size_t>(partition)];
  if (batch.empty()) return;
  const int64_t letters = batch.record_count();
  producer_->send(
      {options_.topic, partition}, std::exchange(batch, new_batch()), [this, letters](Expected<int64_t> offset) {
        if (offset) return;
        metrics_.dead_letter_failures.add(letters);
        logger_.error("dead_letter_failed",
                      {{"topic", options_.topic}, {"records", letters}, {"error", error_trace(offset.error())}});
      });
}

void DeadLetterQueue::send() {
  for (size_t i = 0; i < open_.size(); ++i) send(static_cast<int32_t>(i));
}

void DeadLetterQueue::await() {
  send();
  if (auto flushed = producer_->flush(kFlushTimeout); !flushed)
    logger_.error("dead_letter_failed", {{"topic", options_.topic}, {"error", flushed.error().message}});
}

}  // namespace millrace
