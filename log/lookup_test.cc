/// What a wire server asks of a log: slices, epochs, timestamps, producers, checked appends; and the manager's cleaner.
#include <gtest/gtest.h>

#include "log/fault_file_system.h"
#include "log/file_names.h"
#include "log/log_manager.h"
#include "log/log_test_tools.h"

namespace millrace {
namespace {

using testing::fetch_all;
using testing::make_batch;
using testing::make_marker;
using testing::read_log;
using testing::TestRecord;

class LookupTest : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(LogOpenOptions options) {
    auto opened = PartitionLog::open({fs_, clock_, {}}, "/data/t-0", config_, options);
    ASSERT_TRUE(opened) << error_trace(opened.error());
    log_ = *opened;
  }
  Expected<AppendResult> put(const std::string& value, int64_t timestamp = 1000, BatchOptions options = {}) {
    std::string bytes = make_batch({{0, timestamp, "k", value}}, options);
    return log_->append(bytes);
  }
  Expected<AppendResult> send(std::string bytes, std::vector<RecordError>* errors = nullptr, int16_t version = 9) {
    AppendOptions options;
    options.from_client = true;
    options.produce_version = version;
    options.record_errors = errors;
    return log_->append(bytes, options);
  }
  BatchOptions transaction(int64_t producer, int32_t sequence) {
    BatchOptions options;
    options.producer_id = producer;
    options.producer_epoch = 0;
    options.base_sequence = sequence;
    options.transactional = true;
    return options;
  }
  void end(int64_t producer, bool commit) {
    std::string marker = make_marker(producer, 0, commit, 1000);
    ASSERT_TRUE(log_->append(marker, {.check_producer = false}));
  }
  FaultFileSystem fs_;
  ManualClock clock_;
  LogConfig config_;
  std::shared_ptr<PartitionLog> log_;
};

TEST_F(LookupTest, SlicesEndAtTheHighWatermarkAndTheLimit) {
  ASSERT_TRUE(put("first"));
  const size_t batch_bytes = log_->size_bytes();
  EXPECT_EQ(log_->locate(0, 1000, Isolation::kUncommitted, true)->size, 0U) << "not durable yet";
  ASSERT_TRUE(log_->flush());
  ASSERT_TRUE(put("later"));
  auto slice = log_->locate(0, 1000, Isolation::kUncommitted, true);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->size, batch_bytes);
  EXPECT_EQ(slice->high_watermark, 1);
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(log_->locate(0, 1000, Isolation::kUncommitted, true)->size, 2 * batch_bytes);
  EXPECT_EQ(log_->locate(1, 1000, Isolation::kUncommitted, true)->position, batch_bytes);
  EXPECT_EQ(log_->locate(0, 1, Isolation::kUncommitted, true)->size, batch_bytes) << "the first batch is whole";
  EXPECT_EQ(log_->locate(0, 1, Isolation::kUncommitted, false)->size, 0U);
  EXPECT_EQ(log_->locate(0, batch_bytes + 10, Isolation::kUncommitted, true)->size, batch_bytes + 10);
  EXPECT_EQ(log_->locate(2, 1000, Isolation::kUncommitted, true)->size, 0U);
  EXPECT_EQ(log_->locate(3, 1000, Isolation::kUncommitted, true).error().exception,
            "org.apache.kafka.common.errors.OffsetOutOfRangeException");
}

TEST_F(LookupTest, SlicesAreFoundInEverySegmentAfterARestart) {
  config_.segment_bytes = 2000;
  config_.index_interval_bytes = 200;
  open({});
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put("value-" + std::to_string(i)));
  ASSERT_TRUE(log_->flush());
  for (const size_t limit : {size_t{1}, size_t{100}, size_t{5000}}) EXPECT_EQ(fetch_all(*log_, limit).size(), 300U);
  ASSERT_TRUE(log_->close());
  open({.recovery_point = 300, .clean = true});
  for (const size_t limit : {size_t{1}, size_t{100}, size_t{5000}}) EXPECT_EQ(fetch_all(*log_, limit).size(), 300U);
}

