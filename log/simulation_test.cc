/// Random lives of a partition log over a disk that fails, tears writes, fills up and forgets: what was acknowledged
/// is there, nothing is there twice, and every index leads to its batch.
///
/// MILLRACE_SIMULATION_SEED (default 1) and MILLRACE_SIMULATION_RUNS (default 1500) choose the lives.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "log/cleaner.h"
#include "log/fault_file_system.h"
#include "log/log_test_tools.h"

namespace millrace {
namespace {

using testing::fetch_all;
using testing::make_batch;
using testing::read_log;
using testing::TestRecord;

/// An idempotent producer that sends a batch again until it is acknowledged.
struct Sender {
  int64_t id = 0;
  int32_t next_sequence = 0;
  std::vector<TestRecord> in_flight = {};
  bool waiting = false;  ///< for the acknowledgement of what was appended
};

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed) {
    config_.segment_bytes = 250 + static_cast<int64_t>(pick(1500));
    config_.index_interval_bytes = static_cast<int64_t>(pick(300));
    config_.cleanup_compact = pick(2) == 0;
    config_.cleanup_delete = !config_.cleanup_compact || pick(4) == 0;
    config_.retention_ms = 20'000;
    config_.delete_retention_ms = 5'000;
    config_.file_delete_delay_ms = pick(2) == 0 ? 0 : 3'000;
    config_.preallocate = pick(5) == 0;
    for (int64_t id = 1; id <= 3; ++id) senders_.push_back({id});
    fs_.set_torn_writes(pick(2) == 0);
    EXPECT_TRUE(fs_.create_directories("/data"));
  }

  void run() {
    open();
    const int steps = 30 + static_cast<int>(pick(60));
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    calm();
    crash();
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }
  void calm() {
    fs_.fail_nth(INT32_MAX);
    fs_.set_capacity(UINT64_MAX);
  }

  void step() {
    switch (pick(22)) {
      case 0:
        fs_.fail_nth(static_cast<int64_t>(pick(6)), 1 + static_cast<int64_t>(pick(3)));
        return;
      case 1:
        calm();
        return;
      case 2:
        if (pick(3) == 0) fs_.set_capacity(pick(4000));
        return;
      case 3:
        return crash();
      case 4:
        return close_and_reopen();
      case 5:
        return compact();
      case 6:
        clock_.advance(std::chrono::milliseconds(pick(4000)));
        if (!log_->apply_retention()) ++failures_;
        log_->maintain();
        return;
      case 7:
        if (log_->high_watermark() > log_->log_start_offset() && pick(4) == 0) {
          const auto span = static_cast<uint64_t>(log_->high_watermark() - log_->log_start_offset());
          if (!log_->delete_records(log_->log_start_offset() + static_cast<int64_t>(pick(span)))) ++failures_;
        }
        return;
      case 8:
        // What the manager's checkpoints would say.
        recovery_point_ = log_->recovery_point();
        checkpointed_start_ = log_->log_start_offset();
        return;
      case 9:
      case 10:
      case 11:
      case 12:
      case 13: {
        [[maybe_unused]] const Status flushed = log_->flush();
        return;
      }
      default:
        return append(senders_[pick(senders_.size())]);
    }
  }

  void append(Sender& sender) {
    if (sender.waiting) return;
    if (sender.in_flight.empty()) {
      sender.in_flight.resize(1 + pick(4));
      for (TestRecord& record : sender.in_flight) {
        record = {0, clock_.wall_ms(), "key-" + std::to_string(pick(8)), "value-" + std::to_string(next_value_++)};
      }
    }
    BatchOptions options;
    options.producer_id = sender.id;
    options.producer_epoch = 0;
    options.base_sequence = sender.next_sequence;
    std::string bytes = make_batch(sender.in_flight, options);
    sender.waiting = true;
    const uint64_t life = life_;
    const auto appended = log_->append(bytes, {.from_client = true}, [this, &sender, life](Expected<int64_t> base) {
      if (life == life_) answered(sender, base);
    });
    if (!appended) {
      EXPECT_EQ(appended.error().code, ErrorCode::kUnavailable) << error_trace(appended.error());
      sender.waiting = false;
    }
  }

  void answered(Sender& sender, const Expected<int64_t>& base) {
    sender.waiting = false;
    if (!base) return;
    for (size_t i = 0; i < sender.in_flight.size(); ++i) {
      TestRecord record = sender.in_flight[i];
      record.offset = *base + static_cast<int64_t>(i);
      acknowledged_[record.offset] = record;
    }
    sender.next_sequence += static_cast<int32_t>(sender.in_flight.size());
    sender.in_flight.clear();
  }

