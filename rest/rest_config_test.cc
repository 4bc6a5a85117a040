#include "rest/rest_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "rest/basic_auth.h"
#include "rest/cors.h"
#include "rest/http_answer.h"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class RestFiles : public testing::Test {
 protected:
  ~RestFiles() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rest-files-" + std::to_string(::getpid()));
};

TEST(RestConfig, AdminListenersAreUnsetEmptyOrSet) {
  EXPECT_EQ(RestConfig::parse({}, "")->admin, std::nullopt);
  EXPECT_THAT(*RestConfig::parse({{"admin.listeners", " "}}, "")->admin, IsEmpty());
  EXPECT_THAT(*RestConfig::parse({{"admin.listeners", "https://a:1"}}, "")->admin, ElementsAre(Listener{"a", 1, true}));
  EXPECT_THAT(RestConfig::parse({{"admin.listeners", "a"}}, "").error().message, HasSubstr("admin.listeners"));
}

TEST(RestConfig, TheAdvertisedListener) {
  const auto of = [](const ConfigMap& worker) { return RestConfig::parse(worker, "")->advertised_listener(); };
  EXPECT_EQ(of({{"listeners", "https://a:1,http://b:2"}}), 1U);
  EXPECT_EQ(of({{"listeners", "https://a:1,https://b:2"}}), 0U);
  EXPECT_EQ(of({{"listeners", "http://a:1,https://b:2"}, {"rest.advertised.listener", "HTTPS"}}), 1U);
}

TEST(RestConfig, PrefixedTlsSettingsReplaceAllOfTheWorkers) {
  const ConfigMap worker = {{"ssl.keystore.location", "w"}, {"ssl.client.auth", "required"}};
  EXPECT_EQ(RestConfig::parse(worker, "")->tls, worker);
  ConfigMap both = worker;
  both["listeners.https.ssl.keystore.location"] = "r";
  EXPECT_THAT(RestConfig::parse(both, "")->tls, ElementsAre(Pair("ssl.keystore.location", "r")));
  EXPECT_EQ(RestConfig::parse(both, "")->admin_tls, worker);
}

TEST_F(RestFiles, TlsMistakesAreNamed) {
  PosixFileSystem files;
  const auto why = [&](const ConfigMap& ssl) { return make_tls(ssl, files).error().message; };
  EXPECT_THAT(why({}), HasSubstr("listeners.https.ssl.keystore.location"));
  EXPECT_THAT(why({{"ssl.keystore.location", "/nowhere"}}), HasSubstr("ssl.keystore.location cannot be read"));
  EXPECT_THAT(why({{"ssl.keystore.type", "JKS"}}), HasSubstr("keytool -importkeystore"));
  const std::string jks = write("a.jks", "\xFE\xED\xFE\xED rest");
  EXPECT_THAT(why({{"ssl.keystore.location", jks}}), HasSubstr("keytool -importkeystore"));
  EXPECT_THAT(why({{"ssl.keystore.key", "x"}, {"ssl.client.auth", "perhaps"}}),
              HasSubstr("required, requested or none"));
  EXPECT_THAT(why({{"ssl.keystore.key", "x"}, {"ssl.cipher.suites", "TLS_X_WITH_Y"}}), HasSubstr("TLS_X_WITH_Y"));
}