TEST_F(LookupTest, ReadCommittedStopsAtOpenTransactionsAndListsAbortedOnes) {
  ASSERT_TRUE(put("plain"));
  ASSERT_TRUE(put("a", 1000, transaction(7, 0)));
  ASSERT_TRUE(put("behind"));
  ASSERT_TRUE(log_->flush());
  auto slice = log_->locate(0, 10'000, Isolation::kCommitted, true);
  EXPECT_EQ(slice->last_stable_offset, 1);
  EXPECT_EQ(slice->size, log_->locate(1, 10'000, Isolation::kUncommitted, true)->position);
  EXPECT_EQ(log_->locate(1, 10'000, Isolation::kCommitted, true)->size, 0U);
  ASSERT_EQ(log_->producers().size(), 1U);
  EXPECT_EQ(log_->producers()[0].transaction_first_offset, 1);
  end(7, false);
  EXPECT_EQ(log_->last_stable_offset(), 1) << "the marker can still be lost";
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ(log_->last_stable_offset(), 4);
  slice = log_->locate(0, 10'000, Isolation::kCommitted, true);
  ASSERT_EQ(slice->aborted.size(), 1U);
  EXPECT_EQ(slice->aborted[0].producer_id, 7);
  EXPECT_EQ(slice->aborted[0].first_offset, 1);
  EXPECT_TRUE(log_->locate(0, 10'000, Isolation::kUncommitted, true)->aborted.empty());
  EXPECT_EQ(log_->producers()[0].transaction_first_offset, -1);
  EXPECT_EQ(log_->producers()[0].last_sequence, 0);
}

TEST_F(LookupTest, LeaderEpochsRiseWithEachOpen) {
  EXPECT_EQ(log_->leader_epoch(), 0);
  ASSERT_TRUE(put("a"));
  ASSERT_TRUE(put("b"));
  ASSERT_TRUE(log_->close());
  open({.recovery_point = 2, .clean = true});
  EXPECT_EQ(log_->leader_epoch(), 1);
  EXPECT_EQ(log_->end_offset_for_epoch(1).end_offset, 2) << "without a batch of its own yet";
  EXPECT_EQ(log_->end_offset_for_epoch(0).end_offset, 2);
  ASSERT_TRUE(put("c"));
  EXPECT_EQ(log_->end_offset_for_epoch(0).end_offset, 2);
  EXPECT_EQ(log_->end_offset_for_epoch(1).end_offset, 3);
  EXPECT_EQ(log_->end_offset_for_epoch(2).epoch, -1);
  ASSERT_TRUE(log_->close());
  ASSERT_TRUE(fs_.remove("/data/t-0/leader-epoch-checkpoint"));
  open({.recovery_point = 3, .clean = true});
  EXPECT_EQ(log_->leader_epoch(), 2) << "the batches remember";
}

TEST_F(LookupTest, TheLargestTimestampIsThatOfItsFirstRecord) {
  EXPECT_FALSE(log_->find_max_timestamp()->has_value());
  std::string bytes = make_batch({{0, 10, "a", "1"}, {0, 30, "b", "2"}, {0, 30, "c", "3"}, {0, 5, "d", "4"}});
  ASSERT_TRUE(log_->append(bytes));
  ASSERT_TRUE(put("late", 20));
  ASSERT_TRUE(log_->flush());
  EXPECT_EQ((*log_->find_max_timestamp())->offset, 1);
  EXPECT_EQ((*log_->find_max_timestamp())->timestamp, 30);
}

TEST_F(LookupTest, SingleRecordsAreNamedWhenTheyAreToBlame) {
  config_.cleanup_compact = true;
  config_.timestamp_before_max_ms = 5000;
  open({});
  const int64_t now = clock_.wall_ms();
  std::vector<RecordError> errors;
  auto refused = send(make_batch({{0, now, "k", "v"}, {0, now, std::nullopt, "v"}}), &errors);
  EXPECT_EQ(refused.error().exception, "org.apache.kafka.common.InvalidRecordException");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].index, 1);
  refused = send(make_batch({{0, now - 6000, "k", "v"}, {0, now, "k", "v"}, {0, now + 4'000'000, "k", "v"}}), &errors);
  EXPECT_EQ(refused.error().exception, "org.apache.kafka.common.errors.InvalidTimestampException");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].index, 0);
  EXPECT_EQ(errors[1].index, 2);
  EXPECT_TRUE(send(make_batch({{0, now, "k", "v"}})));
}

TEST_F(LookupTest, TheBrokerRecompressesAndStampsAsConfigured) {
  config_.compression = CompressionOptions{Codec::kZstd, 3};
  open({});
  const int64_t now = clock_.wall_ms();
  BatchOptions lz4;
  lz4.compression.codec = Codec::kLz4;
  ASSERT_TRUE(send(make_batch({{0, now, "a", "1"}, {0, now + 1, "b", std::nullopt}}, lz4)));
  ASSERT_TRUE(send(make_batch({{0, now, "c", "3"}})));
  config_.compression.reset();
  config_.log_append_time = true;
  log_->set_config(config_);
  clock_.advance(std::chrono::milliseconds(500));
  const auto stamped = send(make_batch({{0, now, "d", "4"}}, lz4));
  ASSERT_TRUE(stamped);
  EXPECT_EQ(stamped->append_time, now + 500);
  ASSERT_TRUE(log_->flush());
  const auto read = log_->read(0, 10'000);
  std::vector<Codec> codecs;
  for (BytesView bytes = read->bytes; !bytes.empty();) {
    const auto batch = RecordBatchView::parse(bytes);
    ASSERT_TRUE(batch && batch->verify_crc());
    codecs.push_back(batch->codec());
    bytes.remove_prefix(batch->size_bytes());
  }
  EXPECT_EQ(codecs, (std::vector<Codec>{Codec::kZstd, Codec::kZstd, Codec::kLz4}));
  const std::vector<TestRecord> expected = {
      {0, now, "a", "1"}, {1, now + 1, "b", std::nullopt}, {2, now, "c", "3"}, {3, now + 500, "d", "4"}};
  EXPECT_EQ(read_log(*log_), expected);
}

TEST_F(LookupTest, OldRequestsMayNotUseNewCodecs) {
  BatchOptions zstd;
  zstd.compression.codec = Codec::kZstd;
  const auto refused = send(make_batch({{0, clock_.wall_ms(), "a", "1"}}, zstd), nullptr, 6);
  EXPECT_EQ(refused.error().exception, "org.apache.kafka.common.errors.UnsupportedCompressionTypeException");
}

TEST_F(LookupTest, RemovedSegmentsKeepTheirBytesForAWhile) {
  config_.segment_bytes = 200;
  config_.retention_ms = 1000;
  open({});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(put("value", clock_.wall_ms()));
  ASSERT_TRUE(log_->flush());
  clock_.advance(std::chrono::seconds(5));
  EXPECT_GT(*log_->apply_retention(), 0U);
  const auto deleted = [&] {
    const auto names = fs_.list("/data/t-0");
    return std::count_if(names->begin(), names->end(), [](const auto& name) { return name.ends_with(".deleted"); });
  };
  EXPECT_GT(deleted(), 0);
  log_->maintain();
  EXPECT_GT(deleted(), 0);
  clock_.advance(std::chrono::seconds(61));
  log_->maintain();
  EXPECT_EQ(deleted(), 0);
}

TEST_F(LookupTest, ProducersAreForgottenUnlessATransactionIsOpen) {
  ASSERT_TRUE(put("a", 1000, transaction(1, 0)));
  BatchOptions idle;
  idle.producer_id = 2;
  idle.producer_epoch = 0;
  idle.base_sequence = 0;
  ASSERT_TRUE(put("b", 1000, idle));
  ASSERT_TRUE(log_->apply_retention());
  EXPECT_EQ(log_->producers().size(), 2U) << "record times of years ago do not count against a live producer";
  clock_.advance(std::chrono::hours(25));
  ASSERT_TRUE(log_->apply_retention());
  ASSERT_EQ(log_->producers().size(), 1U);
  EXPECT_EQ(log_->producers()[0].producer_id, 1);
}

TEST(LogManagerCleaner, CompactsTheDirtiestLogAndRemembersHowFar) {
  FaultFileSystem fs;
  ManualClock clock;
  LogConfig config;
  config.cleanup_compact = true;
  config.cleanup_delete = false;
  config.segment_bytes = 500;
  LogManager::Options options;
  options.directory = "/data";
  options.background = false;
  options.config_of = [&](const std::string&) { return config; };
  int64_t checkpoint = 0;
  {
    auto manager = *LogManager::open(fs, clock, {}, options);
    auto log = *manager->create("t", 0, config, "");
    ASSERT_TRUE(manager->create("empty", 0, config, ""));
    for (int i = 0; i < 100; ++i) {
      std::string bytes = make_batch({{0, clock.wall_ms(), "key-" + std::to_string(i % 3), std::to_string(i)}});
      ASSERT_TRUE(log->append(bytes));
    }
    ASSERT_TRUE(log->flush());
    EXPECT_TRUE(*manager->clean_once());
    EXPECT_FALSE(*manager->clean_once()) << "clean enough";
    EXPECT_LT(read_log(*log).size(), 20U);
    const auto offsets = read_offset_checkpoint(fs, "/data/cleaner-offset-checkpoint");
    checkpoint = offsets->at({"t", 0});
    EXPECT_GT(checkpoint, 80);
    ASSERT_TRUE(manager->close());
  }
  auto manager = *LogManager::open(fs, clock, {}, options);
  EXPECT_FALSE(*manager->clean_once());
  EXPECT_EQ(read_log(*manager->find("t", 0)).back().value, "99");
}

}  // namespace
}  // namespace millrace
