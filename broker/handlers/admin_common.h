/// What the admin handlers share.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "broker/broker.h"
#include "broker/config_catalogue.h"
#include "broker/security/security.h"
#include "broker/server/api.h"
#include "broker/server/services.h"
#include "protocol/kafka_error.h"

namespace millrace {

/// An answer's error: code and message as the wire has them.
struct AdminError {
  int16_t code = 0;
  std::optional<std::string_view> message = std::nullopt;
};

inline AdminError admin_error(Exchange& exchange, KafkaError error, std::string message) {
  return {code_of(error), exchange.keep(std::move(message))};
}
inline AdminError admin_error(Exchange& exchange, const Error& error) {
  return {code_of(kafka_error_of(error)), exchange.keep(error.message)};
}
inline AdminError admin_error(Exchange& exchange, const Status& status) {
  return status ? AdminError{} : admin_error(exchange, status.error());
}

/// A handler whose work touches the disk: runs on the executor, in the order of arrival. The request's views live as
/// long as the exchange.
template <class Request, void (*Work)(BrokerServices&, const Request&, Exchange&)>
void in_background(BrokerServices& services, const Request& request, std::unique_ptr<Exchange> exchange) {
  struct Job {
    Request request;
    std::unique_ptr<Exchange> exchange;
  };
  // Shared only because std::function must be copyable.
  auto job = std::make_shared<Job>(Job{request, std::move(exchange)});
  services.executor.run([&services, job = std::move(job)] { Work(services, job->request, *job->exchange); });
}

/// A handler that answers at once.
template <class Request, void (*Work)(BrokerServices&, const Request&, Exchange&)>
void at_once(BrokerServices& services, const Request& request, std::unique_ptr<Exchange> exchange) {
  Work(services, request, *exchange);
}

inline bool may_on_cluster(const BrokerServices& services, const Exchange& exchange, AclOperation operation) {
  return services.security.authorized_on_cluster(exchange.session(), operation);
}
inline bool may_on_topic(const BrokerServices& services, const Exchange& exchange, AclOperation operation,
                         std::string_view topic) {
  return services.security.authorized(exchange.session(), operation, ResourceType::kTopic, topic);
}

inline constexpr std::string_view kClusterRefused = "Cluster authorization failed.";
inline constexpr std::string_view kTopicRefused = "Topic authorization failed.";

/// Names that come more than once in `items`.
template <class Items, class Name>
std::set<std::string_view> duplicates(const Items& items, Name name) {
  std::set<std::string_view> seen, twice;
  for (const auto& item : items) {
    if (!seen.insert(name(item)).second) twice.insert(name(item));
  }
  return twice;
}

/// Whether a manual assignment of replicas can be served here: this broker alone. Errors: kInvalidConfig,
/// InvalidReplicaAssignmentException.
Status check_assignment(const BrokerServices& services, const std::vector<int32_t>& brokers);

}  // namespace millrace
