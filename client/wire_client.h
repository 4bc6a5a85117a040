/// A small blocking client of Kafka's wire protocol, for tools and tests: any request of protocol/messages to any
/// broker of a cluster. Connections are opened when they are needed, with TLS and SASL as the options say, and each
/// speaks the highest version that both sides know.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/wire_connection.h"
#include "core/error.h"
#include "protocol/kafka_error.h"
#include "protocol/messages/find_coordinator.h"
#include "protocol/messages/metadata.h"
#include "protocol/wire.h"

namespace millrace {

/// A decoded answer with the bytes that its views point into. Moving it keeps the views.
template <class Response>
struct WireAnswer {
  std::unique_ptr<std::string> frame;
  Response message;
  int16_t version = 0;

  const Response* operator->() const { return &message; }
  const Response& operator*() const { return message; }
};

struct WireBroker {
  int32_t id = -1;
  std::string host;
  int32_t port = 0;
  std::string rack;  ///< may be empty
};

enum class CoordinatorType : int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };

/// Threads: one.
class WireClient {
 public:
  /// Whichever broker answers.
  static constexpr int32_t kAnyBroker = -1;

  /// Connects to the first bootstrap server ("host:port,host:port") that answers. Errors: kInvalidConfig for addresses,
  /// TLS or SASL settings that cannot be used, kUnavailable when no server answers.
  static Expected<std::unique_ptr<WireClient>> open(const std::string& bootstrap, WireConnectionOptions options);

  /// Sends `request` to broker `node`. Errors: kUnavailable when it cannot be reached or answers not in time (or
  /// garbage), kConflict (UnsupportedVersionException) when it does not know the request in any of our versions;
  /// `version_min` and `version_max` narrow what will do. Errors inside the answer are the caller's.
  template <class Response, class Request>
  Expected<WireAnswer<Response>> call(int32_t node, const Request& request,
                                      int16_t version_min = Request::kVersionMin, int16_t version_max = Request::kVersionMax) {
    auto connection = connection_to(node);
    if (!connection) return fail(std::move(connection.error()));
    auto version = (*connection)->pick_version(Request::kApiKey, version_min, version_max);
    if (!version) return fail(std::move(version.error()));
    std::string body;
    WireWriter writer(body);
    request.encode(writer, *version);
    auto answer = (*connection)->exchange(Request::kApiKey, *version, *version >= Request::kFlexibleFrom, body);
    if (!answer) {
      forget(node);
      return fail(std::move(answer.error()));
    }
    WireAnswer<Response> result{std::make_unique<std::string>(std::move(*answer)), {}, *version};
    WireReader reader(*result.frame);
    result.message.decode(reader, *version);
    if (reader.bad()) return fail(ErrorCode::kUnavailable, unreadable(Request::kApiKey, *version));
    return result;
  }

  /// The brokers of the cluster. Errors: those of call().
  Expected<std::vector<WireBroker>> brokers();
  /// Metadata of `topics`; null asks for all. Topics are not created by asking. Errors: those of call(); errors of
  /// single topics are in the answer.
  Expected<WireAnswer<MetadataResponse>> metadata(const std::vector<std::string>* topics);
  /// Who coordinates the group or transactional id; waits while a coordinator is being found. Errors: those of call(),
  /// and the broker's own as error_of() makes them.
  Expected<int32_t> coordinator(CoordinatorType type, const std::string& key);
  /// The versions that a broker serves. Errors: kUnavailable.
  Expected<WireConnection*> connection_to(int32_t node);

 private:
  WireClient(std::string bootstrap, WireConnectionOptions options)
      : bootstrap_(std::move(bootstrap)), options_(std::move(options)) {}
  Expected<WireConnection*> connect_any();
  void forget(int32_t node) { connections_.erase(node); }
  static std::string unreadable(int16_t api_key, int16_t version);
  void learn(int32_t id, std::string_view host, int32_t port, std::string_view rack);

  std::string bootstrap_;
  WireConnectionOptions options_;
  std::map<int32_t, WireBroker> brokers_;
  std::map<int32_t, std::unique_ptr<WireConnection>> connections_;
};

/// An error code of an answer as an Error with Kafka's exception class; `message` may be empty.
Error wire_error(int16_t code, std::string_view message = {});

}  // namespace millrace
