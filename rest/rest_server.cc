#include "rest/rest_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "rest/basic_auth.h"
#include "rest/cors.h"

namespace millrace {
namespace {

bool is_any_address(const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

std::string advertised_address(const RestConfig& config, const std::vector<int>& ports) {
  const size_t listener = config.advertised_listener();
  const std::string& bound = config.listeners[listener].host;
  const std::string host = config.advertised_host.value_or(is_any_address(bound) ? local_address() : bound);
  return host_and_port(host, config.advertised_port.value_or(ports[listener]));
}

std::string_view protocol_of(const Listener& listener) { return listener.secure ? "https" : "http"; }

/// One kind of listener's requests: with the filters of the main ones or, for admin listeners, without.
class ApiHandler final : public RequestHandler {
 public:
  ApiHandler(HerderGate& gate, RestApi::Options options, const RestConfig* filters, Logger logger)
      : api_(gate, std::move(options)), filters_(filters), logger_(std::move(logger)) {}

  void set_advertised(std::string address) { api_.set_advertised(std::move(address)); }

  RestResponse handle(const RestRequest& request) override {
    const auto begin = std::chrono::steady_clock::now();
    RestResponse response = answer(request);
    filter(request, response);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    logger_.debug("rest_request", {{"client", request.client},
                                   {"method", request.method},
                                   {"target", request.target},
                                   {"status", response.status},
                                   {"bytes", response.body.size()},
                                   {"took_ms", took.count()}});
    return response;
  }

  std::chrono::milliseconds time_limit(const RestRequest& request) const override { return api_.time_limit(request); }

  RestResponse timed_out(const RestRequest& request) const override {
    RestResponse response = api_.timed_out(request);
    filter(request, response);
    logger_.warn("rest_request_timed_out", {{"method", request.method}, {"target", request.target}});
    return response;
  }

 private:
  RestResponse answer(const RestRequest& request) {
    if (filters_ != nullptr) {
      if (auto preflight = cors_preflight(filters_->cors, request)) return std::move(*preflight);
    }
    return api_.handle(request);
  }
  void filter(const RestRequest& request, RestResponse& response) const {
    if (filters_ == nullptr) return;
    add_cors_headers(filters_->cors, request, response);
    apply_header_rules(filters_->response_headers, std::chrono::system_clock::now(), response);
  }

  RestApi api_;
  const RestConfig* const filters_;  // null: none
  const Logger logger_;
};

}  // namespace

class RestServer::Core {
 public:
  RestConfig config;
  HerderGate gate;
  std::unique_ptr<BasicAuth> auth;
  std::unique_ptr<ApiHandler> main, admin;  // admin: null if its endpoints are on the main listeners

  Status open_auth(const Logger& logger) {
    if (config.basic_auth_file.empty()) return {};
    auto opened = BasicAuth::open(config.basic_auth_file, logger);
    if (!opened) return fail(std::move(opened.error()));
    auth = std::move(*opened);
    return {};
  }

  void make_handlers(RestApi::Options api, const Logger& logger) {
    if (api.levels == nullptr) api.levels = logger.levels();
    if (config.admin) {
      RestApi::Options admin_api = api;
      admin_api.part = RestApi::Part::kAdmin;
      admin_api.pages.clear();
      admin = std::make_unique<ApiHandler>(gate, std::move(admin_api), nullptr, logger);
      api.part = RestApi::Part::kAllButAdmin;
    }
    if (auth != nullptr)
      api.permits = [users = auth.get()](const RestRequest& request) { return users->permits(request); };
    main = std::make_unique<ApiHandler>(gate, std::move(api), &config, logger);
  }
};

RestServer::RestServer() : core_(std::make_shared<Core>()) {}

Status RestServer::listen(const std::vector<Listener>& listeners, const ConfigMap& ssl, RequestHandler& handler,
                          std::vector<int>& ports) {
  std::shared_ptr<TlsContext> tls;
  if (std::ranges::find(listeners, true, &Listener::secure) != listeners.end()) {
    PosixFileSystem files;
    auto made = make_tls(ssl, files);
    if (!made) return fail(std::move(made.error()));
    tls = std::move(*made);
  }
  for (const Listener& listener : listeners) {
    // The core lives as long as its handlers are used.
    auto port =
        http_->listen(listener, listener.secure ? tls : nullptr, std::shared_ptr<RequestHandler>(core_, &handler));
    if (!port) return fail(std::move(port.error()));
    ports.push_back(*port);
  }
  return {};
}

Expected<std::unique_ptr<RestServer>> RestServer::start(Options options, Logger logger) {
  logger = logger.module("millrace.rest");
  std::unique_ptr<RestServer> server(new RestServer());
  Core& core = *server->core_;
  core.config = std::move(options.config);
  const RestConfig& config = core.config;
  if (Status opened = core.open_auth(logger); !opened) return fail(std::move(opened.error()));
  core.make_handlers(std::move(options.api), logger);

  auto http = HttpServer::open(options.http, logger);
  if (!http) return fail(std::move(http.error()));
  server->http_ = std::move(*http);
  if (Status bound = server->listen(config.listeners, config.tls, *core.main, server->ports_); !bound)
    return fail(std::move(bound.error()));
  if (config.admin) {
    if (Status bound = server->listen(*config.admin, config.admin_tls, *core.admin, server->admin_ports_); !bound)
      return fail(std::move(bound.error()));
  }
  server->advertised_ = advertised_address(config, server->ports_);
  const Listener& advertised = config.listeners[config.advertised_listener()];
  server->advertised_url_ = fmt::format("{}://{}/", protocol_of(advertised), server->advertised_);
  core.main->set_advertised(server->advertised_);
  if (Status started = server->http_->start(); !started) return fail(std::move(started.error()));
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    logger.info("rest_listening", {{"address", host_and_port(config.listeners[i].host, server->ports_[i])},
                                   {"protocol", protocol_of(config.listeners[i])},
                                   {"advertised", server->advertised_}});
  }
  return server;
}

RestServer::~RestServer() { stop(); }

void RestServer::attach(Herder& herder) { core_->gate.attach(herder); }

bool RestServer::stop() {
  core_->gate.close();
  return http_ == nullptr || http_->stop();
}

}  // namespace millrace
