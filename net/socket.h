/// TCP sockets: listening, accepting, addresses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/logger.h"
#include "net/descriptor.h"
#include "net/event_loop.h"

namespace millrace {

/// Binds and listens; an empty host means every address, port 0 any free port. The socket does not block.
/// Errors: kInvalidConfig for a host that does not resolve, kUnavailable when the port is taken or forbidden.
Expected<Descriptor> listen_on(const std::string& host, uint16_t port);
/// The port that a socket is bound to.
uint16_t local_port(int socket);

/// Takes connections from a listening socket and gives each to `accepted` with the peer's address ("127.0.0.1"; IPv4 in
/// IPv6 is shown as IPv4). The sockets do not block, and small writes are sent at once (TCP_NODELAY).
/// Threads: the loop's.
class Acceptor final : public EventHandler {
 public:
  using Accepted = std::function<void(Descriptor socket, std::string peer)>;
  Acceptor(EventLoop& loop, Logger logger, Descriptor listening, Accepted accepted);
  ~Acceptor() override;

  Status start();
  /// Leaves connections in the kernel's queue until resume().
  void pause();
  void resume();
  bool paused() const { return !watching_; }
  /// Stops for good and closes the listening socket.
  void close();

  void on_events(uint32_t epoll_events) override;

 private:
  void accept_failed(int error);

  EventLoop& loop_;
  const Logger logger_;
  Descriptor listening_;
  const Accepted accepted_;
  bool watching_ = false;
  uint64_t retry_timer_ = 0;
};

}  // namespace millrace
