#include "runtime/worker_config.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

ConfigMap minimal() {
  return {{"key.converter", "org.apache.kafka.connect.json.JsonConverter"},
          {"value.converter", "org.apache.kafka.connect.json.JsonConverter"}};
}

TEST(WorkerConfig, DefaultsAreKafkasAndTheLogIsEmbedded) {
  const auto config = WorkerConfig::parse(minimal());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->log_dirs, "./data");
  EXPECT_EQ(config->offset_flush_interval.count(), 60'000);
  EXPECT_TRUE(config->bootstrap_servers.empty());
}

TEST(WorkerConfig, MistakesNameKeyAndValue) {
  auto settings = minimal();
  settings["offset.flush.interval.ms"] = "soon";
  EXPECT_EQ(WorkerConfig::parse(settings).error().message,
            "Invalid value soon for configuration offset.flush.interval.ms: Not a number of type LONG");
  settings.erase("value.converter");
  EXPECT_NE(WorkerConfig::parse(settings).error().message.find("Missing required configuration \"value.converter\""),
            std::string::npos);
}

TEST(SplitList, RemovesBlanksAndEmptyTextHasNoElements) {
  EXPECT_EQ(split_list(" a , b,c "), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(split_list("  ").empty());
}

}  // namespace
}  // namespace millrace
