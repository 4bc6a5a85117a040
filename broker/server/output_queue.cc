#include "broker/server/output_queue.h"

#include <algorithm>
#include <array>

namespace millrace {
namespace {

constexpr size_t kPiecesMax = 64;

}  // namespace

void OutputQueue::push(ResponseFrame frame) {
  bytes_ += frame.bytes.size();
  for (const auto& [position, range] : frame.files) bytes_ += range.size;
  frames_.push_back(std::move(frame));
}

size_t OutputQueue::piece_end(const ResponseFrame& frame, size_t file) const {
  return file < frame.files.size() ? frame.files[file].first : frame.bytes.size();
}

IoResult::State OutputQueue::flush(Transport& transport) {
  while (!frames_.empty()) {
    const bool file_next = at_ == piece_end(frames_.front(), file_) && file_ < frames_.front().files.size();
    const IoResult result = file_next ? write_file(transport) : write_bytes(transport);
    if (result.state != IoResult::State::kMoved) return result.state;
  }
  return transport.flush();
}

IoResult OutputQueue::write_bytes(Transport& transport) {
  std::array<iovec, kPiecesMax> pieces;
  size_t count = 0;
  bool file_follows = false;
  for (auto frame = frames_.begin(); frame != frames_.end() && count < kPiecesMax && !file_follows; ++frame) {
    const bool front = frame == frames_.begin();
    const size_t begin = front ? at_ : 0, file = front ? file_ : 0, end = piece_end(*frame, file);
    if (end > begin) pieces[count++] = {frame->bytes.data() + begin, end - begin};
    file_follows = file < frame->files.size();
  }
  const IoResult result = transport.write({pieces.data(), count}, file_follows);
  if (result.state == IoResult::State::kMoved) written(result.bytes);
  return result;
}

void OutputQueue::written(size_t bytes) {
  bytes_ -= bytes;
  // Also runs for 0 bytes: a transport may take nothing of a call and still be willing.
  while (!frames_.empty()) {
    const size_t part = std::min(bytes, piece_end(frames_.front(), file_) - at_);
    at_ += part;
    bytes -= part;
    const size_t before = frames_.size();
    pop_if_done();
    if (frames_.size() == before) return;
  }
}

IoResult OutputQueue::write_file(Transport& transport) {
  const FileRange& range = frames_.front().files[file_].second;
  IoResult result{IoResult::State::kMoved, 0};
  if (file_at_ < range.size)
    result = transport.send_file(*range.file, range.position + file_at_, range.size - file_at_);
  if (result.state != IoResult::State::kMoved) return result;
  file_at_ += result.bytes;
  bytes_ -= result.bytes;
  if (file_at_ == range.size) {
    ++file_;
    file_at_ = 0;
    pop_if_done();
  }
  return result;
}

void OutputQueue::pop_if_done() {
  const ResponseFrame& front = frames_.front();
  if (at_ < front.bytes.size() || file_ < front.files.size()) return;
  frames_.pop_front();
  at_ = 0;
  file_ = 0;
}

}  // namespace millrace
