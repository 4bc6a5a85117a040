/// One event loop of the broker with its connections.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <thread>

#include "broker/server/connection.h"

namespace millrace {

/// Threads: those of each function are named.
class NetworkThread final : public ConnectionHome {
 public:
  /// `on_closed` is told of each connection that has ended, on this thread.
  using Closed = std::function<void(const Connection& connection)>;
  NetworkThread(std::shared_ptr<EventLoop> loop, std::shared_ptr<const ConnectionShared> shared, Closed on_closed);
  ~NetworkThread() override;

  EventLoop& loop() { return *loop_; }
  void start();  ///< any thread; once
  /// Any thread: takes over a connection. `transport` is already non-blocking.
  void adopt(std::unique_ptr<Transport> transport, Session session, bool needs_sasl);
  /// Any thread: each connection ends when its requests are answered and the answers sent.
  void drain();
  /// Any thread: closes what is left, ends the thread and waits for it.
  void stop();
  size_t connections() const { return count_; }  ///< any thread

  // ConnectionHome, on the loop's thread.
  void active(Place place) override;
  void closed(Place place) override;

 private:
  void watch_idle();
  void close_idle();

  const std::shared_ptr<EventLoop> loop_;                 // co-owned by connections that still wait for answers
  const std::shared_ptr<const ConnectionShared> shared_;  // co-owned by the connections
  const Closed on_closed_;
  std::atomic<size_t> count_{0};
  std::list<std::shared_ptr<Connection>> connections_;  // longest inactive first; co-owned by their exchanges
  bool draining_ = false;
  bool idle_timer_set_ = false;
  std::thread thread_;
};

}  // namespace millrace
