/// The producer of the embedded log: appends in the caller's thread, answers from the committer's.
#pragma once

#include "client/embedded_log_client.h"

namespace millrace {

class EmbeddedProducer final : public Producer {
 public:
  EmbeddedProducer(Broker& broker, const EmbeddedLogOptions& options);
  ~EmbeddedProducer() override;
  Expected<int32_t> partition_count(const std::string& topic) override;
  void send(const TopicPartition& to, RecordBatchBuilder batch, Callback done) override;
  Status flush(std::chrono::milliseconds timeout) override;

 private:
  struct InFlight;
  void wait_for_room(size_t bytes);
  Broker& broker_;
  const EmbeddedLogOptions options_;
  std::shared_ptr<InFlight> in_flight_;  // co-owned by the callbacks of batches on their way
};

}  // namespace millrace
