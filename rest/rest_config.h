/// All that a worker's settings say about its REST server.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.h"
#include "net/tls.h"
#include "rest/listeners.h"
#include "rest/response_headers.h"

namespace millrace {

struct CorsConfig {
  std::vector<std::string> origins;  ///< `access.control.allow.origin`; may hold `*`. None: no CORS headers at all
  std::vector<std::string> methods = {"GET", "POST", "HEAD"};  ///< `access.control.allow.methods`
};

struct RestConfig : ListenerConfig {
  CorsConfig cors;
  std::vector<HeaderRule> response_headers;  ///< `response.http.headers.config`
  std::string basic_auth_file;               ///< user=password lines; empty = no authentication
  ConfigMap tls;                             ///< `ssl.*` of the listeners, without a prefix
  ConfigMap admin_tls;                       ///< and of the admin listeners

  /// Reads `listeners`, `admin.listeners`, `rest.advertised.*`, `access.control.*`, `response.http.headers.config`,
  /// `rest.extension.classes`, `millrace.rest.basic.auth.file`, and TLS: if any key begins with `listeners.https.`
  /// (`admin.listeners.https.`) those, without that prefix, else the worker's `ssl.*`. `kafka_opts` names the JAAS
  /// file. Errors: kInvalidConfig naming the key, the value and what is expected.
  static Expected<RestConfig> parse(const ConfigMap& worker, std::string_view kafka_opts = environment("KAFKA_OPTS"));

 private:
  static std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
  }
};

/// The certificate and the rules of `ssl.*` settings. Reads the stores: PEM files, PEM texts, PKCS12.
/// Errors: kInvalidConfig naming the key; kUnavailable for a file that cannot be read.
Expected<std::shared_ptr<TlsContext>> make_tls(const ConfigMap& ssl, FileSystem& files);

}  // namespace millrace
