// DescribeLogDirs (35) and AlterReplicaLogDirs (34): there is one log directory.
#include <algorithm>
#include <filesystem>
#include <map>

#include "broker/handlers/admin_apis.h"
#include "broker/handlers/admin_common.h"
#include "protocol/messages/alter_replica_log_dirs.h"
#include "protocol/messages/describe_log_dirs.h"

namespace millrace {
namespace {

using Dir = DescribeLogDirsResponse::DescribeLogDirsResult;

std::string log_directory(const BrokerServices& services) {
  return std::filesystem::absolute(services.broker.options().directory).lexically_normal().string();
}

/// Which partitions are asked for, by topic; nothing = all.
bool wanted(const DescribeLogDirsRequest& request, const std::string& topic, int32_t partition) {
  if (!request.topics) return true;
  for (const auto& asked : *request.topics) {
    if (asked.topic == topic && std::ranges::find(asked.partitions, partition) != asked.partitions.end()) return true;
  }
  return false;
}

void describe_log_dirs(BrokerServices& services, const DescribeLogDirsRequest& request, Exchange& exchange) {
  DescribeLogDirsResponse response;
  if (!may_on_cluster(services, exchange, AclOperation::kDescribe)) {
    response.error_code = code_of(KafkaError::kClusterAuthorizationFailed);
    return exchange.reply(response);
  }
  Dir& dir = response.results.emplace_back();
  dir.log_dir = exchange.keep(log_directory(services));
  std::error_code ignored;
  const auto space = std::filesystem::space(services.broker.options().directory, ignored);
  if (!ignored) {
    dir.total_bytes = static_cast<int64_t>(space.capacity);
    dir.usable_bytes = static_cast<int64_t>(space.available);
  }
  for (const TopicInfo& topic : services.broker.topics()) {
    const auto entry = services.broker.find_topic(topic.name);
    DescribeLogDirsResponse::DescribeLogDirsTopic out;
    for (int32_t index = 0; entry != nullptr && entry->has(index); ++index) {
      const auto& log = entry->log(index);
      if (log == nullptr || !wanted(request, topic.name, index)) continue;
      auto& partition = out.partitions.emplace_back();
      partition.partition_index = index;
      partition.partition_size = static_cast<int64_t>(log->size_bytes());
    }
    if (out.partitions.empty()) continue;
    out.name = exchange.keep(topic.name);
    dir.topics.push_back(std::move(out));
  }
  exchange.reply(response);
}

/// A move to the directory in which the partition lies already is done.
KafkaError move_replica(BrokerServices& services, const Exchange& exchange, std::string_view path,
                        std::string_view topic, int32_t partition) {
  if (!may_on_cluster(services, exchange, AclOperation::kAlter)) return KafkaError::kClusterAuthorizationFailed;
  const Path asked(path);
  if (asked.is_relative() || asked.lexically_normal().string() != log_directory(services))
    return KafkaError::kLogDirNotFound;
  const auto known = services.broker.topic(std::string(topic));
  const bool exists = known && partition >= 0 && partition < known->partitions;
  return exists ? KafkaError::kNone : KafkaError::kUnknownTopicOrPartition;
}

void alter_replica_log_dirs(BrokerServices& services, const AlterReplicaLogDirsRequest& request, Exchange& exchange) {
  std::map<std::string_view, AlterReplicaLogDirsResponse::AlterReplicaLogDirTopicResult> by_topic;
  for (const auto& dir : request.dirs) {
    for (const auto& topic : dir.topics) {
      auto& result = by_topic[topic.name];
      result.topic_name = topic.name;
      for (const int32_t partition : topic.partitions) {
        const KafkaError error = move_replica(services, exchange, dir.path, topic.name, partition);
        result.partitions.push_back({partition, code_of(error)});
      }
    }
  }
  AlterReplicaLogDirsResponse response;
  for (auto& [name, result] : by_topic) response.results.push_back(std::move(result));
  exchange.reply(response);
}

}  // namespace

Api describe_log_dirs_api() {
  return make_api<DescribeLogDirsRequest, in_background<DescribeLogDirsRequest, describe_log_dirs>>();
}
Api alter_replica_log_dirs_api() {
  return make_api<AlterReplicaLogDirsRequest, at_once<AlterReplicaLogDirsRequest, alter_replica_log_dirs>>();
}

}  // namespace millrace
