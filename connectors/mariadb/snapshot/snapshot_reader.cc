#include "connectors/mariadb/snapshot/snapshot_reader.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "connectors/mariadb/snapshot/batch_queue.h"
#include "connectors/mariadb/snapshot/table_reader.h"

namespace millrace::mariadb {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// With several readers a chunk must fit what it may hold in memory, or the reader stands still until it is its turn.
constexpr uint64_t kSharedChunkRows = 8192;
constexpr size_t kChunkBytesMax = 8u << 20;

class ParallelReader final : public SnapshotReader {
 public:
  ParallelReader(SnapshotView view, const SnapshotOptions& options)
      : view_(std::move(view)), options_(options), queue_(kChunkBytesMax) {}

  ~ParallelReader() override {
    interrupt();
    for (std::thread& thread : threads_) thread.join();
  }

  const BinlogPosition& position() const override { return view_.position; }
  const std::vector<std::string>& warnings() const override { return view_.warnings; }
  Connection& session() override { return *view_.sessions.front(); }

  Status schemas_read() override {
    return options_.locking == SnapshotLocking::kExtended ? sdk::ok() : view_.release_lock();
  }

  Status start(std::vector<SnapshotTable> tables, const std::vector<std::string>& after_keys) override {
    {
      std::lock_guard lock(progress_mutex_);
      progress_.tables_total = tables.size();
      for (const SnapshotTable& table : tables) progress_.rows_estimated += table.rows_estimated;
      started_ = SteadyClock::now();
    }
    deferred_.assign(tables.size(), false);
    const size_t readers = view_.sessions.size();
    const uint64_t rows = std::max<uint64_t>(options_.chunk_rows, 1);
    planner_.emplace(std::move(tables), after_keys, readers > 1 ? std::min(rows, kSharedChunkRows) : rows, readers);
    queue_.set_readers(readers);
    for (auto& session : view_.sessions) threads_.emplace_back([this, &session] { read(*session); });
    return sdk::ok();
  }

  Result<std::optional<Batch>> next() override {
    if (current_ != nullptr) queue_.give_back(std::move(current_));
    if (Status s = look_ahead(); !s.ok()) return s;
    if (ahead_.empty()) return finish();
    current_ = std::move(ahead_.front());
    ahead_.pop_front();
    Batch batch = describe(*current_);
    note(batch);
    return std::optional(std::move(batch));
  }

  SnapshotProgress progress() const override {
    std::lock_guard lock(progress_mutex_);
    SnapshotProgress progress = progress_;
    const double seconds = std::chrono::duration<double>(SteadyClock::now() - started_).count();
    if (seconds > 0) progress.rows_per_second = static_cast<double>(progress.rows_done) / seconds;
    if (progress.rows_per_second > 0 && progress.rows_estimated >= progress.rows_done) {
      const auto left = static_cast<double>(progress.rows_estimated - progress.rows_done);
      progress.seconds_left = static_cast<int64_t>(left / progress.rows_per_second);
    }
    return progress;
  }

  void interrupt() override {
    queue_.stop();
    for (auto& session : view_.sessions) session->interrupt();
  }

 private:
  void read(Connection& session) {
    for (;;) {
      auto chunk = planner_->next(session, queue_);
      if (!chunk.ok()) queue_.fail(chunk.status());
      if (!chunk.ok() || !*chunk) break;
      if (Status s = read_chunk(session, *planner_, **chunk, queue_); !s.ok()) queue_.fail(s);
    }
    queue_.reader_ended();
  }

  /// Until the batch to give out next is followed by one with rows, or by the end: only then it is known to be the last
  /// of its table, or of all.
  Status look_ahead() {
    const auto settled = [&] {
      const auto rest = ahead_.empty() ? ahead_.end() : ahead_.begin() + 1;
      return std::any_of(rest, ahead_.end(), [](const auto& batch) { return batch->rows != 0; });
    };
    while (!ended_ && !settled()) {
      auto taken = queue_.take();
      if (!taken.ok()) return taken.status();
      if (*taken == nullptr) {
        ended_ = true;
      } else {
        keep(std::move(taken.value()));
      }
    }
    return sdk::ok();
  }

