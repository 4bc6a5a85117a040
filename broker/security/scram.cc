#include "broker/security/scram.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace millrace {
namespace {

constexpr std::string_view kSha256Name = "SCRAM-SHA-256", kSha512Name = "SCRAM-SHA-512";

const EVP_MD* digest_of(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::kSha512 ? ::EVP_sha512() : ::EVP_sha256();
}

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string hmac(ScramMechanism mechanism, std::string_view key, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  ::HMAC(digest_of(mechanism), key.data(), static_cast<int>(key.size()), raw(text), text.size(), raw(out), &size);
  out.resize(size);
  return out;
}

std::string hash(ScramMechanism mechanism, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), raw(out), &size, digest_of(mechanism), nullptr);
  out.resize(size);
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<size_t>(::EVP_EncodeBlock(raw(out), raw(bytes), static_cast<int>(bytes.size()))));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int size = ::EVP_DecodeBlock(raw(out), raw(text), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

/// The first comma-separated part of `text`, which is shortened by it.
std::string_view cut(std::string_view& text) {
  const size_t comma = std::min(text.find(','), text.size());
  const std::string_view part = text.substr(0, comma);
  text.remove_prefix(std::min(comma + 1, text.size()));
  return part;
}

/// A name with `=2C` and `=3D` for comma and equals sign.
std::optional<std::string> from_saslname(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '=') {
      out.push_back(name[i]);
    } else if (name.substr(i, 3) == "=2C" || name.substr(i, 3) == "=3D") {
      out.push_back(name[i + 1] == '2' ? ',' : '=');
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

ScramMechanism scram_mechanism(int8_t wire) {
  return wire == 1 ? ScramMechanism::kSha256 : wire == 2 ? ScramMechanism::kSha512 : ScramMechanism::kUnknown;
}

ScramMechanism scram_mechanism(std::string_view name) {
  return name == kSha256Name   ? ScramMechanism::kSha256
         : name == kSha512Name ? ScramMechanism::kSha512
                               : ScramMechanism::kUnknown;
}

std::string_view scram_mechanism_name(ScramMechanism mechanism) {
  return mechanism == ScramMechanism::kSha256   ? kSha256Name
         : mechanism == ScramMechanism::kSha512 ? kSha512Name
                                                : "UNKNOWN";
}

std::string scram_salted_password(ScramMechanism mechanism, std::string_view password, std::string_view salt,
                                  int32_t iterations) {
  std::string out(static_cast<size_t>(::EVP_MD_get_size(digest_of(mechanism))), '\0');
  ::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt), static_cast<int>(salt.size()),
                      iterations, digest_of(mechanism), static_cast<int>(out.size()), raw(out));
  return out;
}

ScramCredential scram_credential(ScramMechanism mechanism, std::string_view salted_password, std::string salt,
                                 int32_t iterations) {
  return {std::move(salt), hash(mechanism, hmac(mechanism, salted_password, "Client Key")),
          hmac(mechanism, salted_password, "Server Key"), iterations};
}

SaslMechanism::Step ScramServer::evaluate(BytesView token) {
  switch (state_) {
    case State::kFirst:
      return client_first(token);
    case State::kFinal:
      return client_final(token);
    case State::kDone:
      break;
  }
  return {};
}

// client-first-message: gs2-cbind-flag "," [ "a=" saslname ] "," [ "m=" ... "," ] "n=" saslname ",r=" nonce [ ","
// extensions ]
SaslMechanism::Step ScramServer::client_first(BytesView token) {
  BytesView rest = token;
  const BytesView channel_binding = cut(rest), authorization = cut(rest);
  // "y" and "n" both do without channel binding, which Kafka's mechanisms (not the -PLUS ones) do not have.
  if (channel_binding != "n" && channel_binding != "y") return {};
  gs2_header_ = token.substr(0, token.size() - rest.size());
  client_first_bare_ = rest;
  const BytesView user_part = cut(rest), nonce_part = cut(rest);
  // A mandatory extension ("m=") would stand where the user is, and is refused as RFC 5802 wants it.
  if (!user_part.starts_with("n=") || !nonce_part.starts_with("r=") || nonce_part.size() == 2) return {};
  const auto user = from_saslname(user_part.substr(2));
  if (!user || user->empty()) return {};
  // Delegation tokens are not served: their client would prove something else than a password.
  if (rest.find("tokenauth=true") != BytesView::npos) return {};

  const auto credential = find_(*user);
  if (!credential || credential->iterations < kScramIterationsMin) return {};
  if (!authorization.empty()) {
    if (!authorization.starts_with("a=")) return {};
    if (from_saslname(authorization.substr(2)) != *user) {
      return {Outcome::kFailed,
              {},
              {},
              "Authentication failed: Client requested an authorization id that is different from username"};
    }
  }
  user_ = *user;
  credential_ = *credential;
  nonce_ = std::string(nonce_part.substr(2)) + server_nonce_;
  server_first_ = fmt::format("r={},s={},i={}", nonce_, to_base64(credential_.salt), credential_.iterations);
  state_ = State::kFinal;
  return {Outcome::kContinue, server_first_, {}, {}};
}

// client-final-message: "c=" base64(gs2-header) ",r=" nonce [ "," extensions ] ",p=" base64(proof)
SaslMechanism::Step ScramServer::client_final(BytesView token) {
  state_ = State::kDone;
  const size_t proof_at = token.rfind(",p=");
  if (proof_at == BytesView::npos) return {};
  const BytesView without_proof = token.substr(0, proof_at);
  BytesView rest = without_proof;
  const BytesView binding_part = cut(rest), nonce_part = cut(rest);
  if (!binding_part.starts_with("c=") || from_base64(binding_part.substr(2)) != gs2_header_) return {};
  // As Kafka only the end is compared: librdkafka before 2.1 puts its own nonce in front a second time.
  if (!nonce_part.starts_with("r=") || !nonce_part.substr(2).ends_with(nonce_)) return {};
  const auto proof = from_base64(token.substr(proof_at + 3));
  if (!proof) return {};

  const std::string auth_message = fmt::format("{},{},{}", client_first_bare_, server_first_, without_proof);
  std::string client_key = hmac(mechanism_, credential_.stored_key, auth_message);
  if (client_key.size() != proof->size()) return {};
  for (size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
  const std::string stored = hash(mechanism_, client_key);
  if (stored.size() != credential_.stored_key.size() ||
      ::CRYPTO_memcmp(stored.data(), credential_.stored_key.data(), stored.size()) != 0) {
    return {};
  }
  return {Outcome::kAuthenticated,
          "v=" + to_base64(hmac(mechanism_, credential_.server_key, auth_message)),
          "User:" + user_,
          {}};
}

}  // namespace millrace
