// OffsetFetch (9): stored positions, of one group or (v8) of many, by topic names or (v10) ids.
#include "protocol/messages/offset_fetch.h"
#include "broker/handlers/group_handlers.h"

namespace millrace {
namespace {

constexpr int16_t kTopLevelError = 2;
constexpr int16_t kManyGroups = 8;
constexpr int16_t kTopicIds = 10;

/// What one partition is answered, before it is put into either of the two shapes.
struct Position {
  int32_t partition = 0;
  KafkaError error = KafkaError::kNone;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string_view metadata = {};
};
struct Topic {
  std::string_view name;
  Uuid id;
  std::vector<Position> positions;
};

class Reader {
 public:
  Reader(BrokerServices& services, Exchange& exchange, bool require_stable)
      : services_(services), exchange_(exchange), require_stable_(require_stable) {}

  bool allowed(std::string_view topic) const {
    return services_.security.authorized(exchange_.session(), AclOperation::kDescribe, ResourceType::kTopic, topic);
  }

  /// All topics of the group that may be seen.
  std::vector<Topic> all(std::string_view group_id) {
    std::vector<Topic> topics;
    services_.groups.read_offsets(std::string(group_id), [&](const GroupOffsets* offsets) {
      if (offsets == nullptr) return;
      for (const auto& [key, committed] : offsets->committed()) {
        if (topics.empty() || topics.back().name != key.first) topics.push_back({exchange_.keep(key.first), {}, {}});
        topics.back().positions.push_back(position(*offsets, key));
      }
    });
    std::erase_if(topics, [&](const Topic& topic) { return !allowed(topic.name); });
    if (exchange_.version() >= kTopicIds) add_ids(topics);
    return topics;
  }

  Topic some(std::string_view group_id, std::string_view name, const Uuid& id, const std::vector<int32_t>& partitions) {
    std::string known(name);
    KafkaError error = KafkaError::kNone;
    if (exchange_.version() >= kTopicIds) {
      const auto entry = services_.broker.find_topic(id);
      if (entry == nullptr) error = KafkaError::kUnknownTopicId;
      if (entry != nullptr) known = entry->name;
    }
    if (error == KafkaError::kNone && !allowed(known)) error = KafkaError::kTopicAuthorizationFailed;
    Topic topic{name, id, {}};
    services_.groups.read_offsets(std::string(group_id), [&](const GroupOffsets* offsets) {
      for (const int32_t partition : partitions) {
        const bool readable = error == KafkaError::kNone && offsets != nullptr;
        topic.positions.push_back(readable ? position(*offsets, {known, partition}) : Position{partition, error});
      }
    });
    return topic;
  }

 private:
  Position position(const GroupOffsets& offsets, const PartitionKey& key) {
    if (require_stable_ && offsets.unstable(key)) return {key.second, KafkaError::kUnstableOffsetCommit};
    const auto committed = offsets.find(key);
    if (!committed) return {key.second};
    return {key.second, KafkaError::kNone, committed->offset, committed->leader_epoch,
            exchange_.keep(committed->metadata)};
  }

  /// A client that knows topics by id is not told of those that are gone.
  void add_ids(std::vector<Topic>& topics) {
    for (Topic& topic : topics) {
      if (const auto entry = services_.broker.find_topic(topic.name)) topic.id = entry->id;
    }
    std::erase_if(topics, [](const Topic& topic) { return topic.id.is_zero(); });
  }

  BrokerServices& services_;
  Exchange& exchange_;
  const bool require_stable_;
};

template <class Out>
void put(const Topic& topic, Out& out) {
  out.name = topic.name;
  for (const Position& each : topic.positions) {
    auto& partition = out.partitions.emplace_back();
    partition.partition_index = each.partition;
    partition.committed_offset = each.offset;
    partition.committed_leader_epoch = each.leader_epoch;
    partition.metadata = each.metadata;
    partition.error_code = code_of(each.error);
  }
}

void answer_one(BrokerServices& services, const OffsetFetchRequest& request, Exchange& exchange) {
  OffsetFetchResponse response;
  const bool allowed = may_on_group(services, exchange, AclOperation::kDescribe, request.group_id);
  if (!allowed) response.error_code = code_of(KafkaError::kGroupAuthorizationFailed);
  Reader reader(services, exchange, request.require_stable);
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      if (allowed) {
        put(reader.some(request.group_id, topic.name, {}, topic.partition_indexes), response.topics.emplace_back());
      } else if (exchange.version() < kTopLevelError) {
        Topic refused{topic.name, {}, {}};
        for (const int32_t partition : topic.partition_indexes)
          refused.positions.push_back({partition, KafkaError::kGroupAuthorizationFailed});
        put(refused, response.topics.emplace_back());
      }
    }
  } else if (allowed) {
    for (const Topic& topic : reader.all(request.group_id)) put(topic, response.topics.emplace_back());
  }
  exchange.reply(response);
}

void handle(BrokerServices& services, const OffsetFetchRequest& request, std::unique_ptr<Exchange> exchange) {
  if (exchange->version() < kManyGroups) return answer_one(services, request, *exchange);
  OffsetFetchResponse response;
  Reader reader(services, *exchange, request.require_stable);
  for (const auto& group : request.groups) {
    auto& out = response.groups.emplace_back();
    out.group_id = group.group_id;
    if (!may_on_group(services, *exchange, AclOperation::kDescribe, group.group_id)) {
      out.error_code = code_of(KafkaError::kGroupAuthorizationFailed);
      continue;
    }
    std::vector<Topic> topics;
    if (group.topics) {
      for (const auto& topic : *group.topics)
        topics.push_back(reader.some(group.group_id, topic.name, topic.topic_id, topic.partition_indexes));
    } else {
      topics = reader.all(group.group_id);
    }
    for (const Topic& topic : topics) {
      auto& each = out.topics.emplace_back();
      each.topic_id = topic.id;
      put(topic, each);
    }
  }
  exchange->reply(response);
}

}  // namespace

Api offset_fetch_api() { return make_api<OffsetFetchRequest, handle>(); }

}  // namespace millrace
