/// The recorded single buffers: batches of every magic and codec, damaged ones, and what a broker answers to them.
#include <gtest/gtest.h>

#include "log/fault_file_system.h"
#include "log/file_names.h"
#include "log/golden_log_testing.h"
#include "log/partition_log.h"
#include "protocol/legacy_messages.h"

namespace millrace {
namespace {

using namespace golden;  // NOLINT: a test of these alone

/// The digest input of an old batch's messages; nothing when they cannot be read.
std::optional<std::string> digest_messages(const LegacyMessage& message, int* count) {
  std::string scratch, into;
  std::vector<RecordView> records;
  if (!message.records(scratch, records)) return std::nullopt;
  for (const RecordView& record : records) digest_record(into, record);
  *count = static_cast<int>(records.size());
  return into;
}

void expect_messages(const json& expected, const LegacyMessage& message, const std::string& where) {
  EXPECT_EQ(message.magic(), expected["magic"].get<int>()) << where;
  EXPECT_EQ(message.crc(), expected["crc"].get<uint32_t>()) << where;
  EXPECT_EQ(message.verify_crc().has_value(), expected["valid"].get<bool>()) << where;
  EXPECT_EQ(message.offset(), expected["last_offset"].get<int64_t>()) << where;
  EXPECT_EQ(message.attributes(), expected["attributes"].get<int>()) << where;
  EXPECT_EQ(codec_name(message.codec()), expected["compression"].get<std::string>()) << where;
  EXPECT_EQ(message.timestamp(), expected["max_timestamp"].get<int64_t>()) << where;
  int count = 0;
  const auto digest = digest_messages(message, &count);
  ASSERT_TRUE(digest) << where;
  EXPECT_EQ(count, expected["records_count"].get<int>()) << where;
  EXPECT_EQ(sha256(*digest), expected["records_sha256"].get<std::string>()) << where;
}

TEST(GoldenRaw, Batches) {
  for (const json& line : read_json_lines(folder() / "raw" / "batches.jsonl")) {
    const std::string name = line["name"];
    const std::string bytes = from_hex(line["hex"]);
    BatchSequence sequence(bytes);
    for (const json& expected : line["batches"]) {
      EXPECT_EQ(sequence.position(), expected["position"].get<size_t>()) << name;
      const auto found = sequence.next();
      ASSERT_TRUE(found && *found) << name;
      EXPECT_EQ((*found)->size(), expected["size"].get<size_t>()) << name;
      if (magic_of(**found) < batch_format::kMagic) {
        expect_messages(expected, LegacyMessage(**found), name);
        continue;
      }
      const auto batch = RecordBatchView::parse(**found);
      ASSERT_TRUE(batch) << name;
      expect_batch(expected, *batch, name);
    }
    const auto end = sequence.next();
    EXPECT_TRUE(end && !*end) << name;
  }
}

TEST(GoldenRaw, CorruptBuffers) {
  for (const json& line : read_json_lines(folder() / "raw" / "corrupt.jsonl")) {
    const std::string name = line["name"];
    const std::string bytes = from_hex(line["hex"]);
    BatchSequence sequence(bytes);
    for (const json& expected : line["kafka"]["batches"]) {
      const auto found = sequence.next();
      ASSERT_TRUE(found && *found) << name;
      EXPECT_EQ((*found)->size(), expected["size"].get<size_t>()) << name;
      int count = 0;
      std::optional<std::string> digest;
      if (magic_of(**found) < batch_format::kMagic) {
        const LegacyMessage message(**found);
        EXPECT_EQ(message.verify_crc().has_value(), expected["is_valid"].get<bool>()) << name;
        digest = digest_messages(message, &count);
      } else {
        const auto batch = RecordBatchView::parse(**found);
        EXPECT_EQ(batch && batch->verify_crc(), expected["is_valid"].get<bool>()) << name;
        if (!batch) continue;
        digest = digest_batch(*batch, &count);
      }
      EXPECT_EQ(digest.has_value(), expected["records"].is_number()) << name << expected["records"];
      if (!digest || !expected["records"].is_number()) continue;
      EXPECT_EQ(count, expected["records"].get<int>()) << name;
      EXPECT_EQ(sha256(*digest), expected["records_sha256"].get<std::string>()) << name;
    }
    const auto end = sequence.next();
    const std::string reader = line["kafka"]["reader"];
    EXPECT_EQ(end.has_value(), reader == "end") << name << reader;
    if (end) {
      EXPECT_FALSE(*end) << name;
    }
    EXPECT_EQ(sequence.position(), line["kafka"]["reader_stopped_at"].get<size_t>()) << name;
  }
}

/// Names of errors by exception class, as far as appends of foreign bytes meet them.
std::string error_name(const Error& error) {
  static const std::map<std::string, std::string> kNames = {
      {"org.apache.kafka.common.InvalidRecordException", "INVALID_RECORD"},
      {"org.apache.kafka.common.errors.CorruptRecordException", "CORRUPT_MESSAGE"},
      {"org.apache.kafka.common.errors.RecordTooLargeException", "MESSAGE_TOO_LARGE"},
      {"org.apache.kafka.common.errors.InvalidTimestampException", "INVALID_TIMESTAMP"},
      {"org.apache.kafka.common.errors.UnsupportedCompressionTypeException", "UNSUPPORTED_COMPRESSION_TYPE"},
      {"org.apache.kafka.common.errors.OutOfOrderSequenceException", "OUT_OF_ORDER_SEQUENCE_NUMBER"},
  };
  const auto found = kNames.find(error.exception);
  return found == kNames.end() ? "UNKNOWN_SERVER_ERROR" : found->second;
}

TEST(GoldenRaw, ProducedToABroker) {
  if (testing::golden_root() == std::filesystem::path(MILLRACE_SOURCE_DIR) / "tests" / "golden")
    GTEST_SKIP() << "the answers of a broker depend on all that was sent before, which the selection leaves out";
  FaultFileSystem fs;
  ManualClock clock;
  auto log = PartitionLog::open({fs, clock, {}}, "/data/corrupt-in-0", {}, {});
  ASSERT_TRUE(log);
  std::map<std::string, std::string> buffers;
  for (const json& line : read_json_lines(folder() / "raw" / "corrupt.jsonl")) {
    buffers[line["name"]] = from_hex(line["hex"]);
  }
  for (const json& line : read_json_lines(folder() / "raw" / "corrupt-produce.jsonl")) {
    const std::string name = line["name"];
    std::string bytes = buffers.at(name);
    const std::string expected = line["error"];
    // The request layer asks for the right to the transactional id before it looks at the records.
    if (expected == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED") continue;
    AppendOptions options;
    options.from_client = true;
    options.produce_version = line["produce_version"].get<int16_t>();
    const auto appended = (*log)->append(bytes, options);
    const std::string actual = appended ? "NONE" : error_name(appended.error());
    EXPECT_EQ(actual, expected) << name << ": " << (appended ? "" : error_trace(appended.error()));
    EXPECT_EQ(appended ? appended->base_offset : -1, line["base_offset"].get<int64_t>()) << name;
  }
  ASSERT_TRUE((*log)->flush());
  // What was stored is what the broker stored, but for the gzip streams that it compressed itself.
  const std::string stored = *fs.read_file(Path("/data/corrupt-in-0") / file_name(0, kLogSuffix));
  const std::string broker = testing::read_bytes(folder() / "corrupt-in-0" / file_name(0, kLogSuffix));
  BatchSequence ours(stored), theirs(broker);
  while (true) {
    const auto mine = ours.next();
    const auto its = theirs.next();
    ASSERT_TRUE(mine && its);
    ASSERT_EQ(mine->has_value(), its->has_value());
    if (!*mine) break;
    if (**mine == **its) continue;
    const auto batch = RecordBatchView::parse(**mine);
    const auto other = RecordBatchView::parse(**its);
    ASSERT_TRUE(batch && other);
    EXPECT_EQ(batch->codec(), Codec::kGzip) << batch->base_offset() << to_hex(**mine) << "\n" << to_hex(**its);
    EXPECT_EQ(digest_batch(*batch), digest_batch(*other)) << batch->base_offset();
  }
}

}  // namespace
}  // namespace millrace
