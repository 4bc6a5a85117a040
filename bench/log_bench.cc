/// Append and read throughput of one partition log, without and with waiting for durability.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "log/log_manager.h"

namespace millrace {
namespace {

std::string make_batch(size_t record_bytes, size_t batch_bytes) {
  RecordBatchBuilder builder({.bytes_reserved = batch_bytes + 1024});
  const std::string value(record_bytes, 'v');
  while (builder.size_bytes() < batch_bytes) builder.append(1'700'000'000'000, "key-0001", value);
  [[maybe_unused]] const auto finished = builder.finish();
  return builder.take();
}

class LogFixture : public benchmark::Fixture {
 public:
  void SetUp(const benchmark::State&) override {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    manager_ = std::move(*LogManager::open(fs_, clock_, {}, {.directory = folder_}));
    restart();
  }
  void TearDown(const benchmark::State&) override {
    log_.reset();
    manager_.reset();
    std::filesystem::remove_all(folder_);
  }

 protected:
  /// Begins a new log, which acknowledges from the page cache.
  void restart() {
    log_.reset();
    [[maybe_unused]] const Status removed = manager_->remove("bench", 0);
    LogConfig config;
    config.durability = Durability::kPageCache;
    log_ = *manager_->create("bench", 0, config, "");
  }
  PosixFileSystem fs_;
  SystemClock clock_;
  Path folder_;
  std::unique_ptr<LogManager> manager_;
  std::shared_ptr<PartitionLog> log_;
};

BENCHMARK_DEFINE_F(LogFixture, Append)(benchmark::State& state) {
  std::string batch = make_batch(100, static_cast<size_t>(state.range(0)));
  const auto records = RecordBatchView::parse(batch)->record_count();
  for (auto _ : state) {
    if (!log_->append(batch)) state.SkipWithError("append failed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
  state.SetItemsProcessed(state.iterations() * records);
}
BENCHMARK_REGISTER_F(LogFixture, Append)->Arg(1 << 10)->Arg(64 << 10)->Arg(512 << 10);

/// As a broker does it: CRC, header and every record are checked before the batch is stored.
BENCHMARK_DEFINE_F(LogFixture, AppendFromClient)(benchmark::State& state) {
  const std::string sent = make_batch(1024, static_cast<size_t>(state.range(0)));
  std::string batch = sent;
  const auto records = RecordBatchView::parse(batch)->record_count();
  int64_t bytes = 0;
  for (auto _ : state) {
    store_be<int64_t>(batch.data(), 0);  // the log has put its own offset here
    if (!log_->append(batch, {.from_client = true})) state.SkipWithError("append failed");
    bytes += static_cast<int64_t>(batch.size());
    if (bytes % (int64_t{1} << 30) < static_cast<int64_t>(batch.size())) {
      state.PauseTiming();
      restart();  // keeps the files in the page cache and the disk out of the picture
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
  state.SetItemsProcessed(state.iterations() * records);
}
BENCHMARK_REGISTER_F(LogFixture, AppendFromClient)->Arg(64 << 10)->Arg(250 << 10)->Arg(500 << 10)->Arg(1000 << 10);

/// What is checked alone, without the write.
void check_only(benchmark::State& state) {
  std::string batch = make_batch(1024, 1000 << 10), rewritten;
  const LogConfig config;
  for (auto _ : state) {
    auto checked = check_client_batch(batch, {config, "bench-0", 1'700'000'000'000}, nullptr, rewritten);
    if (!checked) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}
BENCHMARK(check_only);

/// Fetch of data in the page cache to a socket, as sendfile does it; the other end throws them away.
BENCHMARK_DEFINE_F(LogFixture, FetchToSocket)(benchmark::State& state) {
  std::string batch = make_batch(1024, 64 << 10);
  for (int i = 0; i < 1000; ++i) {
    if (!log_->append(batch)) state.SkipWithError("append failed");
  }
  if (!log_->flush()) state.SkipWithError("flush failed");
  const int sink = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0 || sink < 0) state.SkipWithError("no pipe");
  ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
  int64_t offset = 0, bytes = 0;
  const int64_t step = RecordBatchView::parse(batch)->record_count() * 16;
  for (auto _ : state) {
    const auto slice = log_->locate(offset, 1 << 20, Isolation::kUncommitted, true);
    if (!slice || slice->size == 0) {
      state.SkipWithError("locate failed");
      break;
    }
    auto position = static_cast<loff_t>(slice->position);
    for (auto left = static_cast<ssize_t>(slice->size); left > 0;) {
      const ssize_t moved = ::splice(slice->segment->file->descriptor(), &position, ends[1], nullptr,
                                     static_cast<size_t>(left), SPLICE_F_MOVE);
      if (moved <= 0 || ::splice(ends[0], nullptr, sink, nullptr, static_cast<size_t>(moved), SPLICE_F_MOVE) != moved) {
        state.SkipWithError("splice failed");
        break;
      }
      left -= moved;
    }
    bytes += static_cast<int64_t>(slice->size);
    offset = offset + 2 * step < slice->high_watermark ? offset + step : 0;
  }
  ::close(sink);
  ::close(ends[0]);
  ::close(ends[1]);
  state.SetBytesProcessed(bytes);
}
BENCHMARK_REGISTER_F(LogFixture, FetchToSocket);

/// Fetch with a copy into memory, as TLS needs it.
BENCHMARK_DEFINE_F(LogFixture, FetchCopied)(benchmark::State& state) {
  std::string batch = make_batch(1024, 64 << 10);
  for (int i = 0; i < 1000; ++i) {
    if (!log_->append(batch)) state.SkipWithError("append failed");
  }
  if (!log_->flush()) state.SkipWithError("flush failed");
  std::string buffer(1 << 20, '\0');
  int64_t offset = 0, bytes = 0;
  const int64_t step = RecordBatchView::parse(batch)->record_count() * 16;
  for (auto _ : state) {
    const auto slice = log_->locate(offset, buffer.size(), Isolation::kUncommitted, true);
    if (!slice || !slice->segment->file->read_at(slice->position, buffer.data(), slice->size)) {
      state.SkipWithError("fetch failed");
      break;
    }
    bytes += static_cast<int64_t>(slice->size);
    offset = offset + 2 * step < slice->high_watermark ? offset + step : 0;
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK_REGISTER_F(LogFixture, FetchCopied);

/// A reader at the end of the log.
BENCHMARK_DEFINE_F(LogFixture, LocateTail)(benchmark::State& state) {
  std::string batch = make_batch(1024, 16 << 10);
  int64_t last = 0;
  for (int i = 0; i < 1000; ++i) last = log_->append(batch)->base_offset;
  if (!log_->flush()) state.SkipWithError("flush failed");
  for (auto _ : state) benchmark::DoNotOptimize(log_->locate(last, 1 << 20, Isolation::kCommitted, true));
}
BENCHMARK_REGISTER_F(LogFixture, LocateTail);

BENCHMARK_DEFINE_F(LogFixture, AppendDurably)(benchmark::State& state) {
  log_->set_config(LogConfig{});
  std::string batch = make_batch(100, static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    std::promise<bool> durable;
    if (!log_->append(batch, {}, [&](const Expected<int64_t>& offset) { durable.set_value(offset.has_value()); })) {
      state.SkipWithError("append failed");
      break;
    }
    durable.get_future().get();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}
BENCHMARK_REGISTER_F(LogFixture, AppendDurably)->Arg(1 << 10)->Arg(64 << 10)->UseRealTime();

BENCHMARK_DEFINE_F(LogFixture, ReadAndDecode)(benchmark::State& state) {
  std::string batch = make_batch(100, 64 << 10);
  for (int i = 0; i < 1000; ++i) {
    if (!log_->append(batch)) state.SkipWithError("append failed");
  }
  if (!log_->flush()) state.SkipWithError("flush failed");
  int64_t offset = 0, records_read = 0, bytes_read = 0;
  std::string scratch;
  for (auto _ : state) {
    auto read = log_->read(offset, 1 << 20);
    if (!read) {
      state.SkipWithError("read failed");
      break;
    }
    for (BytesView bytes = read->bytes; !bytes.empty();) {
      const auto each = RecordBatchView::parse(bytes);
      auto records = RecordIterator::open(*each, scratch);
      RecordView record;
      while (records->next(record)) benchmark::DoNotOptimize(record);
      records_read += each->record_count();
      bytes.remove_prefix(each->size_bytes());
    }
    bytes_read += static_cast<int64_t>(read->bytes.size());
    offset = read->next_offset >= read->high_watermark ? 0 : read->next_offset;
  }
  state.SetItemsProcessed(records_read);
  state.SetBytesProcessed(bytes_read);
}
BENCHMARK_REGISTER_F(LogFixture, ReadAndDecode);

}  // namespace
}  // namespace millrace
