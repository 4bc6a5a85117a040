/// One blocking connection to a broker: TLS, SASL, the broker's versions, requests and answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

/// The client settings of Kafka, with their meaning there.
struct WireConnectionOptions {
  std::string client_id = "millrace-tool";
  std::chrono::milliseconds timeout{30'000};  ///< for connecting, and for each answer
  bool tls = false;
  bool sasl = false;
  std::string sasl_mechanism;  ///< PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
  std::string user;
  std::string password;                    ///< never shown
  std::string ca_file;                     ///< PEM; empty: the system's authorities
  std::string ca_pem;                      ///< PEM text
  std::string certificate_file, key_file;  ///< PEM
  std::string certificate_pem, key_pem;    ///< PEM text
  std::string key_store_file;              ///< PKCS12 with certificate and key
  std::string key_password;                ///< of the key or the key store
  bool verify_host = true;                 ///< the certificate must be for the host's name

  /// Reads librdkafka's names (security.protocol, sasl.username, ssl.ca.location, ...), to which Java's are translated
  /// elsewhere. Errors: kInvalidConfig for a protocol or mechanism that is not known, or a SASL user that is missing.
  static Expected<WireConnectionOptions> parse(const std::map<std::string, std::string>& settings);
};

struct VersionRange {
  int16_t min = 0;
  int16_t max = 0;
};

/// Threads: one.
class WireConnection {
 public:
  /// Connects, agrees on TLS, authenticates and asks for the broker's versions. Errors: kUnavailable, kInvalidConfig
  /// (SaslAuthenticationException, SslAuthenticationException) when the broker or the client refuses the other.
  static Expected<std::unique_ptr<WireConnection>> open(const std::string& host, int32_t port,
                                                        const WireConnectionOptions& options);
  virtual ~WireConnection() = default;

  /// The highest version in [`min`, `max`] that the broker has. Errors: kConflict (UnsupportedVersionException).
  Expected<int16_t> pick_version(int16_t api_key, int16_t min, int16_t max) const;
  const std::map<int16_t, VersionRange>& versions() const { return versions_; }
  /// The bytes of the ApiVersions answer's body, in kApiVersionsVersion.
  const std::string& versions_body() const { return versions_body_; }
  static constexpr int16_t kApiVersionsVersion = 3;
  /// Version of versions_body(): 3, or 0 of a broker that knows no other.
  int16_t versions_version() const { return versions_version_; }

  /// Sends a request and waits for its answer: the bytes behind the response header. Errors: kUnavailable.
  virtual Expected<std::string> exchange(int16_t api_key, int16_t version, bool flexible, BytesView body) = 0;

 protected:
  std::map<int16_t, VersionRange> versions_;
  std::string versions_body_;
  int16_t versions_version_ = kApiVersionsVersion;
};

}  // namespace millrace
