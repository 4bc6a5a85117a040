/// Append and read throughput of one partition log, without and with waiting for durability.
#include <benchmark/benchmark.h>
#include <stdlib.h>

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
    log_ = *manager_->create("bench", 0, {}, "");
  }
  void TearDown(const benchmark::State&) override {
    log_.reset();
    manager_.reset();
    std::filesystem::remove_all(folder_);
  }

 protected:
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

BENCHMARK_DEFINE_F(LogFixture, AppendDurably)(benchmark::State& state) {
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
