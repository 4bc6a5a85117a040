#include "cli/served_log.h"

#include <fmt/format.h>

#include "broker/node_settings.h"

namespace millrace {
namespace {

constexpr std::chrono::seconds kDrainGrace{5};

}  // namespace

Expected<std::unique_ptr<ServedLog>> ServedLog::open(FileSystem& fs, Clock& clock, Logger logger,
                                                     const ConfigMap& settings, Listeners listeners) {
  auto options = parse_node_settings(settings);
  if (!options) return fail(std::move(options.error()));
  std::unique_ptr<ServedLog> log(new ServedLog());
  // Ports are bound first: the commonest mistake is told before the folder is touched.
  if (listeners != Listeners::kNone) {
    auto server_options = ServerOptions::parse(settings, fs);
    if (!server_options) return fail(std::move(server_options.error()));
    auto server = BrokerServer::open(clock, logger, std::move(*server_options));
    if (server) {
      log->server_ = std::move(*server);
      options->advertised = log->server_->advertised();
    } else if (listeners == Listeners::kRequired || server.error().code != ErrorCode::kUnavailable) {
      return fail(std::move(server.error()));
    } else {
      logger.warn("log_listeners_unavailable",
                  {{"error", server.error().message},
                   {"effect", "Kafka clients cannot reach this worker's log; connectors are not affected"},
                   {"next", "set log.listeners to a free port, or to none"}});
    }
  }
  auto node = Node::open(fs, clock, logger, std::move(*options));
  if (!node) return fail(std::move(node.error()));
  log->node_ = std::move(*node);
  if (log->server_ != nullptr) {
    if (auto started = log->server_->start(log->node_->services(), log->node_->apis()); !started)
      return fail(std::move(started.error()));
  }
  return log;
}

ServedLog::~ServedLog() {
  if (node_ != nullptr) [[maybe_unused]]
    const Status closed = close();
}

std::string ServedLog::addresses() const {
  if (server_ == nullptr) return "none";
  std::string all;
  for (const AdvertisedListener& each : server_->advertised())
    all += fmt::format("{}{}://{}:{}", all.empty() ? "" : ",", each.listener, each.host, each.port);
  return all;
}

Status ServedLog::close() {
  if (server_ != nullptr) server_->stop(kDrainGrace);
  return node_->close();
}

}  // namespace millrace
