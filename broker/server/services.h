/// What handlers work on. Everything outlives the server.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/logger.h"

namespace millrace {

class ApiTable;
class Broker;
class FetchSessionCache;
class BrokerConfigs;
class GroupCoordinator;
class Security;
class TransactionCoordinator;

/// Runs work off the connections' threads. Threads: any.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs `work` on a background thread: for whatever touches the disk for long (creating topics, log folders).
  virtual void run(std::function<void()> work) = 0;
  /// Runs `work` after `delay` on a background thread; it must not block. Returns an id for cancel().
  virtual uint64_t run_after(std::chrono::milliseconds delay, std::function<void()> work) = 0;
  /// True when the work had not begun and now never will.
  virtual bool cancel(uint64_t id) = 0;
};

/// Where clients are told to connect, per listener name.
struct AdvertisedListener {
  std::string listener;
  std::string host;
  int32_t port = 0;
};

struct BrokerServices {
  Broker& broker;
  GroupCoordinator& groups;
  TransactionCoordinator& transactions;
  Security& security;
  Executor& executor;
  Clock& clock;
  Logger logger;
  int32_t node_id = 1;
  std::vector<AdvertisedListener> advertised = {};
  BrokerConfigs* configs = nullptr;  ///< settings and dynamic configs (config_catalogue.h); set before serving
  const ApiTable* apis = nullptr;  ///< for ApiVersions; set once the table is complete
  FetchSessionCache* fetch_sessions = nullptr;
  size_t fetch_bytes_max = 57671680;  ///< fetch.max.bytes: what one Fetch answer may carry
};

}  // namespace millrace
