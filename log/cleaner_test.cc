#include "log/cleaner.h"

#include <gtest/gtest.h>

#include <random>

#include "log/fault_file_system.h"
#include "log/file_names.h"
#include "log/log_test_tools.h"

namespace millrace {
namespace {

using testing::fetch_all;
using testing::make_batch;
using testing::make_marker;
using testing::read_log;
using testing::TestRecord;

LogConfig compacting(int64_t segment_bytes = 600) {
  LogConfig config;
  config.segment_bytes = segment_bytes;
  config.index_interval_bytes = 150;
  config.cleanup_delete = false;
  config.cleanup_compact = true;
  config.delete_retention_ms = 1000;
  config.min_cleanable_dirty_ratio = 0.01;
  return config;
}

std::map<std::string, TestRecord> last_of(const std::vector<TestRecord>& records) {
  std::map<std::string, TestRecord> last;
  for (const TestRecord& record : records) last[*record.key] = record;
  return last;
}

std::map<std::string, std::string> values_of(const std::vector<TestRecord>& records) {
  std::map<std::string, std::string> values;
  for (const auto& [key, record] : last_of(records)) {
    if (record.value) values[key] = *record.value;
  }
  return values;
}

class CleanerTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(LogOpenOptions options) {
    auto opened = PartitionLog::open({fs_, clock_, {}}, "/data/t-0", config_, options);
    ASSERT_TRUE(opened) << error_trace(opened.error());
    log_ = *opened;
  }
  void put(const std::string& key, std::optional<std::string> value) {
    std::string bytes = make_batch({{0, clock_.wall_ms(), key, std::move(value)}});
    ASSERT_TRUE(log_->append(bytes));
  }
  CleanStats clean(size_t buffer = size_t{1} << 20) {
    LogCleaner cleaner(fs_, clock_, {}, {.dedupe_buffer_bytes = buffer});
    EXPECT_TRUE(log_->flush());
    auto result = cleaner.clean(*log_, dirty_);
    EXPECT_TRUE(result) << error_trace(result.error());
    if (!result) return {};
    dirty_ = result->next_dirty;
    return result->stats;
  }
  /// Makes what was written so far a segment that may be cleaned.
  void fill_segment() {
    for (int i = 0; i < 12; ++i) put("filler", std::string(60, 'f'));
  }
  FaultFileSystem fs_;
  ManualClock clock_;
  LogConfig config_ = compacting();
  std::shared_ptr<PartitionLog> log_;
  int64_t dirty_ = 0;
};

TEST_F(CleanerTest, TheLastValueOfEachKeySurvivesAtItsOffset) {
  for (int i = 0; i < 200; ++i) put("key-" + std::to_string(i % 7), "value-" + std::to_string(i));
  ASSERT_TRUE(log_->flush());
  const auto before = read_log(*log_);
  const size_t segments = log_->segment_count();
  const CleanStats stats = clean();
  EXPECT_LT(stats.records_kept, stats.records_read);
  dirty_ = 0;
  clean();  // what has become small is put together
  EXPECT_LT(log_->segment_count(), segments);
  const auto after = read_log(*log_);
  EXPECT_LT(after.size(), before.size() / 2);
  EXPECT_EQ(last_of(after), last_of(before));
  for (const TestRecord& record : after) EXPECT_EQ(record, before[static_cast<size_t>(record.offset)]);
  EXPECT_EQ(log_->end_offset(), 200);
  EXPECT_EQ(log_->log_start_offset(), 0);
  fetch_all(*log_, 300);
  EXPECT_EQ(clean().segments_before, 0U) << "nothing is dirty any more";
}

TEST_F(CleanerTest, TombstonesGoWhenTheirTimeHasPassed) {
  put("gone", "value");
  put("gone", std::nullopt);
  fill_segment();
  clean();
  auto records = last_of(read_log(*log_));
  ASSERT_TRUE(records.contains("gone"));
  EXPECT_FALSE(records.at("gone").value);
  fill_segment();
  clean();
  EXPECT_TRUE(last_of(read_log(*log_)).contains("gone")) << "the horizon has not passed";
  clock_.advance(std::chrono::milliseconds(1500));
  fill_segment();
  clean();
  EXPECT_FALSE(last_of(read_log(*log_)).contains("gone"));
}

TEST_F(CleanerTest, AbortedDataGoAtOnceAndTheirMarkersLater) {
  BatchOptions options;
  options.producer_id = 5;
  options.producer_epoch = 0;
  options.transactional = true;
  options.base_sequence = 0;
  std::string data = make_batch({{0, 1000, "a", "aborted"}, {0, 1000, "b", "aborted"}}, options);
  ASSERT_TRUE(log_->append(data));
  std::string abort = make_marker(5, 0, false, 1000);
  ASSERT_TRUE(log_->append(abort, {.check_producer = false}));
  options.base_sequence = 2;
  std::string more = make_batch({{0, 1000, "a", "committed"}}, options);
  ASSERT_TRUE(log_->append(more));
  std::string commit = make_marker(5, 0, true, 1000);
  ASSERT_TRUE(log_->append(commit, {.check_producer = false}));
  fill_segment();
  clean();
  const auto all = read_log(*log_);
  EXPECT_TRUE(std::none_of(all.begin(), all.end(), [](const auto& r) { return r.value == "aborted"; }));
  EXPECT_EQ(values_of(read_log(*log_, Isolation::kCommitted)).at("a"), "committed");
  for (int round = 0; round < 3; ++round) {
    clock_.advance(std::chrono::milliseconds(1500));
    fill_segment();
    clean();
    EXPECT_EQ(values_of(read_log(*log_, Isolation::kCommitted)).at("a"), "committed");
  }
  EXPECT_TRUE(log_->aborted_transactions(0, log_->end_offset()).empty());
}

TEST_F(CleanerTest, AnIdempotentProducerGoesOnAfterItsRecordsAreGone) {
  BatchOptions options;
  options.producer_id = 9;
  options.producer_epoch = 1;
  options.base_sequence = 0;
  std::string first = make_batch({{0, 1000, "k", "1"}, {0, 1000, "k", "2"}}, options);
  ASSERT_TRUE(log_->append(first));
  put("k", "3");
  fill_segment();
  clean();
  fs_.crash(1);
  open({});
  std::string retry = make_batch({{0, 1000, "k", "1"}, {0, 1000, "k", "2"}}, options);
  const auto repeated = log_->append(retry);
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(repeated->duplicate);
  options.base_sequence = 2;
  std::string next = make_batch({{0, 1000, "k", "4"}}, options);
  EXPECT_TRUE(log_->append(next));
}

TEST_F(CleanerTest, AnOpenTransactionAndTheLagHoldTheCleanerBack) {
  config_.min_compaction_lag_ms = 1000;
  log_->set_config(config_);
  for (int i = 0; i < 40; ++i) put("k", std::string(50, 'v'));
  EXPECT_EQ(clean().segments_before, 0U);
  clock_.advance(std::chrono::milliseconds(2000));
  EXPECT_GT(clean().segments_before, 0U);
  BatchOptions options;
  options.producer_id = 5;
  options.producer_epoch = 0;
  options.transactional = true;
  options.base_sequence = 0;
  std::string open_batch = make_batch({{0, clock_.wall_ms(), "k", "open"}}, options);
  ASSERT_TRUE(log_->append(open_batch));
  for (int i = 0; i < 40; ++i) put("k", std::string(50, 'v'));
  clock_.advance(std::chrono::milliseconds(2000));
  ASSERT_TRUE(log_->flush());
  EXPECT_LE(log_->plan_compaction(dirty_).first_uncleanable, log_->last_stable_offset());
  clean();
  EXPECT_LE(dirty_, log_->last_stable_offset());
}

TEST_F(CleanerTest, ASmallBufferCleansInSeveralRounds) {
  for (int i = 0; i < 300; ++i) put("key-" + std::to_string(i % 60), "value-" + std::to_string(i));
  ASSERT_TRUE(log_->flush());
  const auto before = read_log(*log_);
  int rounds = 0;
  for (int64_t last = -1; dirty_ != last && rounds < 200; ++rounds) {
    last = dirty_;
    clean(20 * CompactionMap::kBytesPerKey);
    EXPECT_EQ(last_of(read_log(*log_)), last_of(before));
  }
  EXPECT_GT(rounds, 3);
  EXPECT_LT(read_log(*log_).size(), before.size());
}

TEST_F(CleanerTest, ReadersKeepASegmentThatIsReplaced) {
  for (int i = 0; i < 100; ++i) put("k", "value-" + std::to_string(i));
  ASSERT_TRUE(log_->flush());
  const auto slice = log_->locate(0, 200, Isolation::kUncommitted, true);
  ASSERT_TRUE(slice && slice->size > 0);
  clean();
  std::string bytes(slice->size, '\0');
  ASSERT_EQ(*slice->segment->file->read_at(slice->position, bytes.data(), bytes.size()), bytes.size());
  EXPECT_EQ(RecordBatchView::parse(bytes)->base_offset(), 0);
}

/// A producer in the model: some write transactions, some are idempotent only, some neither.
struct ModelProducer {
  int64_t id = -1;
  int32_t sequence = 0;
  bool transactional = false;
  bool open = false;
};

/// Appends random batches and markers, compacts now and then, and compares with what was appended.
class CompactionModel {
 public:
  CompactionModel(uint64_t seed, FaultFileSystem& fs, ManualClock& clock) : random_(seed), fs_(fs), clock_(clock) {
    for (int i = 0; i < 4; ++i) {
      producers_.push_back({i < 3 ? i + 1 : -1, 0, i < 2, false});
    }
    const auto codec = static_cast<Codec>(seed % 5);
    compression_ = {codec, {}};
    open({});
  }
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto choice = pick(20);
      if (choice == 0)
        compact();
      else if (choice == 1)
        clock_.advance(std::chrono::milliseconds(pick(800)));
      else if (choice == 2 && pick(3) == 0)
        reopen();
      else
        append();
      if (::testing::Test::HasFailure()) return;
    }
    for (ModelProducer& producer : producers_) {
      if (producer.open) end_transaction(producer);
    }
    compact();
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }

  void open(LogOpenOptions options) {
    auto opened =
        PartitionLog::open({fs_, clock_, {}}, "/data/t-0", compacting(400 + static_cast<int64_t>(pick(2000))), options);
    ASSERT_TRUE(opened) << error_trace(opened.error());
    log_ = *opened;
  }
  void reopen() {
    ASSERT_TRUE(log_->flush());
    fs_.crash(random_());
    open({});
    check();
  }

  void append() {
    ModelProducer& producer = producers_[pick(producers_.size())];
    if (producer.open && pick(4) == 0) return end_transaction(producer);
    std::vector<TestRecord> records(1 + pick(5));
    for (TestRecord& record : records) {
      record.timestamp = clock_.wall_ms();
      record.key = "key-" + std::to_string(pick(12));
      if (pick(5) != 0) record.value = "value-" + std::to_string(random_() % 100000);
    }
    BatchOptions options;
    options.compression = compression_;
    options.producer_id = producer.id;
    if (producer.id >= 0) {
      options.producer_epoch = 0;
      options.base_sequence = producer.sequence;
      producer.sequence += static_cast<int32_t>(records.size());
    }
    options.transactional = producer.transactional;
    std::string bytes = make_batch(records, options);
    const auto appended = log_->append(bytes);
    ASSERT_TRUE(appended) << error_trace(appended.error());
    producer.open = producer.transactional;
    for (size_t i = 0; i < records.size(); ++i) {
      records[i].offset = appended->base_offset + static_cast<int64_t>(i);
      written_[records[i].offset] = records[i];
      (producer.open ? pending_[producer.id] : committed_).push_back(records[i]);
    }
  }

  void end_transaction(ModelProducer& producer) {
    const bool commit = pick(2) == 0;
    std::string bytes = make_marker(producer.id, 0, commit, clock_.wall_ms());
    ASSERT_TRUE(log_->append(bytes, {.check_producer = false}));
    auto& pending = pending_[producer.id];
    if (commit) committed_.insert(committed_.end(), pending.begin(), pending.end());
    pending.clear();
    producer.open = false;
  }

  void compact() {
    ASSERT_TRUE(log_->flush());
    const auto before = read_log(*log_, Isolation::kCommitted);
    LogCleaner cleaner(fs_, clock_, {}, {.dedupe_buffer_bytes = (6 + pick(40)) * CompactionMap::kBytesPerKey});
    // At times the checkpoint is lost, or old.
    auto result = cleaner.clean(*log_, pick(4) == 0 ? 0 : dirty_);
    ASSERT_TRUE(result) << error_trace(result.error());
    dirty_ = result->next_dirty;
    EXPECT_EQ(values_of(read_log(*log_, Isolation::kCommitted)), values_of(before));
    check();
  }

  /// What is there is as it was written, in order; and each key has the value last committed.
  void check() {
    int64_t last = -1;
    for (const TestRecord& record : read_log(*log_)) {
      ASSERT_GT(record.offset, last);
      last = record.offset;
      EXPECT_EQ(record, written_.at(record.offset));
    }
    const int64_t stable = log_->last_stable_offset();
    std::vector<TestRecord> visible;
    for (const TestRecord& record : committed_) {
      if (record.offset < stable) visible.push_back(record);
    }
    std::sort(visible.begin(), visible.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    EXPECT_EQ(values_of(read_log(*log_, Isolation::kCommitted)), values_of(visible));
    fetch_all(*log_, 500);
  }

  std::mt19937_64 random_;
  FaultFileSystem& fs_;
  ManualClock& clock_;
  std::shared_ptr<PartitionLog> log_;
  CompressionOptions compression_;
  std::vector<ModelProducer> producers_;
  std::map<int64_t, TestRecord> written_;
  std::vector<TestRecord> committed_;
  std::map<int64_t, std::vector<TestRecord>> pending_;
  int64_t dirty_ = 0;
};

