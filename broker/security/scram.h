/// SCRAM (RFC 5802, RFC 7677): credentials and the server's side of the exchange.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/security/sasl_session.h"
#include "core/error.h"

namespace millrace {

/// The numbers are those of the wire protocol.
enum class ScramMechanism : int8_t { kUnknown = 0, kSha256 = 1, kSha512 = 2 };

inline constexpr int32_t kScramIterationsMin = 4096;
inline constexpr int32_t kScramIterationsMax = 16384;

ScramMechanism scram_mechanism(int8_t wire);
ScramMechanism scram_mechanism(std::string_view name);  ///< "SCRAM-SHA-256"; kUnknown for others
std::string_view scram_mechanism_name(ScramMechanism mechanism);

/// What a server keeps instead of the password. All strings but none of them text: raw bytes.
struct ScramCredential {
  std::string salt;
  std::string stored_key;
  std::string server_key;
  int32_t iterations = 0;
  bool operator==(const ScramCredential&) const = default;
};

std::string scram_salted_password(ScramMechanism mechanism, std::string_view password, std::string_view salt,
                                  int32_t iterations);
ScramCredential scram_credential(ScramMechanism mechanism, std::string_view salted_password, std::string salt,
                                 int32_t iterations);

/// The server's side. `find` gives the credential of a user; `server_nonce` is fresh for each exchange.
class ScramServer final : public SaslMechanism {
 public:
  using Find = std::function<std::optional<ScramCredential>(std::string_view user)>;
  ScramServer(ScramMechanism mechanism, Find find, std::string server_nonce)
      : mechanism_(mechanism), find_(std::move(find)), server_nonce_(std::move(server_nonce)) {}

  Step evaluate(BytesView token) override;

 private:
  Step client_first(BytesView token);
  Step client_final(BytesView token);

  const ScramMechanism mechanism_;
  const Find find_;
  const std::string server_nonce_;
  enum class State { kFirst, kFinal, kDone } state_ = State::kFirst;
  std::string user_;
  std::string gs2_header_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string nonce_;
  ScramCredential credential_;
};

}  // namespace millrace
