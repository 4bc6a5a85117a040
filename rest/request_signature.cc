#include "rest/request_signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "rest/answers.h"

namespace millrace {
namespace {

constexpr const char* kSignature = "x-connect-authorization";
constexpr const char* kAlgorithm = "x-connect-request-signature-algorithm";

/// Java's names: HmacSHA256, HmacSHA1, …
const EVP_MD* digest_of(std::string_view algorithm) {
  struct Named {
    std::string_view name;
    const EVP_MD* (*digest)();
  };
  constexpr Named kKnown[] = {{"HmacSHA256", ::EVP_sha256}, {"HmacSHA1", ::EVP_sha1},     {"HmacSHA224", ::EVP_sha224},
                              {"HmacSHA384", ::EVP_sha384}, {"HmacSHA512", ::EVP_sha512}, {"HmacMD5", ::EVP_md5}};
  for (const Named& each : kKnown) {
    if (equals_ignoring_case(each.name, algorithm)) return each.digest();
  }
  return nullptr;
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  ::HMAC(digest, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(body.data()),
         body.size(), bytes.data(), &size);
  return std::string(reinterpret_cast<const char*>(bytes.data()), size);
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::optional<HttpHeaders> sign_request(std::string_view algorithm, std::string_view session_key,
                                        std::string_view body) {
  const EVP_MD* digest = digest_of(algorithm);
  if (digest == nullptr) return {};
  return HttpHeaders{{kSignature, base64(hmac(digest, session_key, body))}, {kAlgorithm, std::string(algorithm)}};
}

std::optional<RestResponse> refuse_signature(const SignatureRules& rules, const RestRequest& request) {
  const std::string* signature = request.header(kSignature);
  const std::string* algorithm = request.header(kAlgorithm);
  if (signature == nullptr || algorithm == nullptr)
    return error_response(400, "Internal request missing required signature");
  const EVP_MD* digest = digest_of(*algorithm);
  const bool permitted = std::ranges::any_of(
      rules.algorithms, [&](const std::string& each) { return equals_ignoring_case(each, *algorithm); });
  if (digest == nullptr || !permitted) {
    return error_response(
        400, fmt::format("This worker does not support the '{}' key signing algorithm used by other workers. This "
                         "worker is currently configured to use: {}. Check that all workers' configuration files "
                         "permit the same set of signature algorithms, and correct any misconfigured worker and "
                         "restart it.",
                         *algorithm, fmt::format("[{}]", fmt::join(rules.algorithms, ", "))));
  }
  if (!rules.session_key) {
    return error_response(503,
                          "This worker is still starting up and has not been able to read a session key from the "
                          "config topic yet");
  }
  // The texts are compared: what is not base64 equals nothing.
  if (!equal_in_constant_time(base64(hmac(digest, *rules.session_key, request.body)), *signature))
    return error_response(403, "Internal request contained invalid signature.");
  return {};
}

}  // namespace millrace
