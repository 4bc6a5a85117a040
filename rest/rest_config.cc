#include "rest/rest_config.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "rest/basic_auth.h"
#include "rest/message.h"

namespace millrace {
namespace {

constexpr std::string_view kBasicAuthClass =
    "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
constexpr std::string_view kBasicAuthFile = "millrace.rest.basic.auth.file";

std::string text_of(const ConfigMap& worker, std::string_view key) {
  const auto found = worker.find(std::string(key));
  return found == worker.end() ? std::string() : std::string(trim_blanks(found->second));
}

std::vector<std::string> list_of(const ConfigMap& worker, std::string_view key) {
  std::vector<std::string> list;
  const std::string text = text_of(worker, key);
  for (std::string_view left = text; !left.empty();) {
    const size_t comma = left.find(',');
    if (const auto entry = trim_blanks(left.substr(0, comma)); !entry.empty()) list.emplace_back(entry);
    left = comma == left.npos ? std::string_view() : left.substr(comma + 1);
  }
  return list;
}

/// Only the prefixed keys if there is one, else the worker's own.
ConfigMap ssl_settings(const ConfigMap& worker, std::string_view prefix) {
  ConfigMap prefixed, own;
  for (const auto& [key, value] : worker) {
    if (key.starts_with(prefix)) prefixed[key.substr(prefix.size())] = value;
    if (key.starts_with("ssl.")) own[key] = value;
  }
  return prefixed.empty() ? own : prefixed;
}

/// The file with users and passwords, if requests are to be authenticated.
Expected<std::string> find_basic_auth_file(const ConfigMap& worker, std::string_view kafka_opts) {
  bool wanted = false;
  for (const std::string& extension : list_of(worker, "rest.extension.classes")) {
    if (extension != kBasicAuthClass) {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("rest.extension.classes: {} is not known here; only {} is", extension, kBasicAuthClass));
    }
    wanted = true;
  }
  if (std::string own = text_of(worker, kBasicAuthFile); !own.empty()) return own;
  if (!wanted) return std::string();
  return basic_auth_file_of_jaas(kafka_opts, kBasicAuthFile);
}

tl::unexpected<Error> bad(std::string_view key, std::string_view value, std::string_view why) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("{}: '{}' {}", key, value, why));
}

/// PEM texts of the settings themselves, or the bytes of a file.
Expected<std::string> read_store(const ConfigMap& ssl, FileSystem& files, std::string_view location_key,
                                 std::initializer_list<std::string_view> text_keys) {
  std::string text;
  for (const std::string_view key : text_keys) {
    if (const std::string part = text_of(ssl, key); !part.empty()) text += part + "\n";
  }
  const std::string location = text_of(ssl, location_key);
  if (!text.empty() || location.empty()) return text;
  auto bytes = files.read_file(location);
  if (!bytes) return fail(std::move(bytes.error()).wrap(fmt::format("{} cannot be read", location_key)));
  return bytes;
}

/// The bytes of a store tell PEM from PKCS12, so the type is only checked.
Status check_store_type(const ConfigMap& ssl, std::string_view store) {
  const std::string key = fmt::format("ssl.{}.type", store);
  const std::string type = text_of(ssl, key);
  if (type.empty() || equals_ignoring_case(type, "PEM") || equals_ignoring_case(type, "PKCS12")) return {};
  if (equals_ignoring_case(type, "JKS")) {
    return bad(key, type,
               "stores cannot be read here; convert it by `keytool -importkeystore -srckeystore old.jks -destkeystore "
               "new.p12 -deststoretype PKCS12` and set the location and the type PKCS12");
  }
  return bad(key, type, "is unknown; it can be PEM or PKCS12");
}

/// Java writes the names of the standard, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, OpenSSL its own. Those of TLS 1.3
/// are always on.
Expected<std::string> openssl_ciphers(const std::vector<std::string>& suites) {
  std::string list;
  for (const std::string& suite : suites) {
    std::string_view name = suite;
    if (suite.starts_with("TLS_")) {
      if (suite.find("_WITH_") == suite.npos) continue;
      name = ::OPENSSL_cipher_name(suite.c_str());
      if (name == "(NONE)") return bad("ssl.cipher.suites", suite, "names no cipher that OpenSSL knows");
    }
    list += (list.empty() ? "" : ":") + std::string(name);
  }
  return list;
}

Status use_client_auth(const ConfigMap& ssl, TlsOptions& options) {
  const std::string text = text_of(ssl, "ssl.client.auth");
  const std::string wish = lower_case(text);
  if (wish == "required") {
    options.client_auth = TlsOptions::ClientAuth::kRequired;
  } else if (wish == "requested") {
    options.client_auth = TlsOptions::ClientAuth::kRequested;
  } else if (!wish.empty() && wish != "none") {
    return bad("ssl.client.auth", text, "is unknown; it can be required, requested or none");
  }
  return {};
}

}  // namespace

Expected<RestConfig> RestConfig::parse(const ConfigMap& worker, std::string_view kafka_opts) {
  auto listeners = ListenerConfig::parse(worker);
  if (!listeners) return fail(std::move(listeners.error()));
  RestConfig config;
  static_cast<ListenerConfig&>(config) = std::move(*listeners);
  config.cors.origins = list_of(worker, "access.control.allow.origin");
  if (auto methods = list_of(worker, "access.control.allow.methods"); !methods.empty())
    config.cors.methods = std::move(methods);
  auto rules = parse_header_rules(text_of(worker, "response.http.headers.config"));
  if (!rules) return fail(std::move(rules.error()));
  config.response_headers = std::move(*rules);
  auto file = find_basic_auth_file(worker, kafka_opts);
  if (!file) return fail(std::move(file.error()));
  config.basic_auth_file = std::move(*file);
  config.tls = ssl_settings(worker, "listeners.https.");
  config.admin_tls = ssl_settings(worker, "admin.listeners.https.");
  return config;
}

Expected<std::shared_ptr<TlsContext>> make_tls(const ConfigMap& ssl, FileSystem& files) {
  for (const std::string_view store : {"keystore", "truststore"}) {
    if (Status known = check_store_type(ssl, store); !known) return fail(std::move(known.error()));
  }
  TlsOptions options;
  auto keys = read_store(ssl, files, "ssl.keystore.location", {"ssl.keystore.key", "ssl.keystore.certificate.chain"});
  if (!keys) return fail(std::move(keys.error()));
  if (keys->empty()) {
    return fail(ErrorCode::kInvalidConfig,
                "an https listener needs a certificate: set listeners.https.ssl.keystore.location (a PEM file with "
                "private key and certificate chain, or a PKCS12 store) or the worker's ssl.keystore.location");
  }
  options.key_store = std::move(*keys);
  options.key_store_password = text_of(ssl, "ssl.keystore.password");
  options.key_password = text_of(ssl, "ssl.key.password");
  auto trust = read_store(ssl, files, "ssl.truststore.location", {"ssl.truststore.certificates"});
  if (!trust) return fail(std::move(trust.error()));
  options.trust_store = std::move(*trust);
  options.trust_store_password = text_of(ssl, "ssl.truststore.password");
  if (Status used = use_client_auth(ssl, options); !used) return fail(std::move(used.error()));
  if (auto protocols = list_of(ssl, "ssl.enabled.protocols"); !protocols.empty())
    options.protocols = std::move(protocols);
  auto ciphers = openssl_ciphers(list_of(ssl, "ssl.cipher.suites"));
  if (!ciphers) return fail(std::move(ciphers.error()));
  options.ciphers = std::move(*ciphers);
  return TlsContext::create(options);
}

}  // namespace millrace
