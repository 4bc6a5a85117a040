/// Where the REST API listens and under which address others reach it: the worker's `listeners` and
/// `rest.advertised.*`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "runtime/herder.h"

namespace millrace {

struct Listener {
  std::string host;  ///< empty = all addresses; IPv6 without brackets
  int port = 0;      ///< 0 = any free port

  bool operator==(const Listener&) const = default;
};

struct RestConfig {
  std::vector<Listener> listeners;
  std::optional<std::string> advertised_host;
  std::optional<int> advertised_port;

  /// Reads `listeners` (default http://:8083), `rest.advertised.host.name`, `rest.advertised.port` and
  /// `rest.advertised.listener` of a worker's configuration; other keys are not looked at.
  /// Errors: kInvalidConfig naming the key, the value and what is expected.
  static Expected<RestConfig> parse(const ConfigMap& worker);
};

/// `host:port`, with brackets around an IPv6 address.
std::string host_and_port(std::string_view host, int port);

/// An address of this machine for others to use when none is configured; 127.0.0.1 if there is no better one.
std::string local_address();

}  // namespace millrace
