// DeleteRecords: moves the start of partitions.
#include "protocol/messages/delete_records.h"
#include "broker/handlers/data_handlers.h"

namespace millrace {
namespace {

constexpr int64_t kHighWatermark = -1;

struct Job {
  DeleteRecordsRequest request;
  std::unique_ptr<Exchange> exchange;
};

KafkaError delete_before(PartitionLog& log, int64_t offset, int64_t& low_watermark) {
  const LogConfig config = log.config();
  if (config.cleanup_compact && !config.cleanup_delete) return KafkaError::kPolicyViolation;
  if (offset < 0 && offset != kHighWatermark) return KafkaError::kOffsetOutOfRange;
  auto moved = log.delete_records(offset);
  if (!moved) return kafka_error_of(moved.error());
  low_watermark = *moved;
  return KafkaError::kNone;
}

void delete_all(BrokerServices& services, Job& job) {
  DeleteRecordsResponse response;
  for (const auto& asked : job.request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    const bool allowed = may(services, job.exchange->session(), AclOperation::kDelete, asked.name);
    const auto entry = services.broker.find_topic(asked.name);
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      answer.low_watermark = -1;
      const auto& log = find_log(entry.get(), partition.partition_index);
      const KafkaError error = !allowed         ? KafkaError::kTopicAuthorizationFailed
                               : log == nullptr ? KafkaError::kUnknownTopicOrPartition
                                                : delete_before(*log, partition.offset, answer.low_watermark);
      answer.error_code = code_of(error);
    }
  }
  job.exchange->reply(response);
}

void handle_delete_records(BrokerServices& services, const DeleteRecordsRequest& request,
                           std::unique_ptr<Exchange> exchange) {
  // Shared only because std::function must be copyable.
  auto job = std::make_shared<Job>(Job{request, std::move(exchange)});
  services.executor.run([&services, job = std::move(job)] { delete_all(services, *job); });
}

}  // namespace

Api delete_records_api() { return make_api<DeleteRecordsRequest, handle_delete_records>(0, 2); }

}  // namespace millrace
