#include "net/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace millrace {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerRound = 64;
constexpr auto kRetryAfterNoDescriptors = std::chrono::milliseconds(100);

struct AddressesFree {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Expected<Descriptor> listen_at(const addrinfo& address, bool any) {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1, off = 0;
  if (socket.valid()) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.ai_family == AF_INET6)
      ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, any ? &off : &on, sizeof(on));
    if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) == 0 && ::listen(socket.get(), kBacklog) == 0)
      return socket;
  }
  return fail(ErrorCode::kUnavailable, std::strerror(errno));
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "unknown";
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof(text));
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
      ::inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof(text));
    } else {
      ::inet_ntop(AF_INET6, &six, text, sizeof(text));
    }
  }
  return text;
}

}  // namespace

Expected<Descriptor> listen_on(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("cannot listen on {}:{}: the host does not resolve ({}); correct "
                            "`listeners`",
                            host, port, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, AddressesFree> addresses(found);
  Expected<Descriptor> result = fail(ErrorCode::kUnavailable, "no address");
  // For "every address" IPv6 goes first, as its socket takes IPv4 too.
  for (const bool six : {true, false}) {
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      if (host.empty() && (at->ai_family == AF_INET6) != six) continue;
      result = listen_at(*at, host.empty());
      if (result) return result;
    }
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot listen on {}:{}: {}; stop what uses the port or change `listeners`", host, port,
                          result.error().message));
}

uint16_t local_port(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

Acceptor::Acceptor(EventLoop& loop, Logger logger, Descriptor listening, Accepted accepted)
    : loop_(loop), logger_(std::move(logger)), listening_(std::move(listening)), accepted_(std::move(accepted)) {}

Acceptor::~Acceptor() { close(); }

Status Acceptor::start() {
  if (watching_) return {};
  if (auto added = loop_.add(listening_.get(), EPOLLIN, *this); !added) return added;
  watching_ = true;
  return {};
}

void Acceptor::pause() {
  if (!watching_) return;
  loop_.remove(listening_.get(), *this);
  watching_ = false;
}

void Acceptor::resume() {
  if (!listening_.valid()) return;
  if (auto started = start(); !started) logger_.error("accept_failed", {{"error", started.error().message}});
}

void Acceptor::close() {
  pause();
  if (retry_timer_ != 0) loop_.cancel(retry_timer_);
  listening_.reset();
}

void Acceptor::on_events(uint32_t) {
  for (int i = 0; i < kAcceptsPerRound && watching_; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    Descriptor socket(
        ::accept4(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) return accept_failed(errno);
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    accepted_(std::move(socket), address_text(address));
  }
}

void Acceptor::accept_failed(int error) {
  if (error == EAGAIN || error == EINTR || error == ECONNABORTED) return;
  // Without descriptors the listening socket stays readable: looking again at once would turn the loop into a busy
  // wait.
  logger_.warn("accept_failed", {{"error", std::strerror(error)},
                                 {"hint", "raise the limit of open files (ulimit -n) or lower max.connections"}});
  pause();
  retry_timer_ = loop_.run_after(kRetryAfterNoDescriptors, [this] {
    retry_timer_ = 0;
    resume();
  });
}

}  // namespace millrace
