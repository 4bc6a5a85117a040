/// Batches of rows from several readers, given out in the order of the chunks they belong to. Bounded: a reader waits
/// when its chunk is full, unless nothing else is there to be taken.
/// Threads: any number of readers, one consumer.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/common/byte_arena.h"
#include "connectors/mariadb/cell.h"

namespace millrace::mariadb {

struct RowBatch {
  size_t table = 0, rows = 0;
  std::vector<Cell> cells;
  connectors::ByteArena content;  ///< of kBytes, kText and kDecimalText cells
  std::string last_key;
  bool deferred = false;
  std::string why;
  size_t bytes() const { return cells.size() * sizeof(Cell) + content.bytes(); }
  void clear();
};

class BatchQueue {
 public:
  explicit BatchQueue(size_t chunk_bytes_max) : chunk_bytes_max_(chunk_bytes_max) {}
  /// One chunk; opened in the order in which chunks are to be given out.
  struct Chunk {
    std::deque<std::unique_ptr<RowBatch>> batches;
    size_t bytes = 0;
    bool closed = false;
  };
  Chunk* open_chunk();
  /// A buffer to fill, used before or new.
  std::unique_ptr<RowBatch> buffer();
  /// Waits for room; false after stop().
  bool put(Chunk* chunk, std::unique_ptr<RowBatch> batch);
  void close_chunk(Chunk* chunk);
  void reader_ended();
  void fail(Status status);
  void stop();

  void set_readers(size_t readers) { readers_ = readers; }
  /// nullptr at the end of all. Waits.
  Result<std::unique_ptr<RowBatch>> take();
  void give_back(std::unique_ptr<RowBatch> batch);
  bool stopped() const;

 private:
  const size_t chunk_bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::unique_ptr<RowBatch>> free_;
  size_t readers_ = 0;
  bool stopped_ = false;
  Status failure_;
};

}  // namespace millrace::mariadb
