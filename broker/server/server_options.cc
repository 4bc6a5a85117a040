#include "broker/server/server_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace millrace {
namespace {

tl::unexpected<Error> bad(std::string_view key, std::string_view value, std::string_view why) {
  return fail(Error{ErrorCode::kInvalidConfig,
                    fmt::format("Invalid value {} for configuration {}: {}", value, key, why),
                    "org.apache.kafka.common.config.ConfigException"});
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (std::string item = trimmed(text.substr(0, comma)); !item.empty()) items.push_back(std::move(item));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

/// Settings with the prefix of a listener before those without.
class Settings {
 public:
  explicit Settings(const ConfigMap& map, std::string prefix = {}) : map_(map), prefix_(std::move(prefix)) {}

  std::string text(const std::string& key, std::string fallback = {}) const {
    if (!prefix_.empty()) {
      if (const auto found = map_.find(prefix_ + key); found != map_.end()) return trimmed(found->second);
    }
    const auto found = map_.find(key);
    return found == map_.end() ? fallback : trimmed(found->second);
  }

  Expected<int64_t> number(const std::string& key, int64_t fallback, int64_t lowest) const {
    const std::string value = text(key);
    if (value.empty()) return fallback;
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) return bad(key, value, "Not a whole number");
    if (number < lowest) return bad(key, value, fmt::format("Value must be at least {}", lowest));
    return number;
  }

 private:
  const ConfigMap& map_;
  const std::string prefix_;
};

struct Endpoint {
  std::string name, host;
  uint16_t port;
};

/// `NAME://host:port`; IPv6 hosts in brackets.
Expected<Endpoint> parse_endpoint(std::string_view key, const std::string& text) {
  const size_t scheme = text.find("://"), colon = text.rfind(':');
  if (scheme == std::string::npos || scheme == 0 || colon < scheme + 3)
    return bad(key, text, "write it as NAME://host:port, as in PLAINTEXT://localhost:9092");
  std::string host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end) return bad(key, text, "the port must be a number from 0 to 65535");
  return Endpoint{upper(text.substr(0, scheme)), std::move(host), port};
}

Expected<SecurityProtocol> parse_protocol(std::string_view key, const std::string& text) {
  const std::string name = upper(text);
  if (name == "PLAINTEXT") return SecurityProtocol::kPlaintext;
  if (name == "SSL") return SecurityProtocol::kSsl;
  if (name == "SASL_PLAINTEXT") return SecurityProtocol::kSaslPlaintext;
  if (name == "SASL_SSL") return SecurityProtocol::kSaslSsl;
  return bad(key, text, "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL");
}

Expected<std::map<std::string, SecurityProtocol>> protocol_map(const Settings& settings) {
  constexpr std::string_view key = "listener.security.protocol.map";
  std::map<std::string, SecurityProtocol> map = {{"PLAINTEXT", SecurityProtocol::kPlaintext},
                                                 {"SSL", SecurityProtocol::kSsl},
                                                 {"SASL_PLAINTEXT", SecurityProtocol::kSaslPlaintext},
                                                 {"SASL_SSL", SecurityProtocol::kSaslSsl}};
  for (const std::string& item : list(settings.text(std::string(key)))) {
    const size_t colon = item.find(':');
    if (colon == std::string::npos) return bad(key, item, "write it as NAME:PROTOCOL");
    auto protocol = parse_protocol(key, trimmed(item.substr(colon + 1)));
    if (!protocol) return fail(std::move(protocol.error()));
    map[upper(trimmed(item.substr(0, colon)))] = *protocol;
  }
  return map;
}

/// A key or trust store: by file, or PEM text in the settings themselves.
Expected<std::string> read_store(const Settings& settings, FileSystem& fs, const std::string& location_key,
                                 std::initializer_list<std::string> text_keys) {
  std::string text;
  for (const std::string& key : text_keys) {
    if (const std::string part = settings.text(key); !part.empty()) text += part + "\n";
  }
  const std::string location = settings.text(location_key);
  if (!text.empty() || location.empty()) return text;
  auto bytes = fs.read_file(location);
  if (!bytes) return fail(std::move(bytes.error()).wrap(fmt::format("{} cannot be read", location_key)));
  return bytes;
}

Expected<TlsOptions> parse_tls(const Settings& settings, FileSystem& fs, const std::string& listener) {
  TlsOptions tls;
  auto keys = read_store(settings, fs, "ssl.keystore.location", {"ssl.keystore.key", "ssl.keystore.certificate.chain"});
  if (!keys) return fail(std::move(keys.error()));
  if (keys->empty()) {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("listener {} needs a certificate: set ssl.keystore.location (a PEM file with private key and "
                    "certificate chain, or a PKCS12 store), or ssl.keystore.key and ssl.keystore.certificate.chain",
                    listener));
  }
  tls.key_store = std::move(*keys);
  tls.key_store_password = settings.text("ssl.keystore.password");
  tls.key_password = settings.text("ssl.key.password");
  auto trust = read_store(settings, fs, "ssl.truststore.location", {"ssl.truststore.certificates"});
  if (!trust) return fail(std::move(trust.error()));
  tls.trust_store = std::move(*trust);
  tls.trust_store_password = settings.text("ssl.truststore.password");
  const std::string client_auth = lower(settings.text("ssl.client.auth", "none"));
  if (client_auth == "required") {
    tls.client_auth = TlsOptions::ClientAuth::kRequired;
  } else if (client_auth == "requested") {
    tls.client_auth = TlsOptions::ClientAuth::kRequested;
  } else if (client_auth != "none") {
    return bad("ssl.client.auth", client_auth, "must be one of required, requested, none");
  }
  if (auto protocols = list(settings.text("ssl.enabled.protocols")); !protocols.empty())
    tls.protocols = std::move(protocols);
  for (const std::string& cipher : list(settings.text("ssl.cipher.suites")))
    tls.ciphers += (tls.ciphers.empty() ? "" : ":") + cipher;
  return tls;
}

