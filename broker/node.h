/// A whole broker without its sockets: the log, the coordinators, security, timers, and what their handlers work on.
/// `millrace broker` and a worker with the embedded log put a BrokerServer before it; tests call it directly.
#pragma once

#include <memory>

#include "broker/broker.h"
#include "broker/config_catalogue.h"
#include "broker/group/group_coordinator.h"
#include "broker/security/security.h"
#include "broker/server/api.h"
#include "broker/server/background.h"
#include "broker/server/services.h"
#include "broker/transaction/transaction_coordinator.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/logger.h"

namespace millrace {

class FetchSessionCache;

struct NodeOptions {
  BrokerOptions broker;
  GroupCoordinatorOptions groups = {};
  TransactionOptions transactions = {};
  SecurityOptions security = {};
  /// server.properties as given: DescribeConfigs tells them; those that are defaults of topics (log.retention.hours)
  /// count on top of broker.log_defaults, and so do the dynamic ones.
  ConfigMap settings = {};
  int32_t node_id = 1;                              ///< node.id, broker.id
  size_t fetch_bytes_max = 57671680;                ///< fetch.max.bytes
  size_t fetch_sessions_max = 1000;                 ///< max.incremental.fetch.session.cache.slots
  std::vector<AdvertisedListener> advertised = {};  ///< where clients are told to connect
};

/// Threads: any. Must not outlive FileSystem and Clock; a server over it is stopped first.
class Node {
 public:
  /// Errors: those of Broker::open(), Security::open() and the coordinators.
  static Expected<std::unique_ptr<Node>> open(FileSystem& fs, Clock& clock, Logger logger, NodeOptions options);
  /// close(), ignoring errors.
  ~Node();
  Node(const Node&) = delete;

  Broker& broker() { return *broker_; }
  GroupCoordinator& groups() { return *groups_; }
  TransactionCoordinator& transactions() { return *transactions_; }
  Security& security() { return *security_; }
  BrokerConfigs& configs() { return *configs_; }
  BackgroundExecutor& executor() { return executor_; }
  BrokerServices& services() { return *services_; }
  const ApiTable& apis() const { return apis_; }

  /// Tells handlers where clients connect; before the server starts.
  void set_advertised(std::vector<AdvertisedListener> advertised) { services_->advertised = std::move(advertised); }

  /// Ends the background work, makes everything durable and marks the directory clean. Errors: kUnavailable.
  Status close();

 private:
  explicit Node(Clock& clock);
  Status open_parts(FileSystem& fs, Clock& clock, const Logger& logger, const NodeOptions& options);

  std::unique_ptr<BrokerConfigs> configs_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Security> security_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::unique_ptr<TransactionCoordinator> transactions_;
  std::unique_ptr<FetchSessionCache> fetch_sessions_;
  BackgroundExecutor executor_;  // its work uses what stands here; stopped first
  bool closed_ = false;
  ApiTable apis_;
  std::unique_ptr<BrokerServices> services_;
};

}  // namespace millrace
