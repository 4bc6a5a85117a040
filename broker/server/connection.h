/// One client's connection: cuts its bytes into requests, gives them to their handlers, sends the answers in order.
///
/// As in Kafka a connection has one request under way at a time; those that follow wait in the kernel, which is the
/// back-pressure. Only APIs that are `pipelined` may have several. A client that does not read its answers has no
/// further request handled, and costs the others nothing.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/security/sasl_session.h"
#include "broker/server/api.h"
#include "broker/server/exchange.h"
#include "broker/server/frame_reader.h"
#include "broker/server/output_queue.h"
#include "broker/server/server_options.h"
#include "net/event_loop.h"
#include "net/transport.h"

namespace millrace {

class Connection;

/// Finds an API by its key at once. Threads: any (immutable).
class ApiIndex {
 public:
  explicit ApiIndex(const ApiTable& table);
  const Api* find(int16_t key) const {
    if (key < 0 || static_cast<size_t>(key) >= by_key_.size()) return nullptr;
    const Api& api = by_key_[static_cast<size_t>(key)];
    return api.handle != nullptr ? &api : nullptr;
  }

 private:
  std::vector<Api> by_key_;  // those without a handler are not served
};

/// The thread that a connection belongs to, as the connection sees it. Threads: the loop's.
class ConnectionHome {
 public:
  using Place = std::list<std::shared_ptr<Connection>>::iterator;
  virtual ~ConnectionHome() = default;
  virtual void active(Place place) = 0;  ///< it has done something, so it is not idle
  virtual void closed(Place place) = 0;  ///< to be forgotten
};

/// What all connections of a server share. Threads: any (immutable, but for the pool).
struct ConnectionShared {
  const ServerOptions& options;
  const ApiIndex& apis;
  BrokerServices& services;
  FramePool& pool;
  const Logger& logger;
};

/// Threads: the loop's, but answer(), answer_nothing(), close(), run_soon() and recycle(), which may be called from
/// any.
class Connection final : public EventHandler,
                         public ExchangeSink,
                         public ConnectionControl,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<EventLoop> loop, std::shared_ptr<const ConnectionShared> shared, ConnectionHome& home,
             std::unique_ptr<Transport> transport, Session session, bool needs_sasl);

  /// Begins to serve. `place` is where the home keeps the connection.
  void start(ConnectionHome::Place place);
  /// Handles no further request and closes once those under way are answered and sent.
  void drain();
  void close_now();
  /// It has just been of use.
  void touch();
  bool idle() const { return next_sequence_ == first_unanswered_; }
  std::chrono::nanoseconds last_active() const { return last_active_; }
  const std::string& client_host() const { return session_->client_host; }

  // EventHandler
  void on_events(uint32_t epoll_events) override;
  void on_round_end() override;
  void on_notified() override;

  // ExchangeSink
  void answer(uint64_t sequence, ResponseFrame frame) override;
  void answer_nothing(uint64_t sequence) override;
  void close(uint64_t sequence) override;
  ConnectionControl* control() override { return this; }
  void when_gone(std::function<void()> gone) override { gone_ = std::move(gone); }
  bool run_soon(std::function<void()>& work) override;
  void recycle(std::string frame) override { shared_->pool.give(std::move(frame)); }

  // ConnectionControl
  SaslSession* sasl() override { return sasl_.get(); }
  void replace_session(Session session) override;

 private:
  enum class Kind : uint8_t { kPending, kFrame, kNothing, kClose };
  struct Answer {
    uint64_t sequence = 0;
    Kind kind = Kind::kPending;
    ResponseFrame frame;
  };

  bool shake_hands();
  void read_and_handle();
  bool read_once();
  void handle_frames();
  bool may_handle(int16_t api_key, const Api& api) const;
  bool handle_frame(BytesView frame);
  bool handle_raw_token(BytesView token);
  bool allowed_before_authentication(const Api& api) const;
  void refuse(std::string_view why, int16_t api_key, int16_t version);
  void deliver(Answer answer);
  void settle(Answer answer);
  void flush();
  void ask_round_end();
  size_t frame_bytes_max() const;
  Answer& slot(uint64_t sequence) { return slots_[sequence & (slots_.size() - 1)]; }
  void make_room();

  const std::shared_ptr<EventLoop> loop_;                 // co-owned: answers may come when the server is gone
  const std::shared_ptr<const ConnectionShared> shared_;  // co-owned by all connections of the server
  ConnectionHome* home_;                                  // null once closed
  ConnectionHome::Place place_;
  std::unique_ptr<Transport> transport_;    // null once closed
  std::shared_ptr<const Session> session_;  // co-owned by the exchanges under way
  std::unique_ptr<SaslSession> sasl_;
  FrameReader reader_;
  OutputQueue output_;

  // Requests under way are [first_unanswered_, next_sequence_); a ring of a power of two.
  std::vector<Answer> slots_;
  uint64_t first_unanswered_ = 0;
  uint64_t next_sequence_ = 0;
  int16_t last_key_ = -1;

  bool shaken_ = false;
  bool readable_ = false;
  bool peer_finished_ = false;  // the peer has said that it sends no more; what it sent may still be unread
  bool ended_ = false;          // and now all is read
  bool draining_ = false;
  bool closing_ = false;    // once what is under way is answered and the output has left
  bool abandoned_ = false;  // a handler wants the connection closed: later requests get no answer
  bool flush_blocked_ = false;
  bool round_end_asked_ = false;
  std::function<void()> gone_;  // of the request under way
  std::chrono::nanoseconds last_active_{0};

  std::mutex mutex_;             // guards what follows
  std::vector<Answer> mailbox_;  // answers from other threads
  bool mailbox_closed_ = false;
};

}  // namespace millrace
