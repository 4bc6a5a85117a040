#include <gtest/gtest.h>

#include <set>

#include "core/crc32c.h"
#include "log/cleaner.h"
#include "log/file_names.h"
#include "log/golden_log_testing.h"
#include "log/log_test_tools.h"
#include "log/partition_log.h"

namespace millrace {
namespace {

using namespace golden;  // NOLINT: a test of these alone

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (std::filesystem::exists(entry.path() / "case.json")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

json case_of(const std::filesystem::path& path) { return json::parse(read_bytes(path / "case.json")); }

LogConfig config_of(const json& each) {
  LogConfig config;
  config.message_bytes_max = INT32_MAX;
  config.retention_ms = -1;
  const auto set = [&](const char* name, int64_t LogConfig::*field) {
    if (each["topic_config"].contains(name)) config.*field = std::stoll(each["topic_config"][name].get<std::string>());
  };
  set("segment.bytes", &LogConfig::segment_bytes);
  set("segment.ms", &LogConfig::segment_ms);
  set("index.interval.bytes", &LogConfig::index_interval_bytes);
  set("segment.index.bytes", &LogConfig::segment_index_bytes);
  return config;
}

struct Batch {
  int64_t segment;
  std::string bytes;
};

std::vector<Batch> batches_of(const std::filesystem::path& path) {
  std::vector<Batch> batches;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.insert(entry.path());
  for (const auto& file : files) {
    const auto base = offset_of_file(file.filename().string(), kLogSuffix);
    if (!base) continue;
    const std::string bytes = read_bytes(file);
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = batch_format::kLogOverhead + static_cast<size_t>(load_be<int32_t>(bytes.data() + at + 8));
      batches.push_back({*base, bytes.substr(at, size)});
      at += size;
    }
  }
  return batches;
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

json json_of(const ProducerState& producers) {
  json state = json::array();
  for (const auto& [id, entry] : producers.producers()) {
    json list = json::array();
    for (const auto& b : entry.batches) {
      list.push_back({{"first_seq", b.first_sequence},
                      {"last_seq", b.last_sequence},
                      {"first_offset", b.first_offset},
                      {"last_offset", b.last_offset},
                      {"offset_delta", b.last_offset - b.first_offset},
                      {"timestamp", b.timestamp}});
    }
    state.push_back({{"producer_id", id},
                     {"producer_epoch", entry.epoch},
                     {"coordinator_epoch", entry.coordinator_epoch},
                     {"last_timestamp", entry.last_timestamp},
                     {"current_txn_first_offset", entry.transaction_first_offset},
                     {"batches", list}});
  }
  return state;
}

TEST(GoldenLog, BatchesAndRecords) {
  ASSERT_FALSE(cases().empty());
  for (const auto& path : cases()) {
    const auto batches = batches_of(path);
    size_t at = 0;
    std::unique_ptr<RecordIterator> records;
    std::string scratch;
    RecordView record;
    const std::string name = path.filename().string();
    const bool all_records = name != "many-0" && name != "big-0" && name != "corrupt-in-0";
    for (const json& line : read_json_lines(path / "expected.jsonl")) {
      if (line["kind"] == "batch") {
        ASSERT_LT(at, batches.size()) << name;
        const auto batch = RecordBatchView::parse(batches[at].bytes);
        ASSERT_TRUE(batch) << name << batch.error().message;
        expect_batch(line, *batch, name + " batch " + std::to_string(at));
        EXPECT_EQ(batches[at].segment, line["segment"].get<int64_t>());
        ++at;
        auto opened = RecordIterator::open(*batch, scratch);
        if (opened) records = std::make_unique<RecordIterator>(std::move(*opened));
        continue;
      }
      do {
        ASSERT_TRUE(records->next(record)) << name << " offset " << line["offset"];
      } while (!all_records && record.offset < line["offset"].get<int64_t>());
      EXPECT_EQ(record.offset, line["offset"].get<int64_t>());
      EXPECT_EQ(record.timestamp, line["timestamp"].get<int64_t>()) << name;
      const auto expect_bytes = [&](const char* field, const NullableBytes& bytes) {
        const std::string text = field;
        if (line.contains(text + "_sha256")) {
          ASSERT_TRUE(bytes);
          EXPECT_EQ(sha256(*bytes), line[text + "_sha256"].get<std::string>());
        } else if (line[text].is_null()) {
          EXPECT_FALSE(bytes);
        } else {
          ASSERT_TRUE(bytes);
          EXPECT_EQ(base64(*bytes), line[text].get<std::string>());
        }
      };
      expect_bytes("key", record.key);
      expect_bytes("value", record.value);
      ASSERT_EQ(line["headers"].size(), static_cast<size_t>(record.headers.count));
    }
    EXPECT_EQ(at, batches.size()) << name;
  }
}

TEST(GoldenLog, IndexesAndSnapshots) {
  for (const auto& path : cases()) {
    const std::string name = path.filename().string();
    for (const json& line : read_json_lines(path / "indexes.jsonl")) {
      if (line.contains("segment")) {
        const auto base = line["segment"].get<int64_t>();
        const uint64_t log_bytes = std::filesystem::file_size(path / file_name(base, kLogSuffix));
        const std::string bytes = read_bytes(path / file_name(base, kOffsetIndexSuffix));
        const auto index = OffsetIndex::decode(base, bytes, log_bytes);
        ASSERT_TRUE(index) << name << base << index.error().message;
        json entries = json::array();
        for (const auto& entry : index->entries()) entries.push_back({base + entry.relative_offset, entry.position});
        EXPECT_EQ(entries, line["offset_index"]) << name << base;
        EXPECT_EQ(index->encode(), bytes);
        const std::string time_bytes = read_bytes(path / file_name(base, kTimeIndexSuffix));
        const auto times = TimeIndex::decode(base, time_bytes);
        ASSERT_TRUE(times) << name << base;
        json time_entries = json::array();
        for (const auto& entry : times->entries())
          time_entries.push_back({entry.timestamp, base + entry.relative_offset});
        EXPECT_EQ(time_entries, line["time_index"]) << name << base;
        EXPECT_EQ(times->encode(), time_bytes);
        if (!line.contains("txn_index")) continue;
        const std::string txn_bytes = read_bytes(path / file_name(base, kTransactionIndexSuffix));
        const auto aborted = AbortedTransaction::decode(txn_bytes);
        ASSERT_TRUE(aborted) << name << base;
        json transactions = json::array();
        for (const auto& each : *aborted) {
          transactions.push_back({{"version", 0},
                                  {"producer_id", each.producer_id},
                                  {"first_offset", each.first_offset},
                                  {"last_offset", each.last_offset},
                                  {"last_stable_offset", each.last_stable_offset}});
        }
        EXPECT_EQ(transactions, line["txn_index"]) << name << base;
        EXPECT_EQ(AbortedTransaction::encode(*aborted), txn_bytes);
      } else if (line.contains("snapshot")) {
        const std::string bytes = read_bytes(path / file_name(line["snapshot"], kSnapshotSuffix));
        const auto state = ProducerState::from_snapshot(bytes);
        ASSERT_TRUE(state) << name;
        EXPECT_EQ(json_of(*state), line["producers"]) << name << line["snapshot"];
        EXPECT_EQ(state->snapshot(), bytes) << name << line["snapshot"];
      } else if (line.contains("leader_epochs")) {
        PosixFileSystem fs;
        const auto epochs = read_leader_epochs(fs, path / kLeaderEpochFile);
        ASSERT_TRUE(epochs);
        json entries = json::array();
        for (const auto& epoch : *epochs) entries.push_back({epoch.epoch, epoch.start_offset});
        EXPECT_EQ(entries, line["leader_epochs"]);
      }
    }
  }
}

/// The broker's checkpoint files say of each partition what its case says, and are written the same.
TEST(GoldenLog, Checkpoints) {
  PosixFileSystem fs;
  TemporaryFolder temporary;
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "checkpoints")) {
    const std::string file = entry.path().filename().string();
    const auto offsets = read_offset_checkpoint(fs, entry.path());
    ASSERT_TRUE(offsets) << entry.path();
    ASSERT_TRUE(write_offset_checkpoint(fs, temporary.path() / file, *offsets));
    EXPECT_EQ(*read_offset_checkpoint(fs, temporary.path() / file), *offsets);
    EXPECT_EQ(read_bytes(temporary.path() / file).size(), read_bytes(entry.path()).size());
    for (const auto& path : cases()) {
      const json each = case_of(path);
      const auto found = offsets->find({each["topic"].get<std::string>(), each["partition"].get<int32_t>()});
      const json& expected = each["checkpoints"][file];
      if (path.filename() == "epochs-0") continue;  // stopped after these files were copied
      ASSERT_EQ(found == offsets->end(), expected.is_null()) << path << file;
      if (expected.is_null()) continue;
      const std::string line = fmt::format("{} {} {}", found->first.first, found->first.second, found->second);
      EXPECT_EQ(line, expected.get<std::string>()) << file;
    }
  }
}

TEST(GoldenLog, TopicIds) {
  PosixFileSystem fs;
  for (const auto& path : cases()) {
    const auto id = read_topic_id(fs, path / kPartitionMetadataFile);
    ASSERT_TRUE(id && *id) << path;
    TemporaryFolder temporary;
    ASSERT_TRUE(write_topic_id(fs, temporary.path() / kPartitionMetadataFile, **id));
    EXPECT_EQ(read_bytes(temporary.path() / kPartitionMetadataFile), read_bytes(path / kPartitionMetadataFile));
  }
}

std::shared_ptr<PartitionLog> open_copy(const std::filesystem::path& path, const Path& to, PosixFileSystem& fs,
                                        Clock& clock, bool clean) {
  const json each = case_of(path);
  LogOpenOptions options;
  options.clean = clean;
  options.recovery_point = clean ? each["log_end_offset"].get<int64_t>() : 0;
  options.log_start_offset = each["log_start_offset"];
  auto log = PartitionLog::open({fs, clock, {}}, to, config_of(each), options);
  EXPECT_TRUE(log) << path << log.error().message;
  return log ? *log : nullptr;
}

void copy_case(const std::filesystem::path& path, const Path& to) {
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    std::filesystem::copy(entry.path(), to / entry.path().filename());
    std::filesystem::permissions(to / entry.path().filename(), std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
  }
}

/// A folder that Kafka has left opens as it is, and also after the loss of everything but the log files.
TEST(GoldenLog, EveryCaseOpensAndIsServed) {
  PosixFileSystem fs;
  ManualClock clock;
  for (const auto& path : cases()) {
    const json each = case_of(path);
    for (const bool clean : {true, false}) {
      TemporaryFolder temporary;
      const Path copy = temporary.path() / path.filename();
      copy_case(path, copy);
      const auto log = open_copy(path, copy, fs, clock, clean);
      ASSERT_NE(log, nullptr);
      EXPECT_EQ(log->log_start_offset(), each["log_start_offset"].get<int64_t>()) << path;
      EXPECT_EQ(log->end_offset(), each["log_end_offset"].get<int64_t>()) << path << clean;
      EXPECT_EQ(log->high_watermark(), each["high_watermark"].get<int64_t>()) << path;
      EXPECT_EQ(log->last_stable_offset(), each["last_stable_offset"].get<int64_t>()) << path << clean;
      size_t expected = 0;
      for (const Batch& batch : batches_of(path)) {
        expected += RecordBatchView::parse(batch.bytes)->last_offset() >= log->log_start_offset() ? 1 : 0;
      }
      EXPECT_EQ(testing::fetch_all(*log, 1000).size(), expected) << path << clean;
      EXPECT_EQ(testing::fetch_all(*log, 1 << 20).size(), expected) << path << clean;
    }
  }
}

/// What Kafka's cleaner has left has nothing for ours to take away that a reader would miss, and a second round over
/// the same log changes nothing.
TEST(GoldenLog, CompactedLogsStayAsTheyAre) {
  PosixFileSystem fs;
  ManualClock clock(1'795'228'870'000);  // before every delete horizon
  int compacted = 0;
  for (const auto& path : cases()) {
    if (!path.filename().string().starts_with("compact")) continue;
    ++compacted;
    TemporaryFolder temporary;
    const Path copy = temporary.path() / path.filename();
    copy_case(path, copy);
    const auto log = open_copy(path, copy, fs, clock, true);
    ASSERT_NE(log, nullptr);
    const auto last_values = [&] {
      std::map<std::string, testing::TestRecord> last;
      for (const auto& record : testing::read_log(*log, Isolation::kCommitted)) {
        if (record.key) last[*record.key] = record;
      }
      return last;
    };
    const auto before = last_values();
    const auto all_before = testing::read_log(*log);
    LogCleaner cleaner(fs, clock, {}, {});
    ASSERT_TRUE(cleaner.clean(*log, 0)) << path;
    EXPECT_EQ(last_values(), before) << path;
    const auto all_after = testing::read_log(*log);
    EXPECT_TRUE(std::includes(all_before.begin(), all_before.end(), all_after.begin(), all_after.end(),
                              [](const auto& a, const auto& b) { return a.offset < b.offset; }));
    const auto contents = [&] {
      std::map<std::string, std::string> found;
      for (const auto& entry : std::filesystem::directory_iterator(copy)) {
        if (entry.path().extension() == ".log") found[entry.path().filename().string()] = read_bytes(entry.path());
      }
      return found;
    };
    ASSERT_TRUE(cleaner.clean(*log, 0)) << path;
    const auto once = contents();
    ASSERT_TRUE(cleaner.clean(*log, 0)) << path;
    EXPECT_EQ(contents(), once) << path;
    EXPECT_EQ(log->end_offset(), case_of(path)["log_end_offset"].get<int64_t>());
  }
  EXPECT_GT(compacted, 0);
}

/// Batches appended as they are make the files that Kafka made.
TEST(GoldenLog, AppendingMakesTheSameFiles) {
  PosixFileSystem fs;
  ManualClock clock;
  for (const auto& path : cases()) {
    const std::string name = path.filename().string();
    if (name.starts_with("compact")) continue;  // the cleaner rewrote them
    const json each = case_of(path);
    TemporaryFolder temporary;
    const auto batches = batches_of(path);
    LogOpenOptions options;
    if (!each["segments"].empty()) options.log_start_offset = each["segments"][0]["base_offset"];
    auto log = PartitionLog::open({fs, clock, {}}, temporary.path() / name, config_of(each), options);
    ASSERT_TRUE(log) << log.error().message;
    int32_t epoch = 0;
    for (const Batch& batch : batches) {
      std::string bytes = batch.bytes;
      const int32_t its_epoch = RecordBatchView::parse(bytes)->leader_epoch();
      if (std::exchange(epoch, its_epoch) != its_epoch) {  // each start of a broker begins a new one
        ASSERT_TRUE((*log)->close());
        options.clean = true;
        log = PartitionLog::open({fs, clock, {}}, temporary.path() / name, config_of(each), options);
        ASSERT_TRUE(log) << log.error().message;
      }
      const auto appended = (*log)->append(bytes, {.keep_offsets = true});
      ASSERT_TRUE(appended) << name << appended.error().message;
    }
    if (each["log_start_offset"].get<int64_t>() > (*log)->log_start_offset()) {
      ASSERT_TRUE((*log)->flush());
      ASSERT_TRUE((*log)->delete_records(each["log_start_offset"].get<int64_t>()));
    }
    ASSERT_TRUE((*log)->close()) << name;
    const bool cut_front = name == "delete-records-0" || name == "delete-all-0" || name == "retention-bytes-0";
    for (const auto& [file, expected] : each["files"].items()) {
      if (file == kLeaderEpochFile && !batches.empty() && !each["segments"].empty()) {
        EXPECT_EQ(sha256(read_bytes(temporary.path() / name / file)), expected["sha256"].get<std::string>()) << name;
      }
      const bool segment_file = file.ends_with(".log") || file.ends_with(".index") || file.ends_with(".timeindex") ||
                                file.ends_with(".txnindex");
      const bool snapshot = file.ends_with(".snapshot") &&
                            !(cut_front && file == file_name(each["segments"][0]["base_offset"], kSnapshotSuffix));
      if (!segment_file && !snapshot) continue;
      if (name == "delete-all-0" && batches.empty()) continue;
      ASSERT_TRUE(fs.exists(temporary.path() / name / file)) << name << "/" << file;
      const std::string bytes = read_bytes(temporary.path() / name / file);
      EXPECT_EQ(sha256(bytes), expected["sha256"].get<std::string>()) << name << "/" << file;
    }
  }
}

TEST(GoldenLog, Recovery) {
  PosixFileSystem fs;
  ASSERT_TRUE(fs.exists(folder() / "recover" / "recover.jsonl"));
  for (const json& line : read_json_lines(folder() / "recover" / "recover.jsonl")) {
    const std::string what = line["case"].get<std::string>() + "/" + std::to_string(line["segment"].get<int64_t>()) +
                             " " + line["what"].get<std::string>();
    const auto base = line["segment"].get<int64_t>();
    const auto path = folder() / line["case"].get<std::string>();
    std::string bytes = read_bytes(path / file_name(base, kLogSuffix));
    const auto at = line["at"].get<size_t>();
    const std::string patch = from_hex(line["bytes"]);
    if (line["op"] == "truncate") bytes.resize(at);
    if (line["op"] == "set") bytes.replace(at, patch.size(), patch);
    if (line["op"] == "append") bytes += patch;
    ASSERT_EQ(bytes.size(), line["size_before"].get<size_t>()) << what;
    TemporaryFolder temporary;
    LogFiles files{fs, temporary.path()};
    {
      auto file = fs.open(files.path(base, kLogSuffix), FileSystem::Open::kCreate);
      ASSERT_TRUE(file && (*file)->write_at(0, bytes));
    }
    ProducerState producers;
    if (fs.exists(path / file_name(base, kSnapshotSuffix)))
      producers = *ProducerState::from_snapshot(read_bytes(path / file_name(base, kSnapshotSuffix)));
    auto segment = Segment::open(files, base, false);
    ASSERT_TRUE(segment);
    std::vector<std::pair<int32_t, int64_t>> epochs;
    const auto cut = (*segment)->recover(config_of(case_of(path)), producers, &epochs);
    if (line.contains("exception")) {
      EXPECT_FALSE(cut) << what << line["exception"];
      continue;
    }
    ASSERT_TRUE(cut) << what << cut.error().message;
    EXPECT_EQ(*cut, line["truncated"].get<uint64_t>()) << what;
    EXPECT_EQ((*segment)->size_bytes, line["size_after"].get<uint64_t>()) << what;
    EXPECT_EQ((*segment)->next_offset, line["next_offset"].get<int64_t>()) << what;
    EXPECT_EQ(to_hex((*segment)->offset_index.encode()), line["index_hex"].get<std::string>()) << what;
    EXPECT_EQ(to_hex((*segment)->time_index.encode()), line["timeindex_hex"].get<std::string>()) << what;
    EXPECT_EQ(to_hex(AbortedTransaction::encode((*segment)->aborted)), line["txnindex_hex"].get<std::string>()) << what;
    EXPECT_EQ(json_of(producers), line["producers"]) << what;
  }
}

}  // namespace
}  // namespace millrace
