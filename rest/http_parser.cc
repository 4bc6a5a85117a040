#include "rest/http_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace millrace {
namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || kOthers.find(static_cast<char>(c)) != kOthers.npos;
  });
}

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

std::optional<size_t> parse_size(std::string_view text, int base) {
  size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return size;
}

}  // namespace

size_t HttpParser::consume(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !done() && !failed()) {
    const std::string_view rest = bytes.substr(used);
    if (state_ == State::kBody || state_ == State::kChunk) {
      used += take_body(rest);
      continue;
    }
    bool complete = false;
    used += take_line(rest, complete);
    if (!complete) continue;
    const std::string line = std::exchange(line_, {});
    handle_line(line);
  }
  return used;
}

size_t HttpParser::take_line(std::string_view bytes, bool& complete) {
  const size_t end = bytes.find('\n');
  const size_t size = end == bytes.npos ? bytes.size() : end + 1;
  head_bytes_ += size;
  if (head_bytes_ > limits_.head_bytes_max) {
    const bool line = state_ == State::kRequestLine;
    refuse(line ? 414 : 431, fmt::format("The {} of the request {} larger than {} bytes.",
                                         line ? "first line" : "headers", line ? "is" : "are", limits_.head_bytes_max));
    return size;
  }
  line_ += bytes.substr(0, end == bytes.npos ? size : end);
  complete = end != bytes.npos;
  if (complete && line_.ends_with('\r')) line_.pop_back();
  return size;
}

void HttpParser::handle_line(std::string_view line) {
  switch (state_) {
    case State::kRequestLine:
      if (!line.empty()) return request_line(line);  // RFC 9112: empty lines before a request are skipped
      head_bytes_ = 0;
      return;
    case State::kHeaders:
      return line.empty() ? end_of_head() : header_line(line);
    case State::kChunkSize:
      return chunk_size(line);
    case State::kChunkEnd:
      if (!line.empty()) return refuse(400, "A chunk of the request body is longer than announced.");
      state_ = State::kChunkSize;
      return;
    case State::kTrailers:
      if (line.empty()) finish();
      return;
    default:
      return;
  }
}

void HttpParser::request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  const std::string_view version = last == line.npos ? std::string_view() : line.substr(last + 1);
  if (first == line.npos || first == last || !is_token(line.substr(0, first)) || has_control_bytes(line))
    return refuse(400, "This is not an HTTP/1.1 request.");
  if (!version.starts_with("HTTP/")) return refuse(400, "This is not an HTTP/1.1 request.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refuse(505, fmt::format("{} is not spoken here, HTTP/1.1 is.", version));
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.empty() || target.find(' ') != target.npos) return refuse(400, "The request's target has a blank.");
  http_1_0_ = version == "HTTP/1.0";
  keep_alive_ = !http_1_0_;
  request_.method = line.substr(0, first);
  request_.target = target;
  state_ = State::kHeaders;
}

void HttpParser::header_line(std::string_view line) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == line.npos || !is_token(name)) return refuse(400, "A header of the request is malformed.");
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (has_control_bytes(value)) return refuse(400, "A header of the request has control characters.");
  request_.headers.emplace_back(lower_case(name), value);
}

void HttpParser::end_of_head() {
  for (const auto& [name, value] : request_.headers) {
    if (name == "content-type" && !request_.content_type) request_.content_type = value;
    if (name == "accept") request_.accept = request_.accept ? *request_.accept + "," + value : value;
    if (name == "host" && request_.host.empty()) request_.host = value;
    if (name == "connection") {
      const std::string wish = lower_case(value);
      if (wish.find("close") != wish.npos) keep_alive_ = false;
      if (http_1_0_ && wish.find("keep-alive") != wish.npos) keep_alive_ = true;
    }
    if (name == "expect" && equals_ignoring_case(value, "100-continue")) continue_wanted_ = !http_1_0_;
  }
  if (!frame_of_body()) return;
  if (state_ == State::kHeaders) finish();
}

/// How the body ends. Two ways at once are how requests are smuggled past a proxy.
bool HttpParser::frame_of_body() {
  const std::string* coding = request_.header("transfer-encoding");
  std::optional<size_t> length;
  for (const auto& [name, value] : request_.headers) {
    if (name != "content-length") continue;
    const auto size = parse_size(value, 10);
    if (!size || (length && length != size)) return refuse(400, "Content-Length is malformed."), false;
    length = size;
  }
  if (coding != nullptr) {
    if (length) return refuse(400, "The request has both Content-Length and Transfer-Encoding."), false;
    if (!equals_ignoring_case(*coding, "chunked"))
      return refuse(501, fmt::format("Transfer-Encoding: {} is not understood here, chunked is.", *coding)), false;
    state_ = State::kChunkSize;
    head_bytes_ = 0;
    return true;
  }
  if (length.value_or(0) == 0) return true;
  if (*length > limits_.body_bytes_max + limits_.discarded_bytes_max)
    return refuse(413, fmt::format("The request body is larger than {} bytes.", limits_.body_bytes_max)), false;
  left_ = *length;
  state_ = State::kBody;
  return true;
}

void HttpParser::chunk_size(std::string_view line) {
  const auto size = parse_size(trim_blanks(line.substr(0, line.find(';'))), 16);
  if (!size) return refuse(400, "The size of a chunk of the request body is malformed.");
  head_bytes_ = 0;
  left_ = *size;
  state_ = left_ == 0 ? State::kTrailers : State::kChunk;
}

size_t HttpParser::take_body(std::string_view bytes) {
  const size_t size = std::min(left_, bytes.size());
  left_ -= size;
  taken_ += size;
  if (taken_ > limits_.body_bytes_max) {
    refusal_ = 413;
    refusal_text_ = fmt::format("The request body is larger than {} bytes.", limits_.body_bytes_max);
    request_.body = {};
    if (taken_ > limits_.body_bytes_max + limits_.discarded_bytes_max) refuse(413, std::move(refusal_text_));
  } else {
    request_.body += bytes.substr(0, size);
  }
  if (left_ == 0 && state_ == State::kBody) finish();
  if (left_ == 0 && state_ == State::kChunk) state_ = State::kChunkEnd;
  return size;
}

void HttpParser::finish() {
  state_ = State::kDone;
  continue_wanted_ = false;
}

void HttpParser::refuse(int status, std::string text) {
  state_ = State::kFailed;
  refusal_ = status;
  refusal_text_ = std::move(text);
}

bool HttpParser::take_continue() {
  const bool in_body = state_ == State::kBody || state_ == State::kChunkSize;
  return in_body && std::exchange(continue_wanted_, false);
}

RestRequest HttpParser::take() {
  RestRequest request = std::move(request_);
  *this = HttpParser(limits_);
  return request;
}

}  // namespace millrace
