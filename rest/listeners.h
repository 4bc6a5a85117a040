/// Where the REST API listens and under which address others reach it: `listeners`, `admin.listeners` and
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
  std::string host;     ///< empty = all addresses; IPv6 without brackets
  int port = 0;         ///< 0 = any free port
  bool secure = false;  ///< https

  bool operator==(const Listener&) const = default;
};

struct ListenerConfig {
  std::vector<Listener> listeners;  ///< `listeners`, http://:8083 if absent
  /// `admin.listeners`: nothing: /admin/* is on the listeners; none: it does not exist; else it is only there.
  std::optional<std::vector<Listener>> admin;
  std::optional<std::string> advertised_host;
  std::optional<int> advertised_port;
  std::optional<bool> advertised_secure;  ///< of `rest.advertised.listener`

  /// Other keys are not looked at. Errors: kInvalidConfig naming the key, the value and what is expected.
  static Expected<ListenerConfig> parse(const ConfigMap& worker);

  /// The listener that others are told of: the first of the advertised protocol, else the first.
  size_t advertised_listener() const;
};

/// `host:port`, with brackets around an IPv6 address.
std::string host_and_port(std::string_view host, int port);

/// An address of this machine for others to use when none is configured; 127.0.0.1 if there is no better one.
std::string local_address();

}  // namespace millrace
