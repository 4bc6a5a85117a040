#include "log/partition_log.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "log/fault_file_system.h"
#include "log/file_names.h"
#include "log/group_committer.h"
#include "log/log_manager.h"

namespace millrace {
namespace {

std::string batch_of(const std::string& value, int records = 1, int64_t timestamp = 1000, BatchOptions options = {}) {
  RecordBatchBuilder builder(options);
  for (int i = 0; i < records; ++i) builder.append(timestamp + i, std::nullopt, value);
  EXPECT_TRUE(builder.finish());
  return builder.take();
}

std::vector<std::string> values_of(const PartitionLog& log, int64_t from = 0) {
  std::vector<std::string> values;
  std::string scratch;
  for (int64_t offset = std::max(from, log.log_start_offset()); offset < log.high_watermark();) {
    auto read = log.read(offset, 300);
    EXPECT_TRUE(read) << read.error().message;
    if (!read || read->bytes.empty()) break;
    BytesView bytes = read->bytes;
    while (!bytes.empty()) {
      const auto batch = RecordBatchView::parse(bytes);
      EXPECT_TRUE(batch && batch->verify_crc());
      auto records = RecordIterator::open(*batch, scratch);
      RecordView record;
      while (records->next(record)) {
        if (record.offset >= offset) values.emplace_back(*record.value);
      }
      bytes.remove_prefix(batch->size_bytes());
    }
    offset = read->next_offset;
  }
  return values;
}

class PartitionLogTest : public ::testing::Test {
 protected:
  std::shared_ptr<PartitionLog> open(LogOpenOptions options = {}) {
    auto log = PartitionLog::open({fs_, clock_, {}}, "/data/t-0", config_, options);
    EXPECT_TRUE(log) << error_trace(log.error());
    return log ? *log : nullptr;
  }
  int64_t append(PartitionLog& log, std::string bytes) {
    auto result = log.append(bytes);
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->base_offset : -1;
  }
  FaultFileSystem fs_;
  ManualClock clock_;
  LogConfig config_;
};

TEST_F(PartitionLogTest, ReadersSeeOnlyWhatIsDurable) {
  auto log = open();
  EXPECT_EQ(append(*log, batch_of("a", 3)), 0);
  EXPECT_EQ(append(*log, batch_of("b")), 3);
  EXPECT_EQ(log->end_offset(), 4);
  EXPECT_EQ(log->high_watermark(), 0);
  EXPECT_TRUE(log->read(0, 1000)->bytes.empty());
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->high_watermark(), 4);
  EXPECT_EQ(values_of(*log), (std::vector<std::string>{"a", "a", "a", "b"}));
  EXPECT_EQ(values_of(*log, 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(log->read(5, 1000).error().code, ErrorCode::kNotFound);
}

TEST_F(PartitionLogTest, RollsAndFindsByOffsetAndTime) {
  config_.segment_bytes = 500;
  config_.index_interval_bytes = 100;
  auto log = open();
  for (int i = 0; i < 50; ++i) append(*log, batch_of("value-" + std::to_string(i), 1, 1000 + i));
  ASSERT_TRUE(log->flush());
  EXPECT_GT(log->segment_count(), 5U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(values_of(*log, i).front(), "value-" + std::to_string(i));
    EXPECT_EQ((*log->find_by_timestamp(1000 + i))->offset, i);
  }
  EXPECT_FALSE(log->find_by_timestamp(2000)->has_value());
  ASSERT_TRUE(log->close());
  log = open({.clean = true});
  EXPECT_EQ(values_of(*log).size(), 50U);
  ASSERT_TRUE(log->truncate_to(17));
  EXPECT_EQ(append(*log, batch_of("again")), 17);
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(values_of(*log, 16), (std::vector<std::string>{"value-16", "again"}));
}

TEST_F(PartitionLogTest, RetentionBySizeTimeAndDeleteRecords) {
  config_.segment_bytes = 500;
  config_.retention_ms = -1;
  auto log = open();
  for (int i = 0; i < 50; ++i) append(*log, batch_of("value", 1, clock_.wall_ms()));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(*log->apply_retention(), 0U);
  EXPECT_EQ(*log->delete_records(20), 20);
  EXPECT_GT(*log->apply_retention(), 0U);
  EXPECT_EQ(log->log_start_offset(), 20);
  EXPECT_EQ(log->read(19, 100).error().code, ErrorCode::kNotFound);
  config_.retention_bytes = 1000;
  log->set_config(config_);
  EXPECT_GT(*log->apply_retention(), 0U);
  EXPECT_GE(log->size_bytes(), 1000U);
  EXPECT_LT(log->size_bytes(), 1600U);
  config_.retention_ms = 1000;
  log->set_config(config_);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_GT(*log->apply_retention(), 0U);
  EXPECT_EQ(log->log_start_offset(), 50);
  EXPECT_EQ(append(*log, batch_of("next")), 50);
}

TEST_F(PartitionLogTest, RetriesOfAnIdempotentProducerAreNotStoredTwice) {
  auto log = open();
  BatchOptions options;
  options.producer_id = 7;
  options.producer_epoch = 0;
  options.base_sequence = 0;
  EXPECT_EQ(append(*log, batch_of("a", 2, 1000, options)), 0);
  std::string retry = batch_of("a", 2, 1000, options);
  const auto repeated = log->append(retry);
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(repeated->duplicate);
  EXPECT_EQ(repeated->base_offset, 0);
  options.base_sequence = 5;
  std::string gap = batch_of("b", 1, 1000, options);
  EXPECT_EQ(log->append(gap).error().code, ErrorCode::kConflict);
  options.producer_epoch = -0;
  ASSERT_TRUE(log->close());
  log = open({.clean = true});
  options.base_sequence = 0;
  std::string after_restart = batch_of("a", 2, 1000, options);
  EXPECT_TRUE(log->append(after_restart)->duplicate);
}

TEST_F(PartitionLogTest, AFullDiskLosesNothingAndGoesOn) {
  auto log = open();
  append(*log, batch_of("before"));
  ASSERT_TRUE(log->flush());
  fs_.set_torn_writes(true);
  fs_.set_capacity(0);
  std::string bytes = batch_of("refused");
  EXPECT_EQ(log->append(bytes).error().code, ErrorCode::kUnavailable);
  fs_.set_capacity(UINT64_MAX);
  EXPECT_EQ(append(*log, batch_of("after")), 1);
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(values_of(*log), (std::vector<std::string>{"before", "after"}));
}

TEST_F(PartitionLogTest, AFailedSyncIsNeverAcknowledged) {
  auto log = open();
  append(*log, batch_of("kept"));
  ASSERT_TRUE(log->flush());
  std::string bytes = batch_of("lost");
  std::optional<Expected<int64_t>> answer;
  ASSERT_TRUE(log->append(bytes, {}, [&](Expected<int64_t> offset) { answer = std::move(offset); }));
  fs_.fail_nth(0);
  EXPECT_FALSE(log->flush());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(append(*log, batch_of("next")), 1);
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(values_of(*log), (std::vector<std::string>{"kept", "next"}));
}

/// Fails each operation in turn, then cuts the power: what was acknowledged must be there, in order, at its offset.
TEST(PartitionLogFaults, AcknowledgedDataSurviveEveryFaultAndCrash) {
  LogConfig config;
  config.segment_bytes = 400;
  config.index_interval_bytes = 100;
  bool faults_left = true;
  int rounds = 0;
  size_t acknowledged_total = 0;
  for (int64_t n = 0; faults_left; ++n) {
    for (const bool torn : {false, true}) {
      FaultFileSystem fs;
      ManualClock clock;
      std::map<int64_t, std::string> acknowledged;
      fs.set_torn_writes(torn);
      fs.fail_nth(n);
      const auto directory_synced = fs.sync_directory("/data");
      auto opened = PartitionLog::open({fs, clock, {}}, "/data/t-0", config, {});
      if (opened) {
        for (int i = 0; i < 20; ++i) {
          const std::string value = "value-" + std::to_string(i);
          std::string bytes = batch_of(value, 1, 1000 + i);
          [[maybe_unused]] const auto appended =
              (*opened)->append(bytes, {}, [&acknowledged, value](Expected<int64_t> offset) {
                if (offset) acknowledged[*offset] = value;
              });
          if (i % 3 == 0) [[maybe_unused]]
            const auto flushed = (*opened)->flush();
        }
      }
      faults_left = fs.operations() > n;
      fs.crash(static_cast<uint64_t>(n));
      auto reopened = PartitionLog::open({fs, clock, {}}, "/data/t-0", config, {});
      ASSERT_TRUE(reopened) << "fault " << n << ": " << error_trace(reopened.error());
      const auto values = values_of(**reopened);
      for (const auto& [offset, value] : acknowledged) {
        ASSERT_LT(static_cast<size_t>(offset), values.size()) << "fault " << n << " torn " << torn;
        EXPECT_EQ(values[static_cast<size_t>(offset)], value) << "fault " << n << " torn " << torn;
      }
      ++rounds;
      acknowledged_total += acknowledged.size();
    }
  }
  EXPECT_GT(rounds, 50);
  EXPECT_GT(acknowledged_total, 500U);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

/// Appends until killed and writes each acknowledged offset to `to`.
[[noreturn]] void append_forever(const Path& directory, int to) {
  PosixFileSystem fs;
  SystemClock clock;
  LogManager::Options options;
  options.directory = directory;
  auto manager = LogManager::open(fs, clock, {}, options);
  LogConfig config;
  config.segment_bytes = 4000;
  auto log = (*manager)->create("t", 0, config, "");
  for (int i = 0;; ++i) {
    std::string bytes = batch_of("value-" + std::to_string(i));
    const auto appended = (*log)->append(bytes, {}, [to](Expected<int64_t> offset) {
      if (offset && ::write(to, &*offset, sizeof(*offset)) != sizeof(*offset)) ::_exit(2);
    });
    if (!appended) ::_exit(3);
  }
}

TEST(PartitionLogKill, AcknowledgedOffsetsAreThereAfterKill9) {
  TemporaryFolder folder;
  PosixFileSystem fs;
  SystemClock clock;
  int64_t last = -1;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) append_forever(folder.path(), ends[1]);
    ::close(ends[1]);
    int64_t offset = 0;
    for (int i = 0; i < 200 && ::read(ends[0], &offset, sizeof(offset)) == sizeof(offset); ++i)
      last = std::max(last, offset);
    ::kill(child, SIGKILL);
    while (::read(ends[0], &offset, sizeof(offset)) == sizeof(offset)) last = std::max(last, offset);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    LogManager::Options options;
    options.directory = folder.path();
    auto manager = LogManager::open(fs, clock, {}, options);
    ASSERT_TRUE(manager) << error_trace(manager.error());
    const auto log = (*manager)->find("t", 0);
    ASSERT_NE(log, nullptr);
    EXPECT_GE(values_of(*log).size(), static_cast<size_t>(last) + 1);
  }
}

TEST(PartitionLogThreads, OneAppendsOneReads) {
  TemporaryFolder folder;
  PosixFileSystem fs;
  SystemClock clock;
  LogManager::Options options;
  options.directory = folder.path();
  auto manager = LogManager::open(fs, clock, {}, options);
  ASSERT_TRUE(manager);
  LogConfig config;
  config.segment_bytes = 20'000;
  auto log = *(*manager)->create("t", 0, config, "");
  constexpr int kBatches = 500;
  std::thread writer([&] {
    for (int i = 0; i < kBatches; ++i) {
      std::string bytes = batch_of("value-" + std::to_string(i), 10);
      EXPECT_TRUE(log->append(bytes));
    }
  });
  int64_t next = 0;
  while (next < kBatches * 10) {
    auto read = log->read(next, 2000);
    ASSERT_TRUE(read) << read.error().message;
    for (BytesView bytes = read->bytes; !bytes.empty();) {
      const auto batch = RecordBatchView::parse(bytes);
      ASSERT_TRUE(batch && batch->verify_crc());
      EXPECT_EQ(batch->base_offset(), next);
      next = batch->next_offset();
      bytes.remove_prefix(batch->size_bytes());
    }
    std::this_thread::yield();
  }
  writer.join();
}

TEST(LogManagerTest, ASecondOwnerIsToldWhoAndWhatToDo) {
  TemporaryFolder folder;
  PosixFileSystem fs;
  SystemClock clock;
  LogManager::Options options;
  options.directory = folder.path();
  auto first = LogManager::open(fs, clock, {}, options);
  ASSERT_TRUE(first);
  auto second = LogManager::open(fs, clock, {}, options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("another worker"), std::string::npos);
  EXPECT_NE(second.error().message.find(folder.path().string()), std::string::npos);
}

TEST(LogManagerTest, CleanReopenKeepsLogStartAndTopicId) {
  TemporaryFolder folder;
  PosixFileSystem fs;
  SystemClock clock;
  LogManager::Options options;
  options.directory = folder.path();
  {
    auto manager = LogManager::open(fs, clock, {}, options);
    auto log = *(*manager)->create("t", 1, {}, "0123456789012345678901");
    for (int i = 0; i < 10; ++i) {
      std::string bytes = batch_of("v");
      ASSERT_TRUE(log->append(bytes));
    }
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(*log->delete_records(4), 4);
    ASSERT_TRUE((*manager)->close());
  }
  EXPECT_TRUE(fs.exists(folder.path() / ".kafka_cleanshutdown"));
  auto manager = LogManager::open(fs, clock, {}, options);
  ASSERT_TRUE(manager);
  EXPECT_FALSE(fs.exists(folder.path() / ".kafka_cleanshutdown"));
  EXPECT_EQ((*manager)->find("t", 1)->log_start_offset(), 4);
  EXPECT_EQ(**read_topic_id(fs, folder.path() / "t-1" / kPartitionMetadataFile), "0123456789012345678901");
  ASSERT_TRUE((*manager)->remove("t", 1));
  EXPECT_FALSE(fs.exists(folder.path() / "t-1"));
}

}  // namespace
}  // namespace millrace
