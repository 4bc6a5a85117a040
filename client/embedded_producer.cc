#include "client/embedded_producer.h"

#include <fmt/format.h>

#include <condition_variable>

namespace millrace {
namespace {

constexpr std::chrono::milliseconds kRetryPause{100};

}  // namespace

struct EmbeddedProducer::InFlight {
  std::mutex mutex;
  std::condition_variable changed;
  size_t bytes = 0;
  size_t batches = 0;

  void add(size_t size) {
    std::lock_guard lock(mutex);
    bytes += size;
    ++batches;
  }
  void remove(size_t size) {
    std::lock_guard lock(mutex);
    bytes -= size;
    --batches;
    changed.notify_all();
  }
};

EmbeddedProducer::EmbeddedProducer(Broker& broker, const EmbeddedLogOptions& options)
    : broker_(broker), options_(options), in_flight_(std::make_shared<InFlight>()) {}

EmbeddedProducer::~EmbeddedProducer() {
  std::unique_lock lock(in_flight_->mutex);
  in_flight_->changed.wait(lock, [&] { return in_flight_->batches == 0; });
}

Expected<int32_t> EmbeddedProducer::partition_count(const std::string& topic) {
  auto info = broker_.topic_or_create(topic);
  if (!info) return fail(std::move(info.error()));
  return info->partitions;
}

void EmbeddedProducer::wait_for_room(size_t bytes) {
  std::unique_lock lock(in_flight_->mutex);
  in_flight_->changed.wait(
      lock, [&] { return in_flight_->bytes == 0 || in_flight_->bytes + bytes <= options_.producer_buffer_bytes; });
}

void EmbeddedProducer::send(const TopicPartition& to, RecordBatchBuilder batch, Callback done) {
  const auto refuse = [&](Error error) { done(fail(std::move(error))); };
  if (auto finished = batch.finish(); !finished) return refuse(std::move(finished.error()));
  std::string bytes = batch.take();
  const size_t size = bytes.size();
  wait_for_room(size);
  auto log = broker_.log(to.topic, to.partition);
  if (!log) {
    if (auto created = broker_.topic_or_create(to.topic)) log = broker_.log(to.topic, to.partition);
    if (!log) return refuse(std::move(log.error()));
  }
  in_flight_->add(size);
  // Shared because a refused append must leave the callback here for the next try.
  auto callback = std::make_shared<Callback>(std::move(done));
  const auto answer = [state = in_flight_, size, callback](Expected<int64_t> base_offset) {
    (*callback)(std::move(base_offset));
    state->remove(size);
  };
  const auto deadline = std::chrono::steady_clock::now() + options_.delivery_timeout;
  while (true) {
    auto appended = (*log)->append(bytes, {}, answer);
    if (appended) return;
    if (!appended.error().retriable() || std::chrono::steady_clock::now() >= deadline)
      return answer(fail(std::move(appended.error())));
    std::unique_lock lock(in_flight_->mutex);
    in_flight_->changed.wait_for(lock, kRetryPause);
  }
}

Status EmbeddedProducer::flush(std::chrono::milliseconds timeout) {
  std::unique_lock lock(in_flight_->mutex);
  if (in_flight_->changed.wait_for(lock, timeout, [&] { return in_flight_->batches == 0; })) return {};
  return fail(ErrorCode::kUnavailable,
              fmt::format("{} batches are still on their way after {} ms", in_flight_->batches, timeout.count()));
}

}  // namespace millrace
