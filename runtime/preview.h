/// What a connector would do, with nothing written and no offset moved: the first records of a source as they would
/// arrive in their topics, or what a sink would do with given records.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/log_client.h"
#include "core/logger.h"
#include "runtime/plugin_host.h"

namespace millrace {

struct PreviewRequest {
  /// A record for a sink, as it would lie in its topic.
  struct Record {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
    int64_t timestamp_ms = 0;
    std::optional<std::string> key, value;  ///< bytes; nothing = null
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  };
  ConfigMap config;                            ///< variables of config providers resolved
  std::optional<std::vector<Record>> records;  ///< sinks; nothing = the first ones of the connector's topics
  size_t rows = 10;
  std::chrono::milliseconds patience{10'000};  ///< a source that has less to give is asked no longer

  /// From a request body: a flat configuration, or {"config":{…},"records":[{"topic","partition","offset","timestamp",
  /// "key","value","headers"}]}; keys and values are texts, or JSON that stands for its text.
  /// Errors: kInvalidConfig naming what is wrong.
  static Expected<PreviewRequest> parse(std::string_view body, size_t rows);
};

struct PreviewServices {
  const ConfigMap& worker_config;
  LogClient& client;
  Logger logger;
};

/// The result as JSON: {"name","type","records":[…],"dropped","errors":[…]} and for sinks "actions":[…].
/// Runs the plugin on the caller's thread until there are enough records or patience ends.
/// Errors: kInvalidConfig, or what the plugin fails with when it starts.
Expected<std::string> preview_connector(const ConnectorPlugin& plugin, const PreviewRequest& request,
                                        const PreviewServices& services);

}  // namespace millrace
