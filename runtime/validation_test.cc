#include "runtime/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "runtime/connector_config.h"
#include "runtime/fake_plugin.h"

namespace millrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

ConfigInfos validated(const ConnectorPlugin& plugin, RawConfig config, const PluginCheck& check = {},
                      const ValidationRules& rules = {}) {
  config.emplace("connector.class", "X");
  config.emplace("name", "v");
  auto infos = validate_connector(plugin, config, check, rules);
  EXPECT_TRUE(infos) << infos.error().message;
  return std::move(*infos);
}

const ConfigInfo* find(const ConfigInfos& infos, std::string_view name) {
  const auto found =
      std::ranges::find_if(infos.configs, [&](const ConfigInfo& info) { return info.value.name == name; });
  return found == infos.configs.end() ? nullptr : &*found;
}

std::vector<std::string> errors_of(const ConfigInfos& infos, std::string_view name) {
  const ConfigInfo* info = find(infos, name);
  return info == nullptr ? std::vector<std::string>{"(no such entry)"} : info->value.errors;
}

std::vector<std::string> names_of(const ConfigInfos& infos) {
  std::vector<std::string> names;
  for (const ConfigInfo& info : infos.configs) names.push_back(info.value.name);
  return names;
}

TEST(Validation, OrderOfEntriesAndGroups) {
  const ConfigInfos infos =
      validated(fake_source(), {{"topic", "t"}, {"producer.override.linger.ms", "5"}, {"x", std::nullopt}});
  EXPECT_EQ(infos.name, "X");
  EXPECT_THAT(names_of(infos),
              ElementsAre("x", "name", "connector.class", "tasks.max", "tasks.max.enforce", "key.converter",
                          "value.converter", "header.converter", "transforms", "predicates", "config.action.reload",
                          "errors.retry.timeout", "errors.retry.delay.max.ms", "errors.tolerance", "errors.log.enable",
                          "errors.log.include.messages", "topic.creation.groups", "exactly.once.support",
                          "transaction.boundary", "transaction.boundary.interval.ms", "offsets.storage.topic", "file",
                          "topic", "batch.size", "producer.override.linger.ms"));
  EXPECT_THAT(infos.groups, ElementsAre("Common", "Transforms", "Predicates", "Error Handling", "Topic Creation",
                                        "Exactly Once Support", "offsets.topic"));
  EXPECT_FALSE(infos.configs.front().definition);
  EXPECT_THAT(errors_of(infos, "x"), ElementsAre("Null value can not be supplied as the configuration value."));
}

TEST(Validation, TheMessageOfTheRequestCountsAndListsErrors) {
  const ConfigInfos infos = validated(fake_source(), {{"tasks.max", "x"}, {"errors.tolerance", "some"}});
  EXPECT_EQ(validation_error_message(infos),
            "Connector configuration is invalid and contains the following 4 error(s):\n"
            "Invalid value x for configuration tasks.max: Not a number of type INT\n"
            "Invalid value null for configuration tasks.max: Value must be non-null\n"
            "Invalid value some for configuration errors.tolerance: String must be one of: none, all\n"
            "Missing required configuration \"topic\" which has no default value.\n"
            "You can also find the above list of errors at the endpoint "
            "`/connector-plugins/{connectorType}/config/validate`");
}

TEST(Validation, NullOfACommonOptionIsSaidAfterItsValidator) {
  EXPECT_THAT(errors_of(validated(fake_source(), {{"topic", "t"}, {"tasks.max", std::nullopt}}), "tasks.max"),
              ElementsAre("Invalid value null for configuration tasks.max: Value must be non-null",
                          "Null value can not be supplied as the configuration value."));
}

