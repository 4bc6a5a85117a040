/// HTTP/1.1 on one address: cpp-httplib's parser with our own connection loop, which costs nothing while a kept-alive
/// connection is idle and ends at once when the server stops.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "rest/listeners.h"
#include "rest/message.h"

namespace millrace {

/// Threads: open, start and stop by one thread; the handler is called by many.
class HttpServer {
 public:
  using Handler = std::function<RestResponse(const RestRequest&)>;
  struct Options {
    size_t threads_max = 32;
    size_t body_bytes_max = 8 << 20;
    int keep_alive_ms = 30'000;
  };

  /// Binds and listens; connections wait in the backlog until start().
  /// Errors: kInvalidConfig naming host:port, the system's reason and what to do.
  static Expected<std::unique_ptr<HttpServer>> open(const Listener& listener, Options options, Handler handler);
  ~HttpServer();

  void start();
  /// No new connections; idle ones are closed; waits for requests that are being handled.
  void stop();

  int port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
