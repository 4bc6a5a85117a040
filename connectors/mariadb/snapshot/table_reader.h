/// Reads the chunks of tables into batches; hands out which chunk comes next. Threads: any number of readers share one
/// ChunkPlanner; a TableReader is one thread's.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mariadb/snapshot/batch_queue.h"
#include "connectors/mariadb/snapshot/field_reader.h"
#include "connectors/mariadb/snapshot/snapshot_reader.h"
#include "connectors/mariadb/snapshot/table_key.h"

namespace millrace::mariadb {

struct TableChunk {
  size_t table = 0;
  std::string after, up_to;  ///< keys, JSON; empty = open end
  uint64_t limit = 0;        ///< 0 = none; the reader tells the planner where it ended
  std::string index;         ///< empty = not in chunks
  BatchQueue::Chunk* out = nullptr;
};

class ChunkPlanner {
 public:
  /// `readers` 1: the end of each chunk is found by reading it. More: the ends are looked up first, so that several
  /// threads can read one table.
  ChunkPlanner(std::vector<SnapshotTable> tables, std::vector<std::string> after_keys, uint64_t chunk_rows,
               size_t readers);
  /// The next chunk; nothing when all are given out.
  Result<std::optional<TableChunk>> next(Connection& session, BatchQueue& queue);
  /// Of a chunk with a limit: more follows after this key.
  void continue_after(size_t table, std::string last_key);
  /// No more chunks of this table.
  void skip(size_t table);

  const SnapshotTable& table(size_t index) const { return tables_[index]; }
  const TableKey& key(size_t index) const { return keys_[index]; }
  size_t size() const { return tables_.size(); }

 private:
  Status begin_table(Connection& session);
  Result<std::optional<std::string>> find_end(Connection& session);
  std::mutex mutex_;
  std::vector<SnapshotTable> tables_;
  std::vector<TableKey> keys_;
  std::vector<std::string> after_;
  std::vector<bool> skipped_;
  uint64_t chunk_rows_;
  bool look_ahead_;
  size_t current_ = 0;
  bool begun_ = false;    // index_ is that of current_
  bool waiting_ = false;  // the only reader is in the middle of current_
  std::string index_;
};

/// Reads one chunk into the queue. Not ok: the snapshot has failed. A table that the view cannot read gives a deferred
/// batch.
Status read_chunk(Connection& session, ChunkPlanner& planner, const TableChunk& chunk, BatchQueue& queue);

}  // namespace millrace::mariadb
