/// HTTP/1.1 and HTTPS on any number of addresses. One thread waits for all sockets and reads and writes them; requests
/// that are complete are handled by a pool. Idle and slow clients cost a socket and a little memory, never a thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/logger.h"
#include "net/tls.h"
#include "rest/http_connection.h"
#include "rest/listeners.h"

namespace millrace {

/// Threads: open, listen, start and stop by one thread.
class HttpServer {
 public:
  struct Options {
    size_t threads_max = 32;
    size_t body_bytes_max = 8 << 20;
    size_t head_bytes_max = 64 << 10;
    /// Beyond these a connection that waits for its client makes way for a new one.
    size_t connections_max = 4096;
    HttpTimes times = {};
    /// How long stop() waits for requests that are being handled.
    std::chrono::milliseconds stop_grace{60'000};
  };

  /// Errors: kUnavailable if the process has no descriptors left.
  static Expected<std::unique_ptr<HttpServer>> open(Options options, Logger logger);
  ~HttpServer();

  /// Binds and listens; connections wait in the backlog until start(). `tls` null: plain HTTP. Returns the port.
  /// Errors: kInvalidConfig naming host:port, the system's reason and what to do.
  Expected<int> listen(const Listener& listener, std::shared_ptr<TlsContext> tls,
                       std::shared_ptr<RequestHandler> handler);
  /// Errors: kUnavailable.
  Status start();
  /// No new connections; idle ones are closed; waits for requests that are being handled. False: some still were after
  /// the grace, and what they use must stay alive. Idempotent.
  bool stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