TEST(HeaderRules, Parsing) {
  const auto rules = parse_header_rules(
      R"(set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store", addDate Expires: 0, SETDATE X: 5,Set U: http://a)");
  ASSERT_TRUE(rules) << rules.error().message;
  ASSERT_EQ(rules->size(), 5U);
  EXPECT_EQ((*rules)[1].value, "no-cache, no-store");
  EXPECT_TRUE((*rules)[1].add);
  EXPECT_TRUE((*rules)[2].date);
  EXPECT_EQ((*rules)[4].value, "http://a");
  EXPECT_THAT(*parse_header_rules(""), IsEmpty());
}

TEST(HeaderRules, TextsOfKafkaConnect) {
  EXPECT_EQ(parse_header_rules("set").error().message,
            "Invalid format of header config 'set'. Expected: '[action] [header name]:[header value]'");
  EXPECT_EQ(parse_header_rules("put A: b").error().message,
            "Invalid header config action: 'put'. Expected one of [set, add, setDate, addDate]");
  EXPECT_EQ(parse_header_rules("set A b: c").error().message,
            "Invalid header name 'A b'. The '[header name]' cannot contain whitespace");
  EXPECT_THAT(parse_header_rules("set A").error().message, HasSubstr("header name and header value pair 'A'"));
  EXPECT_THAT(parse_header_rules("setDate A: soon").error().message, HasSubstr("milliseconds"));
}

TEST(HeaderRules, SetReplacesAndAddAdds) {
  RestResponse response{.content_type = "application/json", .headers = {{"x-a", "old"}}};
  apply_header_rules(*parse_header_rules("set X-A: new,add X-A: more,set content-type: text/plain,setDate D: 1000"),
                     std::chrono::system_clock::from_time_t(784111777), response);
  EXPECT_THAT(response.headers,
              ElementsAre(Pair("X-A", "new"), Pair("X-A", "more"), Pair("D", "Sun, 06 Nov 1994 08:49:38 GMT")));
  EXPECT_EQ(response.content_type, "text/plain");
}

TEST(HttpAnswer, NoHeaderComesOutOfAValue) {
  const RestResponse response{.location = "http://x\r\nSet-Cookie: a=b"};
  EXPECT_THAT(answer_head(response, true), testing::Not(HasSubstr("\nSet-Cookie")));
}

TEST(Cors, OriginsAndPreflights) {
  const auto cors =
      RestConfig::parse(
          {{"access.control.allow.origin", "http://a.b, https://*.c"}, {"access.control.allow.methods", "GET,PUT"}}, "")
          ->cors;
  const auto headers = [&](const std::string& origin) {
    RestResponse response;
    add_cors_headers(cors, {.method = "GET", .headers = {{"origin", origin}}}, response);
    return response.headers;
  };
  EXPECT_THAT(headers("http://a.b"), testing::Contains(Pair("Access-Control-Allow-Origin", "http://a.b")));
  EXPECT_THAT(headers("https://x.c"), testing::Contains(Pair("Access-Control-Allow-Origin", "https://x.c")));
  EXPECT_THAT(headers("http://x.c"), ElementsAre(Pair("Vary", "Origin")));
  RestRequest ask{.method = "OPTIONS", .headers = {{"origin", "http://a.b"}, {"access-control-request-method", "PUT"}}};
  EXPECT_THAT(cors_preflight(cors, ask)->headers, testing::Contains(Pair("Access-Control-Allow-Methods", "GET,PUT")));
  ask.headers[1].second = "DELETE";
  EXPECT_THAT(cors_preflight(cors, ask)->headers, IsEmpty());
  ask.headers[0].second = "http://evil";
  EXPECT_FALSE(cors_preflight(cors, ask));
  RestResponse untouched;
  add_cors_headers({}, ask, untouched);
  EXPECT_THAT(untouched.headers, IsEmpty());
}

RestRequest with_credentials(const std::string& base64) {
  return {.method = "GET", .target = "/", .headers = {{"authorization", "Basic " + base64}}};
}

TEST_F(RestFiles, BasicAuthReadsItsFileAgain) {
  const std::string file = write("users", "alice = secret\nbob=a:b\n");
  auto auth = BasicAuth::open(file, Logger());
  ASSERT_TRUE(auth) << auth.error().message;
  const RestRequest alice = with_credentials("YWxpY2U6c2VjcmV0");
  EXPECT_TRUE((*auth)->permits(alice));
  EXPECT_TRUE((*auth)->permits(with_credentials("Ym9iOmE6Yg==")));
  EXPECT_FALSE((*auth)->permits(with_credentials("YWxpY2U6d3Jvbmc=")));      // alice:wrong
  EXPECT_FALSE((*auth)->permits(with_credentials("bm9ib2R5OnNlY3JldA==")));  // nobody:secret
  for (const char* broken : {"", "x", "YWxpY2U=", "****", "YWxpY2U6c2VjcmV0="})
    EXPECT_FALSE((*auth)->permits(with_credentials(broken))) << broken;
  EXPECT_FALSE((*auth)->permits({}));
  write("users", "");
  EXPECT_FALSE((*auth)->permits({})) << "a file that is just being written opens no doors";
  EXPECT_TRUE((*auth)->permits(alice));
  write("users", "alice=changed it\n");
  EXPECT_FALSE((*auth)->permits(alice));
}

TEST_F(RestFiles, AnEmptyFileOfUsersPermitsEveryone) {
  auto auth = BasicAuth::open(write("users", "# nobody\n"), Logger());
  ASSERT_TRUE(auth);
  EXPECT_TRUE((*auth)->permits({}));
  EXPECT_FALSE(BasicAuth::open(folder_ / "missing", Logger()));
}

TEST_F(RestFiles, TheJaasFileNamesTheUsers) {
  const ConfigMap worker = {
      {"rest.extension.classes", "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"}};
  const std::string jaas = write("jaas.conf",
                                 "Other { x required; };\nKafkaConnect {\n  "
                                 "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n"
                                 "  file=\"/etc/users of rest\";\n};\n");
  const auto config = RestConfig::parse(worker, "-Xmx1g -Djava.security.auth.login.config=" + jaas + " -Da=b");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->basic_auth_file, "/etc/users of rest");
  EXPECT_THAT(RestConfig::parse(worker, "").error().message, HasSubstr("millrace.rest.basic.auth.file"));
  EXPECT_THAT(RestConfig::parse({{"rest.extension.classes", "my.Extension"}}, "").error().message,
              HasSubstr("my.Extension"));
  EXPECT_EQ(RestConfig::parse({{"millrace.rest.basic.auth.file", "/u"}}, "")->basic_auth_file, "/u");
}

}  // namespace
}  // namespace millrace