TEST(CleanerModel, RandomLogsKeepTheirMeaning) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    FaultFileSystem fs;
    ManualClock clock;
    CompactionModel(seed, fs, clock).run(300);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

/// Fails each file operation of a compaction in turn, and cuts the power there: the meaning of the log never changes.
TEST(CleanerFaults, ACrashAtEveryStepLosesNothing) {
  bool faults_left = true;
  for (int64_t n = 0; faults_left; ++n) {
    for (const bool power_cut : {false, true}) {
      FaultFileSystem fs;
      ManualClock clock;
      LogConfig config = compacting(500);
      auto log = *PartitionLog::open({fs, clock, {}}, "/data/t-0", config, {});
      for (int i = 0; i < 60; ++i) {
        std::string bytes = make_batch({{0, 1000 + i, "key-" + std::to_string(i % 6), "value-" + std::to_string(i)}});
        ASSERT_TRUE(log->append(bytes));
      }
      ASSERT_TRUE(log->flush());
      const auto before = last_of(read_log(*log));
      const int64_t operations = fs.operations();
      fs.fail_nth(n);
      LogCleaner cleaner(fs, clock, {}, {.dedupe_buffer_bytes = 4096});
      const auto cleaned = cleaner.clean(*log, 0);
      faults_left = fs.operations() > operations + n;
      if (!power_cut) {
        // The process goes on: the next round finishes what this one has begun.
        EXPECT_EQ(last_of(read_log(*log)), before) << "fault " << n;
        fs.fail_nth(INT32_MAX);
        ASSERT_TRUE(cleaner.clean(*log, 0)) << "fault " << n;
        EXPECT_EQ(last_of(read_log(*log)), before) << "fault " << n;
        ASSERT_TRUE(log->close());
      }
      fs.crash(static_cast<uint64_t>(n));
      log = *PartitionLog::open({fs, clock, {}}, "/data/t-0", config, {.recovery_point = 60, .clean = !power_cut});
      EXPECT_EQ(last_of(read_log(*log)), before) << "fault " << n << " power cut " << power_cut;
      EXPECT_EQ(log->end_offset(), 60);
      const auto names = fs.list("/data/t-0");
      for (const std::string& name : *names) {
        EXPECT_EQ(name.find("swap"), std::string::npos) << name;
        EXPECT_EQ(name.find("cleaned"), std::string::npos) << name;
      }
    }
  }
}

TEST(CompactionMapTest, SipHashMatchesItsPublishedVectors) {
  // Key 00 01 … 0f, messages empty, 00, 00 01: from the reference implementation's table for 128 bits.
  const CompactionMap::Secret key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  EXPECT_EQ(siphash128("", key), (std::array<uint64_t, 2>{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL}));
}

TEST(CompactionMapTest, FullMapsRefuseNewKeysOnly) {
  CompactionMap map(3, {1, 2});
  EXPECT_TRUE(map.put("a", 1) && map.put("b", 2) && map.put("c", 3));
  EXPECT_FALSE(map.put("d", 4));
  EXPECT_TRUE(map.put("a", 5));
  EXPECT_EQ(map.get("a"), 5);
  EXPECT_EQ(map.get("d"), -1);
  EXPECT_EQ(map.size(), 3U);
}

}  // namespace
}  // namespace millrace
