/// How a client proves on a connection who it is: the order of SaslHandshake and tokens, whatever the mechanism.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace millrace {

/// One mechanism's exchange (PLAIN, SCRAM). Threads: one.
class SaslMechanism {
 public:
  enum class Outcome { kContinue, kAuthenticated, kFailed };
  struct Step {
    Outcome outcome = Outcome::kFailed;
    std::string token;      ///< for the client; with kAuthenticated it may be empty
    std::string principal;  ///< with kAuthenticated: "User:alice"
    std::string error;      ///< with kFailed: what the client may know; empty = the mechanism's general text
  };
  virtual ~SaslMechanism() = default;
  virtual Step evaluate(BytesView token) = 0;
};

/// The server's `PLAIN`: authorisation id, user and password with zero bytes between them (RFC 4616).
class PlainServer final : public SaslMechanism {
 public:
  /// Whether `password` is the user's.
  using Check = std::function<bool(std::string_view user, std::string_view password)>;
  explicit PlainServer(Check check) : check_(std::move(check)) {}
  Step evaluate(BytesView token) override;

 private:
  Check check_;
};

/// The state of one connection of a SASL listener. Threads: the connection's.
class SaslSession {
 public:
  enum class State { kHandshake, kTokens, kRawTokens, kAuthenticated, kFailed };
  /// Makes the exchange of a mechanism that the listener enables; null for others.
  using Start = std::function<std::unique_ptr<SaslMechanism>(std::string_view mechanism)>;

  SaslSession(std::vector<std::string> mechanisms, Start start)
      : mechanisms_(std::move(mechanisms)), start_(std::move(start)) {}

  State state() const { return state_; }
  bool authenticated() const { return state_ == State::kAuthenticated; }
  const std::vector<std::string>& mechanisms() const { return mechanisms_; }

  /// SaslHandshake. With `raw_tokens` (its version 0) the connection's next frames are bare tokens, not requests.
  /// False: the mechanism is not enabled, the session has failed.
  bool handshake(std::string_view mechanism, bool raw_tokens);
  /// A token of the client's, by SaslAuthenticate or bare. A failed session stays failed.
  SaslMechanism::Step token(BytesView token);
  void fail() { state_ = State::kFailed; }

 private:
  const std::vector<std::string> mechanisms_;
  const Start start_;
  State state_ = State::kHandshake;
  std::string name_;
  std::unique_ptr<SaslMechanism> exchange_;
};

}  // namespace millrace
