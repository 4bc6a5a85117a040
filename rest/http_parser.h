/// HTTP/1.1 requests out of bytes that come in pieces. Knows nothing of sockets.
#pragma once

#include <string>
#include <string_view>

#include "rest/message.h"

namespace millrace {

/// Threads: one. Takes one request after another: consume() until done() or failed(), take(), and on.
class HttpParser {
 public:
  struct Limits {
    size_t head_bytes_max = 64 << 10;  ///< request line and headers
    size_t body_bytes_max = 8 << 20;
    /// A body that is too large is read up to this many bytes all the same, so that its sender gets to read why.
    size_t discarded_bytes_max = 64 << 20;
  };

  explicit HttpParser(Limits limits) : limits_(limits) {}

  /// Takes the first part of `bytes`, all of it unless the request ends or is refused within. Returns how much.
  size_t consume(std::string_view bytes);

  bool done() const { return state_ == State::kDone; }
  bool failed() const { return state_ == State::kFailed; }
  /// Nothing of the next request has come.
  bool idle() const { return state_ == State::kRequestLine && line_.empty() && head_bytes_ == 0; }
  /// The client waits for "100 Continue" before it sends the body; true once.
  bool take_continue();

  /// After failed(), and after done() for a body that was too large: the status to answer with, and why. 0 = none.
  int refusal() const { return refusal_; }
  const std::string& refusal_text() const { return refusal_text_; }
  bool keep_alive() const { return keep_alive_ && !failed(); }
  const std::string& method() const { return request_.method; }

  /// The request that is done; the parser begins anew.
  RestRequest take();

 private:
  enum class State { kRequestLine, kHeaders, kBody, kChunkSize, kChunk, kChunkEnd, kTrailers, kDone, kFailed };

  size_t take_line(std::string_view bytes, bool& complete);
  void handle_line(std::string_view line);
  void request_line(std::string_view line);
  void header_line(std::string_view line);
  void end_of_head();
  bool frame_of_body();
  void chunk_size(std::string_view line);
  size_t take_body(std::string_view bytes);
  void finish();
  void refuse(int status, std::string text);

  Limits limits_;
  State state_ = State::kRequestLine;
  RestRequest request_;
  std::string line_;
  size_t head_bytes_ = 0;
  size_t left_ = 0;   // of the body or of the chunk
  size_t taken_ = 0;  // of the body, also what is discarded
  bool http_1_0_ = false;
  bool keep_alive_ = true;
  bool continue_wanted_ = false;
  int refusal_ = 0;
  std::string refusal_text_;
};

}  // namespace millrace
