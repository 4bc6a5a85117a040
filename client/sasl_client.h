/// The client's side of SASL: PLAIN (RFC 4616), SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677).
#pragma once

#include <memory>
#include <string>

#include "client/wire_connection.h"
#include "core/error.h"

namespace millrace {

/// One login. Threads: one.
class SaslClient {
 public:
  /// Errors: kInvalidConfig for a mechanism that is not known.
  static Expected<std::unique_ptr<SaslClient>> create(const WireConnectionOptions& options);
  virtual ~SaslClient() = default;

  /// The next token, given the server's last one; empty together with done(): nothing more to send. Errors:
  /// kInvalidConfig (SaslAuthenticationException) when the server does not prove that it knows the password.
  virtual Expected<std::string> next(const std::string& from_server) = 0;
  virtual bool done() const = 0;
};

}  // namespace millrace
