/// The bytes of one non-blocking connection, plain or under TLS.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>

#include "core/file_system.h"
#include "net/descriptor.h"

namespace millrace {

struct IoResult {
  enum class State {
    kMoved,    ///< `bytes` > 0 have been moved
    kBlocked,  ///< nothing can be moved before the next event
    kEnd,      ///< the peer sends no more
    kBroken,   ///< the connection is of no more use
  };
  State state = State::kMoved;
  size_t bytes = 0;
};

/// Threads: one at a time. Never blocks, never raises SIGPIPE.
class Transport {
 public:
  virtual ~Transport() = default;
  int descriptor() const { return socket_.get(); }

  /// To be repeated after each event until it is kMoved; then bytes may flow. `error` tells why it is kBroken.
  virtual IoResult::State handshake(std::string& error) = 0;
  virtual IoResult read(std::span<const iovec> into) = 0;
  /// Takes a first part of `from`. `more`: other bytes follow at once, so that the kernel fills its packets.
  virtual IoResult write(std::span<const iovec> from, bool more) = 0;
  /// Sends a part of the file from `position` on, without copying it where that can be. A file that ends before
  /// `position` is kBroken.
  virtual IoResult send_file(const File& file, uint64_t position, uint64_t size) = 0;
  /// Sends what write() and send_file() have taken but not sent: kMoved when nothing is left.
  virtual IoResult::State flush() = 0;
  /// The subject of the peer's certificate ("CN=alice,O=mill"); empty when it showed none.
  virtual std::string peer_subject() const = 0;
  /// Says goodbye as the protocol wants it; the socket is closed with the object.
  virtual void shut_down() = 0;

 protected:
  explicit Transport(Descriptor socket) : socket_(std::move(socket)) {}
  const Descriptor socket_;
};

std::unique_ptr<Transport> make_plain_transport(Descriptor socket);

}  // namespace millrace
