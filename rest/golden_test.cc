// Recorded exchanges of Kafka Connect, with a herder that has no connectors.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "rest/fake_herder.h"
#include "rest/rest_api.h"

namespace millrace {
namespace {

using Recorded = nlohmann::json;

std::vector<Recorded> steps_of(const std::string& scenario) {
  std::string text;
  std::ifstream file(std::string(MILLRACE_SOURCE_DIR) + "/tests/golden/connect-rest/" + scenario + ".json");
  std::getline(file, text, '\0');
  for (size_t at; (at = text.find("${RUN}")) != text.npos;) text.replace(at, 6, "run1");
  return Recorded::parse(text)["steps"].get<std::vector<Recorded>>();
}

RestRequest to_request(const Recorded& recorded) {
  RestRequest request{.method = recorded["method"], .target = recorded["path"]};
  const auto& headers = recorded.value("headers", Recorded::object());
  if (headers.contains("Accept")) request.accept = headers["Accept"].get<std::string>();
  const auto body = recorded.find("body");
  if (body != recorded.end()) request.body = body->is_string() ? body->get<std::string>() : body->dump();
  request.content_type = headers.value("Content-Type", "application/json");
  return request;
}

std::set<std::string> words(std::string text) {
  std::set<std::string> out;
  std::string word;
  for (const char c : text + ",") {
    if (c == ',')
      out.insert(std::exchange(word, {}));
    else if (c != ' ')
      word += c;
  }
  return out;
}

/// Members whose values differ from run to run.
void blank(Recorded& json) {
  if (!json.is_object() && !json.is_array()) return;
  for (const char* name : {"last_modified", "kafka_cluster_id"}) {
    if (json.is_object() && json.contains(name)) json[name] = "any";
  }
  for (auto& each : json) blank(each);
}

void expect_step(RestApi& api, const Recorded& step) {
  SCOPED_TRACE(step["id"]);
  const RestResponse response = api.handle(to_request(step["request"]));
  const Recorded& recorded = step["response"];
  EXPECT_EQ(response.status, recorded["status"]);
  const auto& headers = recorded.value("headers", Recorded::object());
  if (headers.is_object()) {
    EXPECT_EQ(response.content_type, headers.value("Content-Type", response.content_type));
    EXPECT_EQ(words(response.allow), words(headers.value("Allow", response.allow)));
  }
  const bool text = !recorded.contains("body") || recorded["body"].is_null() || recorded["body"].is_string();
  if (text || step["request"]["method"] == "HEAD") return;
  Recorded expected = recorded["body"], actual = Recorded::parse(response.body);
  blank(expected);
  blank(actual);
  if (step.contains("may-differ")) {
    EXPECT_EQ(actual["error_code"], expected["error_code"]);
  } else if (step.value("match", "") == "subset") {
    for (auto& [name, value] : expected.items()) {
      if (name == "root") continue;  // its level is volatile
      EXPECT_EQ(actual[name], value) << name;
    }
    EXPECT_TRUE(actual.contains("root") || !expected.contains("root"));
  } else if (step["id"] != "root") {
    EXPECT_EQ(actual, expected);
  }
}

TEST(RestGolden, LoggersAreExact) {
  FakeHerder herder;
  HerderGate gate;
  gate.attach(herder);
  RestApi api(gate, {.advertised = "h:1", .levels = std::make_shared<LogLevels>(LogLevel::kInfo)});
  const auto steps = steps_of("18-loggers");
  EXPECT_GE(steps.size(), 44U);
  for (const Recorded& step : steps) expect_step(api, step);
}

TEST(RestGolden, PlumbingOfAGroupedWorkerIsExactAndOfALoneOneButForItsInternalEndpoints) {
  FakeHerder herder;
  HerderGate gate;
  gate.attach(herder);
  for (const bool standalone : {false, true}) {
    RestApi api(gate, {.advertised = "h:1", .standalone = standalone});
    const auto steps = steps_of("01-root-and-plumbing");
    EXPECT_GE(steps.size(), 50U);
    for (const Recorded& step : steps) {
      const bool internal = step["id"].get<std::string>().starts_with("internal-");
      if (!internal || !standalone) {
        expect_step(api, step);
      } else {
        EXPECT_EQ(api.handle(to_request(step["request"])).status, 500) << step["id"];
      }
    }
  }
}

}  // namespace
}  // namespace millrace
