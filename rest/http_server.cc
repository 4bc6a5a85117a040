#include "rest/http_server.h"

#include <fmt/format.h>

#include <future>
#include <list>
#include <thread>

#include "core/clock.h"
#include "net/socket.h"

namespace millrace {
namespace {

constexpr std::chrono::milliseconds kAbandonedGrace{5000};

Error cannot_listen(const Listener& listener, const Error& cause) {
  const std::string where = host_and_port(listener.host.empty() ? "0.0.0.0" : listener.host, listener.port);
  // `cannot listen on host:port: reason; …`, of which the reason is wanted.
  const std::string_view text = cause.message;
  const size_t from = text.find(fmt::format(":{}: ", listener.port));
  const std::string_view reason = from == text.npos ? text : text.substr(text.find(": ", from) + 2);
  return {ErrorCode::kInvalidConfig,
          fmt::format("cannot listen on {}: {}. Stop the process that uses it (`ss -ltnp` names it), or choose another "
                      "address, for example listeners={}://:{}",
                      where, reason.substr(0, reason.find(';')), listener.secure ? "https" : "http",
                      listener.port > 0 && listener.port < 65535 ? listener.port + 1 : 8084),
          {},
          {},
          {}};
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Options options, Logger logger) : options_(options), logger_(std::move(logger)), pool_(options.threads_max) {}
  ~Impl() { stop(); }

  Status open() {
    auto loop = EventLoop::create(clock_);
    if (!loop) return fail(std::move(loop.error()));
    shared_ = std::make_shared<HttpShared>(
        HttpShared{.loop = std::move(*loop),
                   .limits = {.head_bytes_max = options_.head_bytes_max, .body_bytes_max = options_.body_bytes_max},
                   .times = options_.times,
                   .pool = pool_,
                   .logger = logger_,
                   .closed = [this](HttpConnection& connection) { forget(connection); }});
    return {};
  }

  Expected<int> listen(const Listener& listener, std::shared_ptr<TlsContext> tls,
                       std::shared_ptr<RequestHandler> handler) {
    auto socket = listen_on(listener.host, static_cast<uint16_t>(listener.port));
    if (!socket) return fail(cannot_listen(listener, socket.error()));
    const int port = local_port(socket->get());
    acceptors_.push_back(std::make_unique<Acceptor>(
        *shared_->loop, logger_, std::move(*socket),
        [this, tls = std::move(tls), handler = std::move(handler)](Descriptor accepted, std::string peer) {
          auto transport =
              tls == nullptr ? make_plain_transport(std::move(accepted)) : tls->accept(std::move(accepted));
          adopt(std::make_shared<HttpConnection>(shared_, handler, std::move(transport), std::move(peer),
                                                 tls != nullptr));
        }));
    return port;
  }

  Status start() {
    for (const auto& acceptor : acceptors_) {
      if (Status started = acceptor->start(); !started) return started;
    }
    thread_ = std::thread([this] { shared_->loop->run(); });
    return {};
  }

  bool stop() {
    if (thread_.joinable()) {
      shared_->loop->post([this] { drain(); });
      const bool drained = drained_.get_future().wait_for(options_.stop_grace) == std::future_status::ready;
      if (!drained) shared_->loop->post([this] { close_all(); });
      shared_->loop->post([this] { shared_->loop->stop(); });
      thread_.join();
      // What still runs is not waited for by any client.
      all_ended_ =
          pool_.finish(drained ? std::min(options_.stop_grace, kAbandonedGrace) : std::chrono::milliseconds(0));
    }
    return all_ended_;
  }

 private:
  using Connections = std::list<std::shared_ptr<HttpConnection>>;

  void adopt(std::shared_ptr<HttpConnection> connection) {
    if (connections_.size() >= options_.connections_max) make_way();
    connections_.push_back(connection);
    connection->place = std::prev(connections_.end());
    connection->start();
  }

  /// The oldest that waits for its client goes; when all are being handled, the new one waits like they do.
  void make_way() {
    const auto oldest = std::ranges::find_if(connections_, [](const auto& each) { return each->waits_for_client(); });
    if (oldest == connections_.end()) return;
    logger_.warn("rest_connection_closed",
                 {{"reason", "too many connections"}, {"connections_max", options_.connections_max}});
    const std::shared_ptr<HttpConnection> closing = *oldest;
    closing->close_now();
  }

  void forget(HttpConnection& connection) {
    const std::shared_ptr<HttpConnection> last = std::move(*connection.place);
    connections_.erase(connection.place);
    tell_if_drained();
  }

  void drain() {
    for (const auto& acceptor : acceptors_) acceptor->close();
    for (const auto& connection : Connections(connections_)) connection->drain();
    draining_ = true;
    tell_if_drained();
  }

  void close_all() {
    for (const auto& connection : Connections(connections_)) connection->close_now();
  }

  void tell_if_drained() {
    if (draining_ && connections_.empty() && !std::exchange(told_, true)) drained_.set_value();
  }

  const Options options_;
  const Logger logger_;
  const SystemClock clock_;
  RequestPool pool_;
  std::shared_ptr<HttpShared> shared_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::thread thread_;

  Connections connections_;  // the loop's thread alone
  bool draining_ = false;
  bool told_ = false;
  std::promise<void> drained_;
  bool all_ended_ = true;
};

Expected<std::unique_ptr<HttpServer>> HttpServer::open(Options options, Logger logger) {
  auto impl = std::make_unique<Impl>(options, std::move(logger));
  if (Status opened = impl->open(); !opened) return fail(std::move(opened.error()));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
Expected<int> HttpServer::listen(const Listener& listener, std::shared_ptr<TlsContext> tls,
                                 std::shared_ptr<RequestHandler> handler) {
  return impl_->listen(listener, std::move(tls), std::move(handler));
}
Status HttpServer::start() { return impl_->start(); }
bool HttpServer::stop() { return impl_->stop(); }

}  // namespace millrace
