/// The worker's REST server: Kafka Connect's API on all configured listeners.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/logger.h"
#include "rest/http_server.h"
#include "rest/listeners.h"
#include "rest/rest_api.h"

namespace millrace {

/// Threads: start, attach and stop by one thread. Lifetime: outlive it with the herder, or stop() it first.
class RestServer {
 public:
  struct Options {
    RestConfig config;
    HttpServer::Options http;
    /// See RestApi::Options; `advertised` is filled in.
    RestApi::Options api;
  };

  /// Listens and answers at once: /health says `starting`, other requests wait for attach().
  /// Errors: kInvalidConfig if an address cannot be listened on, naming it and what to do.
  static Expected<std::unique_ptr<RestServer>> start(Options options, Logger logger);
  ~RestServer();

  void attach(Herder& herder) { gate_.attach(herder); }

  /// Requests that wait for a herder fail with `Worker is shutting down`; those being handled are finished. Idempotent.
  void stop();

  /// host:port under which others reach this worker; `worker_id` in statuses.
  const std::string& advertised() const { return advertised_; }
  /// Ports of the listeners, in their order; useful when a port was 0.
  std::vector<int> ports() const;

 private:
  explicit RestServer(Logger logger) : logger_(std::move(logger)) {}
  RestResponse handle(const RestRequest& request) const;

  const Logger logger_;
  HerderGate gate_;
  std::string advertised_;
  std::unique_ptr<RestApi> api_;
  std::vector<std::unique_ptr<HttpServer>> servers_;
};

}  // namespace millrace
