/// The dead letter topic of a sink: records that failed, as they stand in their own topic, with what failed in headers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/log_client.h"
#include "runtime/client_settings.h"
#include "runtime/error_handler.h"

namespace millrace {

/// Threads: one. A letter that cannot be written is logged and counted and stops nobody.
class DeadLetterQueue {
 public:
  struct Options {
    std::string topic;
    int16_t replication_factor = 3;
    bool context_headers = false;
    std::string connector;
    int task = 0;
    ProducerSettings producer = {};
  };
  /// Creates the topic, with one partition, if it is absent. `client` and `metrics` outlive the queue.
  /// Errors: kInternal "Could not initialize dead letter queue with topic=…".
  static Expected<std::unique_ptr<DeadLetterQueue>> open(LogClient& client, Options options, TaskMetrics& metrics,
                                                         Logger logger);

  /// Takes a copy of a record and of why it failed; goes out with send().
  void add(const RecordView& record, const Failure& why);
  void send();
  /// send(), and waits until every letter has been written or has failed: then the offsets of the records may go.
  void await();

 private:
  DeadLetterQueue(Options options, TaskMetrics& metrics, Logger logger, std::unique_ptr<Producer> producer,
                  int32_t partitions);
  RecordBatchBuilder new_batch() const;
  void send(int32_t partition);

  const Options options_;
  TaskMetrics& metrics_;
  const Logger logger_;
  int32_t next_partition_ = 0;            // of letters without a key
  std::vector<RecordBatchBuilder> open_;  // one a partition
  std::vector<std::string> texts_;        // scratch: what the context headers say
  std::vector<RecordHeader> headers_;     // scratch
  std::unique_ptr<Producer> producer_;    // last: waits for its callbacks, which use the rest
};

}  // namespace millrace
