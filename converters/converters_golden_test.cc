#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "converters/converter.h"
#include "converters/golden_case.h"

namespace millrace {
namespace {

using golden::Json;

/// Recorded cases that this project answers otherwise on purpose: connect-data/<file>/<id>.
std::set<std::string> known_differences() {
  std::set<std::string> cases;
  std::ifstream file(MILLRACE_SOURCE_DIR "/tests/golden/known-differences.json");
  EXPECT_TRUE(file);
  for (const Json& entry : Json::parse(file)) cases.insert(entry.at("case").get<std::string>());
  return cases;
}

struct Outcome {
  std::optional<Error> error;
  Json output;
};

Json bytes_json(bool present, const std::string& bytes) {
  return {{"bytes", present ? Json(golden::to_base64(bytes)) : Json(nullptr)}};
}

Outcome write(HeaderConverter& converter, const Json& line, bool header, Arena& arena, std::string& unrepresentable) {
  const auto input = golden::decode(line.at("input"), arena);
  unrepresentable = input.unrepresentable;
  if (!unrepresentable.empty()) return {};
  std::string out = "before";
  const std::string topic = line.at("topic");
  auto result = header ? converter.from_header(topic, "h", input.schema.get(), input.value, out)
                       : static_cast<Converter&>(converter).from_connect(topic, input.schema.get(), input.value, out);
  if (!result) return {std::move(result.error()), {}};
  EXPECT_TRUE(out.starts_with("before"));
  if (!*result) {
    EXPECT_EQ(out, "before");
  }
  return {std::nullopt, bytes_json(*result, out.substr(6))};
}

Outcome read(HeaderConverter& converter, const Json& line, bool header, Arena& arena) {
  const Json& input = line.at("input").at("bytes");
  const std::string bytes = input.is_null() ? "" : golden::from_base64(input);
  const auto view = input.is_null() ? std::nullopt : std::optional<std::string_view>(bytes);
  const std::string topic = line.at("topic");
  const auto once = [&] {
    return header ? converter.to_header(topic, "h", view, arena)
                  : static_cast<Converter&>(converter).to_connect(topic, view, arena);
  };
  auto result = once();
  if (!result) return {std::move(result.error()), {}};
  Json first = golden::encode(result->schema, result->value);
  const auto again = once();  // now by way of the cached schema
  EXPECT_TRUE(again.has_value());
  if (again) {
    EXPECT_EQ(golden::encode(again->schema, again->value), first) << line["id"];
  }
  return {std::nullopt, std::move(first)};
}

Outcome run(const Json& line, Arena& arena, std::string& unrepresentable) {
  const std::string op = line.at("op");
  const bool header = op == "fromHeader" || op == "toHeader";
  std::unique_ptr<HeaderConverter> converter;
  if (header) {
    converter = make_header_converter(line.at("class").get<std::string>());
  } else {
    converter = make_converter(line.at("class").get<std::string>());
  }
  if (converter == nullptr) return {Error{.message = "no such class"}, {}};
  ConfigMap settings;
  for (const auto& [key, value] : line.at("config").items()) settings[key] = value.get<std::string>();
  if (auto status = converter->configure(settings, line.value("isKey", false)); !status)
    return {std::move(status.error()), {}};
  return op.starts_with("from") ? write(*converter, line, header, arena, unrepresentable)
                                : read(*converter, line, header, arena);
}

std::string class_of(const Error& error) {
  const std::string trace = error_trace(error);
  return trace.substr(0, trace.find(':'));
}

std::string without_java_class(std::string message) {
  for (const char* name : {"java.math.BigInteger"}) {
    if (const size_t at = message.find(name); at != std::string::npos)
      message.replace(at, std::string(name).size(), "java.math.BigDecimal");
  }
  return message;
}

void expect_error(const Json& line, const Outcome& outcome) {
  const Json& expected = line.at("error");
  if (!outcome.error) {
    ADD_FAILURE() << line["id"] << " should fail: " << expected << " but gave " << outcome.output;
    return;
  }
  EXPECT_EQ(class_of(*outcome.error), expected.at("class").get<std::string>()) << line["id"];
  if (expected.contains("match")) return;
  EXPECT_EQ(outcome.error->message, without_java_class(expected.at("message"))) << line["id"];
  if (!expected.contains("causes") || expected["causes"].empty() || expected["causes"][0].contains("match")) return;
  ASSERT_FALSE(outcome.error->cause.empty()) << line["id"];
  EXPECT_EQ(outcome.error->cause[0].message, expected["causes"][0].at("message").get<std::string>()) << line["id"];
  EXPECT_EQ(class_of(outcome.error->cause[0]), expected["causes"][0].at("class").get<std::string>()) << line["id"];
}

void run_file(const std::string& name) {
  std::ifstream file(golden::file(name));
  ASSERT_TRUE(file) << golden::file(name);
  const std::string prefix = "connect-data/" + name.substr(0, name.rfind('.')) + "/";
  const std::set<std::string> known = known_differences();
  int done = 0, skipped = 0;
  for (std::string text; std::getline(file, text);) {
    const Json line = Json::parse(text);
    if (known.contains(prefix + line.at("id").get<std::string>())) {
      ++skipped;
      continue;
    }
    Arena arena;
    std::string unrepresentable;
    const Outcome outcome = run(line, arena, unrepresentable);
    if (!unrepresentable.empty()) {
      std::printf("%s: %s has no form in this data model\n", line["id"].get<std::string>().c_str(),
                  unrepresentable.c_str());
      ++skipped;
      continue;
    }
    ++done;
    if (line.contains("error")) {
      expect_error(line, outcome);
    } else if (outcome.error) {
      ADD_FAILURE() << line["id"] << " fails with " << error_trace(*outcome.error) << " for " << line["input"];
    } else if (line["output"].contains("bytes")) {
      EXPECT_EQ(outcome.output.at("bytes"), line["output"]["bytes"]) << line["id"] << line["output"];
    } else {
      // Through the codec, so that a float compares as a number and not by its digits; nlohmann::json compares objects
      // without order, which README allows for map payloads.
      const auto expected = golden::decode(line["output"], arena);
      EXPECT_EQ(nlohmann::json(outcome.output), nlohmann::json(golden::encode(expected.schema.get(), expected.value)))
          << line["id"];
    }
  }
  std::printf("%s: %d cases, %d skipped as known differences\n", name.c_str(), done, skipped);
  EXPECT_GT(done, 0);
}

TEST(GoldenConverters, Json) { run_file("json-converter.jsonl"); }
TEST(GoldenConverters, Others) { run_file("converters.jsonl"); }
TEST(GoldenConverters, Headers) { run_file("header-converter.jsonl"); }

}  // namespace
}  // namespace millrace
