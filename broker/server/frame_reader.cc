#include "broker/server/frame_reader.h"

#include <algorithm>

namespace millrace {
namespace {

constexpr size_t kLengthBytes = 4;
// Memory follows what has arrived: a client cannot make us hold 100 MB by claiming a length.
constexpr size_t kFirstBytes = 1 << 20;
// Longer than what std::string keeps inside itself.
constexpr size_t kHeapBytes = 32;

}  // namespace

size_t FrameReader::targets(std::array<iovec, 2>& into, char* scratch, size_t scratch_bytes) {
  size_t used = 0;
  if (open_ && open_filled_ < open_size_) {
    if (open_filled_ == open_bytes_.size()) grow_open_frame();
    const size_t room = std::min(open_size_, open_bytes_.size()) - open_filled_;
    into[used++] = {open_bytes_.data() + open_filled_, room};
    // The bytes behind a part of a frame belong to the frame too, so there is no place for them yet.
    if (open_filled_ + room < open_size_) return used;
  }
  into[used++] = {scratch, scratch_bytes};
  return used;
}

void FrameReader::grow_open_frame() {
  std::string larger = pool_.take(std::min(open_size_, open_bytes_.size() * 2));
  std::copy_n(open_bytes_.data(), open_filled_, larger.data());
  pool_.give(std::move(open_bytes_));
  open_bytes_ = std::move(larger);
}

void FrameReader::arrived(size_t bytes, const char* scratch) {
  if (open_ && open_filled_ < open_size_) {
    const size_t part = std::min(bytes, std::min(open_size_, open_bytes_.size()) - open_filled_);
    open_filled_ += part;
    bytes -= part;
  }
  if (bytes == 0) return;
  if (held_at_ == held_.size()) {
    held_.clear();
    held_at_ = 0;
    fresh_ = {scratch, bytes};
  } else {
    held_.append(scratch, bytes);
  }
}

std::optional<BytesView> FrameReader::peek(size_t size_max) {
  if (broken_) return std::nullopt;
  if (open_) {
    if (open_filled_ < open_size_) return std::nullopt;
    return BytesView(open_bytes_).substr(0, open_size_);
  }
  const BytesView buffered = rest();
  if (buffered.size() < kLengthBytes) return std::nullopt;
  const auto length = load_be<int32_t>(buffered.data());
  if (length < 0 || static_cast<size_t>(length) > size_max) {
    broken_ = true;
    broken_length_ = length;
    return std::nullopt;
  }
  const auto size = static_cast<size_t>(length);
  const BytesView behind = buffered.substr(kLengthBytes);
  if (behind.size() >= size) return behind.substr(0, size);
  open_ = true;
  open_size_ = size;
  open_filled_ = behind.size();
  open_bytes_ = pool_.take(std::min(size, std::max(kFirstBytes, behind.size())));
  std::copy_n(behind.data(), behind.size(), open_bytes_.data());
  consume(buffered.size());
  return std::nullopt;
}

Frame FrameReader::take() {
  if (open_) {
    open_ = false;
    return {std::move(open_bytes_), open_size_};
  }
  const BytesView buffered = rest();
  const auto size = static_cast<size_t>(load_be<int32_t>(buffered.data()));
  Frame frame;
  frame.bytes.reserve(std::max(size, kHeapBytes));  // views into it survive its moves
  frame.bytes.assign(buffered.substr(kLengthBytes, size));
  frame.size = size;
  consume(kLengthBytes + size);
  return frame;
}

void FrameReader::consume(size_t bytes) {
  if (fresh_.data() != nullptr) {
    fresh_.remove_prefix(bytes);
    if (fresh_.empty()) fresh_ = {};
    return;
  }
  held_at_ += bytes;
  if (held_at_ < held_.size()) return;
  held_ = std::string();  // an idle connection holds no memory
  held_at_ = 0;
}

void FrameReader::settle() {
  if (fresh_.data() != nullptr) {
    held_.assign(fresh_);
    held_at_ = 0;
    fresh_ = {};
  } else if (held_at_ > 0) {
    held_.erase(0, held_at_);
    held_at_ = 0;
  }
}

}  // namespace millrace
