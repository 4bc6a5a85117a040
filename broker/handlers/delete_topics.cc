// DeleteTopics (20).
#include <map>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/delete_topics.h"

namespace millrace {
namespace {

/// What one entry of the request asks for, and its answer.
struct Wanted {
  std::optional<std::string_view> name;
  Uuid id;
  AdminError error;
};

std::vector<Wanted> wanted_topics(const DeleteTopicsRequest& request) {
  std::vector<Wanted> wanted;
  for (const std::string_view name : request.topic_names) wanted.push_back({name, {}, {}});
  for (const auto& topic : request.topics) wanted.push_back({topic.name, topic.topic_id, {}});
  return wanted;
}

AdminError problem(const Wanted& entry, const std::map<std::string_view, int>& names, const std::map<Uuid, int>& ids) {
  const int16_t invalid = code_of(KafkaError::kInvalidRequest);
  if (!entry.name && entry.id.is_zero()) return {invalid, "Neither topic name nor id were specified."};
  if (entry.name && !entry.id.is_zero()) return {invalid, "You may not specify both topic name and topic id."};
  if (entry.name && names.at(*entry.name) > 1) return {invalid, "Duplicate topic name."};
  if (!entry.name && ids.at(entry.id) > 1) return {invalid, "Duplicate topic id."};
  return {};
}

void delete_one(BrokerServices& services, Exchange& exchange, const std::map<Uuid, std::string>& by_id, Wanted& entry) {
  const bool by_name = entry.name.has_value();
  if (!by_name) {
    const auto found = by_id.find(entry.id);
    if (found == by_id.end())
      return void(entry.error =
                      admin_error(exchange, KafkaError::kUnknownTopicId, "This server does not host this topic ID."));
    if (!may_on_topic(services, exchange, AclOperation::kDescribe, found->second))
      return void(entry.error = {code_of(KafkaError::kTopicAuthorizationFailed), kTopicRefused});
    entry.name = exchange.keep(found->second);
  }
  const std::string name(*entry.name);
  if (!may_on_topic(services, exchange, AclOperation::kDelete, name))
    return void(entry.error = {code_of(KafkaError::kTopicAuthorizationFailed), kTopicRefused});
  const auto topic = services.broker.topic(name);
  if (!topic) {
    entry.error =
        admin_error(exchange, KafkaError::kUnknownTopicOrPartition, "This server does not host this topic-partition.");
    return;
  }
  entry.id = Uuid::parse(topic->id).value_or(Uuid{});
  entry.error = admin_error(exchange, services.broker.delete_topic(name));
}

void delete_topics(BrokerServices& services, const DeleteTopicsRequest& request, Exchange& exchange) {
  std::vector<Wanted> wanted = wanted_topics(request);
  std::map<std::string_view, int> names;
  std::map<Uuid, int> ids;
  for (const Wanted& entry : wanted) {
    if (entry.name) ++names[*entry.name];
    if (!entry.id.is_zero()) ++ids[entry.id];
  }
  std::map<Uuid, std::string> by_id;
  for (const TopicInfo& topic : services.broker.topics()) {
    if (const auto id = Uuid::parse(topic.id)) by_id[*id] = topic.name;
  }
  const bool disabled = !services.configs->is_true("delete.topic.enable");
  DeleteTopicsResponse response;
  for (Wanted& entry : wanted) {
    if (disabled) {
      // Clients before version 3 do not know the error of its own.
      entry.error = {code_of(exchange.version() < 3 ? KafkaError::kInvalidRequest : KafkaError::kTopicDeletionDisabled),
                     "Topic deletion is disabled: set delete.topic.enable=true."};
    } else if (entry.error = problem(entry, names, ids); entry.error.code == 0) {
      delete_one(services, exchange, by_id, entry);
    }
    auto& result = response.responses.emplace_back();
    result.name = entry.name;
    result.topic_id = entry.id;
    result.error_code = entry.error.code;
    result.error_message = entry.error.message;
  }
  exchange.reply(response);
}

}  // namespace

Api delete_topics_api() { return make_api<DeleteTopicsRequest, in_background<DeleteTopicsRequest, delete_topics>>(); }

}  // namespace millrace
