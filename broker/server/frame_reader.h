/// Cuts a connection's bytes into frames: INT32 length, then that many bytes.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "broker/server/frame_pool.h"
#include "core/bytes.h"

namespace millrace {

/// A frame without its length. `bytes` may be longer than the frame, as it comes from a pool.
struct Frame {
  std::string bytes;
  size_t size = 0;
};

/// Small frames are read through a buffer that all connections of a loop share; the bytes of a large one go to where
/// they stay. Between two wake-ups a connection holds memory only for what has arrived and is not yet handled.
/// Threads: one.
class FrameReader {
 public:
  explicit FrameReader(FramePool& pool) : pool_(pool) {}

  /// Where the next bytes belong: what is missing of a large frame, then `scratch`. Returns how many of the two are
  /// used.
  size_t targets(std::array<iovec, 2>& into, char* scratch, size_t scratch_bytes);
  /// `bytes` have been read into the targets. `scratch` must stay until settle().
  void arrived(size_t bytes, const char* scratch);

  /// The first whole frame, still held; a frame's length outside 0..`size_max` makes the reader broken().
  std::optional<BytesView> peek(size_t size_max);
  bool broken() const { return broken_; }
  int32_t broken_length() const { return broken_length_; }
  /// Hands out the frame that peek() has shown.
  Frame take();

  /// Keeps what is left in the scratch buffer, before others use it.
  void settle();
  /// Bytes of a frame that has begun and not ended.
  bool mid_frame() const { return open_ || !rest().empty(); }

 private:
  BytesView rest() const { return fresh_.data() != nullptr ? fresh_ : BytesView(held_).substr(held_at_); }
  void consume(size_t bytes);
  void grow_open_frame();

  FramePool& pool_;
  std::string held_;  // bytes of earlier reads; empty while fresh_ is used
  size_t held_at_ = 0;
  BytesView fresh_;    // the scratch buffer's unhandled part
  bool open_ = false;  // a frame that did not end in the buffer: its size and what of it has come
  size_t open_size_ = 0;
  size_t open_filled_ = 0;
  std::string open_bytes_;
  bool broken_ = false;
  int32_t broken_length_ = 0;
};

}  // namespace millrace
