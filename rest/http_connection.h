/// One client's HTTP connection: bytes to requests, one under way at a time, and answers back.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "core/logger.h"
#include "net/event_loop.h"
#include "net/transport.h"
#include "rest/http_parser.h"
#include "rest/request_pool.h"

namespace millrace {

/// What answers requests. Threads: handle() by many at once; the others by the loop's, so they do not wait.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual RestResponse handle(const RestRequest& request) = 0;
  virtual std::chrono::milliseconds time_limit(const RestRequest& request) const = 0;
  /// The answer to a request that is not answered within its time.
  virtual RestResponse timed_out(const RestRequest& request) const = 0;
};

struct HttpTimes {
  std::chrono::milliseconds keep_alive{30'000};    ///< between two requests
  std::chrono::milliseconds handshake{10'000};     ///< of TLS
  std::chrono::milliseconds receive{60'000};       ///< from a request's first byte to its last
  std::chrono::milliseconds send_stalled{30'000};  ///< while a client takes nothing of its answer
};

class HttpConnection;

/// What all connections of a server share. Lifetime: as long as any of them, or a request of theirs.
struct HttpShared {
  std::shared_ptr<EventLoop> loop;
  HttpParser::Limits limits;
  HttpTimes times;
  RequestPool& pool;
  Logger logger;
  std::function<void(HttpConnection&)> closed;  ///< it is to be forgotten
};

/// Threads: the loop's.
class HttpConnection final : public EventHandler, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpShared> shared, std::shared_ptr<RequestHandler> handler,
                 std::unique_ptr<Transport> transport, std::string client, bool secure);

  void start();
  /// Closes once what is under way has been answered.
  void drain();
  void close_now();
  /// Nothing of a request has come, or not all of it.
  bool waits_for_client() const {
    return stage_ == Stage::kHandshake || stage_ == Stage::kReceiving || stage_ == Stage::kLingering;
  }

  std::list<std::shared_ptr<HttpConnection>>::iterator place;  ///< where the server keeps it

  void on_events(uint32_t epoll_events) override;
  void on_round_end() override;

 private:
  enum class Stage { kHandshake, kReceiving, kHandling, kSending, kLingering, kClosed };

  bool shake_hands();
  void receive();
  bool read_once();
  void parse();
  void dispatch();
  void answered(uint64_t request, RestResponse response);
  void respond(RestResponse response, bool keep_alive);
  void send();
  void sent();
  void linger();
  void set_timer(std::chrono::milliseconds delay, std::function<void()> then);
  void clear_timer();
  void too_slow();

  const std::shared_ptr<HttpShared> shared_;       // co-owned by all connections of the server
  const std::shared_ptr<RequestHandler> handler_;  // co-owned by requests under way, which may outlive the server
  const std::unique_ptr<Transport> transport_;
  const std::string client_;
  const bool secure_;

  Stage stage_ = Stage::kHandshake;
  HttpParser parser_;
  std::string input_;  // what came beyond the request under way
  bool readable_ = false;
  bool ended_ = false;  // the client sends no more
  bool draining_ = false;
  bool refused_ = false;  // more of the request may come, which nobody wants
  bool round_end_asked_ = false;
  bool receiving_timed_ = false;  // the timer is that of a request, not of a pause between two

  std::shared_ptr<const RestRequest> request_;  // under way; co-owned by the thread that handles it
  std::shared_ptr<RequestPool::Job> job_;
  uint64_t request_number_ = 0;

  std::string head_, body_;
  size_t sent_ = 0;
  bool keep_alive_ = true;
  uint64_t timer_ = 0;
};

}  // namespace millrace
