#include "broker/security/security.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "broker/security/jaas.h"

namespace millrace {
namespace {

class SecurityTest : public ::testing::Test {
 protected:
  SecurityTest()
      : directory_(std::filesystem::temp_directory_path() /
                   ("millrace-security-" + std::to_string(::getpid()) +
                    ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    EXPECT_TRUE(fs_.create_directories(directory_).has_value());
  }
  ~SecurityTest() override { EXPECT_TRUE(fs_.remove_all(directory_).has_value()); }

  std::unique_ptr<Security> open(const ConfigMap& settings = {}) {
    auto options = SecurityOptions::parse(settings);
    EXPECT_TRUE(options.has_value());
    auto security = Security::open(fs_, Logger(), directory_, std::move(*options));
    EXPECT_TRUE(security.has_value());
    return std::move(*security);
  }
  static Session session(std::string principal) {
    Session session;
    session.client_host = "127.0.0.1";
    session.principal = std::move(principal);
    return session;
  }
  static AclBinding read_orders() {
    return {ResourceType::kTopic, "orders", PatternType::kLiteral, "User:alice", "*", AclOperation::kRead,
            AclPermission::kAllow};
  }

  PosixFileSystem fs_;
  const Path directory_;
};

const ConfigMap kAuthorizer = {{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"},
                               {"super.users", "User:admin;User:CN=root,O=mill"}};

TEST_F(SecurityTest, WithoutAnAuthorizerEverythingIsAllowedAndAclsAreRefused) {
  auto security = open();
  EXPECT_TRUE(security->authorized(session("User:x"), AclOperation::kDelete, ResourceType::kTopic, "t"));
  EXPECT_TRUE(security->authorized_somewhere(session("User:x"), AclOperation::kWrite, ResourceType::kTopic));
  EXPECT_EQ(security->authorized_operations(session("User:x"), ResourceType::kGroup, "g") & 1 << 3, 1 << 3);
  const AclBinding binding = read_orders();
  const auto added = security->add_acls({&binding, 1});
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().exception, "org.apache.kafka.common.errors.SecurityDisabledException");
}

TEST_F(SecurityTest, AclsDecideAndSurviveARestart) {
  {
    auto security = open(kAuthorizer);
    AclBinding nameless = read_orders();
    nameless.name.clear();
    const std::vector<AclBinding> bindings = {read_orders(), nameless, read_orders()};
    const auto added = security->add_acls(bindings);
    ASSERT_TRUE(added.has_value());
    EXPECT_TRUE((*added)[0].has_value() && (*added)[2].has_value());
    EXPECT_EQ((*added)[1].error().exception, "org.apache.kafka.common.errors.InvalidRequestException");
  }
  auto security = open(kAuthorizer);
  ASSERT_EQ(security->list_acls({})->size(), 1U);
  const auto read = [&](std::string who) {
    return security->authorized(session(std::move(who)), AclOperation::kRead, ResourceType::kTopic, "orders");
  };
  EXPECT_TRUE(read("User:alice"));
  EXPECT_FALSE(read("User:bob"));
  EXPECT_TRUE(read("User:admin"));
  EXPECT_TRUE(read("User:CN=root,O=mill"));
  EXPECT_EQ(security->authorized_operations(session("User:alice"), ResourceType::kTopic, "orders"), 1 << 3 | 1 << 8);
  const AclFilter all;
  const auto removed = security->remove_acls({&all, 1});
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ((*removed)[0]->front(), read_orders());
  EXPECT_FALSE(read("User:alice"));
}

TEST_F(SecurityTest, TopicsWithoutAclsAreOpenWhenTheSettingsSaySo) {
  ConfigMap settings = kAuthorizer;
  settings["allow.everyone.if.no.acl.found"] = "true";
  auto security = open(settings);
  const AclBinding binding = read_orders();
  ASSERT_TRUE(security->add_acls({&binding, 1}).has_value());
  const Session bob = session("User:bob");
  EXPECT_TRUE(security->authorized(bob, AclOperation::kRead, ResourceType::kTopic, "other"));
  EXPECT_FALSE(security->authorized(bob, AclOperation::kRead, ResourceType::kTopic, "orders"));
}

TEST_F(SecurityTest, ScramUsersAreAlteredDescribedAndKept) {
  {
    auto security = open();
    ScramChange alice{"alice", ScramMechanism::kSha256, false, 4096, "salt", std::string(32, 'p')};
    ScramChange few = alice, gone = alice, twice = alice, nobody = alice;
    few.user = "few";
    few.iterations = 100;
    gone.user = "gone";
    gone.remove = true;
    twice.user = "twice";
    nobody.user = "";
    const std::vector<ScramChange> changes = {alice, few, twice, gone, twice, nobody};
    const auto results = security->alter_scram(changes);
    ASSERT_TRUE(results.has_value());
    ASSERT_EQ(results->size(), 5U);
    EXPECT_TRUE((*results)[0].second.has_value());
    const auto exception = [&](size_t index) { return (*results)[index].second.error().exception; };
    EXPECT_EQ(exception(1), "org.apache.kafka.common.errors.UnacceptableCredentialException");
    EXPECT_EQ(exception(2), "org.apache.kafka.common.errors.DuplicateResourceException");
    EXPECT_EQ(exception(3), "org.apache.kafka.common.errors.ResourceNotFoundException");
    EXPECT_EQ(exception(4), "org.apache.kafka.common.errors.UnacceptableCredentialException");
  }
  auto security = open();
  const auto users = security->scram_users();
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(users[0].user, "alice");
  EXPECT_EQ(users[0].credentials[0].iterations, 4096);
  EXPECT_FALSE(security->scram_user("bob").has_value());
}

TEST_F(SecurityTest, QuotasAreKeptAndFound) {
  {
    auto security = open();
    const std::vector<QuotaChange> rate = {{"producer_byte_rate", 1024.0}};
    ASSERT_TRUE(security->alter_quotas({{"user", "alice"}, {"client-id", std::nullopt}}, rate, false).has_value());
    ASSERT_TRUE(security->alter_quotas({{"user", std::nullopt}}, rate, false).has_value());
    ASSERT_TRUE(security->alter_quotas({{"user", "validated"}}, rate, true).has_value());
    const std::vector<QuotaChange> fraction = {{"producer_byte_rate", 0.5}}, unknown = {{"speed", 1.0}};
    EXPECT_FALSE(security->alter_quotas({{"user", "alice"}}, fraction, false).has_value());
    EXPECT_FALSE(security->alter_quotas({{"user", "alice"}}, unknown, false).has_value());
    EXPECT_FALSE(security->alter_quotas({{"planet", "mars"}}, rate, false).has_value());
    EXPECT_FALSE(security->alter_quotas({{"ip", "1.2.3.4"}, {"user", "a"}}, rate, false).has_value());
  }
  auto security = open();
  const std::vector<QuotaFilter> user_alice = {{"user", QuotaFilter::Match::kExact, "alice"}},
                                 any_user = {{"user", QuotaFilter::Match::kSpecified, std::nullopt}},
                                 default_user = {{"user", QuotaFilter::Match::kDefault, std::nullopt}};
  EXPECT_EQ(security->quotas({}, false)->size(), 2U);
  EXPECT_EQ(security->quotas(user_alice, false)->size(), 1U);
  EXPECT_EQ(security->quotas(user_alice, true)->size(), 0U);
  EXPECT_EQ(security->quotas(any_user, false)->size(), 2U);
  EXPECT_EQ(security->quotas(default_user, true)->at(0).second.at("producer_byte_rate"), 1024.0);
  const std::vector<QuotaChange> remove = {{"producer_byte_rate", std::nullopt}};
  ASSERT_TRUE(security->alter_quotas({{"user", std::nullopt}}, remove, false).has_value());
  EXPECT_EQ(security->quotas({}, false)->size(), 1U);
}

TEST_F(SecurityTest, ADamagedFileIsRefusedWithItsNameAndAWayOut) {
  ASSERT_TRUE(fs_.write_file_atomically(directory_ / "security.json", "{\"version\":1,\"scram\":[{}]}").has_value());
  const auto opened = Security::open(fs_, Logger(), directory_, {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message.find("security.json cannot be read; restore it"), std::string::npos);
}

TEST(SecurityOptions, SaysWhatIsWrong) {
  EXPECT_FALSE(SecurityOptions::parse({{"authorizer.class.name", "com.example.Own"}}).has_value());
  EXPECT_FALSE(SecurityOptions::parse({{"sasl.enabled.mechanisms", "GSSAPI"}}).has_value());
  const auto jaas =
      SecurityOptions::parse({{"listener.name.l.plain.sasl.jaas.config", "Module required user_a=\"secret"}});
  ASSERT_FALSE(jaas.has_value());
  EXPECT_EQ(error_trace(jaas.error()).find("secret"), std::string::npos);
}

TEST(Jaas, ReadsWhatKafkasDocumentsShow) {
  const auto entry = parse_jaas(
      "org.apache.kafka.common.security.plain.PlainLoginModule required \\\n username=\"admin\" password=admin-secret\n"
      "user_admin='a;b=c' user_alice=\"with \\\"quotes\\\"\";");
  ASSERT_FALSE(entry.has_value());  // the backslash is gone once the properties file has been read
  const auto read = parse_jaas(
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" password=admin-secret\n"
      "user_admin='a;b=c' user_alice=\"with \\\"quotes\\\"\";");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->module, "org.apache.kafka.common.security.plain.PlainLoginModule");
  EXPECT_EQ(read->options.at("password"), "admin-secret");
  EXPECT_EQ(read->options.at("user_admin"), "a;b=c");
  EXPECT_EQ(read->options.at("user_alice"), "with \"quotes\"");
}

}  // namespace
}  // namespace millrace
