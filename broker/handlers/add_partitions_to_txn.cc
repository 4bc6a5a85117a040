// AddPartitionsToTxn (24). Versions up to 3 come from clients and hold one transaction; later ones are for brokers that
// ask about many at once, or only want to know (verifyOnly).
#include <mutex>

#include "broker/handlers/transaction_handlers.h"
#include "protocol/messages/add_partitions_to_txn.h"

namespace millrace {
namespace {

using Request = AddPartitionsToTxnRequest;
using Response = AddPartitionsToTxnResponse;
using Transaction = Request::AddPartitionsToTxnTransaction;
using Topic = Request::AddPartitionsToTxnTopic;
using Results = std::vector<Response::AddPartitionsToTxnTopicResult>;

constexpr int16_t kKnowsFenced = 2;
constexpr int16_t kFromBrokers = 4;

/// A request on its way. Threads: `results` one slot each; what counts them is guarded.
struct Job {
  std::unique_ptr<Exchange> exchange;
  Request request;  // its views live as long as the exchange
  std::vector<Results> results;
  std::mutex mutex;
  size_t waiting = 0;
};

template <class CodeOf>
Results results_of(const std::vector<Topic>& topics, CodeOf code_of_partition) {
  Results results;
  for (const Topic& topic : topics) {
    auto& result = results.emplace_back();
    result.name = topic.name;
    for (const int32_t partition : topic.partitions)
      result.results_by_partition.push_back({partition, code_of_partition(topic.name, partition)});
  }
  return results;
}

Results same_for_all(const std::vector<Topic>& topics, int16_t code) {
  return results_of(topics, [code](std::string_view, int32_t) { return code; });
}

void reply(Job& job) {
  Response response;
  if (job.exchange->version() < kFromBrokers) {
    response.results_by_topic_v3_and_below = std::move(job.results.front());
  } else {
    for (size_t i = 0; i < job.results.size(); ++i) {
      response.results_by_transaction.push_back(
          {job.request.transactions[i].transactional_id, std::move(job.results[i])});
    }
  }
  job.exchange->reply(response);
}

void finish_one(Job& job, size_t index, Results results) {
  job.results[index] = std::move(results);
  {
    std::lock_guard lock(job.mutex);
    if (--job.waiting > 0) return;
  }
  reply(job);
}

/// Errors by partition that keep the whole transaction from being touched; empty when all is well.
Results refusals(const BrokerServices& services, const Transaction& transaction, const Exchange& exchange) {
  bool refused = false;
  Results results = results_of(transaction.topics, [&](std::string_view topic, int32_t partition) {
    KafkaError error = KafkaError::kOperationNotAttempted;
    const auto known = services.broker.find_topic(topic);
    const bool writable = exchange.version() >= kFromBrokers || known == nullptr || !known->internal;
    if (!writable ||
        (exchange.version() < kFromBrokers &&
         !services.security.authorized(exchange.session(), AclOperation::kWrite, ResourceType::kTopic, topic))) {
      error = KafkaError::kTopicAuthorizationFailed;
    } else if (known == nullptr || !known->has(partition)) {
      error = KafkaError::kUnknownTopicOrPartition;
    }
    refused = refused || error != KafkaError::kOperationNotAttempted;
    return code_of(error);
  });
  return refused ? results : Results{};
}

void verify(const BrokerServices& services, const std::shared_ptr<Job>& job, size_t index) {
  const Transaction& transaction = job->request.transactions[index];
  finish_one(*job, index, results_of(transaction.topics, [&](std::string_view topic, int32_t partition) {
    if (transaction.transactional_id.empty()) return code_of(KafkaError::kInvalidRequest);
    return code_of(services.transactions.verify(transaction.transactional_id, transaction.producer_id,
                                                transaction.producer_epoch, {std::string(topic), partition}));
  }));
}

void handle_one(BrokerServices& services, const std::shared_ptr<Job>& job, size_t index) {
  const Transaction& transaction = job->request.transactions[index];
  const Exchange& exchange = *job->exchange;
  if (exchange.version() < kFromBrokers &&
      !may_on_transactional_id(services, exchange, AclOperation::kWrite, transaction.transactional_id)) {
    const int16_t code = code_of(KafkaError::kTransactionalIdAuthorizationFailed);
    return finish_one(*job, index, same_for_all(transaction.topics, code));
  }
  if (Results refused = refusals(services, transaction, exchange); !refused.empty())
    return finish_one(*job, index, std::move(refused));
  if (transaction.verify_only) return verify(services, job, index);
  std::vector<PartitionKey> partitions;
  for (const Topic& topic : transaction.topics) {
    for (const int32_t partition : topic.partitions) partitions.emplace_back(std::string(topic.name), partition);
  }
  services.transactions.add_partitions(
      transaction.transactional_id, {transaction.producer_id, transaction.producer_epoch}, std::move(partitions),
      kTransactionsV1, [job, index](KafkaError error) {
        const int16_t code = producer_error_code(error, job->exchange->version(), kKnowsFenced);
        finish_one(*job, index, same_for_all(job->request.transactions[index].topics, code));
      });
}

void handle(BrokerServices& services, const Request& request, std::unique_ptr<Exchange> exchange) {
  auto job = std::make_shared<Job>();
  job->request = request;
  if (exchange->version() < kFromBrokers) {
    job->request.transactions = {{request.v3_and_below_transactional_id, request.v3_and_below_producer_id,
                                  request.v3_and_below_producer_epoch, false, request.v3_and_below_topics}};
  } else if (!services.security.authorized_on_cluster(exchange->session(), AclOperation::kClusterAction)) {
    Response response;
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    return exchange->reply(response);
  }
  job->exchange = std::move(exchange);
  const size_t count = job->request.transactions.size();
  if (count == 0) return reply(*job);
  job->results.resize(count);
  job->waiting = count;
  for (size_t i = 0; i < count; ++i) handle_one(services, job, i);
}

}  // namespace

Api add_partitions_to_txn_api() { return make_api<Request, handle>(); }

}  // namespace millrace
