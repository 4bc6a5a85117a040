/// A small Kafka Connect worker for tests: connectors are what PUT and POST say, states change at once.
#pragma once

#include <httplib.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

namespace millrace::connect {

/// Threads: the members below the mutex are changed by tests only while they hold it or before requests come.
class FakeWorker {
 public:
  using Json = nlohmann::ordered_json;

  struct FakeConnector {
    Json config;
    std::string state = "RUNNING";
    std::string trace = {};  ///< of task 0, which has failed when there is one
    Json offsets = Json::array();
  };

  FakeWorker() {
    add_routes();
    server_.set_tcp_nodelay(true);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~FakeWorker() {
    server_.stop();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::mutex mutex_;
  std::map<std::string, FakeConnector> connectors_;
  int conflicts_ = 0;              ///< so many requests are answered with 409 of a rebalance
  std::string user_and_password_;  ///< "Basic …" that is asked for; empty = nothing
  bool loses_offsets_ = false;     ///< a worker whose PATCH does nothing
  std::string known_class_ = "Known";

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  static void answer(Response& to, int status, const Json& body) {
    to.status = status;
    to.set_content(body.dump(), "application/json");
  }
  static void refuse(Response& to, int status, const std::string& message) {
    answer(to, status, {{"error_code", status}, {"message", message}});
  }
  static Json part(const std::string& state) { return {{"state", state}, {"worker_id", "w:1"}}; }

  static Json status_of(const std::string& name, const FakeConnector& connector) {
    Json tasks = Json::array();
    if (connector.state != "STOPPED") {
      Json task = part(connector.trace.empty() ? connector.state : "FAILED");
      task["id"] = 0;
      if (!connector.trace.empty()) task["trace"] = connector.trace;
      tasks.push_back(task);
    }
    return {{"name", name}, {"connector", part(connector.state)}, {"tasks", tasks}, {"type", "source"}};
  }

  /// Errors of a configuration: `number` must be a number.
  Json problems_of(const Json& config) const {
    Json configs = Json::array();
    const std::string number = config.value("number", "1");
    const bool wrong = number.find_first_not_of("0123456789") != std::string::npos;
    configs.push_back(
        {{"value", {{"name", "number"}, {"errors", wrong ? Json::array({"Not a number"}) : Json::array()}}}});
    return configs;
  }

  template <class Act>
  auto on_connector(Act act) {
    return [this, act](const Request& request, Response& to) {
      const auto found = connectors_.find(request.matches[1].str());
      if (found == connectors_.end()) return refuse(to, 404, "Connector not found");
      act(found->first, found->second, request, to);
    };
  }

  void put_config(const std::string& name, const Json& config, const std::string& state, Response& to) {
    if (!problems_of(config)[0]["value"]["errors"].empty())
      return refuse(to, 400,
                    "Connector configuration is invalid and contains the following 1 error(s):\nNot a number\n");
    const bool is_new = !connectors_.contains(name);
    FakeConnector& connector = connectors_[name];
    connector.config = config;
    if (is_new && !state.empty()) connector.state = state;
    answer(to, is_new ? 201 : 200, {{"name", name}});
  }

  void add_routes() {
    server_.set_pre_routing_handler([this](const Request& request, Response& to) {
      mutex_.lock();
      requests_.push_back(request.method + " " + request.target);
      if (!user_and_password_.empty() && request.get_header_value("Authorization") != user_and_password_) {
        to.status = 401;
        to.set_content("User cannot access the resource.", "application/json");
        return httplib::Server::HandlerResponse::Handled;
      }
      if (conflicts_ == 0) return httplib::Server::HandlerResponse::Unhandled;
      --conflicts_;
      refuse(to, 409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)");
      return httplib::Server::HandlerResponse::Handled;
    });
    server_.set_post_routing_handler([this](const Request&, Response&) { mutex_.unlock(); });
    server_.Get("/", [](const Request&, Response& to) { answer(to, 200, {{"kafka_cluster_id", "k"}}); });
    server_.Get("/connectors", [this](const Request& request, Response& to) {
      Json all = request.has_param("expand") ? Json::object() : Json::array();
      for (const auto& [name, connector] : connectors_) {
        if (all.is_array()) {
          all.push_back(name);
        } else {
          all[name] = {{"status", status_of(name, connector)},
                       {"info", {{"name", name}, {"config", connector.config}}}};
        }
      }
      answer(to, 200, all);
    });
    server_.Post("/connectors", [this](const Request& request, Response& to) {
      const Json body = Json::parse(request.body);
      const std::string name = body["name"];
      if (connectors_.contains(name)) return refuse(to, 409, "Connector " + name + " already exists");
      put_config(name, body["config"], body.value("initial_state", ""), to);
    });
    server_.Get("/connectors/([^/]+)/config", on_connector([](auto&, FakeConnector& connector, auto&, Response& to) {
                  answer(to, 200, connector.config);
                }));
    server_.Put("/connectors/([^/]+)/config", [this](const Request& request, Response& to) {
      put_config(request.matches[1].str(), Json::parse(request.body), "", to);
    });
    server_.Get("/connectors/([^/]+)/status",
                on_connector([](auto& name, FakeConnector& connector, auto&, Response& to) {
                  answer(to, 200, status_of(name, connector));
                }));
    server_.Put("/connectors/([^/]+)/(pause|resume|stop)",
                on_connector([](auto&, FakeConnector& connector, const Request& request, Response& to) {
                  const std::string verb = request.matches[2].str();
                  connector.state = verb == "pause" ? "PAUSED" : verb == "stop" ? "STOPPED" : "RUNNING";
                  to.status = verb == "stop" ? 204 : 202;
                }));
    server_.Delete("/connectors/([^/]+)", [this](const Request& request, Response& to) {
      if (connectors_.erase(request.matches[1].str()) == 0) return refuse(to, 404, "Connector not found");
      to.status = 204;
    });
    add_offsets_routes();
    add_plugin_routes();
  }

  void add_offsets_routes() {
    constexpr const char* kPath = "/connectors/([^/]+)/offsets";
    server_.Get(kPath, on_connector([](auto&, FakeConnector& connector, auto&, Response& to) {
                  answer(to, 200, {{"offsets", connector.offsets}});
                }));
    const auto change = [this](auto&, FakeConnector& connector, const Request& request, Response& to) {
      if (connector.state != "STOPPED") return refuse(to, 400, "Connectors must be in the STOPPED state");
      if (request.method == "DELETE") connector.offsets = Json::array();
      if (request.method == "PATCH" && !loses_offsets_) connector.offsets = Json::parse(request.body)["offsets"];
      answer(to, 200, {{"message", request.method == "DELETE" ? "reset" : "altered"}});
    };
    server_.Patch(kPath, on_connector(change));
    server_.Delete(kPath, on_connector(change));
  }

  void add_plugin_routes() {
    server_.Put("/connector-plugins/([^/]+)/config/validate", [this](const Request& request, Response& to) {
      if (request.matches[1].str() != known_class_) return refuse(to, 500, "Failed to find any class");
      answer(to, 200, {{"configs", problems_of(Json::parse(request.body))}});
    });
    server_.Get("/connector-plugins/([^/]+)/config", [this](const Request& request, Response& to) {
      if (request.matches[1].str() != known_class_) return refuse(to, 404, "Unknown plugin.");
      answer(to, 200, Json::array({{{"name", "pin"}, {"type", "PASSWORD"}}, {{"name", "number"}, {"type", "INT"}}}));
    });
    server_.Get("/admin/loggers", [](const Request&, Response& to) {
      answer(to, 200, {{"root", {{"level", "INFO"}, {"last_modified", nullptr}}}});
    });
    server_.Put("/admin/loggers/([^/]+)",
                [](const Request& request, Response& to) { answer(to, 200, Json::array({request.matches[1].str()})); });
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::vector<std::string> requests_;
};

}  // namespace millrace::connect
