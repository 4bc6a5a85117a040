#include "rest/rest_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rest/fake_herder.h"

namespace millrace {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCreateA = R"({"name":"a","config":{"connector.class":"FileStreamSource"}})";

class RestApiTest : public testing::Test {
 protected:
  RestApiTest()
      : api_(gate_, {.advertised = "10.0.0.1:8083",
                     .pages = {{"/metrics", {"text/plain; version=0.0.4", [] { return "m 1\n"; }}}}}) {
    gate_.attach(herder_);
  }

  RestResponse send(std::string method, std::string target) {
    return api_.handle({std::move(method), std::move(target), {}, {}, {}, {}});
  }
  RestResponse send(std::string method, std::string target, std::string body) {
    return api_.handle({std::move(method), std::move(target), "application/json", {}, "h:1", std::move(body)});
  }
  void expect(const RestResponse& response, int status, std::string_view body) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, body);
    EXPECT_EQ(response.content_type, body.empty() ? "" : "application/json");
  }
  void expect_error(const RestResponse& response, int status, std::string_view message) {
    expect(response, status, fmt::format(R"({{"error_code":{},"message":"{}"}})", status, message));
  }

  FakeHerder herder_;
  HerderGate gate_;
  RestApi api_;
};

TEST_F(RestApiTest, RootHealthAndPages) {
  expect(send("GET", "/"), 200, R"({"version":"3.9.1","commit":"f745dfdcee2b9851","kafka_cluster_id":"cluster"})");
  expect(send("HEAD", "/?pretty=true"), 200,
         R"({"version":"3.9.1","commit":"f745dfdcee2b9851","kafka_cluster_id":"cluster"})");
  expect(send("GET", "/health/"), 200,
         R"({"status":"healthy","message":"Worker has completed startup and is ready to handle requests."})");
  herder_.health_answer = fail(ErrorCode::kUnavailable, "");
  expect(send("GET", "/health"), 503, R"({"status":"starting","message":"Worker is still starting up."})");
  herder_.health_answer = fail(ErrorCode::kInternal, "It hangs.");
  expect(
      send("GET", "/health"), 500,
      R"({"status":"unhealthy","message":"Worker was unable to handle this request and may be unable to handle other requests. It hangs."})");
  EXPECT_EQ(send("GET", "/metrics?x=1").body, "m 1\n");
}

TEST_F(RestApiTest, RoutingErrorsHaveNoContentType) {
  const auto expect_routing = [&](const RestResponse& response, int status, std::string_view reason) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, fmt::format(R"({{"error_code":{0},"message":"HTTP {0} {1}"}})", status, reason));
    EXPECT_EQ(response.content_type, "");
    EXPECT_EQ(response.allow, "");
  };
  for (const char* path : {"/nope", "/connectors/a/b", "/connectors//x", "//", "/Connectors", "/connectors/a/tasks/0",
                           "/connector-plugins/X", "/admin", "*"}) {
    expect_routing(send("GET", path), 404, "Not Found");
  }
  expect_routing(send("POST", "/"), 405, "Method Not Allowed");
  expect_routing(send("PUT", "/connectors/a"), 405, "Method Not Allowed");
  expect_routing(send("GET", "/connectors/a/pause"), 405, "Method Not Allowed");
  expect_routing(api_.handle({"GET", "/connectors", {}, "text/plain", {}, {}}), 406, "Not Acceptable");
  expect_routing(api_.handle({"POST", "/connectors", "text/plain", {}, {}, kCreateA}), 415, "Unsupported Media Type");
  expect_routing(api_.handle({"POST", "/connectors/a/restart", "application/x-www-form-urlencoded", {}, {}, ""}), 415,
                 "Unsupported Media Type");
  EXPECT_EQ(send("GET", "/connectors/a%zz").status, 400);
}

