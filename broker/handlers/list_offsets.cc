// ListOffsets: the ends of partitions, and offsets by time.
#include <algorithm>

#include "broker/handlers/data_handlers.h"
#include "protocol/messages/list_offsets.h"

namespace millrace {
namespace {

// Timestamps with a meaning, and the version from which each may be asked for.
constexpr int64_t kLatest = -1;
constexpr int64_t kEarliest = -2;
constexpr int64_t kMaxTimestamp = -3;           // 7
constexpr int64_t kEarliestLocal = -4;          // 8
constexpr int64_t kLatestTiered = -5;           // 9
constexpr int64_t kEarliestPendingUpload = -6;  // 11
constexpr int16_t kSpecialSince[] = {0, 0, 0, 7, 8, 9, 11};
constexpr int32_t kDebuggingReplica = -2;

struct Found {
  KafkaError error = KafkaError::kNone;
  int64_t timestamp = -1;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
};

bool served_in(int64_t timestamp, int16_t version) {
  if (timestamp >= 0) return true;
  const auto index = static_cast<uint64_t>(-timestamp);
  return timestamp >= kEarliestPendingUpload && version >= kSpecialSince[index];
}

/// The epoch of the batch that holds `offset`.
int32_t epoch_at(const PartitionLog& log, int64_t offset) {
  int32_t epoch = -1;
  for (const LeaderEpoch& each : log.leader_epochs()) {
    if (each.start_offset > offset) break;
    epoch = each.epoch;
  }
  // Without batches there is only the epoch that the next one will get.
  return epoch < 0 ? log.leader_epoch() : epoch;
}

Found found_record(const PartitionLog& log, const Expected<std::optional<TimestampOffset>>& record) {
  if (!record) return {kafka_error_of(record.error())};
  if (!*record) return {};
  return {KafkaError::kNone, (*record)->timestamp, (*record)->offset, epoch_at(log, (*record)->offset)};
}

Found find_offset(const PartitionLog& log, int64_t timestamp, bool committed_only) {
  const int64_t end = committed_only ? log.last_stable_offset() : log.high_watermark();
  switch (timestamp) {
    case kLatest:
      return {KafkaError::kNone, -1, end, log.leader_epoch()};
    case kEarliest:
    case kEarliestLocal: {
      const int64_t start = log.log_start_offset();
      return {KafkaError::kNone, -1, start, epoch_at(log, start)};
    }
    case kMaxTimestamp: {
      // As Kafka: a record that the reader may not see yet hides the largest that it may.
      const Found found = found_record(log, log.find_max_timestamp());
      return found.offset < end ? found : Found{};
    }
    case kLatestTiered:
    case kEarliestPendingUpload:
      return {};  // nothing is ever tiered
    default:
      return found_record(log, log.find_by_timestamp(timestamp, end));
  }
}

/// Version 0 asks for segment starts rather than records: the newest ones that are not younger than `timestamp`.
std::vector<int64_t> old_style_offsets(const PartitionLog& log, int64_t timestamp, int32_t count_max) {
  std::vector<SegmentStart> starts = log.segment_starts();
  const int64_t end = log.high_watermark();
  if (starts.empty() || end > starts.back().base_offset) starts.push_back({end, INT64_MAX});
  size_t upto = starts.size();
  if (timestamp == kEarliest) {
    upto = 1;
  } else if (timestamp != kLatest) {
    while (upto > 0 && starts[upto - 1].largest_timestamp > timestamp) --upto;
  }
  std::vector<int64_t> offsets;
  for (; upto > 0 && offsets.size() < static_cast<size_t>(std::max(count_max, 0)); --upto) {
    offsets.push_back(std::max(starts[upto - 1].base_offset, log.log_start_offset()));
  }
  return offsets;
}

void answer_partition(const BrokerServices& services, const ListOffsetsRequest& request, int16_t version,
                      const ListOffsetsRequest::ListOffsetsPartition& asked, const PartitionLog* log,
                      ListOffsetsResponse::ListOffsetsPartitionResponse& answer) {
  const auto refuse = [&](KafkaError error) { answer.error_code = code_of(error); };
  if (log == nullptr) return refuse(KafkaError::kUnknownTopicOrPartition);
  if (request.replica_id >= 0 && request.replica_id != services.node_id)
    return refuse(KafkaError::kUnknownTopicOrPartition);  // there are no followers
  if (const KafkaError error = check_leader_epoch(*log, asked.current_leader_epoch); error != KafkaError::kNone)
    return refuse(error);
  if (version == 0) {
    answer.old_style_offsets = old_style_offsets(*log, asked.timestamp, asked.max_num_offsets);
    return;
  }
  if (!served_in(asked.timestamp, version)) return refuse(KafkaError::kUnsupportedVersion);
  const bool committed_only = request.isolation_level != 0 && request.replica_id != kDebuggingReplica;
  const Found found = find_offset(*log, asked.timestamp, committed_only);
  answer.error_code = code_of(found.error);
  answer.timestamp = found.timestamp;
  answer.offset = found.offset;
  answer.leader_epoch = found.leader_epoch;
}

void handle_list_offsets(BrokerServices& services, const ListOffsetsRequest& request,
                         std::unique_ptr<Exchange> exchange) {
  ListOffsetsResponse response;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    const bool allowed = may(services, exchange->session(), AclOperation::kDescribe, asked.name);
    const auto entry = services.broker.find_topic(asked.name);
    for (const auto& partition : asked.partitions) {
      auto& answer = topic.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      if (!allowed) {
        answer.error_code = code_of(KafkaError::kTopicAuthorizationFailed);
      } else if (entry != nullptr && entry->has(partition.partition_index) &&
                 entry->log(partition.partition_index) == nullptr) {
        // A partition of __consumer_offsets without a folder is empty.
        answer.offset = partition.timestamp == kLatest || partition.timestamp == kEarliest ? 0 : -1;
      } else {
        answer_partition(services, request, exchange->version(), partition,
                         find_log(entry.get(), partition.partition_index).get(), answer);
      }
    }
  }
  exchange->reply(response);
}

}  // namespace

Api list_offsets_api() { return make_api<ListOffsetsRequest, handle_list_offsets>(0, 11); }

}  // namespace millrace
