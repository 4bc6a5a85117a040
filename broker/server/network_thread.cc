#include "broker/server/network_thread.h"

namespace millrace {

NetworkThread::NetworkThread(std::shared_ptr<EventLoop> loop, std::shared_ptr<const ConnectionShared> shared,
                             Closed on_closed)
    : loop_(std::move(loop)), shared_(std::move(shared)), on_closed_(std::move(on_closed)) {}

NetworkThread::~NetworkThread() { stop(); }

void NetworkThread::start() {
  thread_ = std::thread([this] { loop_->run(); });
}

void NetworkThread::adopt(std::unique_ptr<Transport> transport, Session session, bool needs_sasl) {
  ++count_;
  auto connection =
      std::make_shared<Connection>(loop_, shared_, *this, std::move(transport), std::move(session), needs_sasl);
  loop_->post([this, connection = std::move(connection)] {
    connections_.push_back(connection);
    connection->start(std::prev(connections_.end()));
    if (draining_) connection->drain();
    watch_idle();
  });
}

void NetworkThread::active(Place place) { connections_.splice(connections_.end(), connections_, place); }

void NetworkThread::closed(Place place) {
  const std::shared_ptr<Connection> connection = std::move(*place);
  connections_.erase(place);
  --count_;
  on_closed_(*connection);
}

void NetworkThread::watch_idle() {
  const auto limit = shared_->options.idle_max;
  if (limit.count() < 0 || idle_timer_set_ || connections_.empty()) return;
  idle_timer_set_ = true;
  loop_->run_after(connections_.front()->last_active() + limit - loop_->now(), [this] {
    idle_timer_set_ = false;
    close_idle();
    watch_idle();
  });
}

void NetworkThread::close_idle() {
  while (!connections_.empty()) {
    const std::shared_ptr<Connection> oldest = connections_.front();
    if (oldest->last_active() + shared_->options.idle_max > loop_->now()) return;
    if (oldest->idle()) {
      oldest->close_now();
    } else {
      oldest->touch();  // it waits for us, not we for it
    }
  }
}

void NetworkThread::drain() {
  loop_->post([this] {
    draining_ = true;
    for (const auto& connection : connections_) connection->drain();
  });
}

void NetworkThread::stop() {
  if (!thread_.joinable()) return;
  loop_->post([this] {
    while (!connections_.empty()) std::shared_ptr<Connection>(connections_.front())->close_now();
    loop_->stop();
  });
  thread_.join();
}

}  // namespace millrace
