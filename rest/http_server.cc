#include "rest/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "core/guarded.h"
#include "rest/connection_pool.h"
#include "rest/rest_api.h"

namespace millrace {
namespace {

constexpr size_t kMaxRequestsPerConnection = 10'000;
constexpr time_t kIoTimeoutSeconds = 30;
constexpr int kBacklog = 256;
const std::string kAnyPath = R"([\s\S]*)";

/// The library's view of one connection.
class SocketStream final : public httplib::Stream {
 public:
  explicit SocketStream(int fd) : fd_(fd) {}

  bool is_readable() const override { return read_ < filled_ || wait(POLLIN, kIoTimeoutSeconds * 1000); }
  bool is_writable() const override { return wait(POLLOUT, kIoTimeoutSeconds * 1000); }

  /// The library reads header lines a byte at a time, so reads go through a buffer.
  ssize_t read(char* to, size_t size) override {
    if (read_ == filled_) {
      if (!wait(POLLIN, kIoTimeoutSeconds * 1000)) return -1;
      const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (got <= 0) return got;
      read_ = 0;
      filled_ = static_cast<size_t>(got);
    }
    const size_t count = std::min(size, filled_ - read_);
    std::memcpy(to, buffer_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    return is_writable() ? ::send(fd_, from, size, MSG_NOSIGNAL) : -1;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { describe(::getpeername, ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { describe(::getsockname, ip, port); }
  socket_t socket() const override { return fd_; }

  /// Whether the next request begins within the time.
  bool wait_for_request(int timeout_ms) const { return read_ < filled_ || wait(POLLIN, timeout_ms); }

 private:
  bool wait(short events, int64_t timeout_ms) const {
    pollfd entry{fd_, events, 0};
    int ready = 0;
    do {
      ready = ::poll(&entry, 1, static_cast<int>(timeout_ms));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }

  template <class F>
  void describe(F&& name_of, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (name_of(fd_, generic, &size) != 0) return;
    if (::getnameinfo(generic, size, host.data(), host.size(), service.data(), service.size(),
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      return;
    }
    ip = host.data();
    port = std::atoi(service.data());
  }

  const int fd_;
  std::array<char, 4096> buffer_;
  size_t read_ = 0;
  size_t filled_ = 0;
};

/// Owned by the library for the time it listens.
class PoolAdapter final : public httplib::TaskQueue {
 public:
  explicit PoolAdapter(size_t threads_max) : pool_(threads_max) {}
  void enqueue(std::function<void()> work) override { pool_.run(std::move(work)); }
  void shutdown() override { pool_.finish(); }

 private:
  ConnectionPool pool_;
};

std::optional<std::string> header(const httplib::Request& request, const char* name) {
  return request.has_header(name) ? std::optional(request.get_header_value(name)) : std::nullopt;
}

RestRequest to_request(const httplib::Request& request, std::string body) {
  return {.method = request.method,
          .target = request.target,
          .content_type = header(request, "Content-Type"),
          .accept = header(request, "Accept"),
          .host = request.get_header_value("Host"),
          .body = std::move(body)};
}

void fill(httplib::Response& to, const RestResponse& from) {
  to.status = from.status;
  to.body = from.body;
  if (!from.content_type.empty()) to.set_header("Content-Type", from.content_type);
  if (!from.location.empty()) to.set_header("Location", from.location);
  if (!from.allow.empty()) to.set_header("Allow", from.allow);
}

/// Whether the library will find the end of a body; it reads to the end of the connection when neither is there.
bool has_body(const httplib::Request& request) {
  return request.has_header("Content-Length") ||
         equals_ignoring_case(request.get_header_value("Transfer-Encoding"), "chunked");
}

bool may_have_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

/// What the system says when the library could not bind.
std::string bind_failure(const Listener& listener) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(listener.port);
  const char* host = listener.host.empty() ? nullptr : listener.host.c_str();
  if (const int error = ::getaddrinfo(host, port.c_str(), &hints, &found); error != 0) return ::gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::strerror(errno);
  const bool bound = ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, 1) == 0;
  const std::string reason = bound ? "it was taken for a moment" : std::strerror(errno);
  ::close(fd);
  return reason;
}

Error cannot_listen(const Listener& listener) {
  const std::string where = host_and_port(listener.host, listener.port);
  return {
      ErrorCode::kInvalidConfig,
      fmt::format(
          "cannot listen on {}: {}. Stop the process that uses it (`ss -ltnp` names it), or choose another address, "
          "for example listeners=http://:{}",
          where.starts_with(':') ? "0.0.0.0" + where : where, bind_failure(listener),
          listener.port > 0 && listener.port < 65535 ? listener.port + 1 : 8084),
      {},
      {},
      {}};
}

}  // namespace

class HttpServer::Impl final : public httplib::Server {
 public:
  Impl(HttpServer::Options options, HttpServer::Handler handler) : options_(options), handler_(std::move(handler)) {
    set_socket_options([](socket_t fd) {
      // Not the library's SO_REUSEPORT: two workers on one port must not share its connections.
      const int on = 1;
      const int off = 0;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
      ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    });
    set_tcp_nodelay(true);
    set_write_timeout(kIoTimeoutSeconds);
    set_read_timeout(kIoTimeoutSeconds);
    new_task_queue = [this] { return new PoolAdapter(options_.threads_max); };
    install_handlers();
  }

  bool bind(const Listener& listener) {
    const bool any = listener.host.empty();
    // "::" takes IPv4 too; a machine without IPv6 has only the other.
    const bool bound = (any && bind_to("::", listener.port)) || bind_to(any ? "0.0.0.0" : listener.host, listener.port);
    // The library's backlog of five makes a burst of clients wait a second for their next try.
    return bound && ::listen(svr_sock_, kBacklog) == 0;
  }

  void start() {
    thread_ = std::thread([this] {
      listen_after_bind();
      ended_ = true;
    });
    // stop() does nothing to a server that is not yet running.
    while (!is_running() && !ended_) std::this_thread::yield();
  }

  void stop_and_wait() {
    if (!thread_.joinable()) return;
    connections_.with([](Connections& connections) {
      connections.closing = true;
      for (const int fd : connections.open) ::shutdown(fd, SHUT_RD);
    });
    stop();
    thread_.join();
  }

  int bound_port() const { return port_; }

 private:
  struct Connections {
    std::set<int> open;
    bool closing = false;
  };

  bool bind_to(const std::string& host, int port) {
    if (port == 0) {
      port_ = bind_to_any_port(host, AI_PASSIVE);
      return port_ > 0;
    }
    port_ = port;
    return bind_to_port(host, port, AI_PASSIVE);
  }

  void install_handlers() {
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (may_have_body(request.method) && has_body(request)) return HandlerResponse::Unhandled;
      fill(response, handler_(to_request(request, {})));
      return HandlerResponse::Handled;
    });
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) { handle_body(request, response, reader); };
    Post(kAnyPath, with_body);
    Put(kAnyPath, with_body);
    Patch(kAnyPath, with_body);
    Delete(kAnyPath, with_body);
    set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      fill(response, error_response(500, "The worker failed to handle this request."));
    });
    set_error_handler(HandlerWithResponse([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) fill(response, routing_error(response.status));
      return HandlerResponse::Handled;
    }));
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      // The library gives every body a type; Kafka Connect's routing errors have none.
      if (response.status >= 400 && response.get_header_value("Content-Type") == "text/plain") {
        response.headers.erase("Content-Type");
      }
    });
  }

  void handle_body(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
    std::string body;
    bool too_large = false;
    // A body that is too large is read to its end all the same, so that the client gets to read the answer.
    const auto take = [&](const char* data, size_t size) {
      too_large = too_large || body.size() + size > options_.body_bytes_max;
      if (!too_large) body.append(data, size);
      return true;
    };
    const bool complete =
        request.is_multipart_form_data() ? reader([](const auto&) { return true; }, take) : reader(take);
    if (too_large) {
      const std::string message = fmt::format("The request body is larger than {} bytes.", options_.body_bytes_max);
      return fill(response, error_response(413, message));
    }
    if (!complete) return fill(response, error_response(400, "The request body ended before its announced length."));
    fill(response, handler_(to_request(request, std::move(body))));
  }

  bool process_and_close_socket(socket_t fd) override {
    const bool accepted = connections_.with([&](Connections& connections) {
      if (!connections.closing) connections.open.insert(fd);
      return !connections.closing;
    });
    if (accepted) serve(fd);
    // Out of the set first: the number may belong to another connection as soon as it is closed.
    connections_.with([&](Connections& connections) { connections.open.erase(fd); });
    ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
    return true;
  }

  void serve(int fd) {
    SocketStream stream(fd);
    for (size_t left = kMaxRequestsPerConnection; left > 0 && stream.wait_for_request(options_.keep_alive_ms); --left) {
      bool closed = false;
      const bool last = left == 1 || connections_.with([](const Connections& c) { return c.closing; });
      if (!process_request(stream, last, closed, nullptr) || closed || last) return;
    }
  }

  const HttpServer::Options options_;
  const HttpServer::Handler handler_;
  std::thread thread_;
  std::atomic<bool> ended_ = false;
  int port_ = 0;
  Guarded<Connections> connections_;
};

Expected<std::unique_ptr<HttpServer>> HttpServer::open(const Listener& listener, Options options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  if (!impl->bind(listener)) return fail(cannot_listen(listener));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }
void HttpServer::start() { impl_->start(); }
void HttpServer::stop() { impl_->stop_and_wait(); }
int HttpServer::port() const { return impl_->bound_port(); }

}  // namespace millrace
