#include "broker/server/broker_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace millrace {
namespace {

constexpr size_t kPoolBytesMax = 8 << 20;
constexpr size_t kThreadsDefaultMax = 2;

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

Expected<std::unique_ptr<BrokerServer>> BrokerServer::open(const Clock& clock, Logger logger, ServerOptions options) {
  std::unique_ptr<BrokerServer> server(new BrokerServer(clock, std::move(logger), std::move(options)));
  if (auto bound = server->bind(); !bound) return fail(std::move(bound.error()));
  return server;
}

BrokerServer::BrokerServer(const Clock& clock, Logger logger, ServerOptions options)
    : clock_(clock), logger_(std::move(logger)), options_(std::move(options)), pool_(kPoolBytesMax) {}

BrokerServer::~BrokerServer() { stop(std::chrono::milliseconds(0)); }

Status BrokerServer::bind() {
  for (const ListenerOptions& wanted : options_.listeners) {
    Listener listener;
    listener.options = wanted;
    if (wanted.has_tls()) {
      auto tls = TlsContext::create(wanted.tls);
      if (!tls) return fail(std::move(tls.error()).wrap(fmt::format("listener {} cannot offer TLS", wanted.name)));
      listener.tls = std::move(*tls);
    }
    auto socket = listen_on(wanted.host, wanted.port);
    if (!socket) return fail(std::move(socket.error()));
    listener.port = local_port(socket->get());
    listener.socket = std::move(*socket);
    logger_.info("listening", {{"listener", wanted.name}, {"host", wanted.host}, {"port", listener.port}});
    listeners_.push_back(std::move(listener));
  }
  return {};
}

std::vector<AdvertisedListener> BrokerServer::advertised() const {
  std::vector<AdvertisedListener> list;
  for (const Listener& listener : listeners_) {
    const ListenerOptions& options = listener.options;
    std::string host = !options.advertised_host.empty() ? options.advertised_host : options.host;
    if (host.empty() || host == "0.0.0.0" || host == "::") host = machine_name();
    list.push_back({options.name, std::move(host), options.advertised_port.value_or(listener.port)});
  }
  return list;
}

uint16_t BrokerServer::port(std::string_view name) const {
  for (const Listener& listener : listeners_) {
    if (listener.options.name == name) return listener.port;
  }
  return 0;
}

size_t BrokerServer::connections() const {
  std::lock_guard lock(mutex_);
  return count_;
}

Status BrokerServer::start(BrokerServices& services, const ApiTable& apis) {
  apis_ = std::make_unique<ApiIndex>(apis);
  const auto shared = std::make_shared<const ConnectionShared>(options_, *apis_, services, pool_, logger_);
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const size_t count = options_.threads > 0 ? options_.threads : std::min(kThreadsDefaultMax, cores);
  for (size_t i = 0; i < count; ++i) {
    auto loop = EventLoop::create(clock_);
    if (!loop) return fail(std::move(loop.error()));
    threads_.push_back(std::make_unique<NetworkThread>(
        std::move(*loop), shared, [this](const Connection& connection) { connection_closed(connection); }));
  }
  for (Listener& listener : listeners_) {
    listener.acceptor = std::make_unique<Acceptor>(threads_.front()->loop(), logger_, std::move(listener.socket),
                                                   [this, &listener](Descriptor socket, std::string peer) {
                                                     accepted(listener, std::move(socket), std::move(peer));
                                                   });
    if (auto started = listener.acceptor->start(); !started) return started;
  }
  for (const auto& thread : threads_) thread->start();
  return {};
}

void BrokerServer::accepted(const Listener& listener, Descriptor socket, std::string peer) {
  if (!admit(peer)) return;  // closes the socket
  Session session;
  session.connection_id = ++connection_last_;
  session.client_host = std::move(peer);
  session.listener = listener.options.name;
  auto transport =
      listener.tls != nullptr ? listener.tls->accept(std::move(socket)) : make_plain_transport(std::move(socket));
  least_busy().adopt(std::move(transport), std::move(session), listener.options.has_sasl());
  pause_or_resume();
}

bool BrokerServer::admit(const std::string& peer) {
  const auto own = options_.connections_per_ip_overrides.find(peer);
  const size_t limit =
      own == options_.connections_per_ip_overrides.end() ? options_.connections_per_ip_max : own->second;
  {
    std::lock_guard lock(mutex_);
    size_t& here = count_by_ip_[peer];
    if (here < limit) {
      ++here;
      ++count_;
      return true;
    }
    if (here == 0) count_by_ip_.erase(peer);
  }
  logger_.info("connection_refused", {{"client", peer}, {"limit", limit}, {"setting", "max.connections.per.ip"}});
  return false;
}

void BrokerServer::connection_closed(const Connection& connection) {
  bool was_full;
  {
    std::lock_guard lock(mutex_);
    was_full = count_ >= options_.connections_max;
    --count_;
    const auto here = count_by_ip_.find(connection.client_host());
    if (--here->second == 0) count_by_ip_.erase(here);
  }
  closed_.notify_all();
  if (was_full) threads_.front()->loop().post([this] { pause_or_resume(); });
}

/// On the accepting thread.
void BrokerServer::pause_or_resume() {
  const bool full = connections() >= options_.connections_max;
  for (Listener& listener : listeners_) {
    if (full) {
      listener.acceptor->pause();
    } else if (listener.acceptor->paused()) {
      listener.acceptor->resume();
    }
  }
}

NetworkThread& BrokerServer::least_busy() {
  return **std::min_element(threads_.begin(), threads_.end(),
                            [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
}

void BrokerServer::stop(std::chrono::milliseconds grace) {
  if (threads_.empty()) return;
  threads_.front()->loop().post([this] {
    for (Listener& listener : listeners_) listener.acceptor->close();
    for (const auto& thread : threads_) thread->drain();
  });
  if (!drained_within(grace))
    logger_.warn("connections_cut", {{"connections", connections()}, {"grace_ms", grace.count()}});
  // The accepting thread goes last, since the others' connections report to it.
  for (auto thread = threads_.rbegin(); thread != threads_.rend(); ++thread) (*thread)->stop();
  for (Listener& listener : listeners_) listener.acceptor.reset();
  threads_.clear();
}

bool BrokerServer::drained_within(std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  return closed_.wait_for(lock, grace, [this] { return count_ == 0; });
}

}  // namespace millrace
