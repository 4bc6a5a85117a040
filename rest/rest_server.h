/// The worker's REST server: Kafka Connect's API on all configured listeners.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/logger.h"
#include "rest/http_server.h"
#include "rest/rest_api.h"
#include "rest/rest_config.h"

namespace millrace {

/// Threads: start, attach and stop by one thread. Lifetime: outlive it with the herder, or stop() it first.
class RestServer {
 public:
  struct Options {
    RestConfig config;
    HttpServer::Options http;
    /// See RestApi::Options; `advertised`, `part` and `permits` are filled in, and `levels` if it is null.
    RestApi::Options api;
  };

  /// Listens and answers at once: /health says `starting`, other requests wait for attach().
  /// Errors: kInvalidConfig if an address cannot be listened on, or if certificates or the file of users cannot be
  /// used, naming it and what to do.
  static Expected<std::unique_ptr<RestServer>> start(Options options, Logger logger);
  ~RestServer();

  void attach(Herder& herder);

  /// Requests that wait for a herder fail with `Worker is shutting down`; those being handled are finished. False: some
  /// still hang in the herder, which must then not be destroyed. Idempotent.
  bool stop();

  /// host:port under which others reach this worker; `worker_id` in statuses.
  const std::string& advertised() const { return advertised_; }
  /// With protocol and a slash at the end, as workers tell each other.
  const std::string& advertised_url() const { return advertised_url_; }
  /// Ports of the listeners, in their order; useful when a port was 0.
  const std::vector<int>& ports() const { return ports_; }
  const std::vector<int>& admin_ports() const { return admin_ports_; }

 private:
  class Core;
  RestServer();
  Status listen(const std::vector<Listener>& listeners, const ConfigMap& ssl, RequestHandler& handler,
                std::vector<int>& ports);

  std::shared_ptr<Core> core_;  // co-owned by requests, which may hang longer than the server lives
  std::unique_ptr<HttpServer> http_;
  std::vector<int> ports_, admin_ports_;
  std::string advertised_, advertised_url_;
};

}  // namespace millrace
