#include "rest/listeners.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "rest/message.h"

namespace millrace {
namespace {

constexpr std::string_view kDefaultListeners = "http://:8083";
constexpr int kMaxPort = 65535;

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > kMaxPort) return {};
  return port;
}

Expected<Listener> parse_listener(std::string_view key, std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{0}: '{1}' {2}; write http://host:port or https://host:port, for example {0}=http://:8083",
                            key, text, why));
  };
  const size_t scheme = text.find("://");
  if (scheme == text.npos) return refuse("has no scheme");
  const std::string protocol = lower_case(text.substr(0, scheme));
  if (protocol != "http" && protocol != "https") return refuse("has an unknown scheme");
  const std::string_view rest = text.substr(scheme + 3);
  const size_t colon = rest.rfind(':');
  if (colon == rest.npos) return refuse("has no port");
  const auto port = parse_port(rest.substr(colon + 1));
  if (!port) return refuse("has a port that is not a number from 0 to 65535");
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Listener{std::string(host), *port, protocol == "https"};
}

Expected<std::vector<Listener>> parse_list(std::string_view key, std::string_view left) {
  std::vector<Listener> listeners;
  while (!left.empty()) {
    const size_t comma = left.find(',');
    const std::string_view entry = trim(left.substr(0, comma));
    left = comma == left.npos ? std::string_view() : left.substr(comma + 1);
    if (entry.empty()) continue;
    auto listener = parse_listener(key, entry);
    if (!listener) return fail(std::move(listener.error()));
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

const std::string* find(const ConfigMap& worker, const std::string& key) {
  const auto found = worker.find(key);
  return found == worker.end() || trim(found->second).empty() ? nullptr : &found->second;
}

Status parse_advertised(const ConfigMap& worker, ListenerConfig& config) {
  if (const std::string* host = find(worker, "rest.advertised.host.name")) config.advertised_host = trim(*host);
  if (const std::string* text = find(worker, "rest.advertised.port")) {
    config.advertised_port = parse_port(trim(*text));
    if (!config.advertised_port) {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("rest.advertised.port: '{}' is not a port number from 0 to 65535", *text));
    }
  }
  if (const std::string* text = find(worker, "rest.advertised.listener")) {
    const std::string protocol = lower_case(trim(*text));
    if (protocol != "http" && protocol != "https") {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("rest.advertised.listener: '{}' is unknown; it can be http or https", *text));
    }
    config.advertised_secure = protocol == "https";
  }
  return {};
}

}  // namespace

Expected<ListenerConfig> ListenerConfig::parse(const ConfigMap& worker) {
  ListenerConfig config;
  const std::string* configured = find(worker, "listeners");
  auto listeners = parse_list("listeners", configured != nullptr ? std::string_view(*configured) : kDefaultListeners);
  if (!listeners) return fail(std::move(listeners.error()));
  if (listeners->empty()) {
    return fail(ErrorCode::kInvalidConfig, "listeners: the list is empty; write for example listeners=http://:8083");
  }
  config.listeners = std::move(*listeners);
  if (const auto admin = worker.find("admin.listeners"); admin != worker.end()) {
    auto list = parse_list("admin.listeners", admin->second);
    if (!list) return fail(std::move(list.error()));
    config.admin = std::move(*list);
  }
  if (Status status = parse_advertised(worker, config); !status) return fail(std::move(status.error()));
  return config;
}

size_t ListenerConfig::advertised_listener() const {
  // Plain HTTP is what others are told of, unless there is none or https was asked for.
  const auto wanted = std::ranges::find(listeners, advertised_secure.value_or(false), &Listener::secure);
  return wanted == listeners.end() ? 0 : static_cast<size_t>(wanted - listeners.begin());
}

std::string host_and_port(std::string_view host, int port) {
  return host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::string local_address() {
  constexpr std::string_view kLoopback = "127.0.0.1";
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return std::string(kLoopback);
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(name.data(), nullptr, &hints, &found) != 0) return std::string(kLoopback);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return std::string(kLoopback);
  }
  return text.data();
}

}  // namespace millrace
