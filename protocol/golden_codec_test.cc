#include <gtest/gtest.h>

#include <map>

#include "protocol/golden_testing.h"
#include "protocol/messages/registry.h"

namespace millrace {
namespace {

using nlohmann::json;
using testing::from_hex;
using testing::golden_root;
using testing::read_json_lines;
using testing::to_hex;

std::filesystem::path folder() { return golden_root() / "kafka-codec"; }

const MessageInfo* find(const std::string& name) {
  static const auto messages = all_messages();
  for (const MessageInfo* info : messages) {
    if (info->name == name) return info;
  }
  return nullptr;
}

/// Newer Kafkas renamed this API; the bytes are the same.
std::string current_name(const std::string& api) {
  return api == "ListClientMetricsResources" ? "ListConfigResources" : api;
}

const MessageInfo* info_of(const json& line) {
  const auto name = line["name"].get<std::string>();
  if (line["type"] == "request") return find(current_name(name) + "Request");
  if (line["type"] == "response") return find(current_name(name) + "Response");
  return find(name);
}

/// What Kafka 3.9's JSON calls fields that later versions renamed.
json renamed(json value, const std::string& name) {
  if (name == "ListClientMetricsResources" && value.contains("clientMetricsResources")) {
    for (json& resource : value["clientMetricsResources"]) resource = json{{"resourceName", resource["name"]}};
    value["configResources"] = value["clientMetricsResources"];
    value.erase("clientMetricsResources");
  }
  return value;
}

void check_both_ways(const MessageInfo& info, const std::string& bytes, int16_t version, const json& expected) {
  size_t left = 0;
  const auto decoded = info.to_json(bytes, version, left);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(json::parse(*decoded), expected);
  const auto encoded = info.from_json(expected.dump(), version);
  ASSERT_TRUE(encoded) << encoded.error().message;
  EXPECT_EQ(to_hex(*encoded), to_hex(bytes));
  const auto copied = info.copy(bytes, version);
  ASSERT_TRUE(copied);
  EXPECT_EQ(to_hex(*copied), to_hex(bytes));
}

std::vector<std::filesystem::path> files(auto wanted) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "vectors")) {
    if (wanted(entry.path().filename().string())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string where(const json& line) {
  return line["name"].get<std::string>() + " " + line["type"].get<std::string>() + " v" + line["version"].dump() + " " +
         line.value("instance", "");
}

TEST(GoldenCodec, EveryApiAndVersionBothWays) {
  size_t lines = 0;
  for (const auto& path : files([](const std::string& name) { return std::isdigit(name[0]) != 0; })) {
    for (const auto& line : read_json_lines(path)) {
      SCOPED_TRACE(where(line));
      const MessageInfo* info = info_of(line);
      ASSERT_NE(info, nullptr);
      EXPECT_EQ(info->api_key, line["api_key"].get<int>());
      check_both_ways(*info, from_hex(line["hex"]), line["version"], renamed(line["json"], line["name"]));
      ++lines;
    }
  }
  EXPECT_GT(lines, 0U);
}

TEST(GoldenCodec, RecordsOfInternalTopics) {
  size_t lines = 0;
  for (const auto& path : files([](const std::string& name) { return name.starts_with("record-"); })) {
    for (const auto& line : read_json_lines(path)) {
      if (line["type"] == "control") continue;
      SCOPED_TRACE(where(line));
      const MessageInfo* info = info_of(line);
      ASSERT_NE(info, nullptr);
      const std::string bytes = from_hex(line["hex"]);
      const int16_t version = line["version"];
      ASSERT_EQ(load_be<int16_t>(bytes.data()), version);
      check_both_ways(*info, bytes.substr(2), version, line["json"]);
      ++lines;
    }
  }
  EXPECT_GT(lines, 0U);
}

TEST(GoldenCodec, ControlRecords) {
  for (const auto& line : read_json_lines(folder() / "vectors" / "record-Control.jsonl")) {
    SCOPED_TRACE(line["name"].get<std::string>());
    const std::string key = from_hex(line["key_hex"]);
    ASSERT_EQ(key.size(), 4U);
    if (line["json"].contains("controlType")) {
      EXPECT_EQ(load_be<int16_t>(key.data() + 2), line["json"]["controlType"].get<int>());
    }
    std::string value = from_hex(line["value_hex"]);
    json expected = line["json"];
    int16_t version = line.value("version", int16_t{0});
    if (line["name"] == "EndTxnMarker") {
      version = load_be<int16_t>(value.data());
      EXPECT_EQ(version, expected["valueVersion"].get<int>());
      value = value.substr(2);
      for (const char* outside : {"keyVersion", "controlType", "valueVersion"}) expected.erase(outside);
    }
    check_both_ways(*find(line["name"]), value, version, expected);
  }
}

TEST(GoldenCodec, Headers) {
  for (const auto& line : read_json_lines(folder() / "vectors" / "headers.jsonl")) {
    check_both_ways(*find(line["name"]), from_hex(line["hex"]), line["version"], line["json"]);
  }
}

TEST(GoldenCodec, WholeFrames) {
  for (const auto& line : read_json_lines(folder() / "vectors" / "frames.jsonl")) {
    SCOPED_TRACE(where(line));
    const std::string frame = from_hex(line["hex"]);
    ASSERT_EQ(load_be<int32_t>(frame.data()), static_cast<int32_t>(frame.size() - 4));
    const MessageInfo* header = find(line["type"] == "request" ? "RequestHeader" : "ResponseHeader");
    const auto header_bytes = header->from_json(line["header"].dump(), line["header_version"]);
    ASSERT_TRUE(header_bytes);
    EXPECT_EQ(to_hex(frame.substr(4, header_bytes->size())), to_hex(*header_bytes));
    check_both_ways(*info_of(line), frame.substr(4 + header_bytes->size()), line["version"],
                    renamed(line["json"], line["name"]));
  }
}

TEST(GoldenCodec, UnknownTaggedFieldsAreSkipped) {
  for (const auto& line : read_json_lines(folder() / "vectors" / "unknown-tagged.jsonl")) {
    SCOPED_TRACE(where(line));
    const MessageInfo* info = info_of(line);
    size_t left = 0;
    const auto decoded = info->to_json(from_hex(line["hex"]), line["version"], left);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(json::parse(*decoded), renamed(line["json"], line["name"]));
    EXPECT_EQ(to_hex(*info->copy(from_hex(line["hex"]), line["version"])),
              line["hex_without_unknown"].get<std::string>());
  }
}

TEST(GoldenCodec, MalformedBodiesAreRejected) {
  for (const auto& line : read_json_lines(folder() / "vectors" / "malformed.jsonl")) {
    SCOPED_TRACE(where(line) + " " + line["what"].get<std::string>());
    const MessageInfo* info = info_of(line);
    size_t left = 0;
    const std::string bytes = from_hex(line["hex"]);
    const auto decoded = info->to_json(bytes, line["version"], left);
    if (line["result"] == "error") {
      EXPECT_FALSE(decoded);
      continue;
    }
    ASSERT_TRUE(decoded);
    EXPECT_EQ(left, line["bytes_left"].get<size_t>());
    if (line.value("json_lossy", false)) continue;
    EXPECT_EQ(json::parse(*decoded), renamed(line["json"], line["name"]));
  }
}

/// The ranges and header versions that Kafka 3.9 declares are those of our descriptions, or lie within them.
TEST(GoldenCodec, VersionRanges) {
  for (const auto& api : json::parse(testing::read_bytes(folder() / "apis.json"))) {
    const MessageInfo* info = find(current_name(api["name"]) + "Request");
    if (!api.value("vectors", false)) continue;
    SCOPED_TRACE(api["name"].get<std::string>());
    ASSERT_NE(info, nullptr);
    EXPECT_LE(info->version_min, api["min"].get<int>());
    EXPECT_GE(info->version_max, api["max"].get<int>());
    if (api["request_flexible_from"] >= 0) {  // -1: no version is
      EXPECT_EQ(info->flexible_from, api["request_flexible_from"].get<int>());
    }
  }
}

}  // namespace
}  // namespace millrace
