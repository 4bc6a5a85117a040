/// HTTP to a Kafka Connect worker: which URLs, which credentials, and requests with the errors users need.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace httplib {
class Client;
}

namespace millrace::connect {

/// Members keep their order: Connect compares the keys of stored offsets as bytes.
using Json = nlohmann::ordered_json;

struct WorkerUrl {
  std::string origin;     ///< http://host:8083, as an HTTP client wants it
  std::string base_path;  ///< in front of every path; empty, or /connect behind a proxy
  std::string user = {};  ///< from http://user:password@host
  std::string password = {};

  bool operator==(const WorkerUrl&) const = default;
};

/// Comma-separated URLs; http:// may be left out. Errors: kInvalidConfig naming the part that is no URL.
Expected<std::vector<WorkerUrl>> parse_worker_urls(std::string_view text);

/// Percent-encodes all but unreserved characters, so that a connector's name is one segment of a path.
std::string encode_segment(std::string_view text);

struct ConnectionOptions {
  std::string urls = "http://localhost:8083";
  std::string user = {};
  std::string password = {};
  std::string password_file = {};  ///< its first line; wins over `password`
  std::string ca = {};             ///< PEM file of the authorities to trust; empty = the system's
  std::string certificate = {};    ///< PEM file, for workers that ask clients for one
  std::string key = {};
  double timeout_s = 90;  ///< for one answer, as long as a worker itself takes at most
  /// How long a 409 of a rebalancing cluster is asked again, and how often.
  std::chrono::milliseconds conflict_patience{15'000};
  std::chrono::milliseconds conflict_pause{500};
};

struct Answer {
  int status = 0;
  std::string text;
  Json body;  ///< discarded when the text is no JSON
};

/// One worker, or one of several that are tried in order; the first that answers is kept.
/// Threads: one. All calls block.
class Connection {
 public:
  /// Errors: kInvalidConfig for URLs, credentials or files that cannot be used.
  static Expected<std::unique_ptr<Connection>> open(ConnectionOptions options);
  ~Connection();

  /// Any answer of a worker, whatever its status. Errors: kUnavailable when none answers, saying what was tried.
  Expected<Answer> request(std::string_view method, std::string_view path, const Json* body = nullptr);

  /// The body of a successful answer (null when it has none). A 409 is asked again for a while, except one that says
  /// that something exists already. Errors: kNotFound 404, kAlreadyExists and kConflict 409, kInvalidConfig 400,
  /// kUnavailable as request(), kFenced 401 and 403, kInternal for the rest; the message is the worker's, with what to
  /// do.
  Expected<Json> call(std::string_view method, std::string_view path, const Json* body = nullptr);

  /// The worker spoken to, for messages.
  std::string shown() const;

 private:
  struct Target;
  explicit Connection(ConnectionOptions options);
  Status add_targets();
  Error unreachable(const std::string& tried) const;

  ConnectionOptions options_;
  std::vector<std::unique_ptr<Target>> targets_;
  size_t current_ = 0;
};

}  // namespace millrace::connect
