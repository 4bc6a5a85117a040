#include "connectors/mariadb/binlog/stream.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace millrace::mariadb {

void EventBlock::append(Bytes raw) {
  const auto size = static_cast<uint32_t>(raw.size());
  const size_t at = bytes_.size();
  bytes_.resize(at + sizeof(size) + raw.size());
  std::memcpy(bytes_.data() + at, &size, sizeof(size));
  std::memcpy(bytes_.data() + at + sizeof(size), raw.data(), raw.size());
}

bool EventBlock::next(Bytes& raw) {
  if (at_ >= bytes_.size()) return false;
  uint32_t size = 0;
  std::memcpy(&size, bytes_.data() + at_, sizeof(size));
  raw = Bytes(bytes_).subspan(at_ + sizeof(size), size);
  at_ += sizeof(size) + size;
  return true;
}

void EventBlock::clear() {
  bytes_.clear();
  at_ = 0;
}

struct BinlogStream::State {
  State(std::unique_ptr<BinlogTransport> from, size_t bytes_max)
      : transport(std::move(from)), queue_bytes_max(bytes_max), reader([this] { read(); }) {}

  /// The reader's life: fetch, append, wait for room.
  void read() {
    for (;;) {
      auto raw = transport->fetch();
      std::unique_lock lock(mutex);
      if (!raw.ok() || raw->empty()) {
        failure = raw.ok() ? Status(Code::kUnavailable, "the server ended the binlog stream") : raw.status();
        server_error = transport->server_error();
        ended = true;
        readable.notify_one();
        return;
      }
      // One larger than the limit goes alone.
      writable.wait(
          lock, [&] { return stopping || filling.empty() || filling.bytes_.size() + raw->size() <= queue_bytes_max; });
      if (stopping) return;
      filling.append(raw.value());
      if (consumer_waits) readable.notify_one();
    }
  }

  std::unique_ptr<BinlogTransport> transport;
  const size_t queue_bytes_max;
  std::mutex mutex;
  std::condition_variable readable, writable;
  EventBlock filling;  // by the reader, under the mutex
  EventBlock given;    // the consumer's alone
  Status failure;
  unsigned server_error = 0;
  bool ended = false, stopping = false, consumer_waits = false;
  std::thread reader;  // last: it uses all of the above
};

BinlogStream::BinlogStream(std::unique_ptr<BinlogTransport> transport, size_t queue_bytes_max)
    : state_(std::make_unique<State>(std::move(transport), queue_bytes_max)) {}

BinlogStream::~BinlogStream() {
  interrupt();
  state_->reader.join();
}

Result<EventBlock*> BinlogStream::take(int64_t wait_ms) {
  State& state = *state_;
  state.given.clear();
  // One giant event must not hold its memory for the life of the stream.
  if (state.given.bytes_.capacity() > 2 * state.queue_bytes_max) std::vector<uint8_t>().swap(state.given.bytes_);
  std::unique_lock lock(state.mutex);
  if (state.filling.empty() && !state.ended && wait_ms > 0) {
    state.consumer_waits = true;
    state.readable.wait_for(lock, std::chrono::milliseconds(wait_ms),
                            [&] { return !state.filling.empty() || state.ended || state.stopping; });
    state.consumer_waits = false;
  }
  if (!state.filling.empty()) {
    std::swap(state.filling, state.given);
    state.writable.notify_one();
    return &state.given;
  }
  if (state.ended) return state.failure;
  if (state.stopping) return Status(Code::kStopped, "interrupted while reading the binlog");
  return &state.given;
}

unsigned BinlogStream::server_error() const {
  std::lock_guard lock(state_->mutex);
  return state_->server_error;
}

void BinlogStream::interrupt() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->readable.notify_one();
  state_->writable.notify_one();
  state_->transport->interrupt();
}

}  // namespace millrace::mariadb
