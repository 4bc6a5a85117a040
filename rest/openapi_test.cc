#include "rest/openapi.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "rest/fake_herder.h"
#include "rest/message.h"
#include "rest/rest_api.h"

namespace millrace {
namespace {

TEST(OpenApi, TheCheckedInDescriptionIsWhatIsServed) {
  const std::string path = std::string(MILLRACE_SOURCE_DIR) + "/docs/openapi.json";
  if (std::getenv("MILLRACE_WRITE_OPENAPI") != nullptr) std::ofstream(path) << openapi_text();
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text, openapi_text()) << "write it anew: MILLRACE_WRITE_OPENAPI=1 rest_test --gtest_filter='OpenApi*'";
  FakeHerder herder;
  HerderGate gate;
  gate.attach(herder);
  RestApi api(gate, {.advertised = "h:1"});
  EXPECT_EQ(api.handle({.method = "GET", .target = "/openapi.json"}).body, text);
}

TEST(OpenApi, EachOperationExistsAndNoOther) {
  FakeHerder herder;
  herder.stored["c"] = {};
  HerderGate gate;
  gate.attach(herder);
  RestApi api(gate, {.advertised = "h:1"});
  const Json description = openapi_description();
  std::set<std::string> names;
  for (const auto& [template_path, operations] : description["paths"].items()) {
    std::string path = template_path;
    for (size_t open; (open = path.find('{')) != path.npos;) {
      const bool task = path.compare(open, 6, "{task}") == 0;
      path.replace(open, path.find('}') - open + 1, task ? "0" : "c");
    }
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      const RestResponse response = api.handle({.method = method, .target = path, .content_type = "text/x"});
      const bool described = operations.contains(lower_case(method));
      // Described: found, and then refused for its media type or, where any will do, answered.
      EXPECT_EQ(response.status == 405, !described) << method << ' ' << path;
      if (!described) continue;
      EXPECT_NE(response.body, R"({"error_code":404,"message":"HTTP 404 Not Found"})") << method << ' ' << path;
      const Json& operation = operations[lower_case(method)];
      EXPECT_TRUE(names.insert(operation["operationId"]).second) << operation["operationId"];
      EXPECT_TRUE(operation["responses"].contains("500"));
    }
  }
  EXPECT_GE(names.size(), 32U);
}

TEST(OpenApi, EverySchemaThatIsReferredToIsThere) {
  const Json description = openapi_description();
  const std::string text = description.dump();
  const std::string prefix = "\"#/components/schemas/";
  size_t count = 0;
  for (size_t at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1), ++count) {
    const size_t begin = at + prefix.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_TRUE(description["components"]["schemas"].contains(name)) << name;
  }
  EXPECT_GT(count, 60U);
}

}  // namespace
}  // namespace millrace