TEST(Validation, ThePluginIsAskedWhenItsOptionsAreFineAlone) {
  int calls = 0;
  const PluginCheck check =
      [&](const ConfigMap& settings) -> Expected<std::vector<std::pair<std::string, std::string>>> {
    ++calls;
    EXPECT_FALSE(settings.contains("file"));
    return std::vector<std::pair<std::string, std::string>>{
        {"batch.size", "too odd"}, {"tasks.max", "too many"}, {"zzz", "what"}};
  };
  const ConfigInfos infos = validated(fake_source(), {{"topic", "t"}, {"file", std::nullopt}}, check);
  EXPECT_THAT(errors_of(infos, "batch.size"), ElementsAre("too odd"));
  EXPECT_THAT(errors_of(infos, "tasks.max"), ElementsAre("too many"));
  EXPECT_THAT(errors_of(infos, "zzz"), ElementsAre("what"));
  validated(fake_source(), {{"topic", " "}}, check);
  EXPECT_EQ(calls, 1);
}

TEST(Validation, AFailingPluginFailsTheRequest) {
  const PluginCheck check = [](const ConfigMap&) -> Expected<std::vector<std::pair<std::string, std::string>>> {
    return fail(ErrorCode::kUnavailable, "the server is away");
  };
  const auto infos =
      validate_connector(fake_source(), {{"connector.class", "X"}, {"name", "v"}, {"topic", "t"}}, check);
  ASSERT_FALSE(infos);
  EXPECT_EQ(infos.error().code, ErrorCode::kUnavailable);
}

TEST(Validation, AnOptionTableThatContradictsItselfIsNamed) {
  const std::array keys = {fake_key("a", MR_TYPE_STRING, MR_LOW), fake_key("a", MR_TYPE_STRING, MR_LOW)};
  ConnectorPlugin plugin = fake_sink();
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  const auto infos = validate_connector(plugin, {{"connector.class", "X"}}, {});
  ASSERT_FALSE(infos);
  EXPECT_THAT(infos.error().message, HasSubstr("FileStreamSinkConnector"));
}

TEST(Validation, APluginMayDefineACommonOptionAnew) {
  std::array keys = {fake_key("tasks.max", MR_TYPE_INT, MR_LOW)};
  keys[0].default_value = to_mr_str("3");
  ConnectorPlugin plugin = fake_source();
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  const ConfigInfos infos = validated(plugin, {});
  EXPECT_EQ(find(infos, "tasks.max")->value.value, "3");
  EXPECT_EQ(names_of(infos).at(2), "tasks.max");
  EXPECT_EQ(std::ranges::count(names_of(infos), "tasks.max"), 1);
}

TEST(Validation, TransformsThatNobodyHasAreUnknownClasses) {
  const ConfigInfos infos =
      validated(fake_source(), {{"topic", "t"}, {"transforms", "a, b"}, {"transforms.a.type", "Nope"}});
  EXPECT_THAT(errors_of(infos, "transforms.a.type"),
              ElementsAre("Invalid value Nope for configuration transforms.a.type: Class Nope could not be found."));
  EXPECT_THAT(errors_of(infos, "transforms.b.type"),
              ElementsAre("Missing required configuration \"transforms.b.type\" which has no default value."));
  EXPECT_THAT(infos.groups, testing::IsSupersetOf({"Transforms: a", "Transforms: b"}));
}

TEST(Validation, ConvertersAreOfTheirKind) {
  const ConfigInfos infos = validated(
      fake_source(), {{"topic", "t"}, {"key.converter", "SimpleHeaderConverter"}, {"value.converter", "Json"}});
  EXPECT_THAT(errors_of(infos, "key.converter"),
              ElementsAre("Class class org.apache.kafka.connect.storage.SimpleHeaderConverter does not implement the "
                          "Converter interface"));
  EXPECT_EQ(find(infos, "value.converter")->value.value, "org.apache.kafka.connect.json.JsonConverter");
  EXPECT_EQ(find(infos, "value.converter.converter.type")->value.value, "value");
}

