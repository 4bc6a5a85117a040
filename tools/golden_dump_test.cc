// kafka-dump-log over the recorded partitions: line by line what Kafka's own readers found in them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "protocol/golden_testing.h"
#include "tools/dump_files.h"
#include "tools/tool_testing.h"

namespace millrace {
namespace {

using nlohmann::json;
using testing::golden_root;
using testing::read_json_lines;

std::vector<std::filesystem::path> partitions() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(golden_root() / "kafka-log")) {
    if (std::filesystem::exists(entry.path() / "expected.jsonl")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string batch_line(const json& batch) {
  const auto truth = [&](const char* field) { return batch[field].get<bool>(); };
  const auto number = [&](const char* field) { return batch[field].get<int64_t>(); };
  return fmt::format(
      "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} "
      "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {} position: {} {}: {} size: {} "
      "magic: "
      "{} compresscodec: {} crc: {} isvalid: {}\n",
      number("base_offset"), number("last_offset"), number("count"), number("base_sequence"), number("last_sequence"),
      number("producer_id"), number("producer_epoch"), number("partition_leader_epoch"), truth("is_transactional"),
      truth("is_control"),
      batch.contains("delete_horizon_ms") ? fmt::format("OptionalLong[{}]", number("delete_horizon_ms"))
                                          : "OptionalLong.empty",
      number("position"), batch["timestamp_type"].get<std::string>(), number("max_timestamp"), number("size"),
      number("magic"), batch["compression"].get<std::string>(), number("crc"), truth("valid"));
}

/// What the tool prints for all log files of a partition, without the lines about files.
std::string dumped(const std::filesystem::path& partition, const DumpOptions& options) {
  CapturedIo io;
  DumpFindings findings;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(partition)) {
    if (entry.path().extension() == ".log") files.insert(entry.path());
  }
  for (const auto& file : files) {
    const Status status = dump_log_file(io.io(), file, options, findings);
    if (!status) ADD_FAILURE() << file << ": " << status.error().message;
  }
  std::string text;
  std::istringstream lines{std::string(io.out())};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Log starting offset: ")) text += line + '\n';
  }
  return text;
}

TEST(GoldenDump, BatchesOfEveryPartition) {
  for (const auto& partition : partitions()) {
    std::string expected;
    for (const json& line : read_json_lines(partition / "expected.jsonl")) {
      if (line["kind"] == "batch") expected += batch_line(line);
    }
    EXPECT_EQ(dumped(partition, {}), expected) << partition;
  }
}

TEST(GoldenDump, RecordsOfEveryPartition) {
  // Of these only some records are listed.
  const std::set<std::string> partial{"many-0", "big-0", "corrupt-in-0"};
  for (const auto& partition : partitions()) {
    if (partial.contains(partition.filename().string())) continue;
    std::string expected;
    std::string time_type;
    for (const json& line : read_json_lines(partition / "expected.jsonl")) {
      if (line["kind"] == "batch") {
        time_type = line["timestamp_type"];
        continue;
      }
      std::string headers;
      for (const json& header : line["headers"]) headers += (headers.empty() ? "" : ",") + header[0].get<std::string>();
      expected += fmt::format("| offset: {} {}: {} sequence: {} headerKeys: [{}]", line["offset"].get<int64_t>(),
                              time_type, line["timestamp"].get<int64_t>(), line.value("sequence", -1), headers);
      if (line.contains("control")) {
        const json& control = line["control"];
        if (control["type"] == "ABORT" || control["type"] == "COMMIT")
          expected += fmt::format(" endTxnMarker: {} coordinatorEpoch: {}", control["type"].get<std::string>(),
                                  control["coordinator_epoch"].get<int64_t>());
      }
      expected += '\n';
    }
    std::string actual;
    std::istringstream lines(dumped(partition, {.deep = true}));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("| ")) continue;
      // Sizes are not among the recorded fields.
      const size_t from = line.find(" keySize: ");
      line.erase(from, line.find(" sequence: ") - from);
      actual += line + '\n';
    }
    EXPECT_EQ(actual, expected) << partition;
  }
}

TEST(GoldenDump, IndexesAgreeWithTheirLogs) {
  for (const auto& partition : partitions()) {
    for (const auto& entry : std::filesystem::directory_iterator(partition)) {
      CapturedIo io;
      DumpFindings findings;
      Status status;
      const std::string extension = entry.path().extension().string();
      if (extension == ".index") status = dump_offset_index(io.io(), entry.path(), {}, findings);
      if (extension == ".timeindex") status = dump_time_index(io.io(), entry.path(), {}, findings);
      if (extension == ".txnindex") status = dump_transaction_index(io.io(), entry.path());
      if (extension == ".snapshot") status = dump_snapshot(io.io(), entry.path());
      EXPECT_TRUE(status) << entry.path() << ": " << status.error().message;
      // Compaction moves records; Kafka's own tool then finds the same.
      if (!partition.filename().string().starts_with("compact")) {
        EXPECT_TRUE(findings.index_mismatches.empty()) << entry.path();
      }
    }
  }
}

TEST(GoldenDump, CoordinatorRecords) {
  for (const auto& partition : partitions()) {
    const std::string name = partition.filename().string();
    if (!name.starts_with("__")) continue;
    const bool offsets = name.starts_with("__consumer_offsets");
    std::vector<json> records;
    for (json& line : read_json_lines(partition / "expected.jsonl")) {
      if (line["kind"] == "record" && !line.contains("control")) records.push_back(std::move(line));
    }
    size_t at = 0;
    std::istringstream lines(
        dumped(partition, {.print_records = true,
                           .deep = true,
                           .skip_metadata = true,
                           .value_decoder = offsets ? RecordDecoder::kOffsets : RecordDecoder::kTransactions}));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("| key: ")) continue;
      ASSERT_LT(at, records.size()) << partition;
      const json& record = records[at++];
      const size_t payload = line.find(" payload: ");
      ASSERT_NE(payload, std::string::npos) << line;
      const std::string key = line.substr(7, payload - 7);
      const std::string value = line.substr(payload + 10);
      EXPECT_EQ(value == "<DELETE>", record["value"].is_null());
      if (offsets) {
        EXPECT_EQ(json::parse(key)["data"], record["key_decoded"]["data"]) << line;
      } else {
        EXPECT_EQ(key, "transaction_metadata::transactionalId=" +
                           record["key_decoded"]["data"]["transactionalId"].get<std::string>());
        if (!record["value"].is_null()) {
          const json& data = record["value_decoded"]["data"];
          EXPECT_TRUE(
              value.starts_with(fmt::format("producerId:{},producerEpoch:{},state=", data["producerId"].get<int64_t>(),
                                            data["producerEpoch"].get<int64_t>())))
              << value;
        }
      }
    }
    EXPECT_EQ(at, records.size()) << partition;
  }
}

TEST(Dump, AMissingFileIsNamed) {
  CapturedIo io;
  DumpFindings findings;
  EXPECT_FALSE(dump_log_file(io.io(), "/nowhere/00000000000000000000.log", {}, findings));
  EXPECT_FALSE(dump_log_file(io.io(), "/nowhere/other.log", {}, findings));
}

}  // namespace
}  // namespace millrace
