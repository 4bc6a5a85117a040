#include "broker/node_settings.h"

#include <gmock/gmock.h>

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NodeSettings, KafkasOwnFileIsRead) {
  const ConfigMap kraft = {{"process.roles", "broker,controller"},
                           {"node.id", "7"},
                           {"controller.quorum.voters", "1@localhost:9093"},
                           {"log.dirs", "/tmp/logs"},
                           {"num.partitions", "3"},
                           {"offsets.topic.replication.factor", "1"},
                           {"log.retention.hours", "168"},
                           {"group.initial.rebalance.delay.ms", "0"}};
  const auto options = parse_node_settings(kraft);
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(options->node_id, 7);
  EXPECT_EQ(options->broker.directory, "/tmp/logs");
  EXPECT_EQ(options->broker.partitions_default, 3);
  EXPECT_THAT(settings_without_effect(kraft),
              ElementsAre("controller.quorum.voters", "offsets.topic.replication.factor", "process.roles"));
  EXPECT_TRUE(unknown_settings(kraft).empty());
}

TEST(NodeSettings, WrongValuesAreNamed) {
  const auto message = [](ConfigMap settings) {
    const auto options = parse_node_settings(settings);
    return options ? std::string() : options.error().message;
  };
  EXPECT_EQ(message({{"num.partitions", "many"}}),
            "Invalid value many for configuration num.partitions: Not a number of type INT");
  EXPECT_EQ(message({{"num.partitions", "0"}}),
            "Invalid value 0 for configuration num.partitions: Value must be at least 1");
  EXPECT_THAT(message({{"auto.create.topics.enable", "perhaps"}}), HasSubstr("true or false"));
  EXPECT_THAT(message({{"log.dirs", "/a,/b"}}), HasSubstr("one folder"));
}

TEST(NodeSettings, TyposAreTold) {
  EXPECT_THAT(unknown_settings({{"num.partition", "1"}, {"ssl.keystore.location", "x"}}), ElementsAre("num.partition"));
}

}  // namespace
}  // namespace millrace
