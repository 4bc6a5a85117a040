/// Kafka Connect's REST API: finds the endpoint of a request, calls the herder, and puts its answer into Kafka
/// Connect's words. Knows nothing of sockets, so that it is tested without them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log_levels.h"
#include "rest/answers.h"
#include "rest/herder_gate.h"
#include "rest/message.h"
#include "rest/request_signature.h"

namespace millrace {

/// A page beside the API, such as /metrics. Called by any thread.
struct RestPage {
  std::string content_type;
  std::function<std::string()> render;
};

/// What workers of a group ask of each other; see §1.8 of Kafka Connect's API. `forward`: the query parameter, absent
/// in the first hop. Called by any thread.
struct InternalEndpoints {
  /// How requests must be signed now. Null: they need no signature.
  std::function<SignatureRules()> signatures;
  std::function<Status(const std::string& connector, std::vector<ConfigMap> configs, std::optional<bool> forward)>
      put_task_configs;
  std::function<Status(const std::string& connector, std::optional<bool> forward)> fence;
};

/// Threads: any. Lifetime: the gate must outlive it.
class RestApi {
 public:
  /// Which endpoints there are: `admin.listeners` takes /admin/* away from the others.
  enum class Part { kAll, kAllButAdmin, kAdmin };

  struct Options {
    std::string advertised;  ///< host:port for Location when a request names no host
    Part part = Part::kAll;
    /// How long requests wait for the herder to be attached.
    std::chrono::milliseconds start_wait{90'000};
    /// How long a request that the herder refuses because workers regroup is repeated before it is answered with 409.
    std::chrono::milliseconds regroup_wait{60'000};
    /// Workers of a group call each other on two endpoints; a worker that is alone says that it has none.
    bool standalone = true;
    InternalEndpoints internal = {};
    std::map<std::string, RestPage> pages = {};  ///< by path, with its leading slash

    /// Of /admin/loggers. Null: there are none but root, which cannot be changed.
    std::shared_ptr<LogLevels> levels = {};
    /// Tells all workers, this one too, of a level (scope=cluster). Null: it is set here.
    std::function<Status(const std::string& logger, LogLevel level)> publish_level = {};
    /// Whether a request may go on; called once its endpoint is known. Null: all may.
    std::function<bool(const RestRequest&)> permits = {};
    /// What the worker does or last did, for /health and requests that time out, as in `The worker is currently
    /// <stage>, which began at <time>.` Null or empty: unknown.
    std::function<std::string()> stage = {};
    std::chrono::milliseconds time_limit{90'000};
    std::chrono::milliseconds health_time_limit{10'000};
  };

  RestApi(HerderGate& gate, Options options);

  /// Known when the addresses are bound; before the first request.
  void set_advertised(std::string address) { options_.advertised = std::move(address); }

  /// Never fails: errors are answers too. Blocks as long as the herder does.
  RestResponse handle(const RestRequest& request);

  std::chrono::milliseconds time_limit(const RestRequest& request) const;
  /// The answer to a request of which the time is over.
  RestResponse timed_out(const RestRequest& request) const;

 private:
  RestResponse call(const RestRequest& request, const Target& target);

  HerderGate& gate_;
  Options options_;
};

}  // namespace millrace
