#include "client/wire_client.h"

#include <fmt/format.h>

#include <charconv>
#include <thread>

namespace millrace {
namespace {

constexpr std::chrono::milliseconds kRetryBackoff{100};

/// What Kafka's clients say about an error that comes without a message; empty for those that users do not meet.
std::string_view customary_text(KafkaError error) {
  switch (error) {
    case KafkaError::kOffsetOutOfRange:
      return "The requested offset is not within the range of offsets maintained by the server.";
    case KafkaError::kUnknownTopicOrPartition:
      return "This server does not host this topic-partition.";
    case KafkaError::kCoordinatorLoadInProgress:
      return "The coordinator is loading and hence can't process requests.";
    case KafkaError::kCoordinatorNotAvailable:
      return "The coordinator is not available.";
    case KafkaError::kUnknownMemberId:
      return "The coordinator is not aware of this member.";
    case KafkaError::kTopicAuthorizationFailed:
      return "Topic authorization failed.";
    case KafkaError::kGroupAuthorizationFailed:
      return "Group authorization failed.";
    case KafkaError::kClusterAuthorizationFailed:
      return "Cluster authorization failed.";
    case KafkaError::kTransactionalIdAuthorizationFailed:
      return "Transactional Id authorization failed.";
    case KafkaError::kNonEmptyGroup:
      return "The group is not empty.";
    case KafkaError::kGroupIdNotFound:
      return "The group id does not exist.";
    case KafkaError::kGroupSubscribedToTopic:
      return "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.";
    case KafkaError::kTransactionalIdNotFound:
      return "The transactionalId could not be found.";
    default:
      return {};
  }
}

}  // namespace

Error wire_error(int16_t code, std::string_view message) {
  const auto error = static_cast<KafkaError>(code);
  const KafkaErrorInfo& info = kafka_error_info(error);
  if (message.empty()) message = customary_text(error);
  return error_of(error, message.empty() ? fmt::format("{} (error {})", info.name, code) : std::string(message));
}

Expected<std::unique_ptr<WireClient>> WireClient::open(const std::string& bootstrap, WireConnectionOptions options) {
  std::unique_ptr<WireClient> client(new WireClient(bootstrap, std::move(options)));
  if (auto connected = client->connect_any(); !connected) return fail(std::move(connected.error()));
  return client;
}

Expected<WireConnection*> WireClient::connect_any() {
  std::string tried;
  Error last;
  for (size_t at = 0; at <= bootstrap_.size();) {
    const size_t end = std::min(bootstrap_.find(',', at), bootstrap_.size());
    const std::string server = bootstrap_.substr(at, end - at);
    at = end + 1;
    const size_t colon = server.rfind(':');
    int32_t port = 0;
    const char* const port_end = server.data() + server.size();
    if (colon == std::string::npos || std::from_chars(server.data() + colon + 1, port_end, port).ptr != port_end) {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("'{}' is no bootstrap server: write host:port,host:port", server));
    }
    std::string host = server.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    auto connection = WireConnection::open(host, port, options_);
    if (connection) {
      WireConnection* const opened = connection->get();
      connections_[kAnyBroker] = std::move(*connection);
      return opened;
    }
    const bool refused = connection.error().exception.ends_with("AuthenticationException");
    if (refused || connection.error().code == ErrorCode::kInvalidConfig) return fail(std::move(connection.error()));
    last = std::move(connection.error());
  }
  return fail(std::move(last).wrap(
      fmt::format("no broker answers at {}: is it running, and is the address right?", bootstrap_)));
}

Expected<WireConnection*> WireClient::connection_to(int32_t node) {
  if (const auto known = connections_.find(node); known != connections_.end()) return known->second.get();
  if (node == kAnyBroker) return connect_any();
  if (!brokers_.contains(node)) {
    if (auto learnt = brokers(); !learnt) return fail(std::move(learnt.error()));
  }
  const auto broker = brokers_.find(node);
  if (broker == brokers_.end())
    return fail(ErrorCode::kUnavailable, fmt::format("broker {} is not among those of the cluster now", node));
  auto connection = WireConnection::open(broker->second.host, broker->second.port, options_);
  if (!connection) {
    return fail(std::move(connection.error())
                    .wrap(fmt::format("broker {} tells clients to connect to {}:{} (its advertised.listeners), where "
                                      "none answers",
                                      node, broker->second.host, broker->second.port)));
  }
  return (connections_[node] = std::move(*connection)).get();
}

void WireClient::learn(int32_t id, std::string_view host, int32_t port, std::string_view rack) {
  brokers_[id] = {id, std::string(host), port, std::string(rack)};
}

Expected<WireAnswer<MetadataResponse>> WireClient::metadata(const std::vector<std::string>* topics) {
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  if (topics == nullptr) {
    request.topics = std::nullopt;
  } else {
    for (const std::string& name : *topics) {
      auto& topic = request.topics->emplace_back();
      topic.name = name;
    }
  }
  auto answer = call<MetadataResponse>(kAnyBroker, request, 1);
  if (!answer) return answer;
  for (const auto& broker : answer->message.brokers)
    learn(broker.node_id, broker.host, broker.port, broker.rack.value_or(""));
  return answer;
}

Expected<std::vector<WireBroker>> WireClient::brokers() {
  const std::vector<std::string> none;
  auto answer = metadata(&none);
  if (!answer) return fail(std::move(answer.error()));
  std::vector<WireBroker> all;
  for (const auto& broker : answer->message.brokers) all.push_back(brokers_.at(broker.node_id));
  std::ranges::sort(all, {}, &WireBroker::id);
  return all;
}

Expected<int32_t> WireClient::coordinator(CoordinatorType type, const std::string& key) {
  FindCoordinatorRequest request;
  request.key = key;
  request.key_type = static_cast<int8_t>(type);
  request.coordinator_keys = {key};
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  while (true) {
    auto answer = call<FindCoordinatorResponse>(kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    const auto& found = answer->message;
    int16_t code = found.error_code;
    std::string message(found.error_message.value_or(""));
    int32_t node = found.node_id;
    if (answer->version >= 4 && !found.coordinators.empty()) {
      const auto& first = found.coordinators.front();
      code = first.error_code;
      message = first.error_message.value_or("");
      node = first.node_id;
      if (code == 0) learn(node, first.host, first.port, "");
    } else if (code == 0) {
      learn(node, found.host, found.port, "");
    }
    if (code == 0) return node;
    if (!kafka_error_info(static_cast<KafkaError>(code)).retriable || std::chrono::steady_clock::now() > deadline)
      return fail(wire_error(code, message));
    std::this_thread::sleep_for(kRetryBackoff);
  }
}

std::string WireClient::unreadable(int16_t api_key, int16_t version) {
  return fmt::format("the broker's answer to request {} version {} cannot be read", api_key, version);
}

}  // namespace millrace
