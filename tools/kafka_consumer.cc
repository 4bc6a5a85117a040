#include "tools/kafka_consumer.h"

#include <fmt/format.h>

namespace millrace {
namespace {

/// librdkafka reports these beside its own retries.
bool passes(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return false;
    default:
      return true;
  }
}

constexpr int kLookupMs = 5'000;

/// The partitions that have no committed offset, with the one at which they start; null when it cannot be told now.
RdPartitions starts_of_uncommitted(rd_kafka_t* client, const rd_kafka_topic_partition_list_t* partitions, int64_t at) {
  const RdPartitions committed(rd_kafka_topic_partition_list_copy(partitions));
  if (rd_kafka_committed(client, committed.get(), kLookupMs) != RD_KAFKA_RESP_ERR_NO_ERROR) return nullptr;
  RdPartitions starts(rd_kafka_topic_partition_list_new(committed->cnt));
  for (int i = 0; i < committed->cnt; ++i) {
    const rd_kafka_topic_partition_t& each = committed->elems[i];
    if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR || each.offset != RD_KAFKA_OFFSET_INVALID) continue;
    // The two ends of a log are times to the lookup: -2 and -1, as in the protocol.
    rd_kafka_topic_partition_list_add(starts.get(), each.topic, each.partition)->offset = at;
  }
  if (starts->cnt == 0) return nullptr;
  if (rd_kafka_offsets_for_times(client, starts.get(), kLookupMs) != RD_KAFKA_RESP_ERR_NO_ERROR) return nullptr;
  for (int i = starts->cnt - 1; i >= 0; --i) {
    const rd_kafka_topic_partition_t& each = starts->elems[i];
    if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR || each.offset < 0)
      rd_kafka_topic_partition_list_del_by_idx(starts.get(), i);
  }
  return starts->cnt == 0 ? nullptr : std::move(starts);
}

}  // namespace

void follow_rebalance_and_commit(rd_kafka_t* client, rd_kafka_resp_err_t error,
                                 rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  const int64_t at = static_cast<const StartOfGroup*>(opaque)->at;
  RdPartitions starts;
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && at != RD_KAFKA_OFFSET_INVALID && partitions->cnt > 0)
    starts = starts_of_uncommitted(client, partitions, at);
  for (int i = 0; starts != nullptr && i < starts->cnt; ++i) {
    const rd_kafka_topic_partition_t& start = starts->elems[i];
    rd_kafka_topic_partition_list_set_offset(partitions, start.topic, start.partition, start.offset);
  }
  follow_rebalance(client, error, partitions);
  if (starts != nullptr) rd_kafka_commit(client, starts.get(), 1);
}

Status ToolConsumer::subscribe(const std::string& topic) {
  const RdPartitions topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe(client_.get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(kafka_error(fmt::format("cannot subscribe to {}", topic), error));
  return {};
}

Status ToolConsumer::assign(const std::string& topic, int32_t partition, int64_t offset) {
  const RdPartitions partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), topic.c_str(), partition)->offset = offset;
  const auto error = rd_kafka_assign(client_.get(), partitions.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(kafka_error(fmt::format("cannot read {}-{}", topic, partition), error));
  return {};
}

Expected<RdMessage> ToolConsumer::next(int timeout_ms) {
  RdMessage message(rd_kafka_consumer_poll(client_.get(), timeout_ms));
  if (message == nullptr || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  if (passes(message->err)) return RdMessage();
  return fail(ErrorCode::kUnavailable, rd_kafka_message_errstr(message.get()));
}

void ToolConsumer::close() {
  if (!std::exchange(closed_, true)) rd_kafka_consumer_close(client_.get());
}

ConsumedRecord consumed_record(const rd_kafka_message_t& message) {
  ConsumedRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  if (message.payload != nullptr) record.value = BytesView(static_cast<const char*>(message.payload), message.len);
  if (message.key != nullptr) record.key = BytesView(static_cast<const char*>(message.key), message.key_len);
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp = rd_kafka_message_timestamp(&message, &type);
  record.time_type = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? ConsumedRecord::Time::kNone
                     : type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? ConsumedRecord::Time::kCreate
                                                              : ConsumedRecord::Time::kLogAppend;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    ConsumedHeader header{name, std::nullopt};
    if (value != nullptr) header.value = BytesView(static_cast<const char*>(value), size);
    record.headers.push_back(header);
  }
  return record;
}

}  // namespace millrace
