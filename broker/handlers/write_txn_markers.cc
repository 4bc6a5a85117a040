// WriteTxnMarkers (27): what coordinators on other brokers send, and administrators to end a hanging transaction
// (kafka-transactions abort).
#include <mutex>

#include "broker/group/group_coordinator.h"
#include "broker/handlers/transaction_handlers.h"
#include "broker/transaction/transaction_records.h"
#include "protocol/messages/write_txn_markers.h"

namespace millrace {
namespace {

using Request = WriteTxnMarkersRequest;
using Marker = Request::WritableTxnMarker;

constexpr int8_t kRaisesEpoch = 2;  // from this transaction version on a marker's epoch is above its batches'

/// A request on its way.
struct Job {
  std::unique_ptr<Exchange> exchange;
  Request request;  // its views live as long as the exchange
  WriteTxnMarkersResponse response;
  std::mutex mutex;  // guards what follows, and the codes in `response`
  size_t waiting = 1;

  void settle(int16_t& code, KafkaError error) {
    std::lock_guard lock(mutex);
    code = code_of(error);
    if (--waiting == 0) exchange->reply(response);
  }
};

KafkaError check(const PartitionLog& log, const Marker& marker) {
  for (const ProducerInfo& known : log.producers()) {
    if (known.producer_id != marker.producer_id) continue;
    const bool stale = marker.transaction_version >= kRaisesEpoch ? marker.producer_epoch <= known.producer_epoch
                                                                  : marker.producer_epoch < known.producer_epoch;
    if (stale) return KafkaError::kInvalidProducerEpoch;
    if (marker.coordinator_epoch < known.coordinator_epoch) return KafkaError::kTransactionCoordinatorFenced;
  }
  return KafkaError::kNone;
}

void write(BrokerServices& services, const std::shared_ptr<Job>& job, const Marker& marker, std::string_view topic,
           WriteTxnMarkersResponse::WritableTxnMarkerPartitionResult& result) {
  const auto known = services.broker.find_topic(topic);
  const auto log = known == nullptr ? nullptr : known->log(result.partition_index);
  if (log == nullptr) return job->settle(result.error_code, KafkaError::kUnknownTopicOrPartition);
  if (const KafkaError error = check(*log, marker); error != KafkaError::kNone)
    return job->settle(result.error_code, error);
  std::string batch = marker_batch({marker.producer_id, marker.producer_epoch}, marker.transaction_result,
                                   marker.coordinator_epoch, services.clock.wall_ms());
  const bool offsets = topic == kOffsetsTopic;
  auto durable = [&services, &result, job, offsets, producer_id = marker.producer_id,
                  commit = marker.transaction_result](Expected<int64_t> written) {
    if (written && offsets) services.groups.complete_transaction(producer_id, result.partition_index, commit);
    job->settle(result.error_code, written ? KafkaError::kNone : KafkaError::kKafkaStorageError);
  };
  auto appended = log->append(std::span<char>(batch), {.check_producer = false}, std::move(durable));
  if (!appended) job->settle(result.error_code, kafka_error_of(appended.error()));
}

/// The answer with room for every code: it does not move any more.
WriteTxnMarkersResponse blank_response(const Request& request) {
  WriteTxnMarkersResponse response;
  for (const Marker& marker : request.markers) {
    auto& result = response.markers.emplace_back();
    result.producer_id = marker.producer_id;
    for (const auto& topic : marker.topics) {
      auto& by_topic = result.topics.emplace_back();
      by_topic.name = topic.name;
      for (const int32_t partition : topic.partition_indexes) by_topic.partitions.push_back({partition, 0});
    }
  }
  return response;
}

void refuse_all(Exchange& exchange, WriteTxnMarkersResponse response, KafkaError error) {
  for (auto& marker : response.markers) {
    for (auto& topic : marker.topics) {
      for (auto& partition : topic.partitions) partition.error_code = code_of(error);
    }
  }
  exchange.reply(response);
}

void handle(BrokerServices& services, const Request& request, std::unique_ptr<Exchange> exchange) {
  const Security& security = services.security;
  if (!security.authorized_on_cluster(exchange->session(), AclOperation::kAlter) &&
      !security.authorized_on_cluster(exchange->session(), AclOperation::kClusterAction))
    return refuse_all(*exchange, blank_response(request), KafkaError::kClusterAuthorizationFailed);
  auto job = std::make_shared<Job>();
  job->request = request;
  job->response = blank_response(request);
  job->exchange = std::move(exchange);
  for (const auto& marker : job->response.markers) {
    for (const auto& topic : marker.topics) job->waiting += topic.partitions.size();
  }
  for (size_t m = 0; m < request.markers.size(); ++m) {
    for (auto& topic : job->response.markers[m].topics) {
      for (auto& result : topic.partitions) write(services, job, job->request.markers[m], topic.name, result);
    }
  }
  int16_t all_written = 0;
  job->settle(all_written, KafkaError::kNone);
}

}  // namespace

Api write_txn_markers_api() { return make_api<Request, handle>(); }

}  // namespace millrace
