#include "client/sasl_client.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <charconv>
#include <optional>

#include "protocol/kafka_error.h"

namespace millrace {
namespace {

constexpr int kIterationsMin = 4096;

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<size_t>(::EVP_EncodeBlock(raw(out), raw(bytes), static_cast<int>(bytes.size()))));
  return out;
}

std::string from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int size = ::EVP_DecodeBlock(raw(out), raw(text), static_cast<int>(text.size()));
  if (size < 0) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

/// The value of `name=value` in a comma-separated message.
std::string attribute(std::string_view message, char name) {
  while (!message.empty()) {
    const std::string_view part = message.substr(0, message.find(','));
    message.remove_prefix(std::min(message.size(), part.size() + 1));
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return std::string(part.substr(2));
  }
  return {};
}

tl::unexpected<Error> refused(std::string message) {
  return fail(error_of(KafkaError::kSaslAuthenticationFailed, std::move(message)));
}

class PlainClient final : public SaslClient {
 public:
  PlainClient(const std::string& user, const std::string& password) {
    token_.push_back('\0');
    token_ += user;
    token_.push_back('\0');
    token_ += password;
  }
  Expected<std::string> next(const std::string&) override {
    return std::exchange(done_, true) ? std::string() : token_;
  }
  bool done() const override { return done_; }

 private:
  std::string token_;
  bool done_ = false;
};

class ScramClient final : public SaslClient {
 public:
  ScramClient(const EVP_MD* digest, std::string user, std::string password)
      : digest_(digest), user_(std::move(user)), password_(std::move(password)) {}

  Expected<std::string> next(const std::string& from_server) override {
    switch (state_) {
      case State::kFirst:
        state_ = State::kProof;
        return first();
      case State::kProof:
        state_ = State::kVerify;
        return proof(from_server);
      default:
        done_ = true;
        if (attribute(from_server, 'v') == to_base64(server_signature_)) return std::string();
        return refused("the server does not prove that it knows the user's password");
    }
  }
  bool done() const override { return done_; }

 private:
  std::string first() {
    std::string random(24, '\0');
    ::RAND_bytes(raw(random), static_cast<int>(random.size()));
    nonce_ = to_base64(random);
    std::string name;
    for (const char c : user_) name += c == ',' ? "=2C" : c == '=' ? "=3D" : std::string(1, c);
    first_bare_ = fmt::format("n={},r={}", name, nonce_);
    return "n,," + first_bare_;
  }

  Expected<std::string> proof(const std::string& server_first) {
    const std::string nonce = attribute(server_first, 'r');
    const std::string salt = from_base64(attribute(server_first, 's'));
    const std::string count = attribute(server_first, 'i');
    int iterations = 0;
    std::from_chars(count.data(), count.data() + count.size(), iterations);
    if (!nonce.starts_with(nonce_) || salt.empty() || iterations < kIterationsMin)
      return refused("the server's SCRAM message is not acceptable");
    std::string salted(static_cast<size_t>(::EVP_MD_get_size(digest_)), '\0');
    ::PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), raw(salt), static_cast<int>(salt.size()),
                        iterations, digest_, static_cast<int>(salted.size()), raw(salted));
    const std::string client_key = hmac(salted, "Client Key");
    const std::string without_proof = fmt::format("c=biws,r={}", nonce);
    const std::string message = fmt::format("{},{},{}", first_bare_, server_first, without_proof);
    std::string client_proof = hmac(hash(client_key), message);
    for (size_t i = 0; i < client_proof.size(); ++i)
      client_proof[i] = static_cast<char>(client_proof[i] ^ client_key[i]);
    server_signature_ = hmac(hmac(salted, "Server Key"), message);
    return fmt::format("{},p={}", without_proof, to_base64(client_proof));
  }

  std::string hmac(std::string_view key, std::string_view text) const {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    ::HMAC(digest_, key.data(), static_cast<int>(key.size()), raw(text), text.size(), raw(out), &size);
    out.resize(size);
    return out;
  }
  std::string hash(std::string_view text) const {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), raw(out), &size, digest_, nullptr);
    out.resize(size);
    return out;
  }

  enum class State { kFirst, kProof, kVerify } state_ = State::kFirst;
  const EVP_MD* const digest_;
  const std::string user_, password_;
  std::string nonce_, first_bare_, server_signature_;
  bool done_ = false;
};

}  // namespace

Expected<std::unique_ptr<SaslClient>> SaslClient::create(const WireConnectionOptions& options) {
  if (options.sasl_mechanism == "PLAIN") return std::make_unique<PlainClient>(options.user, options.password);
  if (options.sasl_mechanism == "SCRAM-SHA-256")
    return std::make_unique<ScramClient>(::EVP_sha256(), options.user, options.password);
  if (options.sasl_mechanism == "SCRAM-SHA-512")
    return std::make_unique<ScramClient>(::EVP_sha512(), options.user, options.password);
  return fail(
      ErrorCode::kInvalidConfig,
      fmt::format("sasl.mechanism={} is not known: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", options.sasl_mechanism));
}

}  // namespace millrace
