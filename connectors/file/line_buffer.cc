#include "connectors/file/line_buffer.h"

#include <algorithm>
#include <cstring>

namespace millrace::file {

void LineBuffer::reset(int64_t position) {
  cursor_ = end_ = searched_ = 0;
  carriage_return_known_ = false;
  position_ = position;
}

std::span<char> LineBuffer::room(size_t bytes_max) {
  if (cursor_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + cursor_, end_ - cursor_);
    searched_ = searched_ > cursor_ ? searched_ - cursor_ : 0;
    end_ -= cursor_;
    cursor_ = 0;
  }
  carriage_return_known_ = false;
  if (end_ == bytes_.size() && end_ < bytes_max) bytes_.resize(std::min(bytes_max, bytes_.size() * 2));
  return {bytes_.data() + end_, bytes_.size() - end_};
}

size_t LineBuffer::next_carriage_return(size_t from) {
  if (!carriage_return_known_ || carriage_return_ < from) {
    const void* found = std::memchr(bytes_.data() + from, '\r', end_ - from);
    carriage_return_ = found == nullptr ? end_ : static_cast<size_t>(static_cast<const char*>(found) - bytes_.data());
    carriage_return_known_ = true;
  }
  return carriage_return_;
}

bool LineBuffer::next(std::string_view& line) {
  const size_t from = std::max(cursor_, searched_);
  if (from >= end_) return false;
  const void* found = std::memchr(bytes_.data() + from, '\n', end_ - from);
  size_t line_end = found == nullptr ? end_ : static_cast<size_t>(static_cast<const char*>(found) - bytes_.data());
  size_t terminator = 1;
  // Files with "\r" are the exception: its place is searched once a buffer, not once a line.
  if (const size_t at = next_carriage_return(from); at < line_end) {
    if (at + 1 == end_) {
      searched_ = at;
      return false;
    }
    line_end = at;
    terminator = bytes_[at + 1] == '\n' ? 2 : 1;
  } else if (found == nullptr) {
    searched_ = end_;
    return false;
  }
  line = {bytes_.data() + cursor_, line_end - cursor_};
  take(line_end + terminator - cursor_);
  return true;
}

bool LineBuffer::rest(std::string_view& line) {
  if (cursor_ == end_) return false;
  line = {bytes_.data() + cursor_, end_ - cursor_};
  if (line.back() == '\r') line.remove_suffix(1);
  take(end_ - cursor_);
  return true;
}

void LineBuffer::take(size_t bytes) {
  cursor_ += bytes;
  searched_ = cursor_;
  position_ += static_cast<int64_t>(bytes);
}

void LineBuffer::rewind(Mark mark) {
  cursor_ = searched_ = mark.cursor;
  position_ = mark.position;
  carriage_return_known_ = false;
}

}  // namespace millrace::file
