#include "broker/server/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/security/security.h"
#include "broker/server/request_header.h"
#include "core/invariant.h"

namespace millrace {
namespace {

constexpr int16_t kApiVersionsKey = 18;
constexpr int16_t kSaslHandshakeKey = 17;
constexpr int16_t kSaslAuthenticateKey = 36;
// Reads of one connection in a row, before the others of the loop get their turn.
constexpr int kReadsPerRound = 8;
constexpr size_t kSlotsFirst = 2;

}  // namespace

ApiIndex::ApiIndex(const ApiTable& table) {
  for (const Api& api : table.all()) {
    const auto key = static_cast<size_t>(api.key);
    if (key >= by_key_.size()) by_key_.resize(key + 1, Api{});
    by_key_[key] = api;
  }
}

Connection::Connection(std::shared_ptr<EventLoop> loop, std::shared_ptr<const ConnectionShared> shared,
                       ConnectionHome& home, std::unique_ptr<Transport> transport, Session session, bool needs_sasl)
    : loop_(std::move(loop)),
      shared_(std::move(shared)),
      home_(&home),
      transport_(std::move(transport)),
      session_(std::make_shared<const Session>(std::move(session))),
      sasl_(needs_sasl ? shared_->services.security.start_sasl(session_->listener) : nullptr),
      reader_(shared_->pool) {}

void Connection::start(ConnectionHome::Place place) {
  place_ = place;
  last_active_ = loop_->now();
  // Edge-triggered, once and for all: a connection's interest never has to be changed.
  auto added = loop_->add(transport_->descriptor(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  if (!added) close_now();
}

void Connection::replace_session(Session session) { session_ = std::make_shared<const Session>(std::move(session)); }

// --- Input ---

void Connection::on_events(uint32_t epoll_events) {
  const auto self = shared_from_this();
  if ((epoll_events & (EPOLLERR | EPOLLHUP)) != 0) return close_now();
  if ((epoll_events & EPOLLRDHUP) != 0) peer_finished_ = true;
  if ((epoll_events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  touch();
  if (!shaken_ && !shake_hands()) return;
  if (flush_blocked_) flush();
  read_and_handle();
}

bool Connection::shake_hands() {
  std::string error;
  const IoResult::State state = transport_->handshake(error);
  if (state == IoResult::State::kBlocked) return false;
  if (state != IoResult::State::kMoved) {
    shared_->logger.info("tls_handshake_failed",
                         {{"client", session_->client_host}, {"listener", session_->listener}, {"error", error}});
    close_now();
    return false;
  }
  shaken_ = true;
  if (const std::string subject = transport_->peer_subject(); !subject.empty()) {
    Session known = *session_;
    known.principal = "User:" + subject;
    replace_session(std::move(known));
  }
  return true;
}

void Connection::read_and_handle() {
  for (int reads = 0; home_ != nullptr; ++reads) {
    handle_frames();
    if (home_ == nullptr || closing_ || draining_ || reader_.peek(frame_bytes_max())) break;  // one waits for its turn
    if (!readable_ || output_.bytes() > shared_->options.output_bytes_max) break;
    if (reads == kReadsPerRound) {
      ask_round_end();
      break;
    }
    if (!read_once()) break;
  }
  if (home_ == nullptr) return;
  reader_.settle();
  if (ended_ && gone_) std::exchange(gone_, nullptr)();
  // A client that has said goodbye still gets the answers to what it asked.
  if (ended_ && idle()) {
    closing_ = true;
    ask_round_end();
  }
}

bool Connection::read_once() {
  std::array<iovec, 2> targets;
  const size_t count = reader_.targets(targets, loop_->scratch(), EventLoop::kScratchBytes);
  size_t room = 0;
  for (size_t i = 0; i < count; ++i) room += targets[i].iov_len;
  const IoResult got = transport_->read({targets.data(), count});
  switch (got.state) {
    case IoResult::State::kMoved:
      reader_.arrived(got.bytes, loop_->scratch());
      // Less than asked for means that nothing is left, unless the end is still to be seen.
      readable_ = got.bytes == room || peer_finished_;
      return true;
    case IoResult::State::kBlocked:
      readable_ = false;
      return false;
    case IoResult::State::kEnd:
      readable_ = false;
      ended_ = true;
      return false;
    case IoResult::State::kBroken:
      break;
  }
  close_now();
  return false;
}

size_t Connection::frame_bytes_max() const {
  const bool trusted = sasl_ == nullptr || sasl_->authenticated();
  const ServerOptions& options = shared_->options;
  return trusted ? options.request_bytes_max
                 : std::min(options.request_bytes_max, options.unauthenticated_request_bytes_max);
}

void Connection::handle_frames() {
  while (home_ != nullptr && !closing_ && !draining_ && output_.bytes() <= shared_->options.output_bytes_max) {
    const auto frame = reader_.peek(frame_bytes_max());
    if (reader_.broken()) {
      shared_->logger.warn(
          "request_refused",
          {{"client", session_->client_host},
           {"listener", session_->listener},
           {"error", fmt::format("frame length {} is not within 0 and {}", reader_.broken_length(), frame_bytes_max())},
           {"hint", "a client of another protocol, or raise socket.request.max.bytes"}});
      return close_now();
    }
    if (!frame || !handle_frame(*frame)) return;
  }
}

bool Connection::may_handle(int16_t api_key, const Api& api) const {
  const uint64_t under_way = next_sequence_ - first_unanswered_;
  if (under_way == 0) return true;
  return api.pipelined && api_key == last_key_ && under_way < shared_->options.pipelined_requests_max;
}

bool Connection::allowed_before_authentication(const Api& api) const {
  if (!api.before_authentication) return false;
  return sasl_->state() == SaslSession::State::kTokens ? api.key == kSaslAuthenticateKey
                                                       : api.key == kSaslHandshakeKey || api.key == kApiVersionsKey;
}

/// False: not now (or never, when the connection has been closed).
bool Connection::handle_frame(BytesView frame) {
  if (sasl_ != nullptr && sasl_->state() == SaslSession::State::kRawTokens) return handle_raw_token(frame);
  const auto asked = peek_api(frame);
  if (!asked) return refuse("the frame is too short for a request header", -1, -1), false;
  const auto [key, version] = *asked;
  const Api* api = shared_->apis.find(key);
  if (api == nullptr) return refuse("no such API is served", key, version), false;
  if (!may_handle(key, *api)) return false;
  // ApiVersions is answered in any version, so that client and broker find one that both know.
  if (key != kApiVersionsKey && (version < api->version_min || version > api->version_max))
    return refuse("this version of the API is not served", key, version), false;
  if (sasl_ != nullptr && !sasl_->authenticated() && !allowed_before_authentication(*api))
    return refuse("the client has to authenticate first", key, version), false;

  const bool flexible = version >= api->flexible_from;
  Frame taken = reader_.take();
  BytesView body;
  const auto header = parse_request_header(BytesView(taken.bytes).substr(0, taken.size), flexible, body);
  if (!header) return refuse("the request header is broken", key, version), false;

  make_room();
  const uint64_t sequence = next_sequence_++;
  slot(sequence) = Answer{sequence, Kind::kPending, {}};
  last_key_ = key;
  api->handle(shared_->services,
              std::make_unique<Exchange>(shared_from_this(), sequence, std::move(taken.bytes), *header, body,
                                         flexible && key != kApiVersionsKey, session_));
  return true;
}

bool Connection::handle_raw_token(BytesView token) {
  if (!idle()) return false;  // the answer to the handshake has not been given
  SaslMechanism::Step step = sasl_->token(token);
  reader_.take();
  if (step.outcome == SaslMechanism::Outcome::kFailed) {
    refuse("authentication failed", kSaslAuthenticateKey, -1);
    return false;
  }
  if (step.outcome == SaslMechanism::Outcome::kAuthenticated) {
    Session known = *session_;
    known.principal = std::move(step.principal);
    replace_session(std::move(known));
  }
  ResponseFrame answer;
  append_be(answer.bytes, static_cast<int32_t>(step.token.size()));
  answer.bytes += step.token;
  output_.push(std::move(answer));
  ask_round_end();
  return true;
}

void Connection::refuse(std::string_view why, int16_t api_key, int16_t version) {
  shared_->logger.info("request_refused", {{"client", session_->client_host},
                                           {"listener", session_->listener},
                                           {"api_key", api_key},
                                           {"api_version", version},
                                           {"error", why}});
  // What was asked before is answered, as if this request had not come.
  closing_ = true;
  ask_round_end();
}

void Connection::make_room() {
  const uint64_t under_way = next_sequence_ - first_unanswered_;
  if (under_way < slots_.size()) return;
  std::vector<Answer> larger(std::max(kSlotsFirst, slots_.size() * 2));
  for (uint64_t at = first_unanswered_; at < next_sequence_; ++at)
    larger[at & (larger.size() - 1)] = std::move(slot(at));
  slots_ = std::move(larger);
}

// --- Output ---

void Connection::answer(uint64_t sequence, ResponseFrame frame) { deliver({sequence, Kind::kFrame, std::move(frame)}); }
void Connection::answer_nothing(uint64_t sequence) { deliver({sequence, Kind::kNothing, {}}); }
void Connection::close(uint64_t sequence) { deliver({sequence, Kind::kClose, {}}); }

bool Connection::run_soon(std::function<void()>& work) {
  loop_->post(std::move(work));
  return true;
}

void Connection::deliver(Answer answer) {
  if (loop_->in_loop_thread()) {
    if (home_ != nullptr) settle(std::move(answer));
    return;
  }
  bool first;
  {
    std::lock_guard lock(mutex_);
    if (mailbox_closed_) return;
    first = mailbox_.empty();
    mailbox_.push_back(std::move(answer));
  }
  if (first) loop_->notify(shared_from_this());
}

void Connection::on_notified() {
  std::vector<Answer> answers;
  {
    std::lock_guard lock(mutex_);
    answers.swap(mailbox_);
  }
  for (Answer& answer : answers) {
    if (home_ == nullptr) return;
    settle(std::move(answer));
  }
}

void Connection::settle(Answer answer) {
  if (abandoned_) return;
  Answer& mine = slot(answer.sequence);
  invariant(mine.kind == Kind::kPending && mine.sequence == answer.sequence, "a request is answered once");
  mine = std::move(answer);
  gone_ = nullptr;
  while (first_unanswered_ < next_sequence_ && slot(first_unanswered_).kind != Kind::kPending) {
    Answer& due = slot(first_unanswered_++);
    if (due.kind == Kind::kClose || due.frame.close_after) closing_ = abandoned_ = true;
    if (due.kind == Kind::kFrame) output_.push(std::move(due.frame));
    due.frame = {};
    if (abandoned_) break;
  }
  touch();
  ask_round_end();
}

void Connection::touch() {
  last_active_ = loop_->now();
  home_->active(place_);
}

void Connection::ask_round_end() {
  if (round_end_asked_ || home_ == nullptr) return;
  round_end_asked_ = true;
  loop_->call_at_round_end(*this);
}

void Connection::on_round_end() {
  const auto self = shared_from_this();
  round_end_asked_ = false;
  flush();
  // Answers that have left make way for requests that waited for them.
  if (home_ != nullptr) read_and_handle();
}

void Connection::flush() {
  const IoResult::State state = output_.flush(*transport_);
  flush_blocked_ = state == IoResult::State::kBlocked;
  if (flush_blocked_) return;
  if (state != IoResult::State::kMoved) return close_now();
  if (abandoned_ || ((closing_ || draining_) && idle())) {
    transport_->shut_down();
    close_now();
  }
}

// --- End ---

void Connection::drain() {
  draining_ = true;
  ask_round_end();
}

void Connection::close_now() {
  if (home_ == nullptr) return;
  loop_->remove(transport_->descriptor(), *this);
  transport_.reset();  // the peer learns it now, though exchanges may hold the rest of the connection
  {
    std::lock_guard lock(mutex_);
    mailbox_closed_ = true;
    mailbox_.clear();
  }
  const auto gone = std::exchange(gone_, nullptr);
  std::exchange(home_, nullptr)->closed(place_);
  if (gone) gone();
}

}  // namespace millrace
