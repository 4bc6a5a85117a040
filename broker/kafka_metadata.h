/// What Kafka's own controller (KRaft) knew of the topics in a directory that was Kafka's. Without it, a directory that
/// is taken over would lose its topics' configs, and retention would delete what compaction is to keep.
///
/// Kafka keeps this in the one partition of __cluster_metadata: a snapshot `<end offset>-<epoch>.checkpoint`, and the
/// log from there on, both in record batches. A record's value is <frame version 1><api key><version>, unsigned varints
/// each, and the message. Source: Kafka's
/// metadata/src/main/resources/common/metadata/{Topic,RemoveTopic,Config}Record.json.
#pragma once

#include <map>
#include <string>

#include "broker/topic_config.h"
#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";

struct KafkaTopic {
  std::string id;  ///< 22 characters, as Kafka prints it
  TopicConfigs configs;
};

/// The topics by name; none in a directory without the partition. Threads: any. Reads the newest snapshot and the
/// segments whole: Kafka takes a snapshot every 20 MB. A batch that was cut short ends its segment. Errors:
/// kUnavailable, kCorruption and kBadRecord, naming the file.
Expected<std::map<std::string, KafkaTopic>> read_kafka_topics(FileSystem& fs, const Path& directory);

}  // namespace millrace
