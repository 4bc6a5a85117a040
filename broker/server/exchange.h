/// One request on its way through the broker, and the duty to answer it exactly once.
///
/// A handler gets the exchange by unique_ptr. It answers at once on the connection's thread, or keeps the exchange and
/// answers later from any thread (a parked Fetch, a JoinGroup, a Produce that waits for its sync). Answers leave a
/// connection in the order of its requests. An exchange that is destroyed without an answer closes its connection, so
/// that no client waits for ever.
#pragma once

#include <forward_list>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/file_system.h"
#include "protocol/wire.h"

namespace millrace {

struct RequestHeader {
  int16_t api_key = 0;
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  std::string_view client_id;  ///< empty when null; lives as long as the exchange
};

/// Who is at the other end of a connection. Threads: written by the connection's thread before requests are handled
/// (authentication); read by handlers.
struct Session {
  uint64_t connection_id = 0;
  std::string client_host;  ///< the peer's address, "127.0.0.1"
  std::string listener;     ///< name of the listener it came in by
  std::string principal = "User:ANONYMOUS";
  std::string client_software_name = "unknown";
  std::string client_software_version = "unknown";
};

/// Part of a file to be sent with sendfile. `owner` keeps `file` alive until it has been sent.
struct FileRange {
  std::shared_ptr<const void> owner;
  const File* file = nullptr;
  uint64_t position = 0;
  uint64_t size = 0;
};

/// A finished answer: bytes, with file ranges to be sent at the gaps (in order of position).
struct ResponseFrame {
  std::string bytes;  ///< length, header and body; the length counts the file ranges too
  std::vector<std::pair<size_t, FileRange>> files;
  bool close_after = false;  ///< close the connection once this has left
};

class SaslSession;

/// What the few handlers that change their connection may do (ApiVersions, SaslHandshake, SaslAuthenticate). Threads:
/// only the connection's, so only from within Api::handle.
class ConnectionControl {
 public:
  virtual ~ConnectionControl() = default;
  /// Null where the listener has no SASL.
  virtual SaslSession* sasl() = 0;
  /// Holds for the requests that follow; those under way keep the session they began with.
  virtual void replace_session(Session session) = 0;
};

/// Where answers go: the connection, or a test. Threads: any.
class ExchangeSink {
 public:
  virtual ~ExchangeSink() = default;
  virtual void answer(uint64_t sequence, ResponseFrame frame) = 0;
  virtual void answer_nothing(uint64_t sequence) = 0;  ///< none is due (Produce with acks=0)
  virtual void close(uint64_t sequence) = 0;           ///< close the connection once the answers before have left
  /// Null for sinks that are no connection.
  virtual ConnectionControl* control() { return nullptr; }
  /// `gone` is called once when the client has closed its side, or the connection is closed, while the request under
  /// way is unanswered; an answer drops it. Only for requests that are not pipelined, from within Api::handle.
  virtual void when_gone(std::function<void()> gone) { gone = nullptr; }
  /// Runs `work` soon on the connection's thread, where an answer costs no wake-up; false when there is none.
  virtual bool run_soon(std::function<void()>& work) { return work == nullptr; }
  /// Takes back the memory of a request whose exchange is gone.
  virtual void recycle(std::string frame) { frame.clear(); }
};

/// Threads: one at a time.
class Exchange {
 public:
  /// `frame` is the request without its length; `body` and `header.client_id` view its memory, which therefore must be
  /// on the heap (a string shorter than 16 bytes moves with its object unless it has reserved more).
  Exchange(std::shared_ptr<ExchangeSink> sink, uint64_t sequence, std::string frame, RequestHeader header,
           BytesView body, bool response_header_tagged, std::shared_ptr<const Session> session);
  ~Exchange();
  Exchange(const Exchange&) = delete;

  const RequestHeader& header() const { return header_; }
  int16_t version() const { return header_.api_version; }
  BytesView body() const { return body_; }
  const Session& session() const { return *session_; }
  /// Null for an exchange that belongs to no connection. See ConnectionControl for its threads.
  ConnectionControl* connection() const { return sink_ == nullptr ? nullptr : sink_->control(); }

  /// Keeps `text` for as long as the exchange lives, so that messages (which hold views) may point to it.
  std::string_view keep(std::string text) { return kept_.emplace_front(std::move(text)); }

  /// For ExchangeSink::when_gone() and run_soon().
  const std::shared_ptr<ExchangeSink>& sink() const { return sink_; }

  /// Encodes and sends `response` (a generated message struct) at the request's version.
  template <class Response>
  void reply(const Response& response, std::vector<FileRange> files = {}) {
    std::string out = begin_frame();
    WireWriter writer(out);
    response.encode(writer, version());
    finish_frame(std::move(out), writer.gaps(), std::move(files));
  }
  /// As reply(), in another version than the request's (ApiVersions answers unknown versions in v0).
  template <class Response>
  void reply_as(const Response& response, int16_t version) {
    std::string out = begin_frame();
    WireWriter writer(out);
    response.encode(writer, version);
    finish_frame(std::move(out), {}, {});
  }
  /// As reply(); the connection is closed behind the answer.
  template <class Response>
  void reply_and_close(const Response& response) {
    std::string out = begin_frame();
    WireWriter writer(out);
    response.encode(writer, version());
    finish_frame(std::move(out), writer.gaps(), {}, true);
  }
  void no_reply();
  void close_connection();
  bool answered() const { return answered_; }

 private:
  std::string begin_frame() const;
  void finish_frame(std::string bytes, const std::vector<WireWriter::Gap>& gaps, std::vector<FileRange> files,
                    bool close_after = false);

  std::shared_ptr<ExchangeSink> sink_;  // co-owned: the connection may be gone before the answer
  bool answered_ = false;
  uint64_t sequence_;
  std::string frame_;
  RequestHeader header_;
  BytesView body_;
  bool response_header_tagged_;
  std::shared_ptr<const Session> session_;
  std::forward_list<std::string> kept_;
};

}  // namespace millrace
