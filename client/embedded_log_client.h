/// The embedded form of LogClient: function calls into the broker of this process, no socket and no second encoding.
#pragma once

#include <memory>
#include <string>

#include "broker/broker.h"
#include "broker/group/group_coordinator.h"
#include "broker/transaction/transaction_coordinator.h"
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
  /// Over a broker that others own and that outlives this (a node with a wire server). Without `transactions` there
  /// are no transactional producers.
  static std::unique_ptr<EmbeddedLogClient> over(Broker& broker, GroupCoordinator& groups, EmbeddedLogOptions options,
                                                 Logger logger, TransactionCoordinator* transactions = nullptr);
  /// Closes the log cleanly, if it is its own.
  ~EmbeddedLogClient() override;

  Expected<std::unique_ptr<Producer>> producer(const std::string& client_id) override;
  Expected<std::unique_ptr<TransactionalProducer>> transactional_producer(const TransactionConfig& config) override;
  Expected<std::unique_ptr<Consumer>> consumer(ConsumerConfig config) override;
  Admin& admin() override;
  /// For the wire server, which shares the broker.
  Broker& broker() { return broker_; }
  GroupCoordinator& groups() { return groups_; }

 private:
  EmbeddedLogClient(std::unique_ptr<Broker> owned_broker, std::unique_ptr<GroupCoordinator> owned_groups,
                    Broker& broker, GroupCoordinator& groups, TransactionCoordinator* transactions,
                    EmbeddedLogOptions options, Logger logger);
  std::unique_ptr<Broker> owned_broker_;
  std::unique_ptr<GroupCoordinator> owned_groups_;
  Broker& broker_;
  GroupCoordinator& groups_;
  TransactionCoordinator* transactions_;  // null: none
  EmbeddedLogOptions options_;
  Logger logger_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace millrace