  void compact() {
    if (!config_.cleanup_compact) return;
    LogCleaner cleaner(fs_, clock_, {}, {.dedupe_buffer_bytes = (5 + pick(20)) * CompactionMap::kBytesPerKey});
    auto cleaned = cleaner.clean(*log_, dirty_);
    if (cleaned) dirty_ = cleaned->next_dirty;
    if (!cleaned) {
      EXPECT_TRUE(cleaned.error().code == ErrorCode::kUnavailable) << error_trace(cleaned.error());
    }
  }

  void crash() {
    ++life_;
    fs_.crash(random_());
    log_.reset();
    clean_ = false;
    calm();
    for (Sender& sender : senders_) sender.waiting = false;
    open();
  }

  void close_and_reopen() {
    const Status closed = log_->close();
    ++life_;
    if (!closed) return crash();
    recovery_point_ = log_->recovery_point();
    checkpointed_start_ = log_->log_start_offset();
    log_.reset();
    clean_ = true;
    calm();
    for (Sender& sender : senders_) sender.waiting = false;
    open();
  }

  void open() {
    LogOpenOptions options{recovery_point_, checkpointed_start_, clean_};
    auto opened = PartitionLog::open({fs_, clock_, {}}, "/data/t-0", config_, options);
    ASSERT_TRUE(opened) << error_trace(opened.error());
    log_ = *opened;
    EXPECT_GE(log_->leader_epoch(), last_epoch_);
    last_epoch_ = log_->leader_epoch();
    check();
  }

  void check() {
    const auto records = read_log(*log_);
    std::map<int64_t, TestRecord> present;
    std::set<std::string> values;
    std::map<std::string, int64_t> last_offset;
    int64_t last = -1;
    for (const TestRecord& record : records) {
      ASSERT_GT(record.offset, last);
      last = record.offset;
      present[record.offset] = record;
      last_offset[*record.key] = record.offset;
      EXPECT_TRUE(values.insert(*record.value).second) << *record.value << " is there twice";
    }
    const int64_t start = log_->log_start_offset();
    if (!acknowledged_.empty()) {
      EXPECT_GT(log_->end_offset(), acknowledged_.rbegin()->first);
    }
    for (const auto& [offset, record] : acknowledged_) {
      if (offset < start) continue;
      const auto found = present.find(offset);
      if (found != present.end()) {
        EXPECT_EQ(found->second, record);
      } else if (config_.cleanup_compact) {
        EXPECT_GT(last_offset[*record.key], offset) << "offset " << offset << ": the last value of its key is gone";
      } else {
        ADD_FAILURE() << "the acknowledged offset " << offset << " is gone, the log starts at " << start;
      }
    }
    check_ways_in(records);
  }

  /// Every way into the log leads to the same batches.
  void check_ways_in(const std::vector<TestRecord>& records) {
    const std::vector<int64_t> small = fetch_all(*log_, 100), large = fetch_all(*log_, 100'000);
    EXPECT_EQ(small, large);
    for (const TestRecord& record : records) {
      const auto read = log_->read(record.offset, 1);
      ASSERT_TRUE(read && !read->bytes.empty());
      const auto batch = RecordBatchView::parse(read->bytes);
      ASSERT_TRUE(batch);
      EXPECT_LE(batch->base_offset(), record.offset);
      EXPECT_GE(batch->last_offset(), record.offset);
    }
    if (records.empty()) return;
    const auto newest = std::max_element(records.begin(), records.end(),
                                         [](const auto& a, const auto& b) { return a.timestamp < b.timestamp; });
    const auto found = log_->find_by_timestamp(newest->timestamp);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->offset, newest->offset);
  }

  std::mt19937_64 random_;
  FaultFileSystem fs_;
  ManualClock clock_;
  LogConfig config_;
  std::shared_ptr<PartitionLog> log_;
  std::vector<Sender> senders_;
  std::map<int64_t, TestRecord> acknowledged_;
  uint64_t life_ = 0;  ///< answers from before a crash are not heard
  int64_t next_value_ = 0;
  int64_t failures_ = 0;
  int64_t recovery_point_ = 0;
  int64_t checkpointed_start_ = 0;
  int64_t dirty_ = 0;
  int32_t last_epoch_ = 0;
  bool clean_ = false;
};

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(LogSimulation, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  const uint64_t first = number_from_environment("MILLRACE_SIMULATION_SEED", 1);
  const uint64_t runs = number_from_environment("MILLRACE_SIMULATION_RUNS", 1500);
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    Life(seed).run();
    ASSERT_FALSE(::testing::Test::HasFailure())
        << "repeat with MILLRACE_SIMULATION_SEED=" << seed << " MILLRACE_SIMULATION_RUNS=1";
  }
}

}  // namespace
}  // namespace millrace
