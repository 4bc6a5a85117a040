#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "converters/golden_case.h"
#include "transforms/transformation.h"

namespace millrace {
namespace {

using golden::Json;

constexpr const char* kFile = "debezium-transforms.jsonl";
constexpr const char* kPrefix = "connect-data/debezium-transforms/";

/// Recorded cases that this project answers otherwise on purpose.
std::set<std::string> known_differences() {
  std::set<std::string> cases;
  std::ifstream file(MILLRACE_SOURCE_DIR "/tests/golden/known-differences.json");
  EXPECT_TRUE(file);
  for (const Json& entry : Json::parse(file)) cases.insert(entry.at("case").get<std::string>());
  return cases;
}

const TransformationClass* class_named(std::string_view name) {
  for (const TransformationClass& one : transformation_classes()) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

/// A record with what it borrows from. Of each value the codec says when there is no form for it.
struct GoldenRecord {
  ConnectRecord record;
  std::vector<std::string> texts;
  std::vector<SchemaPtr> schemas;
  std::string unrepresentable;

  SchemaAndValue take(const Json& json, Arena& arena) {
    golden::GoldenValue value = golden::decode(json, arena);
    if (!value.unrepresentable.empty()) unrepresentable = value.unrepresentable;
    schemas.push_back(value.schema);
    return {value.schema.get(), value.value};
  }
};

GoldenRecord decode_record(const Json& json, Arena& arena) {
  GoldenRecord result;
  ConnectRecord& record = result.record;
  record.kind = json.at("kind") == "sink" ? ConnectRecord::Kind::kSink : ConnectRecord::Kind::kSource;
  record.topic = arena.copy(json.at("topic").get<std::string>());
  if (!json.at("partition").is_null()) record.partition = json["partition"];
  if (!json.at("timestamp").is_null()) record.timestamp_ms = json["timestamp"].get<int64_t>();
  if (json.contains("offset")) record.offset = json["offset"];
  record.key = result.take(json.at("key"), arena);
  record.value = result.take(json.at("value"), arena);
  for (const Json& header : json.at("headers")) {
    const SchemaAndValue value = result.take(header, arena);
    record.headers.push_back({arena.copy(header.at("key").get<std::string>()), value.schema, value.value});
  }
  return result;
}

Json encode_record(const ConnectRecord& record) {
  const bool sink = record.kind == ConnectRecord::Kind::kSink;
  Json json = {{"kind", sink ? "sink" : "source"},
               {"topic", std::string(record.topic)},
               {"partition", record.partition < 0 ? Json(nullptr) : Json(record.partition)},
               {"timestamp", record.timestamp_ms ? Json(*record.timestamp_ms) : Json(nullptr)},
               {"key", golden::encode(record.key.schema, record.key.value)},
               {"value", golden::encode(record.value.schema, record.value.value)},
               {"headers", Json::array()}};
  if (sink) json["offset"] = record.offset;
  for (const ConnectHeader& header : record.headers) {
    json["headers"].push_back(golden::encode(header.schema, header.value));
    json["headers"].back()["key"] = std::string(header.key);
  }
  return json;
}

std::string class_of(const Error& error) {
  const std::string trace = error_trace(error);
  return trace.substr(0, trace.find(':'));
}

void expect_error(const Error& error, const Json& expected, const std::string& id) {
  EXPECT_EQ(class_of(error), expected.at("class").get<std::string>()) << id;
  if (!expected.contains("match")) {
    EXPECT_EQ(error.message, expected.at("message").get<std::string>()) << id;
  } else if (expected["match"] == "prefix") {
    EXPECT_TRUE(error.message.starts_with(expected["prefix"].get<std::string>())) << id << error.message;
  }
  if (!expected.contains("causes")) return;
  const Error* at = &error;
  for (const Json& cause : expected["causes"]) {
    ASSERT_FALSE(at->cause.empty()) << id;
    at = &at->cause.front();
    expect_error(*at, cause, id);
  }
}

class Case {
 public:
  explicit Case(const Json& line) : line_(line), id_(line.at("id")) {}

  void run() {
    const TransformationClass* found = class_named(line_.at("class").get<std::string>());
    ASSERT_NE(found, nullptr) << id_;
    transformation_ = found->make();
    ConfigMap settings;
    for (const auto& [key, value] : line_.at("config").items()) settings[key] = value.get<std::string>();
    if (const Status status = transformation_->configure(settings); !status) {
      ASSERT_TRUE(line_.contains("error")) << id_ << ": " << status.error().message;
      EXPECT_EQ(line_["error"].at("when"), "configure") << id_;
      EXPECT_EQ(status.error().code, ErrorCode::kInvalidConfig) << id_;
      return expect_error(status.error(), line_["error"], id_);
    }
    if (line_.contains("error")) {
      ASSERT_EQ(line_["error"].at("when"), "apply") << id_ << ": configure() should fail: " << line_["error"];
      return apply(line_.at("input"), {{"error", line_["error"]}});
    }
    if (!line_.contains("inputs")) return apply(line_.at("input"), line_.at("output"));
    ASSERT_EQ(line_["inputs"].size(), line_.at("outputs").size());
    for (size_t i = 0; i < line_["inputs"].size(); ++i) apply(line_["inputs"][i], line_["outputs"][i]);
  }

 private:
  /// Twice with schemas at other addresses, then in the next batches: plans found again give the same.
  void apply(const Json& input, const Json& expected) {
    for (int round = 0; round < 3; ++round) {
      transformation_->new_batch();
      Arena arena;
      GoldenRecord given = decode_record(input, arena);
      ASSERT_EQ(given.unrepresentable, "") << id_;
      const Expected<bool> kept = transformation_->apply(given.record, arena);
      if (!kept) {
        ASSERT_TRUE(expected.is_object() && expected.contains("error")) << id_ << ": " << error_trace(kept.error());
        EXPECT_EQ(kept.error().code, ErrorCode::kBadRecord) << id_;
        expect_error(kept.error(), expected["error"], id_);
        continue;
      }
      ASSERT_EQ(*kept, !expected.is_null()) << id_;
      if (!*kept) continue;
      ASSERT_FALSE(expected.contains("error")) << id_ << " should fail: " << expected["error"];
      // Through the codec, so that a float compares as a number and not by its digits.
      GoldenRecord wanted = decode_record(expected, arena);
      EXPECT_EQ(nlohmann::json(encode_record(given.record)), nlohmann::json(encode_record(wanted.record))) << id_;
    }
  }

  const Json& line_;
  std::string id_;
  std::unique_ptr<Transformation> transformation_;
};

TEST(GoldenDebeziumTransforms, All) {
  std::ifstream file(golden::file(kFile));
  ASSERT_TRUE(file) << golden::file(kFile);
  const std::set<std::string> known = known_differences();
  int done = 0, skipped = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text);
    if (known.contains(kPrefix + line.at("id").get<std::string>())) {
      ++skipped;
      continue;
    }
    ++done;
    Case(line).run();
  }
  std::printf("%s: %d cases, %d skipped as known differences\n", kFile, done, skipped);
  EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace millrace
