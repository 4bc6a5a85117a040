/// The broker's listeners and the threads that serve their connections.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/server/api.h"
#include "broker/server/network_thread.h"
#include "broker/server/server_options.h"
#include "core/clock.h"
#include "core/logger.h"
#include "net/socket.h"
#include "net/tls.h"

namespace millrace {

/// Threads: open(), start() and stop() from one; the rest from any. Lifetime: the clock and the services outlive it.
class BrokerServer {
 public:
  /// Binds all listeners; clients can connect from now on and wait for start(). Errors: kInvalidConfig (hosts, keys),
  /// kUnavailable (ports).
  static Expected<std::unique_ptr<BrokerServer>> open(const Clock& clock, Logger logger, ServerOptions options);
  /// stop() without a grace.
  ~BrokerServer();
  BrokerServer(const BrokerServer&) = delete;

  /// Where clients are told to connect: for BrokerServices::advertised.
  std::vector<AdvertisedListener> advertised() const;
  /// The bound port of the listener; 0 for an unknown name.
  uint16_t port(std::string_view listener) const;
  size_t connections() const;
  const ServerOptions& options() const { return options_; }

  /// Serves the APIs of `apis`, which is read now. Errors: kUnavailable.
  Status start(BrokerServices& services, const ApiTable& apis);
  /// Takes no new connections and requests, lets those under way be answered for up to `grace`, then closes all and
  /// ends the threads. Answers given later go nowhere.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Listener {
    ListenerOptions options;
    Descriptor socket;  // until start()
    uint16_t port = 0;
    std::shared_ptr<TlsContext> tls;  // co-owned by nobody else; null without TLS
    std::unique_ptr<Acceptor> acceptor;
  };

  BrokerServer(const Clock& clock, Logger logger, ServerOptions options);
  Status bind();
  void accepted(const Listener& listener, Descriptor socket, std::string peer);
  bool admit(const std::string& peer);
  void connection_closed(const Connection& connection);
  NetworkThread& least_busy();
  void pause_or_resume();
  bool drained_within(std::chrono::milliseconds grace);

  const Clock& clock_;
  const Logger logger_;
  const ServerOptions options_;
  FramePool pool_;
  std::unique_ptr<ApiIndex> apis_;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<NetworkThread>> threads_;  // the first accepts
  uint64_t connection_last_ = 0;                         // the accepting thread's

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable closed_;
  size_t count_ = 0;
  std::unordered_map<std::string, size_t> count_by_ip_;
};

}  // namespace millrace
