/// The topics that hold a worker's state, and how they are created.
#pragma once

#include "runtime/topic_store.h"
#include "runtime/worker_config.h"

namespace millrace {

struct InternalTopics {
  TopicStore::Options config, offset, status;
};
InternalTopics internal_topics(const WorkerConfig& config);

}  // namespace millrace
