/// Kafka Connect's REST API: finds the endpoint of a request, calls the herder, and puts its answer into Kafka
/// Connect's words. Knows nothing of sockets, so that it is tested without them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "rest/herder_gate.h"
#include "rest/message.h"

namespace millrace {

/// A page beside the API, such as /metrics. Called by any thread.
struct RestPage {
  std::string content_type;
  std::function<std::string()> render;
};

/// Threads: any. Lifetime: the gate must outlive it.
class RestApi {
 public:
  struct Options {
    std::string advertised;  ///< host:port for Location when a request names no host
    /// How long requests wait for the herder to be attached.
    std::chrono::milliseconds start_wait{90'000};
    /// Workers of a group call each other on two endpoints; a worker that is alone says that it has none.
    bool standalone = true;
    std::map<std::string, RestPage> pages;  ///< by path, with its leading slash
  };

  RestApi(HerderGate& gate, Options options) : gate_(gate), options_(std::move(options)) {}

  /// Never fails: errors are answers too. Blocks as long as the herder does.
  RestResponse handle(const RestRequest& request);

 private:
  RestResponse health() const;

  HerderGate& gate_;
  const Options options_;
};

/// {"error_code","message"} with Content-Type.
RestResponse error_response(int status, std::string_view message);
/// An answer of the routing itself, `HTTP 404 Not Found`, which Kafka Connect sends without Content-Type.
RestResponse routing_error(int status);

}  // namespace millrace
