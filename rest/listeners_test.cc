#include "rest/listeners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Listeners, DefaultListAndAddresses) {
  EXPECT_THAT(ListenerConfig::parse({})->listeners, ElementsAre(Listener{"", 8083}));
  const auto config = ListenerConfig::parse({{"listeners", "http://127.0.0.1:8083, HTTP://[::1]:0 ,http://:9"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->listeners, ElementsAre(Listener{"127.0.0.1", 8083}, Listener{"::1", 0}, Listener{"", 9}));
}

TEST(Listeners, MistakesNameTheKeyAndTheForm) {
  for (const char* text :
       {"127.0.0.1:8083", "ftp://a:1", "http://a", "http://a:x", "http://a:70000", "http://a:-1", " , "}) {
    const auto config = ListenerConfig::parse({{"listeners", text}});
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(config.error().message, AllOf(HasSubstr("listeners"), HasSubstr("http://"))) << text;
  }
}

TEST(Listeners, Advertised) {
  const auto config = ListenerConfig::parse(
      {{"rest.advertised.host.name", "w1"}, {"rest.advertised.port", "18083"}, {"rest.advertised.listener", "http"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->advertised_host, "w1");
  EXPECT_EQ(config->advertised_port, 18083);
  EXPECT_FALSE(ListenerConfig::parse({{"rest.advertised.port", "many"}}));
  EXPECT_FALSE(ListenerConfig::parse({{"rest.advertised.listener", "ftp"}}));
  EXPECT_EQ(host_and_port("::1", 1), "[::1]:1");
  EXPECT_FALSE(local_address().empty());
}

}  // namespace
}  // namespace millrace