TEST_F(RestApiTest, BodyWithoutContentType) {
  expect_error(api_.handle({"POST", "/connectors", {}, {}, {}, kCreateA}), 415, "HTTP 415 Unsupported Media Type");
  EXPECT_EQ(api_.handle({"POST", "/connectors", {}, {}, {}, ""}).status, 500);
  send("POST", "/connectors", kCreateA);
  EXPECT_EQ(api_.handle({"PUT", "/connectors/a/pause", {}, {}, {}, "ignored"}).status, 202);
}

TEST_F(RestApiTest, Options) {
  const RestResponse response = send("OPTIONS", "/connectors/missing/config");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain");
  EXPECT_EQ(response.allow, "HEAD,GET,PUT,PATCH,OPTIONS");
  EXPECT_EQ(response.body, "HEAD, GET, PUT, PATCH, OPTIONS");
  EXPECT_EQ(send("OPTIONS", "/connectors/missing/restart").allow, "POST,OPTIONS");
  EXPECT_EQ(send("OPTIONS", "/nope").status, 404);
}

TEST_F(RestApiTest, CreateAndList) {
  const RestResponse created = send("POST", "/connectors", kCreateA);
  expect(
      created, 201,
      R"({"name":"a","config":{"connector.class":"FileStreamSource","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"source"})");
  EXPECT_EQ(created.location, "http://h:1/connectors/a");
  expect_error(send("POST", "/connectors", kCreateA), 409, "Connector a already exists");
  expect(send("GET", "/connectors"), 200, R"(["a"])");
  expect(send("GET", "/connectors?expand=bogus"), 200, R"({"a":{}})");
  expect(send("GET", "/connectors?expand"), 200, R"({"a":{}})");
  expect(
      send("GET", "/connectors?expand=status&expand=info"), 200,
      R"({"a":{"status":{"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083"},"tasks":[{"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083"}],"type":"source"},)"
      R"("info":{"name":"a","config":{"connector.class":"FileStreamSource","name":"a"},"tasks":[{"connector":"a","task":0}],"type":"source"}}})");
}

TEST_F(RestApiTest, LocationNamesTheAdvertisedAddressWhenTheRequestNamesNone) {
  const RestResponse created = api_.handle(
      {"POST", "/connectors", "application/json", {}, {}, R"({"name":"a b","config":{"connector.class":"X"}})"});
  EXPECT_EQ(created.location, "http://10.0.0.1:8083/connectors/a%20b");
}

TEST_F(RestApiTest, CreateErrors) {
  expect_error(send("POST", "/connectors", R"({"name":"a","config":{"name":"b"}})"), 400,
               "Connector name configuration (b) doesn't match connector name in the URL (a)");
  EXPECT_EQ(send("POST", "/connectors", "{").status, 500);
  EXPECT_EQ(send("POST", "/connectors", R"({"name":"a","config":{"connector.class":"Nope"}})").status, 500);
  EXPECT_EQ(send("POST", "/connectors", R"({"name":"a","config":{}})").status, 400);
  send("POST", "/connectors", R"({"name":" p ","config":{"connector.class":"X","name":null,"n":1.50}})");
  EXPECT_EQ(herder_.last_config["name"], "p");
  EXPECT_EQ(herder_.last_config["n"], "1.50");
}

TEST_F(RestApiTest, ConfigOfAConnector) {
  const RestResponse created = send("PUT", "/connectors/%20q%20/config", R"({"connector.class":"X"})");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.location, "http://h:1/connectors/%20q%20");
  const RestResponse changed = send("PUT", "/connectors/%20q%20/config", R"({"connector.class":"X","k":true})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.location, "");
  expect(send("GET", "/connectors/%20q%20/config"), 200, R"({"connector.class":"X","k":"true","name":" q "})");
  EXPECT_EQ(send("PATCH", "/connectors/%20q%20/config", R"({"k":null,"m":2})").status, 200);
  expect(send("GET", "/connectors/%20q%20/config"), 200, R"({"connector.class":"X","m":"2","name":" q "})");
  expect_error(send("PUT", "/connectors/c/config", R"({"name":"d"})"), 400,
               "Connector name configuration (d) doesn't match connector name in the URL (c)");
  expect_error(send("PATCH", "/connectors/%20q%20/config", R"({"name":"d"})"), 400,
               "Connector name configuration (d) doesn't match connector name in the URL ( q )");
  expect_error(send("PATCH", "/connectors/nope/config", "{}"), 404, "Connector nope not found");
  EXPECT_EQ(send("PUT", "/connectors/c/config", "").status, 500);
  EXPECT_EQ(send("PATCH", "/connectors/c/config", "null").status, 500);
}

