#include "cli/worker_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace millrace {
namespace {

/// What of the worker's settings concerns the embedded log, under the names of server.properties: log.* and a few
/// others as they are; `log.listeners`, since `listeners` is REST's; anything else with the prefix `broker.`.
ConfigMap log_settings(const WorkerConfig& config) {
  constexpr std::string_view kPrefix = "broker.";
  constexpr std::string_view kShared[] = {"num.partitions", "auto.create.topics.enable", "message.max.bytes"};
  ConfigMap settings = {{"listeners", "PLAINTEXT://127.0.0.1:9092"}};
  for (const auto& [name, value] : config.all) {
    if (name == "log.listeners" || name == "log.advertised.listeners") {
      settings[name.substr(4)] = value;
    } else if (name.starts_with("log.") ||
               std::find(std::begin(kShared), std::end(kShared), name) != std::end(kShared)) {
      settings[name] = value;
    } else if (name.starts_with(kPrefix) && name != "broker.id") {
      settings[name.substr(kPrefix.size())] = value;
    }
  }
  settings["log.dirs"] = config.log_dirs;
  return settings;
}

struct HostPort {
  std::string host, port;
};

/// "PLAINTEXT://[::1]:9092" or "localhost:9092".
HostPort host_port(std::string_view address) {
  if (const size_t scheme = address.find("://"); scheme != address.npos) address.remove_prefix(scheme + 3);
  const size_t colon = address.rfind(':');
  if (colon == address.npos) return {std::string(address), {}};
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {std::string(host), std::string(address.substr(colon + 1))};
}

bool is_this_machine(const std::string& host) {
  constexpr std::array<std::string_view, 5> kLocal = {"localhost", "127.0.0.1", "::1", "0.0.0.0", ""};
  if (std::ranges::find(kLocal, host) != kLocal.end()) return true;
  std::array<char, 256> own{};
  return ::gethostname(own.data(), own.size() - 1) == 0 && host == own.data();
}

/// Whether an address of bootstrap.servers is one of the listeners.
bool is_own(const std::string& server, const std::vector<std::string>& listeners) {
  const HostPort wanted = host_port(server);
  return std::any_of(listeners.begin(), listeners.end(), [&](const std::string& listener) {
    const HostPort own = host_port(listener);
    return own.port == wanted.port && (own.host == wanted.host || is_this_machine(wanted.host));
  });
}

}  // namespace

Expected<std::unique_ptr<ServedLog>> open_worker_log(FileSystem& files, Clock& clock, const Logger& logger,
                                                     const WorkerConfig& config) {
  ConfigMap settings = log_settings(config);
  const bool quiet = settings["listeners"] == "none";
  std::vector<std::string> listeners = split_list(settings["listeners"]);
  for (const std::string& advertised : split_list(settings["advertised.listeners"])) listeners.push_back(advertised);
  if (settings["advertised.listeners"].empty()) settings.erase("advertised.listeners");
  if (quiet) settings.erase("listeners");
  const std::vector<std::string> servers = split_list(config.bootstrap_servers);
  const bool own =
      std::all_of(servers.begin(), servers.end(), [&](const std::string& server) { return is_own(server, listeners); });
  if (!own) {
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("bootstrap.servers={} asks for a Kafka cluster, which this version does not reach yet. "
                    "Remove the line, or name this worker's own log ({}): topics are then kept in the embedded "
                    "log under log.dirs={}.",
                    config.bootstrap_servers, quiet ? "log.listeners=none" : settings["listeners"], config.log_dirs));
  }
  if (servers.empty())
    return ServedLog::open(files, clock, logger, settings,
                           quiet ? ServedLog::Listeners::kNone : ServedLog::Listeners::kOptional);
  // Another program on that port may be the Kafka that was meant.
  auto log = ServedLog::open(files, clock, logger, settings, ServedLog::Listeners::kRequired);
  if (!log) {
    return fail(std::move(log.error())
                    .wrap(fmt::format("bootstrap.servers={} means this worker's own log, which cannot be served there. "
                                      "If a Kafka cluster is meant: this version does not reach one yet",
                                      config.bootstrap_servers)));
  }
  logger.info("embedded_log", {{"bootstrap_servers", config.bootstrap_servers},
                               {"meaning", "this worker's own log, under log.dirs=" + config.log_dirs}});
  return log;
}

}  // namespace millrace
