#include "runtime/herder/internal_topics.h"

namespace millrace {

InternalTopics internal_topics(const WorkerConfig& config) {
  return {.config = {.topic = config.config_topic,
                     .partitions = 1,
                     .replication_factor = config.config_replication,
                     .configs = config.config_topic_settings,
                     .setting = "config.storage.topic",
                     .single_partition = true},
          .offset = {.topic = config.offset_topic,
                     .partitions = config.offset_partitions,
                     .replication_factor = config.offset_replication,
                     .configs = config.offset_topic_settings,
                     .setting = "offset.storage.topic"},
          .status = {.topic = config.status_topic,
                     .partitions = config.status_partitions,
                     .replication_factor = config.status_replication,
                     .configs = config.status_topic_settings,
                     .setting = "status.storage.topic"}};
}

}  // namespace millrace
