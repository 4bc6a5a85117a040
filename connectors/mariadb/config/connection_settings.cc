#include "connectors/mariadb/config/connection_settings.h"

#include "connectors/mariadb/config/tls_stores.h"
#include "connectors/mariadb/config/value_rules.h"

namespace millrace::mariadb {
namespace {

using Tls = ConnectionOptions::Tls;

Result<Tls> tls_mode(const std::string& text) {
  const std::string mode = lower(text);
  if (mode.empty() || mode == "disable" || mode == "disabled") return Tls::kDisable;
  if (mode == "preferred") return Tls::kPrefer;
  if (mode == "trust" || mode == "required") return Tls::kTrust;
  if (mode == "verify-ca" || mode == "verify_ca") return Tls::kVerifyCa;
  if (mode == "verify-full" || mode == "verify_identity") return Tls::kVerifyFull;
  return Status(Code::kInvalidConfig, "database.ssl.mode: " + text + " is not a mode");
}

Status read_stores(const sdk::Config& config, ConnectionOptions& options) {
  options.tls_ca = config.string("database.ssl.ca");
  options.tls_certificate = config.string("database.ssl.cert");
  options.tls_key = config.string("database.ssl.key");
  if (const std::string path = config.string("database.ssl.truststore"); !path.empty() && options.tls_ca.empty()) {
    auto store = open_tls_store("database.ssl.truststore", path, config.string("database.ssl.truststore.password"));
    if (!store.ok()) return store.status();
    options.tls_ca = store->authorities;
  }
  if (const std::string path = config.string("database.ssl.keystore"); !path.empty() && options.tls_key.empty()) {
    auto store = open_tls_store("database.ssl.keystore", path, config.string("database.ssl.keystore.password"));
    if (!store.ok()) return store.status();
    options.tls_certificate = store->certificate;
    options.tls_key = store->key;
  }
  return {};
}

}  // namespace

std::vector<std::string> split_statements(std::string_view text) {
  std::vector<std::string> all(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ';') {
      all.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ';') {
      all.back() += text[i++];
    } else {
      all.emplace_back();
    }
  }
  std::erase_if(all, [](const std::string& each) { return each.find_first_not_of(" \t\r\n") == std::string::npos; });
  return all;
}

Result<ConnectionOptions> connection_options(const sdk::Config& config) {
  ConnectionOptions options;
  options.host = config.string("database.hostname");
  options.user = config.string("database.user");
  options.password = config.string("database.password");
  if (config.get("database.port")) {
    const int64_t port = config.int64("database.port");
    // 0 would mean the default port to the client library.
    if (port <= 0 || port > 65535)
      return Status(Code::kInvalidConfig, "database.port: port out of range:" + std::to_string(port));
    options.port = static_cast<uint16_t>(port);
  }
  if (config.get("connect.timeout.ms")) options.connect_timeout_ms = config.int64("connect.timeout.ms");
  if (config.get("database.query.timeout.ms")) options.query_timeout_ms = config.int64("database.query.timeout.ms");
  auto mode = tls_mode(config.string("database.ssl.mode"));
  if (!mode.ok()) return mode.status();
  options.tls = *mode;
  if (options.tls != Tls::kDisable) {
    if (Status s = read_stores(config, options); !s.ok()) return s;
  }
  options.initial_statements = split_statements(config.string("database.initial.statements"));
  return options;
}

}  // namespace millrace::mariadb
