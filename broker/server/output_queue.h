/// The answers of one connection that have not left yet, in order.
#pragma once

#include <cstdint>
#include <deque>

#include "broker/server/exchange.h"
#include "net/transport.h"

namespace millrace {

/// Threads: one.
class OutputQueue {
 public:
  void push(ResponseFrame frame);
  /// Bytes, those of files too, that the transport has not taken.
  uint64_t bytes() const { return bytes_; }
  /// Writes until nothing is left (kMoved), the peer reads no more (kBlocked) or the connection breaks.
  IoResult::State flush(Transport& transport);

 private:
  IoResult write_bytes(Transport& transport);
  IoResult write_file(Transport& transport);
  void written(size_t bytes);
  /// End of the front frame's bytes before its next file range.
  size_t piece_end(const ResponseFrame& frame, size_t file) const;
  void pop_if_done();

  std::deque<ResponseFrame> frames_;
  uint64_t bytes_ = 0;
  // How far the front frame has gone: its bytes, its file ranges, and the bytes of the current range.
  size_t at_ = 0;
  size_t file_ = 0;
  uint64_t file_at_ = 0;
};

}  // namespace millrace
