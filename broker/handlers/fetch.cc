// Fetch: which partitions a request is about, with or without a session.
#include "protocol/messages/fetch.h"
#include "broker/handlers/data_handlers.h"
#include "broker/handlers/fetch_job.h"
#include "broker/handlers/fetch_session.h"

namespace millrace {
namespace {

constexpr int32_t kFirstEpoch = 0;   // a full fetch that begins a session
constexpr int32_t kFinalEpoch = -1;  // a full fetch without one
constexpr int16_t kTopicIdsSince = 13;

std::vector<FetchItem> items_of_request(const FetchRequest& request) {
  std::vector<FetchItem> items;
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) {
      items.push_back({topic.topic, topic.topic_id, asked.partition, asked.fetch_offset, asked.partition_max_bytes,
                       asked.current_leader_epoch, asked.last_fetched_epoch});
    }
  }
  return items;
}

/// Under the session's mutex.
std::vector<FetchItem> items_of_session(const FetchSession& session) {
  std::vector<FetchItem> items;
  items.reserve(session.partitions().size());
  for (const auto& cached : session.partitions()) {
    items.push_back({cached->topic, cached->topic_id, cached->partition, cached->fetch_offset, cached->bytes_max,
                     cached->leader_epoch, cached->last_fetched_epoch, cached});
  }
  return items;
}

void refuse(Exchange& exchange, KafkaError error) {
  FetchResponse response;
  response.error_code = code_of(error);
  exchange.reply(response);
}

FetchLimits limits_of(const BrokerServices& services, const FetchRequest& request) {
  FetchLimits limits;
  limits.wait_ms = request.max_wait_ms;
  limits.bytes_max = std::min(static_cast<size_t>(std::max(request.max_bytes, 0)), services.fetch_bytes_max);
  // More than an answer may carry would never come together.
  limits.bytes_min = std::min(static_cast<size_t>(std::max(request.min_bytes, 0)), limits.bytes_max);
  limits.isolation = request.isolation_level == 1 ? Isolation::kCommitted : Isolation::kUncommitted;
  return limits;
}

/// All partitions are named; a session remembers them when one is wanted and a slot is free.
void fetch_full(BrokerServices& services, const FetchRequest& request, std::unique_ptr<Exchange> exchange) {
  if (request.session_id != 0) services.fetch_sessions->remove(request.session_id);
  const FetchLimits limits = limits_of(services, request);
  std::vector<FetchItem> items = items_of_request(request);
  std::shared_ptr<FetchSession> session;
  if (request.session_epoch == kFirstEpoch && !items.empty()) {
    session = services.fetch_sessions->create(exchange->version() >= kTopicIdsSince, items.size());
  }
  if (session != nullptr) {
    std::lock_guard lock(session->mutex);
    session->update(request);
    items = items_of_session(*session);
  }
  FetchJob::start(services, std::move(exchange), limits, std::move(items), std::move(session), false);
}

void fetch_incremental(BrokerServices& services, const FetchRequest& request, std::unique_ptr<Exchange> exchange) {
  auto session = services.fetch_sessions->find(request.session_id);
  if (session == nullptr) return refuse(*exchange, KafkaError::kFetchSessionIdNotFound);
  if (session->uses_topic_ids() != (exchange->version() >= kTopicIdsSince))
    return refuse(*exchange, KafkaError::kFetchSessionTopicIdError);
  std::vector<FetchItem> items;
  {
    std::lock_guard lock(session->mutex);
    if (session->next_epoch != request.session_epoch) return refuse(*exchange, KafkaError::kInvalidFetchSessionEpoch);
    session->update(request);
    session->advance_epoch();
    items = items_of_session(*session);
  }
  if (items.empty()) {
    // Nothing is left to remember: the client is told that the session has ended.
    services.fetch_sessions->remove(session->id());
    session = nullptr;
  }
  FetchJob::start(services, std::move(exchange), limits_of(services, request), std::move(items), std::move(session),
                  true);
}

void handle_fetch(BrokerServices& services, const FetchRequest& request, std::unique_ptr<Exchange> exchange) {
  const bool full = request.session_epoch == kFirstEpoch || request.session_epoch == kFinalEpoch;
  if (full) return fetch_full(services, request, std::move(exchange));
  fetch_incremental(services, request, std::move(exchange));
}

}  // namespace

Api fetch_api() { return make_api<FetchRequest, handle_fetch>(0, 18); }

}  // namespace millrace
