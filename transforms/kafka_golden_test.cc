#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "transforms/golden_record.h"
#include "transforms/transformation_chain.h"

namespace millrace {
namespace {

using golden::Json;

/// Recorded cases that this project answers otherwise on purpose: connect-data/transforms/<id>.
std::set<std::string> known_differences() {
  std::set<std::string> cases;
  std::ifstream file(MILLRACE_SOURCE_DIR "/tests/golden/known-differences.json");
  EXPECT_TRUE(file);
  for (const Json& entry : Json::parse(file)) cases.insert(entry.at("case").get<std::string>());
  return cases;
}

struct Outcome {
  std::optional<Error> error;
  std::string when;
  Json output;  ///< a record, null for a dropped one, a boolean of a predicate
};

/// The class of a case, or a whole chain, once it is configured.
class Subject {
 public:
  Expected<bool> configure(const Json& line) {
    ConfigMap config;
    for (const auto& [key, value] : line.at("config").items()) config[key] = value.get<std::string>();
    const std::string name = line.at("class");
    Status status;
    if (name == "chain") {
      auto chain = TransformationChain::create(config);
      if (chain) {
        chain_ = std::move(*chain);
      } else {
        status = fail(std::move(chain.error()));
      }
    } else if (const auto* predicate = find_predicate(name)) {
      predicate_ = predicate->make();
      status = predicate_->configure(config);
    } else if (const auto* transformation = find_transformation(name)) {
      transformation_ = transformation->make();
      status = transformation_->configure(config);
    } else {
      return fail(ErrorCode::kNotFound, "no such class: " + name);
    }
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  Outcome apply(ConnectRecord record, Arena& arena) {
    if (predicate_ != nullptr) {
      const auto holds = predicate_->test(record);
      return holds ? Outcome{{}, {}, *holds} : Outcome{holds.error(), "apply", {}};
    }
    auto kept = transformation_ != nullptr ? transformation_->apply(record, arena) : chain_.apply(record, arena);
    if (!kept) return {std::move(kept.error()), "apply", {}};
    return {{}, {}, *kept ? golden::encode_record(record) : Json(nullptr)};
  }

 private:
  std::unique_ptr<Transformation> transformation_;
  std::unique_ptr<Predicate> predicate_;
  TransformationChain chain_;
};

std::string class_of(const Error& error) {
  const std::string trace = error_trace(error);
  return trace.substr(0, trace.find(':'));
}

void expect_error(const std::string& id, const Json& expected, const Outcome& outcome) {
  if (!outcome.error) {
    ADD_FAILURE() << id << " should fail: " << expected << " but gave " << outcome.output;
    return;
  }
  if (expected.contains("when")) {
    EXPECT_EQ(outcome.when, expected["when"].get<std::string>()) << id;
  }
  EXPECT_EQ(class_of(*outcome.error), expected.at("class").get<std::string>()) << id << outcome.error->message;
  const std::string match = expected.value("match", "");
  if (match == "class") return;
  if (match == "prefix") {
    EXPECT_EQ(outcome.error->message.rfind(expected.at("prefix").get<std::string>(), 0), 0U)
        << id << outcome.error->message;
    return;
  }
  EXPECT_EQ(outcome.error->message, expected.at("message").get<std::string>()) << id;
  if (!expected.contains("causes") || expected["causes"].empty()) return;
  ASSERT_FALSE(outcome.error->cause.empty()) << id;
  const Json& cause = expected["causes"][0];
  EXPECT_EQ(class_of(outcome.error->cause[0]), cause.at("class").get<std::string>()) << id;
  if (!cause.contains("match")) {
    EXPECT_EQ(outcome.error->cause[0].message, cause.at("message").get<std::string>()) << id;
  }
}

void expect_outcome(const std::string& id, const Json& expected, const Outcome& outcome) {
  if (expected.is_object() && expected.contains("error")) {
    expect_error(id, expected["error"], outcome);
  } else if (outcome.error) {
    ADD_FAILURE() << id << " fails with " << error_trace(*outcome.error);
  } else {
    // Objects compare without order, which README allows for the payloads of maps.
    const Json wanted = expected.is_object() ? golden::normalized(expected) : expected;
    EXPECT_EQ(nlohmann::json(outcome.output), nlohmann::json(wanted)) << id;
  }
}

enum class Ran { kYes, kNoForm };

Ran run(const Json& line) {
  const std::string id = line.at("id");
  const bool several = line.contains("inputs");
  const Json inputs = several ? line["inputs"] : Json::array({line.at("input")});
  golden::RecordMemory memory;
  std::vector<golden::GoldenRecord> records;
  for (const Json& input : inputs) {
    records.push_back(golden::decode_record(input, memory));
    if (records.back().unrepresentable.empty()) continue;
    std::printf("%s: %s has no form in this data model\n", id.c_str(), records.back().unrepresentable.c_str());
    return Ran::kNoForm;
  }
  Subject subject;
  if (auto configured = subject.configure(line); !configured) {
    expect_outcome(id, line.contains("error") ? Json{{"error", line["error"]}} : line,
                   {std::move(configured.error()), "configure", {}});
    return Ran::kYes;
  }
  for (size_t i = 0; i < records.size(); ++i) {
    const Json expected = line.contains("error") ? Json{{"error", line["error"]}}
                          : several              ? line.at("outputs").at(i)
                                                 : line.at("output");
    const Outcome first = subject.apply(records[i].record, memory.arena);
    expect_outcome(id, expected, first);
    // Now by way of the cached plan.
    const Outcome again = subject.apply(records[i].record, memory.arena);
    EXPECT_EQ(again.output, first.output) << id;
    EXPECT_EQ(again.error.has_value(), first.error.has_value()) << id;
  }
  return Ran::kYes;
}

TEST(GoldenTransforms, Kafka) {
  std::ifstream file(golden::file("transforms.jsonl"));
  ASSERT_TRUE(file) << golden::file("transforms.jsonl");
  const std::set<std::string> known = known_differences();
  int done = 0, skipped = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text);
    const bool differs = known.contains("connect-data/transforms/" + line.at("id").get<std::string>());
    if (!differs && run(line) == Ran::kYes) {
      ++done;
    } else {
      ++skipped;
    }
  }
  std::printf("transforms.jsonl: %d cases, %d skipped as known differences\n", done, skipped);
  EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace millrace
