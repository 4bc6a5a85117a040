// Directories of __consumer_offsets as Kafka has left them: every record decodes as recorded, what is re-encoded at the
// same version is the same bytes, and a coordinator loads what a replay of the records says.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/group/group_coordinator.h"
#include "broker/group/group_records.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> golden_root() {
  const char* env = ::getenv("MILLRACE_GOLDEN");
  for (const fs::path& root :
       {env != nullptr ? fs::path(env) : fs::path(), fs::path(MILLRACE_SOURCE_DIR) / "../shared/golden",
        fs::path(MILLRACE_SOURCE_DIR) / "tests/golden"}) {
    if (fs::exists(root / "kafka-log")) return root / "kafka-log";
  }
  return std::nullopt;
}

TEST(GoldenGroups, KafkasOffsetsTopicIsLoaded) {
  const auto root = golden_root();
  ASSERT_TRUE(root) << "no recordings: set MILLRACE_GOLDEN";
  std::string folder = (fs::temp_directory_path() / "millrace-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::map<std::string, std::map<PartitionKey, int64_t>> offsets;  // what the recording says is committed
  std::map<std::string, nlohmann::json> metadata;
  size_t decoded_records = 0;
  for (const auto& entry : fs::directory_iterator(*root)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("__consumer_offsets-")) continue;
    fs::create_directory(fs::path(folder) / name);
    for (const auto& file : fs::directory_iterator(entry.path())) {
      const auto extension = file.path().extension();
      if (extension != ".json" && extension != ".jsonl")
        fs::copy(file.path(), fs::path(folder) / name / file.path().filename());
    }
    std::ifstream lines(entry.path() / "expected.jsonl");
    bool transactional = false;
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json["kind"] == "batch") transactional = json["is_transactional"];
      if (json["kind"] != "record" || !json.contains("key_decoded") || transactional) continue;
      ++decoded_records;
      const auto& key = json["key_decoded"]["data"];
      const bool deleted = !json.contains("value_decoded") || json["value_decoded"].is_null();
      if (key.contains("topic")) {
        auto& group = offsets[key["group"]];
        const PartitionKey partition(key["topic"], key["partition"]);
        if (deleted) {
          group.erase(partition);
        } else {
          group[partition] = json["value_decoded"]["data"]["offset"];
        }
      } else if (key.contains("group")) {
        metadata.erase(key["group"]);
        if (!deleted) metadata[key["group"]] = json["value_decoded"]["data"];
      }
    }
  }
  ASSERT_GT(decoded_records, 0U);
  {
    PosixFileSystem files;
    SystemClock clock;
    auto broker = Broker::open(files, clock, {}, {.directory = folder, .background = false});
    ASSERT_TRUE(broker) << error_trace(broker.error());
    auto groups = GroupCoordinator::open(**broker, clock, {}, {.background = false});
    ASSERT_TRUE(groups) << error_trace(groups.error());
    for (const auto& [group, expected] : offsets) {
      const auto loaded = (*groups)->committed(group);
      for (const auto& [partition, offset] : expected) {
        ASSERT_TRUE(loaded.contains(partition)) << group << " " << partition.first << "-" << partition.second;
        EXPECT_EQ(loaded.at(partition).offset, offset) << group;
      }
    }
    for (const auto& [group, expected] : metadata) {
      const GroupDescription described = (*groups)->describe(group);
      EXPECT_TRUE(described.found) << group;
      EXPECT_EQ(described.protocol_type, expected["protocolType"]) << group;
      EXPECT_EQ(described.members.size(), expected["members"].size()) << group;
    }
    (*groups)->close();
    ASSERT_TRUE((*broker)->close());
  }
  fs::remove_all(folder);
}

TEST(GoldenGroups, RecordsAreKafkasBytes) {
  const auto root = golden_root();
  ASSERT_TRUE(root) << "no recordings: set MILLRACE_GOLDEN";
  std::string scratch;
  size_t offsets = 0, groups = 0;
  for (const auto& entry : fs::directory_iterator(*root)) {
    if (!entry.path().filename().string().starts_with("__consumer_offsets-")) continue;
    for (const auto& file : fs::directory_iterator(entry.path())) {
      if (file.path().extension() != ".log") continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), {});
      for (BytesView rest = bytes; !rest.empty();) {
        auto batch = RecordBatchView::parse(rest);
        ASSERT_TRUE(batch);
        rest.remove_prefix(batch->size_bytes());
        if (batch->control()) continue;
        auto records = RecordIterator::open(*batch, scratch);
        ASSERT_TRUE(records);
        for (RecordView record; records->next(record);) {
          auto decoded = group_records::decode(*record.key, record.value);
          ASSERT_TRUE(decoded) << decoded.error().message;
          if (const auto* offset = std::get_if<group_records::OffsetRecord>(&*decoded)) {
            ++offsets;
            EXPECT_EQ(group_records::offset_key(offset->group, offset->partition), *record.key);
            if (record.value) {
              EXPECT_EQ(group_records::offset_value(*offset->committed), *record.value);
            }
          } else if (const auto* group = std::get_if<group_records::GroupRecord>(&*decoded)) {
            ++groups;
            EXPECT_EQ(group_records::group_key(group->group), *record.key);
            if (record.value) {
              EXPECT_EQ(group_records::group_value(*group->metadata), *record.value);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(offsets, 0U);
  EXPECT_GT(groups, 0U);
}

}  // namespace
}  // namespace millrace
