/// The embedded form of LogClient: function calls into the broker of this process, no socket and no second encoding.
#pragma once

#include <memory>
#include <string>

#include "broker/broker.h"
#include "client/log_client.h"

namespace millrace {

struct EmbeddedLogOptions {
  Path directory;                                       ///< log.dirs
  int32_t partitions_default = 1;                       ///< num.partitions
  bool auto_create_topics = true;                       ///< auto.create.topics.enable
  size_t producer_buffer_bytes = 32 << 20;              ///< what one producer may have on its way
  std::chrono::milliseconds delivery_timeout{120'000};  ///< how long a full disk is retried
};

/// Threads: any. Producers and consumers must be gone before the client.
class EmbeddedLogClient final : public LogClient {
 public:
  /// Opens the log directory. Errors: those of Broker::open(), among them kConflict when another process uses it.
  static Expected<std::unique_ptr<EmbeddedLogClient>> open(FileSystem& fs, Clock& clock, EmbeddedLogOptions options,
                                                           Logger logger);
  /// Closes the log cleanly.
  ~EmbeddedLogClient() override;

  Expected<std::unique_ptr<Producer>> producer(const std::string& client_id) override;
  Expected<std::unique_ptr<Consumer>> consumer(ConsumerConfig config) override;
  Admin& admin() override;
  /// For the wire server, which shares the broker.
  Broker& broker() { return *broker_; }

 private:
  EmbeddedLogClient(std::unique_ptr<Broker> broker, EmbeddedLogOptions options, Logger logger);
  std::unique_ptr<Broker> broker_;
  EmbeddedLogOptions options_;
  Logger logger_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace millrace