TEST(Validation, OverridesAndTheirPolicy) {
  const RawConfig config = {
      {"topic", "t"}, {"producer.override.acks", "all"}, {"producer.override.sasl.jaas.config", "secret"}};
  const ConfigInfos all = validated(fake_source(), config);
  EXPECT_EQ(all.error_count, 0);
  EXPECT_EQ(find(all, "producer.override.sasl.jaas.config")->value.value, "[hidden]");
  const ConfigInfos principal = validated(fake_source(), config, {}, {.override_policy = OverridePolicy::kPrincipal});
  EXPECT_THAT(
      errors_of(principal, "producer.override.acks"),
      ElementsAre("The 'Principal' policy does not allow 'acks' to be overridden in the connector configuration."));
  EXPECT_THAT(errors_of(principal, "producer.override.sasl.jaas.config"), IsEmpty());
  EXPECT_EQ(validated(fake_source(), config, {}, {.override_policy = OverridePolicy::kNone}).error_count, 2);
  // Sinks without a dead letter topic have no producer.
  EXPECT_EQ(
      find(validated(fake_sink(), {{"topics", "t"}, {"producer.override.acks", "all"}}), "producer.override.acks"),
      nullptr);
  const auto bad =
      validate_connector(fake_source(), {{"connector.class", "X"}, {"producer.override.batch.size", "abc"}}, {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInternal);
  EXPECT_EQ(bad.error().message, "Invalid value abc for configuration batch.size: Not a number of type INT");
}

TEST(Validation, ASinkMustNotJoinTheWorkersGroup) {
  EXPECT_THAT(errors_of(validated(fake_sink(), {{"topics", "t"}}, {}, {.worker_group = "connect-v"}), "name"),
              ElementsAre("Consumer group for sink connector named v conflicts with Connect worker group connect-v"));
  EXPECT_THAT(errors_of(validated(fake_sink(), {{"topics", "t"}, {"consumer.override.group.id", "g"}}, {},
                                  {.worker_group = "g"}),
                        "consumer.override.group.id"),
              ElementsAre("Consumer group g conflicts with Connect worker group g"));
}

TEST(Validation, InAGroupSourcesWithOffsetsOfTheirOwnHaveAllClients) {
  const RawConfig config = {{"topic", "t"},
                            {"offsets.storage.topic", "o"},
                            {"consumer.override.group.id", "x"},
                            {"admin.override.client.id", "y"}};
  EXPECT_EQ(find(validated(fake_source(), config), "consumer.override.group.id"), nullptr);
  const ConfigInfos infos = validated(fake_source(), config, {}, {.worker_group = "g"});
  EXPECT_NE(find(infos, "consumer.override.group.id"), nullptr);
  EXPECT_NE(find(infos, "admin.override.client.id"), nullptr);
}

TEST(Validation, ExactlyOnceIsForWorkersThatHaveIt) {
  const RawConfig config = {{"topic", "t"}, {"file", "f"}, {"exactly.once.support", "Required"}};
  EXPECT_THAT(errors_of(validated(fake_source(), config), "exactly.once.support"),
              ElementsAre("This worker does not have exactly-once source support enabled."));
  EXPECT_EQ(validated(fake_source(), config, {}, {.exactly_once_sources = true}).error_count, 0);
}

TEST(Validation, ExactlyOnceIsForConnectorsThatSaySo) {
  const RawConfig config = {{"topic", "t"}, {"exactly.once.support", "required"}};
  const ValidationRules rules = {.exactly_once_sources = true};
  ConnectorPlugin plugin = fake_source();
  EXPECT_THAT(errors_of(validated(plugin, config, {}, rules), "exactly.once.support"),
              ElementsAre("The connector does not support exactly-once semantics with the provided configuration."));
  plugin.table.exactly_once_support = nullptr;
  EXPECT_THAT(errors_of(validated(plugin, config, {}, rules), "exactly.once.support"),
              ElementsAre(StartsWith("The connector does not implement the API required for preflight validation")));
  EXPECT_EQ(errors_of(validated(plugin, config), "exactly.once.support").size(), 2u) << "the worker's reason too";
  EXPECT_EQ(validated(plugin, {{"topic", "t"}}, {}, rules).error_count, 0) << "requested does not check";
}

TEST(Validation, OwnTransactionsAreForConnectorsThatDefineThem) {
  const RawConfig config = {{"topic", "t"}, {"transaction.boundary", "connector"}};
  ConnectorPlugin plugin = fake_source();
  EXPECT_THAT(errors_of(validated(plugin, config), "transaction.boundary"),
              ElementsAre(StartsWith("The connector does not support connector-defined transaction boundaries")));
  plugin.table.can_define_transactions = [](const mr_config*) { return int32_t{1}; };
  EXPECT_THAT(errors_of(validated(plugin, config), "transaction.boundary"), IsEmpty());
}

TEST(Validation, ClassesThatAreNotComponentsOfTheirKind) {
  const auto infos = validated(fake_source(), {{"topic", "t"},
                                               {"value.converter", "org.apache.kafka.connect.storage.Converter"},
                                               {"transforms", "a,b"},
                                               {"transforms.a.type", "java.lang.String"},
                                               {"transforms.b.type", "StringConverter"}});
  EXPECT_THAT(errors_of(infos, "value.converter"), ElementsAre("This class is abstract and cannot be created."));
  EXPECT_THAT(errors_of(infos, "transforms.a.type"),
              ElementsAre("Class class java.lang.String does not implement the Transformation interface"));
  EXPECT_THAT(errors_of(infos, "transforms.b.type"),
              ElementsAre("Class class org.apache.kafka.connect.storage.StringConverter does not implement the "
                          "Transformation interface"));
}

TEST(Validation, KeysOfAPluginComeBeforeTheCommonOnes) {
  const auto keys = plugin_key_infos(fake_sink());
  ASSERT_EQ(keys.size(), 1u + 15u + 5u);
  EXPECT_EQ(keys[0].name, "file");
  EXPECT_EQ(keys[0].display_name, "file");
  EXPECT_EQ(keys[0].default_value, std::nullopt);
  EXPECT_EQ(keys[1].name, "name");
  EXPECT_EQ(keys.back().name, "errors.deadletterqueue.context.headers.enable");
}

TEST(Validation, OptionsOfAComponent) {
  const BuiltInComponents catalog;
  const auto keys = component_key_infos(catalog, "Json");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->front().name, "converter.type");
  EXPECT_FALSE(component_key_infos(catalog, "Nope"));
  EXPECT_THAT(component_key_infos(catalog, "SimpleHeaderConverter"), testing::Optional(IsEmpty()));
  EXPECT_THAT(catalog.classes(ComponentKind::kHeaderConverter),
              testing::Contains("org.apache.kafka.connect.storage.SimpleHeaderConverter"));
}

