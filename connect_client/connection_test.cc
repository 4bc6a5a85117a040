#include "connect_client/connection.h"

#include "connect_client/client_fixture.h"
#include "connect_client/definition_files.h"

namespace millrace::connect {
namespace {

using testing::HasSubstr;

TEST(WorkerUrls, TakeWhatUsersWrite) {
  const auto urls = parse_worker_urls("http://a:1, b ,https://u:p@[::1]:8443/connect/");
  ASSERT_TRUE(urls) << urls.error().message;
  ASSERT_EQ(urls->size(), 3u);
  EXPECT_EQ((*urls)[0], (WorkerUrl{"http://a:1", ""}));
  EXPECT_EQ((*urls)[1], (WorkerUrl{"http://b:8083", ""}));
  EXPECT_EQ((*urls)[2], (WorkerUrl{"https://[::1]:8443", "/connect", "u", "p"}));
  for (const char* wrong : {"", "ftp://a", "http://", "http://a:x", "http://a:70000", "http://:1"})
    EXPECT_FALSE(parse_worker_urls(wrong)) << wrong;
}

TEST(WorkerUrls, NamesAreOneSegment) { EXPECT_EQ(encode_segment("a b/ü+%"), "a%20b%2F%C3%BC%2B%25"); }

class ConnectionTest : public ClientTest {
 protected:
  Expected<Json> get(ConnectionOptions options) {
    options.conflict_pause = std::chrono::milliseconds(1);
    auto connection = Connection::open(std::move(options));
    if (!connection) return fail(std::move(connection.error()));
    return (*connection)->call("GET", "/connectors");
  }
};

TEST_F(ConnectionTest, TriesTheNextUrlAndSaysWhatItTried) {
  const std::string dead = "http://127.0.0.1:1";
  EXPECT_TRUE(get({.urls = dead + "," + worker_.url()}));
  const auto answer = get({.urls = dead});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr(dead + ": nobody listens there"));
}

TEST_F(ConnectionTest, AConflictIsAskedAgainForAWhile) {
  worker_.conflicts_ = 3;
  EXPECT_TRUE(get({.urls = worker_.url()}));
  EXPECT_EQ(worker_.requests().size(), 4u);
  worker_.conflicts_ = 1000;
  const auto answer = get({.urls = worker_.url(), .conflict_patience = std::chrono::milliseconds(0)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kConflict);
  EXPECT_THAT(answer.error().message, HasSubstr("worker rebalance"));
}

TEST_F(ConnectionTest, CredentialsComeFromOptionsFilesAndUrls) {
  worker_.user_and_password_ = "Basic dTpw";  // u:p
  const auto refused = get({.urls = worker_.url()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("give --user and --password-file"));
  EXPECT_THAT(get({.urls = worker_.url(), .user = "u", .password = "x"}).error().message, HasSubstr("check --user"));
  EXPECT_TRUE(get({.urls = worker_.url(), .user = "u", .password = "p"}));
  EXPECT_TRUE(get({.urls = worker_.url(), .user = "u", .password_file = write("pw", "p\n")}));
  EXPECT_TRUE(get({.urls = "http://u:p@" + worker_.url().substr(7)}));
  EXPECT_FALSE(get({.urls = worker_.url(), .user = "u", .password_file = "/nowhere"}));
}

class DefinitionFiles : public ClientTest {
 protected:
  Expected<std::vector<Definition>> read(const std::vector<std::string>& paths) {
    std::istringstream in(R"([{"name":"x"},{"name":"y","config":{}}])");
    return read_definitions(files_, in, paths);
  }
  std::string refusal(const std::string& text, const std::string& from = "f.json") {
    const auto read = parse_definitions(text, from);
    return read ? "taken" : read.error().message;
  }
};

TEST_F(DefinitionFiles, AllShapesOfAllPlaces) {
  write("1.json", R"({"name":"flat","tasks.max":2,"on":true,"none":null})");
  write("2.json", R"({"name":"posted","config":{"a":"b"},"initial_state":"paused"})");
  write("3.properties", "# said\nname=props\na = b\n");
  write("ignored.txt", "x");
  const auto all = read({folder_.string(), "-"});
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 5u);
  EXPECT_EQ((*all)[0].config, (Config{{"name", "flat"}, {"tasks.max", "2"}, {"on", "true"}}));
  EXPECT_EQ((*all)[1].config, (Config{{"name", "posted"}, {"a", "b"}}));
  EXPECT_EQ((*all)[1].initial_state, "PAUSED");
  EXPECT_EQ((*all)[2].config, (Config{{"name", "props"}, {"a", "b"}}));
  EXPECT_EQ((*all)[4].name, "y");
}

TEST_F(DefinitionFiles, WrongOnesAreNamed) {
  EXPECT_THAT(refusal("{"), HasSubstr("f.json is not JSON"));
  EXPECT_THAT(refusal("{\"a\":1}"), HasSubstr("has no 'name'"));
  EXPECT_THAT(refusal("a=b", "p.properties"), HasSubstr("has no 'name'"));
  EXPECT_THAT(refusal(R"({"name":"a","b":{}})"), HasSubstr("nested value under 'b'"));
  EXPECT_THAT(refusal(R"({"name":"a","config":{"name":"b"}})"), HasSubstr("'a' and in its config 'b'"));
  EXPECT_THAT(refusal(R"({"name":"a","config":{},"initial_state":"OFF"})"), HasSubstr("must be RUNNING"));
  const std::string a = write("a.properties", "name=n\n");
  EXPECT_THAT(read({a, write("b.properties", "name=n\n")}).error().message, HasSubstr("defines 'n', and so does"));
  EXPECT_FALSE(read({(folder_ / "missing.json").string()}));
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_THAT(read({(folder_ / "empty").string()}).error().message, HasSubstr("without .json"));
}

}  // namespace
}  // namespace millrace::connect
