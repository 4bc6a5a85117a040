#include "connect_client/connection.h"

#include <fmt/format.h>
#include <httplib.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <thread>

namespace millrace::connect {
namespace {

constexpr auto kConnectPatience = std::chrono::seconds(5);

tl::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("'{}' is not the URL of a worker: {}; give --url http://host:8083", text, why));
}

Expected<WorkerUrl> parse_worker_url(std::string_view text) {
  WorkerUrl url;
  const size_t scheme_end = text.find("://");
  const std::string_view scheme = scheme_end == std::string_view::npos ? "http" : text.substr(0, scheme_end);
  std::string_view rest = scheme_end == std::string_view::npos ? text : text.substr(scheme_end + 3);
  if (scheme != "http" && scheme != "https") return bad_url(text, "it must begin with http:// or https://");
  if (const size_t slash = rest.find('/'); slash != std::string_view::npos) {
    url.base_path = rest.substr(slash);
    while (url.base_path.ends_with('/')) url.base_path.pop_back();
    rest = rest.substr(0, slash);
  }
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const size_t colon = credentials.find(':');
    url.user = credentials.substr(0, colon);
    if (colon != std::string_view::npos) url.password = credentials.substr(colon + 1);
    rest = rest.substr(at + 1);
  }
  if (rest.empty() || rest.front() == ':') return bad_url(text, "it has no host");
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = rest.substr(colon + 1);
    const bool digits =
        !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits || std::stoi(std::string(port)) > 65535) return bad_url(text, "its port is no number up to 65535");
  }
  url.origin = fmt::format("{}://{}", scheme, rest);
  if (scheme_end == std::string_view::npos && colon == std::string_view::npos) url.origin += ":8083";
  return url;
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::string_view transport_problem(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "nobody listens there, or the host is not known";
    case httplib::Error::ConnectionTimeout:
      return "no connection within 5 s";
    case httplib::Error::Read:
      return "no answer within --timeout, or the connection was closed";
    case httplib::Error::Write:
      return "the connection was closed";
    case httplib::Error::SSLConnection:
      return "TLS failed: is it an https:// worker, and does it ask for --cert and --key?";
    case httplib::Error::SSLLoadingCerts:
      return "the files of --ca, --cert or --key cannot be loaded";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted: give its authority with --ca";
    default:
      return "the request could not be sent";
  }
}

/// True when the worker cannot have seen the request, so that another one may be asked for anything.
bool never_arrived(httplib::Error error) {
  return error != httplib::Error::Read && error != httplib::Error::Write && error != httplib::Error::Unknown;
}

std::string message_of(const Answer& answer) {
  if (answer.body.is_object() && answer.body.contains("message") && answer.body["message"].is_string())
    return answer.body["message"].get<std::string>();
  const std::string text = trimmed(answer.text).substr(0, 300);
  return text.empty() ? fmt::format("HTTP status {}", answer.status) : text;
}

/// `request` is "GET http://…", for the answer of a worker that has no such endpoint.
Error error_of(const Answer& answer, bool authenticated, std::string_view request) {
  Error error{ErrorCode::kInternal, message_of(answer), {}, {}, {}};
  if (answer.status == 400) error.code = ErrorCode::kInvalidConfig;
  if (answer.status == 404 || answer.status == 405) error.code = ErrorCode::kNotFound;
  if (error.message.starts_with("HTTP 404") || error.message.starts_with("HTTP 405"))
    error.message =
        fmt::format("the worker has no {}: it is of another version, or this endpoint is turned off", request);
  if (answer.status == 409) {
    error.code = error.message.ends_with("already exists") ? ErrorCode::kAlreadyExists : ErrorCode::kConflict;
  }
  if (answer.status == 401) {
    error.code = ErrorCode::kFenced;
    error.message = fmt::format("the worker refuses the user (HTTP 401): {}",
                                authenticated ? "check --user and its password"
                                              : "give --user and --password-file, or MILLRACE_USER and "
                                                "MILLRACE_PASSWORD");
  }
  if (answer.status == 403) error.code = ErrorCode::kFenced;
  return error;
}

}  // namespace

Expected<std::vector<WorkerUrl>> parse_worker_urls(std::string_view text) {
  std::vector<WorkerUrl> urls;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string part = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    if (part.empty()) continue;
    auto url = parse_worker_url(part);
    if (!url) return fail(std::move(url.error()));
    urls.push_back(std::move(*url));
  }
  if (urls.empty()) return bad_url("", "it is empty");
  return urls;
}