TEST_F(RestApiTest, Signals) {
  herder_.stored["a"] = {};
  expect(send("POST", "/connectors/a/signals",
              R"({"id":"x","type":"execute-snapshot","data":{"data-collections":["db.t"]}})"),
         202, R"({"id":"x","type":"execute-snapshot","data":{"data-collections":["db.t"]}})");
  ASSERT_EQ(herder_.signals.size(), 1u);
  EXPECT_EQ(herder_.signals[0], R"({"id":"x","type":"execute-snapshot","data":{"data-collections":["db.t"]}})");
  EXPECT_EQ(send("POST", "/connectors/a/signals", R"({"type":"pause-snapshot"})").status, 202);
  EXPECT_THAT(herder_.signals.back(), ::testing::MatchesRegex(R"(.*"type":"pause-snapshot".*"id":"[0-9a-f]+".*)"));
  for (const char* bad : {R"({"id":"x"})", R"({"type":""})", R"({"type":1})", R"({"type":"log","data":[1]})",
                          R"({"type":"log","id":7})", R"({"type":"log","more":1})", R"(["log"])", "log"})
    EXPECT_EQ(send("POST", "/connectors/a/signals", bad).status, 400) << bad;
  expect_error(send("POST", "/connectors/none/signals", R"({"type":"log"})"), 404, "Connector none not found");
  herder_.stored["deaf"] = {};
  expect_error(send("POST", "/connectors/deaf/signals", R"({"type":"log"})"), 409, "Task deaf-0 takes no signals");
  EXPECT_EQ(herder_.signals.size(), 2u);
}

TEST_F(RestApiTest, StatusesAndTraces) {
  herder_.stored["a"] = {};
  herder_.trace = "X: bad";
  expect(
      send("GET", "/connectors/a/status"), 200,
      R"({"name":"a","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083"},"tasks":[{"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083","trace":"X: bad"}],"type":"source"})");
  expect(send("GET", "/connectors/a/tasks/00/status/"), 200,
         R"({"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083","trace":"X: bad"})");
  herder_.trace.clear();
  herder_.progress = {{"table", "db.\"t", 0}, {"rows_done", {}, 2.5}};
  expect(send("GET", "/connectors/a/tasks/0/status"), 200,
         R"({"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083","progress":{"table":"db.\"t","rows_done":2.5}})");
  herder_.progress.clear();
  expect_error(send("GET", "/connectors/a/tasks/-1/status"), 404, "No status found for task a--1");
  expect_error(send("GET", "/connectors/a/tasks/abc/status"), 404, "HTTP 404 Not Found");
  expect_error(send("GET", "/connectors/a/tasks/2147483648/status"), 404, "HTTP 404 Not Found");
  expect_error(send("GET", "/connectors/b/status"), 404, "No status found for connector b");
}

TEST_F(RestApiTest, Tasks) {
  herder_.stored["a"] = {};
  expect(send("GET", "/connectors/a/tasks"), 200, R"([{"id":{"connector":"a","task":0},"config":{"task.class":"T"}}])");
  expect(send("GET", "/connectors/a/tasks-config"), 200, R"({"a-0":{"task.class":"T"}})");
  expect_error(send("GET", "/connectors/b/tasks"), 404, "Connector b not found");
  expect(send("POST", "/connectors/a/tasks/0/restart"), 204, "");
  expect_error(send("POST", "/connectors/a/tasks/7/restart"), 404, "Unknown task: a-7");
  expect_error(send("POST", "/connectors/a/tasks/abc/restart"), 404, "HTTP 404 Not Found");
}

