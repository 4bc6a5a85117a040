#include "tools/connection_options.h"

#include <fmt/format.h>

#include <charconv>

namespace millrace {
namespace {

bool names_host_and_port(std::string_view server) {
  const size_t colon = server.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  uint16_t port = 0;
  const std::string_view text = server.substr(colon + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string bootstrap_problem(const ParsedOptions& options) {
  const std::string servers = options.text("bootstrap-server");
  for (size_t at = 0; at <= servers.size();) {
    const size_t end = std::min(servers.find(',', at), servers.size());
    const std::string_view server = std::string_view(servers).substr(at, end - at);
    if (!names_host_and_port(server)) {
      return fmt::format(
          "--bootstrap-server: '{}' is not host:port. Please provide valid host:port like "
          "host1:9091,host2:9092\n",
          server);
    }
    at = end + 1;
  }
  return {};
}

}  // namespace millrace
