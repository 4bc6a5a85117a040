/// Splits a stream of bytes into lines in place: no copy and no allocation per line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::file {

/// A line ends at "\n", "\r\n" or a lone "\r". A "\r" that is the last byte so far waits for its successor.
/// Threads: one. Views of lines live until the next room() or reset().
class LineBuffer {
 public:
  /// Where reading can go on after a failure.
  struct Mark {
    size_t cursor;
    int64_t position;
  };

  explicit LineBuffer(size_t bytes) : bytes_(bytes) {}

  /// Forgets everything; the next byte filled in is the one at `position` of the file.
  void reset(int64_t position);

  /// Free space for the next read; makes room by moving the unfinished line to the front, and by doubling when the
  /// line fills the buffer. Empty when the line has reached `bytes_max`.
  std::span<char> room(size_t bytes_max);
  void filled(size_t bytes) { end_ += bytes; }

  /// The next complete line, without its end; false when there is none yet.
  bool next(std::string_view& line);
  /// What is left without a line end, at the end of a file that will not grow any more; false when nothing is.
  bool rest(std::string_view& line);

  /// The file position just after the last line that was taken.
  int64_t position() const { return position_; }
  /// The file position up to which bytes were filled in.
  int64_t read_position() const { return position_ + static_cast<int64_t>(end_ - cursor_); }

  Mark mark() const { return {cursor_, position_}; }
  /// Only valid before the next room().
  void rewind(Mark mark);

 private:
  void take(size_t bytes);
  size_t next_carriage_return(size_t from);

  std::vector<char> bytes_;
  size_t cursor_ = 0, end_ = 0;  // bytes_[cursor_, end_) is not yet taken
  size_t searched_ = 0;          // no "\n" in [cursor_, searched_): a long line is not searched again and again
  size_t carriage_return_ = 0;   // the first "\r" at or after the place it was searched from, end_ when there was none
  bool carriage_return_known_ = false;
  int64_t position_ = 0;
};

}  // namespace millrace::file