TEST_F(RestApiTest, LifeOfAConnector) {
  herder_.stored["a"] = {};
  expect(send("PUT", "/connectors/a/pause"), 202, "");
  EXPECT_EQ(herder_.stored["a"].target, TargetState::kPaused);
  expect(send("PUT", "/connectors/a/resume", "garbage"), 202, "");
  EXPECT_EQ(herder_.stored["a"].target, TargetState::kStarted);
  expect(send("POST", "/connectors/a/restart?includeTasks=maybe"), 204, "");
  EXPECT_EQ(send("POST", "/connectors/a/restart?includeTasks=true&onlyFailed=TRUE").status, 202);
  EXPECT_TRUE(herder_.last_restart.include_tasks && herder_.last_restart.only_failed);
  EXPECT_THAT(send("POST", "/connectors/a/restart?onlyFailed=true").body,
              HasSubstr(R"("connector":{"state":"RESTARTING")"));
  expect(send("PUT", "/connectors/a/stop"), 204, "");
  expect(send("DELETE", "/connectors/a/"), 204, "");
  expect_error(send("DELETE", "/connectors/a"), 404, "Connector a not found");
  expect_error(send("PUT", "/connectors/a/pause"), 404, "Unknown connector a");
  expect_error(send("POST", "/connectors/a/restart"), 404, "Unknown connector: a");
}

TEST_F(RestApiTest, Topics) {
  herder_.stored["a"] = {};
  expect(send("GET", "/connectors/a/topics"), 200, R"({"a":{"topics":["t"]}})");
  expect(send("GET", "/connectors/b/topics"), 200, R"({"b":{"topics":[]}})");
  expect(send("PUT", "/connectors/b/topics/reset"), 202, "");
  herder_.topic_tracking = false;
  expect_error(send("GET", "/connectors/a/topics"), 403, "Topic tracking is disabled.");
  expect_error(send("PUT", "/connectors/a/topics/reset"), 403, "Topic tracking is disabled.");
}

TEST_F(RestApiTest, Offsets) {
  herder_.stored["a"] = {};
  expect(send("GET", "/connectors/a/offsets"), 200,
         R"({"offsets":[{"partition":{"filename":"a.txt"},"offset":{"position":30}}]})");
  expect(
      send("PATCH", "/connectors/a/offsets", R"({"offsets":[{"partition":{"filename":"x"},"offset":{"position":4}}]})"),
      200, R"({"message":"The offsets for this connector have been altered successfully"})");
  EXPECT_EQ(herder_.last_offsets.at(0).offset, R"({"position":4})");
  expect_error(send("PATCH", "/connectors/nope/offsets", R"({"offsets":[]})"), 400,
               "Partitions / offsets need to be provided for an alter offsets request");
  EXPECT_EQ(send("DELETE", "/connectors/a/offsets").status, 400);
  herder_.stored["a"].target = TargetState::kStopped;
  expect(send("DELETE", "/connectors/a/offsets"), 200,
         R"({"message":"The offsets for this connector have been reset successfully"})");
}

TEST_F(RestApiTest, Plugins) {
  expect(send("GET", "/connector-plugins"), 200,
         R"([{"class":"FileStreamSink","type":"sink","version":"3.9.1"},{"class":"Odd","type":"source"}])");
  EXPECT_THAT(send("GET", "/connector-plugins?connectorsOnly=false").body, HasSubstr("JsonConverter"));
  expect(
      send("GET", "/connector-plugins/FileStreamSource/config"), 200,
      R"([{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Where to.","group":null,"width":"NONE","display_name":"topic","dependents":[],"order":-1}])");
  expect_error(send("GET", "/connector-plugins/HoistField$Value/config"), 404, "Unknown plugin HoistField$Value.");
}

