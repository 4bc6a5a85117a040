#include "runtime/connector_remarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/fake_plugin.h"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "key: message" of each remark.
std::vector<std::string> remarks(const ConnectorPlugin& plugin, RawConfig config) {
  config.emplace("name", "c");
  config.emplace("connector.class", "X");
  std::vector<std::string> texts;
  for (const SettingRemark& each : connector_remarks(plugin, config, BuiltInComponents()))
    texts.push_back(each.key + ": " + each.message);
  return texts;
}

TEST(ConnectorRemarks, SettingsThatAreKnown) {
  EXPECT_THAT(remarks(fake_source(), {{"topic", "t"},
                                      {"tasks.max", "2"},
                                      {"millrace.restart", "none"},
                                      {"key.converter", "Json"},
                                      {"key.converter.schemas.enable", "false"},
                                      {"producer.override.linger.ms", "5"},
                                      {"producer.override.some.interceptor.setting", "5"},
                                      {"topic.creation.default.replication.factor", "-1"},
                                      {"topic.creation.default.partitions", "3"},
                                      {"topic.creation.default.retention.ms", "1000"},
                                      {"transforms", "a"},
                                      {"transforms.a.type", "Nope"},
                                      {"transforms.a.any", "x"}}),
              IsEmpty());
}

TEST(ConnectorRemarks, MisspeltSettings) {
  EXPECT_THAT(remarks(fake_source(), {{"task.max", "2"}}),
              ElementsAre("task.max: No such setting; it is ignored. Did you mean tasks.max?"));
  EXPECT_THAT(remarks(fake_source(), {{"frobnicate", "2"}}),
              ElementsAre("frobnicate: No such setting; it is ignored."));
  EXPECT_THAT(remarks(fake_source(), {{"producer.override.lingerms", "2"}}),
              ElementsAre(HasSubstr("Did you mean producer.override.linger.ms?")));
  EXPECT_THAT(remarks(fake_source(), {{"value.converter", "Json"}, {"value.converter.schema.enable", "false"}}),
              ElementsAre("value.converter.schema.enable: No such setting; it is ignored. Did you mean "
                          "value.converter.schemas.enable?"));
  EXPECT_THAT(remarks(fake_source(), {{"value.converter.schemas.enable", "false"}}),
              ElementsAre(HasSubstr("ignored without value.converter")));
}

TEST(ConnectorRemarks, OtherParametersOfAConnectionGoToTheDriver) {
  std::array keys = {fake_key("connection.url", MR_TYPE_STRING, MR_HIGH),
                     fake_key("connection.password", MR_TYPE_PASSWORD, MR_HIGH)};
  ConnectorPlugin plugin = fake_source();
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  EXPECT_THAT(remarks(plugin, {{"connection.socketTimeout", "5"}}), IsEmpty());
  EXPECT_THAT(remarks(plugin, {{"connection.ssl", "true"}, {"connection.sslpassword", "x"}}), IsEmpty());
  EXPECT_THAT(remarks(plugin, {{"connection.uri", "5"}}), ElementsAre(HasSubstr("Did you mean connection.url?")));
}

TEST(ConnectorRemarks, NamesThatAnOptionTableCannotSpellOut) {
  std::array keys = {fake_key("converters", MR_TYPE_LIST, MR_LOW), fake_key("overrides", MR_TYPE_LIST, MR_LOW),
                     fake_key("column.mask.with.(d+).chars", MR_TYPE_STRING, MR_LOW),
                     fake_key("signal.kafka.topic", MR_TYPE_STRING, MR_LOW)};
  ConnectorPlugin plugin = fake_source();
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  EXPECT_THAT(remarks(plugin, {{"converters", "one, two"},
                               {"two.type", "T"},
                               {"overrides.shop.orders", "SELECT 1"},
                               {"column.mask.with.12.chars", "a.b.c"},
                               {"signal.consumer.security.protocol", "SSL"}}),
              IsEmpty());
  EXPECT_THAT(remarks(plugin, {{"converters", "one"}, {"three.type", "T"}}),
              ElementsAre(HasSubstr("three.type: No such setting")));
  EXPECT_THAT(remarks(plugin, {{"signals.consumer.x", "1"}}), ElementsAre(HasSubstr("No such setting")));
}

TEST(ConnectorRemarks, AliasesThatAreNotListed) {
  EXPECT_THAT(remarks(fake_source(), {{"transforms", "a"},
                                      {"transforms.a.type", "X"},
                                      {"transforms.a.predicate", "isGood"},
                                      {"transforms.b.type", "X"},
                                      {"predicates", "isGod"},
                                      {"predicates.isGod.type", "X"}}),
              ElementsAre("transforms.a.predicate: predicates does not list isGood, so the tasks will fail. Define "
                          "predicates.isGood.type and add the alias to predicates. Did you mean isGod?",
                          HasSubstr("transforms does not list b")));
}

TEST(ConnectorRemarks, TopicCreationThatWillFail) {
  EXPECT_THAT(
      remarks(fake_source(), {{"topic.creation.default.partitions", "x"},
                              {"topic.creation.groups", "g"},
                              {"topic.creation.g.include", "["},
                              {"topic.creation.g.partitions", "0"},
                              {"topic.creation.h.include", "x"}}),
      testing::UnorderedElementsAre(
          HasSubstr("Missing required configuration \"topic.creation.default.replication.factor\""),
          HasSubstr("Invalid value x for configuration topic.creation.default.partitions: Not a number of type INT"),
          HasSubstr("[ is no regular expression"), HasSubstr("It must be positive, or -1"),
          HasSubstr("topic.creation.groups does not list h")));
  EXPECT_THAT(remarks(fake_sink(), {{"topics", "t"}, {"topic.creation.groups", "a"}}),
              ElementsAre(HasSubstr("No such setting")));
}

}  // namespace
}  // namespace millrace
