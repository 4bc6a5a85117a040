#include "connectors/mariadb/snapshot/batch_queue.h"

#include "connectors/common/result.h"

namespace millrace::mariadb {

void RowBatch::clear() {
  table = rows = 0;
  cells.clear();
  content.clear();
  last_key.clear();
  deferred = false;
  why.clear();
}

BatchQueue::Chunk* BatchQueue::open_chunk() {
  std::lock_guard lock(mutex_);
  chunks_.push_back(std::make_unique<Chunk>());
  return chunks_.back().get();
}

std::unique_ptr<RowBatch> BatchQueue::buffer() {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<RowBatch>();
  auto batch = std::move(free_.back());
  free_.pop_back();
  return batch;
}

bool BatchQueue::put(Chunk* chunk, std::unique_ptr<RowBatch> batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || chunk->bytes < chunk_bytes_max_; });
  if (stopped_) return false;
  chunk->bytes += batch->bytes();
  chunk->batches.push_back(std::move(batch));
  changed_.notify_all();
  return true;
}

void BatchQueue::close_chunk(Chunk* chunk) {
  std::lock_guard lock(mutex_);
  chunk->closed = true;
  changed_.notify_all();
}

void BatchQueue::reader_ended() {
  std::lock_guard lock(mutex_);
  --readers_;
  changed_.notify_all();
}

void BatchQueue::fail(Status status) {
  std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = std::move(status);
  stopped_ = true;
  changed_.notify_all();
}

void BatchQueue::stop() { fail({Code::kStopped, "the snapshot was interrupted"}); }

bool BatchQueue::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

Result<std::unique_ptr<RowBatch>> BatchQueue::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!failure_.ok()) return failure_;
    if (!chunks_.empty()) {
      Chunk& first = *chunks_.front();
      if (!first.batches.empty()) {
        auto batch = std::move(first.batches.front());
        first.batches.pop_front();
        first.bytes -= batch->bytes();
        changed_.notify_all();
        return batch;
      }
      if (first.closed) {
        chunks_.pop_front();
        continue;
      }
    } else if (readers_ == 0) {
      return std::unique_ptr<RowBatch>();
    }
    changed_.wait(lock);
  }
}

void BatchQueue::give_back(std::unique_ptr<RowBatch> batch) {
  batch->clear();
  std::lock_guard lock(mutex_);
  constexpr size_t kKept = 64;
  if (free_.size() < kKept) free_.push_back(std::move(batch));
}

}  // namespace millrace::mariadb