TEST_F(RestApiTest, Validation) {
  expect(
      send("PUT", "/connector-plugins/FileStreamSourceConnector/config/validate",
           R"({"connector.class":"FileStreamSource"})"),
      200,
      R"({"name":"FileStreamSourceConnector","error_count":1,"groups":["Common"],"configs":[)"
      R"({"definition":{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Where to.","group":null,"width":"NONE","display_name":"topic","dependents":[],"order":-1},)"
      R"("value":{"name":"topic","value":null,"recommended_values":[],"errors":["Missing"],"visible":true}},)"
      R"({"definition":null,"value":{"name":"x","value":null,"recommended_values":[],"errors":[],"visible":true}}]})");
  expect_error(send("PUT", "/connector-plugins/a.b.FileStreamSourceConnector/config/validate",
                    R"({"connector.class":"FileStreamSource"})"),
               400,
               "Included connector type FileStreamSource does not match request type a.b.FileStreamSourceConnector");
  EXPECT_EQ(send("PUT", "/connector-plugins/FileStreamSource/config/validate",
                 R"({"connector.class":"a.b.FileStreamSource"})")
                .status,
            200);
  expect_error(send("PUT", "/connector-plugins/X/config/validate", "{}"), 500,
               "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector config {} contains no "
               "connector type");
  EXPECT_THAT(send("PUT", "/connector-plugins/Nope/config/validate", R"({"connector.class":"Nope"})").body,
              HasSubstr("org.apache.kafka.connect.errors.ConnectException: Failed to find"));
  EXPECT_EQ(send("PUT", "/connector-plugins/X/config/validate", "").status, 500);
}

TEST_F(RestApiTest, InternalEndpointsAreRefused) {
  expect_error(send("POST", "/connectors/a/tasks", "[]"), 500,
               "Kafka Connect in standalone mode does not support externally setting task configurations.");
  expect_error(send("PUT", "/connectors/a/fence"), 500,
               "Kafka Connect in standalone mode does not support exactly-once source connectors.");
  RestApi grouped(gate_, {.advertised = "h:1", .standalone = false, .pages = {}});
  expect_error(grouped.handle({"PUT", "/connectors/a/fence", {}, {}, {}, {}}), 400,
               "Internal request missing required signature");
}

/// Refuses as long as a test wants it, as a worker does whose group has no leader.
class RegroupingHerder : public FakeHerder {
 public:
  Status delete_connector(const std::string& name) override {
    if (refusals-- > 0)
      return fail(Error{ErrorCode::kConflict,
                        "Cannot complete request momentarily due to no known leader URL, likely "
                        "because a rebalance was underway.",
                        {},
                        std::chrono::milliseconds(1),
                        {}});
    return FakeHerder::delete_connector(name);
  }
  int refusals = 0;
};

TEST(RestApiGroup, RequestsWaitWhileWorkersRegroup) {
  RegroupingHerder herder;
  herder.stored["a"] = {};
  herder.refusals = 3;
  HerderGate gate;
  gate.attach(herder);
  RestApi patient(gate, {.advertised = "h:1"});
  EXPECT_EQ(patient.handle({.method = "DELETE", .target = "/connectors/a"}).status, 204);
  herder.refusals = 1'000'000;
  RestApi impatient(gate, {.advertised = "h:1", .regroup_wait = std::chrono::milliseconds(20)});
  const RestResponse late = impatient.handle({.method = "DELETE", .target = "/connectors/a"});
  EXPECT_EQ(late.status, 409);
  EXPECT_THAT(late.body, HasSubstr("no known leader URL"));
  gate.close();
  EXPECT_EQ(patient.handle({.method = "DELETE", .target = "/connectors/a"}).status, 500);
}

