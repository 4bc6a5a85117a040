/// What the broker's sockets can be told, and how server.properties says it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config_def.h"
#include "core/error.h"
#include "core/file_system.h"
#include "net/tls.h"

namespace millrace {

enum class SecurityProtocol { kPlaintext, kSsl, kSaslPlaintext, kSaslSsl };

struct ListenerOptions {
  std::string name = "PLAINTEXT";
  std::string host = {};  ///< empty = every address
  uint16_t port = 9092;   ///< 0 = any free port
  SecurityProtocol protocol = SecurityProtocol::kPlaintext;
  std::string advertised_host = {};                        ///< empty = `host`, or the machine's name when that is empty
  std::optional<uint16_t> advertised_port = std::nullopt;  ///< none = the bound port
  TlsOptions tls = {};                                     ///< for kSsl and kSaslSsl

  bool has_tls() const { return protocol == SecurityProtocol::kSsl || protocol == SecurityProtocol::kSaslSsl; }
  bool has_sasl() const {
    return protocol == SecurityProtocol::kSaslPlaintext || protocol == SecurityProtocol::kSaslSsl;
  }
};

struct ServerOptions {
  std::vector<ListenerOptions> listeners = {ListenerOptions{}};
  size_t threads = 0;                                               ///< num.network.threads; 0 = the cores, at most 2
  size_t request_bytes_max = 104857600;                             ///< socket.request.max.bytes
  size_t unauthenticated_request_bytes_max = 524288;                ///< sasl.server.max.receive.size
  std::chrono::milliseconds idle_max{600000};                       ///< connections.max.idle.ms; negative = no limit
  size_t connections_max = SIZE_MAX;                                ///< max.connections: further clients wait
  size_t connections_per_ip_max = SIZE_MAX;                         ///< max.connections.per.ip: further ones are closed
  std::map<std::string, size_t> connections_per_ip_overrides = {};  ///< max.connections.per.ip.overrides
  size_t pipelined_requests_max = 64;  ///< requests of a pipelined API that one connection may have under way
  size_t output_bytes_max = 1 << 20;   ///< answers that a client has not read, before its next request is handled

  /// Reads `listeners`, `advertised.listeners`, `listener.security.protocol.map`, the ssl.* settings (also with the
  /// prefix `listener.name.<listener>.`) and those named above. Listeners of `controller.listener.names` are left out.
  /// Errors: kInvalidConfig, naming the setting; kNotFound or kUnavailable for a key store that cannot be read.
  static Expected<ServerOptions> parse(const ConfigMap& settings, FileSystem& fs);
};

}  // namespace millrace
