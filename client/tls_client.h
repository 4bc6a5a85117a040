/// The client's end of TLS, by OpenSSL, over a socket that does not block.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "client/wire_connection.h"
#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

/// Threads: one. Must not outlive the socket.
class TlsClient {
 public:
  /// Errors: kInvalidConfig, naming the file or setting that cannot be used.
  static Expected<std::unique_ptr<TlsClient>> create(const WireConnectionOptions& options, const std::string& host,
                                                     int socket);
  virtual ~TlsClient() = default;

  /// 0: done; else the poll(2) events to wait for before the next call. Errors: kInvalidConfig
  /// (SslAuthenticationException).
  virtual Expected<short> handshake() = 0;
  /// The bytes moved; 0: wait for `wanted`; negative: the connection is gone.
  virtual ssize_t read(char* to, size_t size, short& wanted) = 0;
  virtual ssize_t write(BytesView from, short& wanted) = 0;
};

}  // namespace millrace
