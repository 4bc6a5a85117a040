// TxnOffsetCommit (28): a group's positions as part of a transaction: they count once its marker is written.
#include "protocol/messages/txn_offset_commit.h"
#include "broker/handlers/group_handlers.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kAddsPartition = 5;

using Place = std::pair<size_t, size_t>;  // topic and partition in the request

/// The answer as far as it is known, and the commit whose outcome is missing. Co-owned by the callbacks.
struct Work {
  std::shared_ptr<Exchange> exchange;
  TxnOffsetCommitResponse response;
  OffsetCommit commit;
  std::vector<Place> places;

  void answer(KafkaError error) {
    for (const auto& [topic, partition] : places)
      response.topics[topic].partitions[partition].error_code = code_of(error);
    exchange->reply(response);
  }
};

KafkaError check_request(const BrokerServices& services, const Exchange& exchange,
                         const TxnOffsetCommitRequest& request) {
  if (!may_on_transactional_id(services, exchange, AclOperation::kWrite, request.transactional_id))
    return KafkaError::kTransactionalIdAuthorizationFailed;
  if (!may_on_group(services, exchange, AclOperation::kRead, request.group_id))
    return KafkaError::kGroupAuthorizationFailed;
  return request.group_id.empty() ? KafkaError::kInvalidGroupId : KafkaError::kNone;
}

void sort_out(const BrokerServices& services, const TxnOffsetCommitRequest& request, KafkaError refused, Work& work) {
  for (const auto& topic : request.topics) {
    const auto entry = services.broker.find_topic(topic.name);
    auto& out = work.response.topics.emplace_back();
    out.name = topic.name;
    for (const auto& each : topic.partitions) {
      KafkaError error = refused;
      if (error == KafkaError::kNone) {
        error = check_partition_to_commit(services, *work.exchange, entry.get(), each.partition_index,
                                          each.committed_metadata);
      }
      out.partitions.push_back({each.partition_index, code_of(error)});
      if (error != KafkaError::kNone) continue;
      work.places.emplace_back(work.response.topics.size() - 1, out.partitions.size() - 1);
      work.commit.offsets.push_back({{std::string(topic.name), each.partition_index},
                                     {.offset = each.committed_offset,
                                      .leader_epoch = each.committed_leader_epoch,
                                      .metadata = std::string(each.committed_metadata.value_or(""))}});
    }
  }
}

/// What the transaction coordinator says, in the words of this API: clients retry a transaction that is still ending
/// as they retry a coordinator that is loading.
KafkaError shown(KafkaError error, int16_t version) {
  if (error == KafkaError::kTransactionAbortable && version < kAddsPartition) return KafkaError::kInvalidTxnState;
  if (error == KafkaError::kConcurrentTransactions && version < kAddsPartition)
    return KafkaError::kCoordinatorLoadInProgress;
  return error == KafkaError::kProducerFenced ? KafkaError::kInvalidProducerEpoch : error;
}

void commit(GroupCoordinator& groups, const std::shared_ptr<Work>& work) {
  groups.commit(std::move(work->commit), [work](KafkaError error) { work->answer(error); });
}

void handle(BrokerServices& services, const TxnOffsetCommitRequest& request, std::unique_ptr<Exchange> exchange) {
  auto work = std::make_shared<Work>();
  work->exchange = std::move(exchange);
  sort_out(services, request, check_request(services, *work->exchange, request), *work);
  if (work->places.empty()) return work->exchange->reply(work->response);
  work->commit.who = {std::string(request.group_id), std::string(request.member_id), owned(request.group_instance_id),
                      request.generation_id};
  work->commit.producer_id = request.producer_id;
  work->commit.producer_epoch = request.producer_epoch;
  const PartitionKey partition(kOffsetsTopic, services.groups.partition_of(request.group_id));
  const int16_t version = work->exchange->version();
  if (version < kAddsPartition) {
    const KafkaError error =
        services.transactions.verify(request.transactional_id, request.producer_id, request.producer_epoch, partition);
    if (error != KafkaError::kNone) return work->answer(shown(error, version));
    return commit(services.groups, work);
  }
  services.transactions.add_partitions(request.transactional_id, {request.producer_id, request.producer_epoch},
                                       {partition}, kTransactionsV2,
                                       [&groups = services.groups, work, version](KafkaError error) {
                                         if (error != KafkaError::kNone) return work->answer(shown(error, version));
                                         commit(groups, work);
                                       });
}

}  // namespace

Api txn_offset_commit_api() { return make_api<TxnOffsetCommitRequest, handle>(); }

}  // namespace millrace
