#include "broker/security/sasl_session.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

SaslMechanism::Step PlainServer::evaluate(BytesView token) {
  const auto failed = [](std::string error) { return Step{Outcome::kFailed, {}, {}, std::move(error)}; };
  const size_t first = token.find('\0');
  const size_t second = first == BytesView::npos ? first : token.find('\0', first + 1);
  if (second == BytesView::npos || token.find('\0', second + 1) != BytesView::npos) {
    return failed(
        "Invalid SASL/PLAIN response: expected authorization id, user name and password with a zero byte "
        "between them");
  }
  const BytesView authorization = token.substr(0, first), user = token.substr(first + 1, second - first - 1),
                  password = token.substr(second + 1);
  if (user.empty()) return failed("Authentication failed: username not specified");
  if (password.empty()) return failed("Authentication failed: password not specified");
  if (!check_(user, password)) return failed("Authentication failed: Invalid username or password");
  if (!authorization.empty() && authorization != user)
    return failed("Authentication failed: Client requested an authorization id that is different from username");
  return {Outcome::kAuthenticated, {}, "User:" + std::string(user), {}};
}

bool SaslSession::handshake(std::string_view mechanism, bool raw_tokens) {
  exchange_ = state_ == State::kHandshake ? start_(mechanism) : nullptr;
  if (exchange_ == nullptr) {
    state_ = State::kFailed;
    return false;
  }
  name_ = mechanism;
  state_ = raw_tokens ? State::kRawTokens : State::kTokens;
  return true;
}

SaslMechanism::Step SaslSession::token(BytesView token) {
  SaslMechanism::Step step;
  if (state_ == State::kTokens || state_ == State::kRawTokens) step = exchange_->evaluate(token);
  if (step.outcome == SaslMechanism::Outcome::kAuthenticated) {
    state_ = State::kAuthenticated;
    exchange_.reset();
  } else if (step.outcome == SaslMechanism::Outcome::kFailed) {
    state_ = State::kFailed;
    exchange_.reset();
    if (step.error.empty()) {
      // Nothing that tells whether it was the user or the password.
      step.error = fmt::format(
          "Authentication failed during authentication due to invalid credentials with SASL mechanism {}", name_);
    }
  }
  return step;
}

}  // namespace millrace