  /// Drops what says nothing: empty ends of chunks, and rows of a table after a gap.
  void keep(std::unique_ptr<RowBatch> batch) {
    const size_t table = batch->table;
    const bool silent = batch->rows == 0 && !batch->deferred && seen_ == std::optional(table);
    if (deferred_[table] || silent) {
      queue_.give_back(std::move(batch));
      return;
    }
    deferred_[table] = batch->deferred;
    seen_ = table;
    ahead_.push_back(std::move(batch));
  }

  Batch describe(RowBatch& taken) {
    Batch batch;
    batch.table = taken.table;
    batch.rows = taken.rows;
    batch.cells = taken.cells;
    batch.deferred = taken.deferred;
    batch.why = taken.why;
    batch.last_key = taken.last_key;
    batch.first_of_table = given_ != std::optional(taken.table);
    given_ = taken.table;
    batch.last_of_table = !taken.deferred && (ahead_.empty() || ahead_.front()->table != taken.table);
    batch.last = std::none_of(ahead_.begin(), ahead_.end(), [](const auto& later) { return later->rows != 0; });
    return batch;
  }

  void note(const Batch& batch) {
    std::lock_guard lock(progress_mutex_);
    progress_.rows_done += batch.rows;
    progress_.table = planner_->table(batch.table).definition->id.full();
    progress_.last_key = batch.last_key;
    progress_.tables_done += batch.last_of_table || batch.deferred ? 1 : 0;
  }

  Result<std::optional<Batch>> finish() {
    if (Status s = view_.release_lock(); !s.ok()) return s;
    return std::optional<Batch>{};
  }

  SnapshotView view_;
  const SnapshotOptions options_;
  BatchQueue queue_;
  std::optional<ChunkPlanner> planner_;
  std::vector<std::thread> threads_;
  std::unique_ptr<RowBatch> current_;  // lent to the caller
  std::deque<std::unique_ptr<RowBatch>> ahead_;
  std::vector<bool> deferred_;
  std::optional<size_t> seen_, given_;
  bool ended_ = false;
  mutable std::mutex progress_mutex_;
  SnapshotProgress progress_;
  SteadyClock::time_point started_;
};

uint64_t number_of(const std::optional<std::string>& text) {
  uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(const ConnectionOptions& connection,
                                                             const SnapshotOptions& options,
                                                             const std::vector<TableId>& tables) {
  auto view = SnapshotView::open(connection, options, tables);
  if (!view.ok()) return view.status();
  return std::unique_ptr<SnapshotReader>(new ParallelReader(std::move(view.value()), options));
}

Result<std::vector<uint64_t>> estimate_rows(Connection& session, const std::vector<TableId>& tables) {
  auto rows = session.query("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES");
  if (!rows.ok()) return rows.status();
  std::map<TableId, uint64_t> known;
  for (const SqlRow& row : rows.value()) {
    if (row[0] && row[1]) known[{*row[0], *row[1]}] = number_of(row[2]);
  }
  std::vector<uint64_t> estimates;
  for (const TableId& table : tables) {
    const auto at = known.find(table);
    estimates.push_back(at == known.end() ? 0 : at->second);
  }
  return estimates;
}

void order_tables(std::vector<SnapshotTable>& tables, SnapshotOptions::Order order) {
  if (order == SnapshotOptions::Order::kDisabled) return;
  std::stable_sort(tables.begin(), tables.end(), [&](const SnapshotTable& a, const SnapshotTable& b) {
    return order == SnapshotOptions::Order::kAscending ? a.rows_estimated < b.rows_estimated
                                                       : a.rows_estimated > b.rows_estimated;
  });
}

}  // namespace millrace::mariadb
