#include "rest/http_connection.h"

#include <array>
#include <utility>

#include "rest/http_answer.h"
#include "rest/rest_api.h"

namespace millrace {
namespace {

// Reads of one connection in a row, before the others of the loop get their turn.
constexpr int kReadsPerRound = 8;
// A socket that is closed with bytes unread makes the kernel drop what the client has not yet read.
constexpr std::chrono::milliseconds kLinger{2000};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpShared> shared, std::shared_ptr<RequestHandler> handler,
                               std::unique_ptr<Transport> transport, std::string client, bool secure)
    : shared_(std::move(shared)),
      handler_(std::move(handler)),
      transport_(std::move(transport)),
      client_(std::move(client)),
      secure_(secure),
      parser_(shared_->limits) {}

void HttpConnection::start() {
  set_timer(shared_->times.handshake, [this] { close_now(); });
  // Edge-triggered, once and for all: a connection's interest never has to be changed.
  auto added = shared_->loop->add(transport_->descriptor(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  if (!added) close_now();
}

// --- Input

void HttpConnection::on_events(uint32_t epoll_events) {
  const auto self = shared_from_this();
  if ((epoll_events & (EPOLLERR | EPOLLHUP)) != 0) return close_now();
  if ((epoll_events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  if (stage_ == Stage::kHandshake && !shake_hands()) return;
  if (stage_ == Stage::kSending) send();
  if (stage_ == Stage::kReceiving) receive();
  if (stage_ == Stage::kLingering) linger();
}

bool HttpConnection::shake_hands() {
  std::string error;
  const IoResult::State state = transport_->handshake(error);
  if (state == IoResult::State::kBlocked) return false;
  if (state != IoResult::State::kMoved) {
    shared_->logger.info("tls_handshake_failed", {{"client", client_}, {"error", error}});
    close_now();
    return false;
  }
  stage_ = Stage::kReceiving;
  set_timer(shared_->times.keep_alive, [this] { close_now(); });
  return true;
}

void HttpConnection::receive() {
  for (int reads = 0; stage_ == Stage::kReceiving; ++reads) {
    parse();
    if (stage_ != Stage::kReceiving) return;
    if (!input_.empty()) continue;  // it was refused and answered at once; another follows
    if (ended_) return close_now();
    if (!readable_) return;
    if (reads == kReadsPerRound) {
      if (!std::exchange(round_end_asked_, true)) shared_->loop->call_at_round_end(*this);
      return;
    }
    if (!read_once()) return;
  }
}

bool HttpConnection::read_once() {
  const iovec target{shared_->loop->scratch(), EventLoop::kScratchBytes};
  const IoResult got = transport_->read({&target, 1});
  switch (got.state) {
    case IoResult::State::kMoved:
      input_.append(shared_->loop->scratch(), got.bytes);
      return true;
    case IoResult::State::kBlocked:
      readable_ = false;
      return true;
    case IoResult::State::kEnd:
      readable_ = false;
      ended_ = true;
      return true;
    case IoResult::State::kBroken:
      break;
  }
  close_now();
  return false;
}

void HttpConnection::parse() {
  if (!input_.empty()) {
    const size_t used = parser_.consume(input_);
    input_.erase(0, used);
    if (input_.empty()) std::string().swap(input_);  // an idle connection costs little
  }
  if (parser_.failed() || parser_.done()) return dispatch();
  if (!parser_.idle() && !std::exchange(receiving_timed_, true))
    set_timer(shared_->times.receive, [this] { too_slow(); });
  if (parser_.take_continue()) {
    const iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
    transport_->write({&piece, 1}, false);  // a full socket: the client waits a while and then sends the body anyway
    transport_->flush();
  }
}

void HttpConnection::too_slow() {
  refused_ = true;
  respond(error_response(408, "The request has not come to its end in time."), false);
}

void HttpConnection::on_round_end() {
  round_end_asked_ = false;
  const auto self = shared_from_this();
  if (stage_ == Stage::kReceiving) receive();
}

// --- Requests

void HttpConnection::dispatch() {
  receiving_timed_ = false;
  const bool keep_alive = parser_.keep_alive() && !draining_;
  if (parser_.refusal() != 0) {
    refused_ = parser_.failed();
    RestResponse refused = error_response(parser_.refusal(), parser_.refusal_text());
    request_ = std::make_shared<const RestRequest>(parser_.take());
    return respond(std::move(refused), keep_alive);
  }
  RestRequest request = parser_.take();
  request.client = client_;
  request.secure = secure_;
  request_ = std::make_shared<const RestRequest>(std::move(request));
  keep_alive_ = keep_alive;
  stage_ = Stage::kHandling;
  const uint64_t number = ++request_number_;
  set_timer(handler_->time_limit(*request_), [this, number] {
    shared_->pool.abandon(job_);
    answered(number, handler_->timed_out(*request_));
  });
  job_ = shared_->pool.run(
      [self = weak_from_this(), loop = shared_->loop, handler = handler_, request_now = request_, number] {
        RestResponse response = handler->handle(*request_now);
        loop->post([self, number, response = std::move(response)]() mutable {
          if (const auto connection = self.lock()) connection->answered(number, std::move(response));
        });
      });
}

void HttpConnection::answered(uint64_t request, RestResponse response) {
  if (stage_ != Stage::kHandling || request != request_number_) return;  // its time was over
  const auto self = shared_from_this();
  job_ = nullptr;
  respond(std::move(response), keep_alive_ && !draining_);
  if (stage_ == Stage::kReceiving) receive();
}

// --- Output

void HttpConnection::respond(RestResponse response, bool keep_alive) {
  keep_alive_ = keep_alive;
  head_ = answer_head(response, keep_alive);
  body_ = has_body(response, request_ == nullptr ? std::string_view() : request_->method) ? std::move(response.body)
                                                                                          : std::string();
  request_ = nullptr;
  sent_ = 0;
  stage_ = Stage::kSending;
  set_timer(shared_->times.send_stalled, [this] { close_now(); });
  send();
}

void HttpConnection::send() {
  const size_t total = head_.size() + body_.size();
  while (stage_ == Stage::kSending && sent_ < total) {
    std::array<iovec, 2> pieces;
    size_t count = 0;
    if (sent_ < head_.size()) pieces[count++] = {head_.data() + sent_, head_.size() - sent_};
    const size_t of_body = sent_ < head_.size() ? 0 : sent_ - head_.size();
    if (of_body < body_.size()) pieces[count++] = {body_.data() + of_body, body_.size() - of_body};
    const IoResult result = transport_->write({pieces.data(), count}, false);
    if (result.state == IoResult::State::kBlocked) return;
    if (result.state != IoResult::State::kMoved) return close_now();
    sent_ += result.bytes;
    set_timer(shared_->times.send_stalled, [this] { close_now(); });
  }
  const IoResult::State state = transport_->flush();
  if (state == IoResult::State::kBlocked) return;
  if (state != IoResult::State::kMoved) return close_now();
  sent();
}

void HttpConnection::sent() {
  std::string().swap(head_);
  std::string().swap(body_);
  if (!keep_alive_ || draining_) {
    transport_->shut_down();
    if (!refused_ || ended_ || draining_) return close_now();
    stage_ = Stage::kLingering;
    set_timer(kLinger, [this] { close_now(); });
    return linger();
  }
  stage_ = Stage::kReceiving;
  set_timer(shared_->times.keep_alive, [this] { close_now(); });
}

// --- End

void HttpConnection::linger() {
  for (int reads = 0; reads < kReadsPerRound && readable_; ++reads) {
    input_.clear();
    if (!read_once()) return;
    if (ended_) return close_now();
  }
}

void HttpConnection::drain() {
  draining_ = true;
  if (waits_for_client()) close_now();
}

void HttpConnection::close_now() {
  if (std::exchange(stage_, Stage::kClosed) == Stage::kClosed) return;
  const auto self = shared_from_this();
  clear_timer();
  if (job_ != nullptr) shared_->pool.abandon(std::exchange(job_, nullptr));
  shared_->loop->remove(transport_->descriptor(), *this);
  shared_->closed(*this);
}

void HttpConnection::set_timer(std::chrono::milliseconds delay, std::function<void()> then) {
  clear_timer();
  timer_ = shared_->loop->run_after(delay, [this, then = std::move(then)] {
    const auto self = shared_from_this();
    timer_ = 0;
    then();
  });
}

void HttpConnection::clear_timer() {
  if (timer_ != 0) shared_->loop->cancel(std::exchange(timer_, 0));
}

}  // namespace millrace
