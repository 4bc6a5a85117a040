#include "rest/rest_server.h"

#include <chrono>

namespace millrace {
namespace {

bool is_any_address(const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

std::string advertised_address(const RestConfig& config, int first_port) {
  const std::string& bound = config.listeners.front().host;
  const std::string host = config.advertised_host.value_or(is_any_address(bound) ? local_address() : bound);
  return host_and_port(host, config.advertised_port.value_or(first_port));
}

}  // namespace

Expected<std::unique_ptr<RestServer>> RestServer::start(Options options, Logger logger) {
  std::unique_ptr<RestServer> server(new RestServer(std::move(logger)));
  for (const Listener& listener : options.config.listeners) {
    auto http = HttpServer::open(listener, options.http,
                                 [self = server.get()](const RestRequest& request) { return self->handle(request); });
    if (!http) return fail(std::move(http.error()));
    server->servers_.push_back(std::move(*http));
  }
  server->advertised_ = advertised_address(options.config, server->servers_.front()->port());
  options.api.advertised = server->advertised_;
  server->api_ = std::make_unique<RestApi>(server->gate_, std::move(options.api));
  for (const auto& http : server->servers_) http->start();
  for (size_t i = 0; i < server->servers_.size(); ++i) {
    server->logger_.info("rest_listening",
                         {{"address", host_and_port(options.config.listeners[i].host, server->servers_[i]->port())},
                          {"advertised", server->advertised_}});
  }
  return server;
}

RestServer::~RestServer() { stop(); }

void RestServer::stop() {
  gate_.close();
  for (const auto& server : servers_) server->stop();
}

std::vector<int> RestServer::ports() const {
  std::vector<int> ports;
  for (const auto& server : servers_) ports.push_back(server->port());
  return ports;
}

RestResponse RestServer::handle(const RestRequest& request) const {
  const auto begin = std::chrono::steady_clock::now();
  RestResponse response = api_->handle(request);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  logger_.debug(
      "rest_request",
      {{"method", request.method}, {"target", request.target}, {"status", response.status}, {"took_ms", took.count()}});
  return response;
}

}  // namespace millrace
