/// A loopback server with toy APIs and a plain client, for tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/server/background.h"
#include "broker/server/broker_server.h"

namespace millrace {

inline constexpr std::chrono::seconds kTestPatience{20};

/// A value that another thread will reach: waits without sleeping.
class Signal {
 public:
  void raise() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kTestPatience, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
};

/// What BrokerServices refers to and toy handlers do not look at.
struct ToyParts {
  explicit ToyParts(Clock& clock) : toy_executor(clock) {}
  template <class T>
  T& nothing() {
    return *reinterpret_cast<T*>(room);
  }
  BackgroundExecutor toy_executor;
  alignas(64) char room[64] = {};
};

/// Services with what a test wants to share with its handlers, who cast back to it.
template <class Shared>
struct ToyServices : ToyParts, BrokerServices, Shared {
  explicit ToyServices(Clock& used_clock)
      : ToyParts(used_clock),
        BrokerServices{nothing<Broker>(),
                       nothing<GroupCoordinator>(),
                       nothing<TransactionCoordinator>(),
                       nothing<Security>(),
                       toy_executor,
                       used_clock,
                       Logger(),
                       1,
                       {}} {}
  ToyServices(Clock& used_clock, Security& used_security)
      : ToyParts(used_clock),
        BrokerServices{nothing<Broker>(),
                       nothing<GroupCoordinator>(),
                       nothing<TransactionCoordinator>(),
                       used_security,
                       toy_executor,
                       used_clock,
                       Logger(),
                       1,
                       {}} {}
};

/// A blocking client without any knowledge of the protocol but frames.
class ToyClient {
 public:
  explicit ToyClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{kTestPatience.count(), 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool connected() const { return connected_; }
  int descriptor() const { return socket_.get(); }
  void close() { socket_.reset(); }
  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

  bool send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return true;
  }
  static std::string request(int16_t key, int16_t version, int32_t correlation, std::string_view body,
                             bool flexible = false) {
    std::string frame(4, '\0');
    append_be(frame, key);
    append_be(frame, version);
    append_be(frame, correlation);
    append_be(frame, int16_t{4});
    frame += "test";
    if (flexible) frame.push_back('\0');
    frame += body;
    store_be(frame.data(), static_cast<int32_t>(frame.size() - 4));
    return frame;
  }
  bool send(int16_t key, int16_t version, int32_t correlation, std::string_view body = {}) {
    return send_bytes(request(key, version, correlation, body));
  }

  /// The next frame; nothing when the connection has ended (or the test's patience).
  std::optional<std::string> receive() {
    const auto length = receive_bytes(4);
    if (!length) return std::nullopt;
    return receive_bytes(static_cast<size_t>(load_be<int32_t>(length->data())));
  }
  /// The correlation id and the body of the next answer (header v0).
  std::optional<std::pair<int32_t, std::string>> answer() {
    auto frame = receive();
    if (!frame || frame->size() < 4) return std::nullopt;
    return std::pair(load_be<int32_t>(frame->data()), frame->substr(4));
  }
  /// Whether the server ends the connection next.
  bool closed_by_server() {
    char byte;
    const ssize_t got = ::recv(socket_.get(), &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  std::optional<std::string> receive_bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t filled = 0; filled < size;) {
      const ssize_t got = ::recv(socket_.get(), bytes.data() + filled, size - filled, 0);
      if (got <= 0) return std::nullopt;
      filled += static_cast<size_t>(got);
    }
    return bytes;
  }

 private:
  Descriptor socket_;
  bool connected_ = false;
};

}  // namespace millrace