Expected<std::vector<ListenerOptions>> parse_listeners(const ConfigMap& map, const Settings& settings, FileSystem& fs) {
  auto protocols = protocol_map(settings);
  if (!protocols) return fail(std::move(protocols.error()));
  std::set<std::string> controllers;
  for (const std::string& name : list(settings.text("controller.listener.names"))) controllers.insert(upper(name));

  std::vector<ListenerOptions> listeners;
  for (const std::string& text : list(settings.text("listeners", "PLAINTEXT://:9092"))) {
    auto endpoint = parse_endpoint("listeners", text);
    if (!endpoint) return fail(std::move(endpoint.error()));
    if (controllers.contains(endpoint->name)) continue;
    const auto protocol = protocols->find(endpoint->name);
    if (protocol == protocols->end())
      return bad("listeners", text, fmt::format("add {} to listener.security.protocol.map", endpoint->name));
    if (std::any_of(listeners.begin(), listeners.end(), [&](const auto& l) { return l.name == endpoint->name; }))
      return bad("listeners", text, "Each listener must have a different name");
    ListenerOptions listener;
    listener.name = endpoint->name;
    listener.host = endpoint->host;
    listener.port = endpoint->port;
    listener.protocol = protocol->second;
    if (listener.has_tls()) {
      auto tls = parse_tls(Settings(map, "listener.name." + lower(listener.name) + "."), fs, listener.name);
      if (!tls) return fail(std::move(tls.error()));
      listener.tls = std::move(*tls);
    }
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) return bad("listeners", settings.text("listeners"), "at least one listener is needed");
  return listeners;
}

Status set_advertised(const Settings& settings, std::vector<ListenerOptions>& listeners) {
  for (const std::string& text : list(settings.text("advertised.listeners"))) {
    auto endpoint = parse_endpoint("advertised.listeners", text);
    if (!endpoint) return fail(std::move(endpoint.error()));
    if (endpoint->host == "0.0.0.0")
      return bad("advertised.listeners", text, "clients cannot connect to 0.0.0.0: name the machine");
    for (ListenerOptions& listener : listeners) {
      if (listener.name != endpoint->name) continue;
      listener.advertised_host = endpoint->host;
      listener.advertised_port = endpoint->port;
    }
  }
  return {};
}

Status set_limits(const Settings& settings, ServerOptions& options) {
  const auto limit = [&](const std::string& key, size_t& to, int64_t lowest) -> Status {
    // Kafka's defaults of INT_MAX mean no limit, as ours of SIZE_MAX do.
    auto value = settings.number(key, -1, lowest);
    if (!value) return fail(std::move(value.error()));
    if (!settings.text(key).empty()) to = static_cast<size_t>(*value);
    return {};
  };
  if (auto s = limit("num.network.threads", options.threads, 1); !s) return s;
  if (auto s = limit("socket.request.max.bytes", options.request_bytes_max, 1); !s) return s;
  if (auto s = limit("sasl.server.max.receive.size", options.unauthenticated_request_bytes_max, 1); !s) return s;
  if (auto s = limit("max.connections", options.connections_max, 0); !s) return s;
  if (auto s = limit("max.connections.per.ip", options.connections_per_ip_max, 0); !s) return s;
  auto idle = settings.number("connections.max.idle.ms", options.idle_max.count(), INT64_MIN);
  if (!idle) return fail(std::move(idle.error()));
  options.idle_max = std::chrono::milliseconds(*idle);

  const std::string key = "max.connections.per.ip.overrides";
  for (const std::string& item : list(settings.text(key))) {
    const size_t colon = item.rfind(':');
    int64_t count = -1;
    if (colon != std::string::npos) std::from_chars(item.data() + colon + 1, item.data() + item.size(), count);
    if (count < 0) return bad(key, item, "write it as address:count");
    options.connections_per_ip_overrides[trimmed(item.substr(0, colon))] = static_cast<size_t>(count);
  }
  return {};
}

}  // namespace

Expected<ServerOptions> ServerOptions::parse(const ConfigMap& map, FileSystem& fs) {
  const Settings settings(map);
  ServerOptions options;
  auto listeners = parse_listeners(map, settings, fs);
  if (!listeners) return fail(std::move(listeners.error()));
  options.listeners = std::move(*listeners);
  if (auto set = set_advertised(settings, options.listeners); !set) return fail(std::move(set.error()));
  if (auto set = set_limits(settings, options); !set) return fail(std::move(set.error()));
  return options;
}

}  // namespace millrace