TEST(RestApiGroup, InternalRequestsMustBeSigned) {
  FakeHerder herder;
  HerderGate gate;
  gate.attach(herder);
  std::vector<ConfigMap> stored;
  std::optional<bool> forward_seen;
  SignatureRules rules;
  InternalEndpoints internal;
  internal.signatures = [&] { return rules; };
  internal.put_task_configs = [&](const std::string&, std::vector<ConfigMap> configs, std::optional<bool> forward) {
    stored = std::move(configs);
    forward_seen = forward;
    return Status();
  };
  internal.fence = [](const std::string&, std::optional<bool>) { return Status(); };
  RestApi api(gate, {.advertised = "h:1", .standalone = false, .internal = internal});
  RestRequest request{.method = "POST",
                      .target = "/connectors/a/tasks?forward=true",
                      .content_type = "application/json",
                      .body = R"([{"a":"b"},{}])"};
  const auto message = [&] { return nlohmann::json::parse(api.handle(request).body)["message"].get<std::string>(); };
  EXPECT_EQ(message(), "Internal request missing required signature");
  request.headers = *sign_request("HmacSHA1", "key", request.body);
  EXPECT_THAT(message(), StartsWith("This worker does not support the 'HmacSHA1' key signing algorithm"));
  request.headers = *sign_request("HmacSHA256", "key", request.body);
  EXPECT_EQ(api.handle(request).status, 503);
  EXPECT_THAT(message(), StartsWith("This worker is still starting up"));
  rules.session_key = "other key";
  EXPECT_EQ(api.handle(request).status, 403);
  EXPECT_EQ(message(), "Internal request contained invalid signature.");
  rules.session_key = "key";
  EXPECT_EQ(api.handle(request).status, 204);
  EXPECT_EQ(stored.size(), 2U);
  EXPECT_EQ(forward_seen, true);
  request.body += ' ';
  EXPECT_EQ(api.handle(request).status, 403);
  // The known answer of RFC 4231, test case 2.
  EXPECT_EQ((*sign_request("HmacSHA256", "Jefe", "what do ya want for nothing?"))[0].second,
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  request = {.method = "PUT", .target = "/connectors/a/fence", .headers = *sign_request("HmacSHA256", "key", "")};
  EXPECT_EQ(api.handle(request).status, 204);
}

TEST(RestApiGroup, LevelsOfTheGroupArePublished) {
  FakeHerder herder;
  HerderGate gate;
  std::string published;
  RestApi api(gate, {.advertised = "h:1", .publish_level = [&](const std::string& name, LogLevel level) {
                       published = fmt::format("{}={}", name, log_level_name(level));
                       return Status();
                     }});
  const RestRequest request{.method = "PUT",
                            .target = "/admin/loggers/a.b?scope=cluster",
                            .content_type = "application/json",
                            .body = R"({"level":"debug"})"};
  EXPECT_EQ(api.handle(request).status, 204) << "without a herder, too";
  EXPECT_EQ(published, "a.b=DEBUG");
}

TEST(RestApiParts, AdminEndpointsAreWhereTheyBelong) {
  FakeHerder herder;
  HerderGate gate;
  gate.attach(herder);
  RestApi main(gate, {.advertised = "h:1", .part = RestApi::Part::kAllButAdmin});
  RestApi admin(gate, {.advertised = "h:1", .part = RestApi::Part::kAdmin});
  EXPECT_EQ(main.handle({.method = "GET", .target = "/admin/loggers"}).status, 404);
  EXPECT_EQ(admin.handle({.method = "GET", .target = "/admin/loggers"}).status, 200);
  EXPECT_EQ(admin.handle({.method = "GET", .target = "/connectors"}).status, 404);
}

TEST(HerderGateTest, AnswersWhileThereIsNoHerder) {
  HerderGate gate;
  RestApi api(gate, {.advertised = "h:1", .start_wait = std::chrono::milliseconds(1), .pages = {}});
  EXPECT_EQ(api.handle({"GET", "/health", {}, {}, {}, {}}).body,
            R"({"status":"starting","message":"Worker is still starting up."})");
  EXPECT_EQ(api.handle({"GET", "/nope", {}, {}, {}, {}}).status, 404);
  const RestResponse late = api.handle({"GET", "/connectors", {}, {}, {}, {}});
  EXPECT_EQ(late.status, 500);
  EXPECT_THAT(late.body, HasSubstr("Request timed out"));
  gate.close();
  EXPECT_THAT(api.handle({"GET", "/connectors", {}, {}, {}, {}}).body, HasSubstr("Worker is shutting down"));
}

}  // namespace
}  // namespace millrace