std::string encode_segment(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-_.~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

struct Connection::Target {
  WorkerUrl url;
  std::unique_ptr<httplib::Client> client;
  bool authenticated = false;
};

Connection::Connection(ConnectionOptions options) : options_(std::move(options)) {}
Connection::~Connection() = default;

Expected<std::unique_ptr<Connection>> Connection::open(ConnectionOptions options) {
  auto connection = std::unique_ptr<Connection>(new Connection(std::move(options)));
  if (Status added = connection->add_targets(); !added) return fail(std::move(added.error()));
  return connection;
}

Status Connection::add_targets() {
  if (!options_.password_file.empty()) {
    std::ifstream file(options_.password_file);
    if (!file || !std::getline(file, options_.password))
      return fail(ErrorCode::kInvalidConfig, fmt::format("cannot read a password from {}", options_.password_file));
    options_.password = trimmed(options_.password);
  }
  for (const std::string& path : {options_.ca, options_.certificate, options_.key}) {
    if (!path.empty() && !std::filesystem::exists(path))
      return fail(ErrorCode::kInvalidConfig, fmt::format("there is no file {}", path));
  }
  if (options_.certificate.empty() != options_.key.empty())
    return fail(ErrorCode::kInvalidConfig, "--cert and --key go together: a certificate and its private key");
  auto urls = parse_worker_urls(options_.urls);
  if (!urls) return fail(std::move(urls.error()));
  for (WorkerUrl& url : *urls) {
    auto target = std::make_unique<Target>();
    target->client = std::make_unique<httplib::Client>(url.origin, options_.certificate, options_.key);
    if (!target->client->is_valid()) return bad_url(url.origin, "it cannot be used");
    httplib::Client& client = *target->client;
    const auto timeout = std::chrono::microseconds(static_cast<int64_t>(options_.timeout_s * 1e6));
    client.set_connection_timeout(std::min<std::chrono::microseconds>(timeout, kConnectPatience));
    client.set_read_timeout(timeout);
    client.set_write_timeout(timeout);
    client.set_url_encode(false);  // paths come encoded
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);  // or a body waits 40 ms for the header to be acknowledged
    if (!options_.ca.empty()) client.set_ca_cert_path(options_.ca);
    const bool own_user = !url.user.empty();
    const std::string& user = own_user ? url.user : options_.user;
    if (!user.empty()) client.set_basic_auth(user, own_user ? url.password : options_.password);
    target->authenticated = !user.empty();
    target->url = std::move(url);
    targets_.push_back(std::move(target));
  }
  return {};
}

std::string Connection::shown() const {
  const WorkerUrl& url = targets_[current_]->url;
  return url.origin + url.base_path;
}

Error Connection::unreachable(const std::string& tried) const {
  return {ErrorCode::kUnavailable,
          fmt::format("no worker answers.\n{}Start one (millrace standalone worker.properties), or name another with "
                      "--url or MILLRACE_URL.",
                      tried),
          {},
          {},
          {}};
}

Expected<Answer> Connection::request(std::string_view method, std::string_view path, const Json* body) {
  std::string tried;
  for (size_t i = 0; i < targets_.size(); ++i) {
    const size_t at = (current_ + i) % targets_.size();
    Target& target = *targets_[at];
    httplib::Request request;
    request.method = method;
    request.path = target.url.base_path + std::string(path);
    request.headers.emplace("Accept", "application/json");
    if (body != nullptr) {
      request.headers.emplace("Content-Type", "application/json");
      request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
    } else if (method != "GET") {
      request.headers.emplace("Content-Length", "0");
    }
    httplib::Result result = target.client->send(request);
    if (result) {
      current_ = at;
      return Answer{result->status, result->body, Json::parse(result->body, nullptr, false)};
    }
    tried += fmt::format("  {}{}: {}\n", target.url.origin, target.url.base_path, transport_problem(result.error()));
    // A change that may have been made is not asked for twice.
    if (method != "GET" && !never_arrived(result.error())) break;
  }
  return fail(unreachable(tried));
}

Expected<Json> Connection::call(std::string_view method, std::string_view path, const Json* body) {
  const auto end = std::chrono::steady_clock::now() + options_.conflict_patience;
  while (true) {
    auto answer = request(method, path, body);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->status >= 200 && answer->status < 300) {
      if (answer->text.empty()) return Json();
      if (!answer->body.is_discarded()) return std::move(answer->body);
      return fail(ErrorCode::kInternal,
                  fmt::format("{} does not answer as Kafka Connect's REST API does: is it a worker?", shown()));
    }
    Error error = error_of(*answer, targets_[current_]->authenticated, fmt::format("{} {}{}", method, shown(), path));
    if (error.code != ErrorCode::kConflict || std::chrono::steady_clock::now() >= end) return fail(std::move(error));
    std::this_thread::sleep_for(options_.conflict_pause);
  }
}

}  // namespace millrace::connect