/// Three transformations of ten options each, as many as any has.
class WideCatalog final : public ComponentCatalog {
 public:
  std::string_view find(ComponentKind kind, std::string_view name) const override {
    return kind == ComponentKind::kTransformation && name == "Wide" ? "Wide" : built_in_.find(kind, name);
  }
  std::vector<std::string_view> classes(ComponentKind kind) const override { return built_in_.classes(kind); }
  const ConfigDef* options(ComponentKind kind, std::string_view class_name) const override {
    return class_name == "Wide" ? &wide_ : built_in_.options(kind, class_name);
  }

 private:
  static std::vector<ConfigKey> ten() {
    std::vector<ConfigKey> keys(10);
    for (size_t i = 0; i < keys.size(); ++i) {
      keys[i].name = fmt::format("option.{}", i);
      keys[i].default_value = "x";
    }
    return keys;
  }
  BuiltInComponents built_in_;
  ConfigDef wide_ = *ConfigDef::create(ten());
};

TEST(Validation, IsFast) {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back(fmt::format("connector.option.number.{}", i));
  std::vector<mr_config_key> keys;
  for (const std::string& name : names) keys.push_back(fake_key(name, MR_TYPE_STRING, MR_LOW));
  ConnectorPlugin plugin = fake_source();
  plugin.table.config = keys.data();
  plugin.table.config_count = keys.size();
  const WideCatalog catalog;
  RawConfig config = {{"connector.class", "X"}, {"name", "v"}, {"transforms", "a,b,c"}};
  for (const char* alias : {"a", "b", "c"}) config[fmt::format("transforms.{}.type", alias)] = "Wide";
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto infos = validate_connector(plugin, config, {}, {.components = &catalog});
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - start);
    ASSERT_TRUE(infos);
    ASSERT_EQ(infos->error_count, 0);
  }
  RecordProperty("microseconds", static_cast<int>(best.count() / 1000));
  // It takes a fraction; sanitizers and other load must not fail this.
  EXPECT_LT(best, std::chrono::milliseconds(10));
}

}  // namespace
}  // namespace millrace
