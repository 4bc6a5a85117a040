#include "broker/kafka_metadata.h"

#include <gtest/gtest.h>

#include "broker/broker.h"
#include "log/fault_file_system.h"
#include "protocol/record_batch.h"

namespace millrace {
namespace {

using namespace std::string_literals;

const Path kDirectory = "/logs";
const Path kFolder = kDirectory / "__cluster_metadata-0";

std::string text(std::string_view value) { return static_cast<char>(value.size() + 1) + std::string(value); }
std::string topic_record(std::string_view name, char id) {
  return "\x01\x02\0"s + text(name) + std::string(16, id) + "\0"s;
}
std::string remove_record(char id) { return "\x01\x09\0"s + std::string(16, id) + "\0"s; }
std::string config_record(char type, std::string_view resource, std::string_view name, std::string_view value) {
  return "\x01\x04\0"s + type + text(resource) + text(name) + (value.empty() ? "\0"s : text(value)) + "\0"s;
}

std::string batch(int64_t base_offset, const std::vector<std::string>& values) {
  RecordBatchBuilder builder;
  for (const std::string& value : values) builder.append(1, std::nullopt, value);
  EXPECT_TRUE(builder.finish());
  std::string bytes = builder.take();
  store_be(bytes.data(), base_offset);
  return bytes;
}

class KafkaMetadata : public testing::Test {
 protected:
  KafkaMetadata() { EXPECT_TRUE(fs.create_directories(kFolder)); }
  void write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(fs.write_file_atomically(kFolder / name, bytes));
  }
  FaultFileSystem fs;
};

TEST_F(KafkaMetadata, AbsentMeansNoTopics) {
  const auto topics = read_kafka_topics(fs, "/elsewhere");
  ASSERT_TRUE(topics);
  EXPECT_TRUE(topics->empty());
}

TEST_F(KafkaMetadata, TheLogCarriesOnFromTheNewestSnapshot) {
  write("00000000000000000002-0000000001.checkpoint", batch(0, {topic_record("stale", 's')}));
  write("00000000000000000010-0000000001.checkpoint",
        batch(0, {topic_record("kept", 'k'), config_record(2, "kept", "cleanup.policy", "compact"),
                  config_record(2, "kept", "retention.ms", "5"), topic_record("gone", 'g')}));
  write("00000000000000000000.log",
        batch(9, {config_record(2, "kept", "cleanup.policy", "delete")}) +
            batch(10, {remove_record('g'), config_record(2, "kept", "retention.ms", ""), topic_record("new", 'n'),
                       config_record(4, "new", "retention.ms", "7"), "\x01\x63\0later kinds are passed over"s}) +
            "cut short");
  const auto topics = read_kafka_topics(fs, kDirectory);
  ASSERT_TRUE(topics) << topics.error().message;
  ASSERT_EQ(topics->size(), 2U);
  EXPECT_EQ(topics->at("kept").configs, (TopicConfigs{{"cleanup.policy", "compact"}}));
  EXPECT_EQ(topics->at("kept").id, "a2tra2tra2tra2tra2traw");
  EXPECT_TRUE(topics->at("new").configs.empty());
}

TEST_F(KafkaMetadata, ADamagedRecordIsNamed) {
  write("00000000000000000000.log", batch(3, {"\x01\x02\0\x7fx"s}));
  const auto topics = read_kafka_topics(fs, kDirectory);
  ASSERT_FALSE(topics);
  EXPECT_NE(topics.error().message.find("00000000000000000000.log"), std::string::npos);
  ASSERT_FALSE(topics.error().cause.empty());
  EXPECT_NE(topics.error().cause[0].message.find("offset 3"), std::string::npos);
}

TEST_F(KafkaMetadata, TheBrokerTakesConfigsAndCountsOverAndKeepsTheTopicToItself) {
  write("00000000000000000000.log",
        batch(0, {topic_record("table", 't'), config_record(2, "table", "cleanup.policy", "compact"),
                  config_record(2, "table", "segment.bytes", "nonsense"), topic_record("__consumer_offsets", 'o'),
                  topic_record("elsewhere", 'e')}));
  for (const char* name :
       {"table-0", "table-1", "__consumer_offsets-0", "__consumer_offsets-1", "__consumer_offsets-2"})
    ASSERT_TRUE(fs.write_file_atomically(kDirectory / name / "00000000000000000000.log", ""));
  ManualClock clock;
  BrokerOptions options;
  options.directory = kDirectory;
  options.background = false;
  for (int opening = 0; opening < 2; ++opening) {  // the second reads our own catalogue
    auto broker = Broker::open(fs, clock, Logger(), options);
    ASSERT_TRUE(broker) << broker.error().message;
    ASSERT_EQ((*broker)->topics().size(), 2U);
    const auto table = (*broker)->topic("table");
    ASSERT_TRUE(table);
    EXPECT_EQ(table->partitions, 2);
    EXPECT_EQ(table->id, "dHR0dHR0dHR0dHR0dHR0dA");
    EXPECT_EQ(table->configs, (TopicConfigs{{"cleanup.policy", "compact"}}));
    EXPECT_EQ((*broker)->topic("__consumer_offsets")->partitions, 3);
    EXPECT_EQ((*broker)->find_topic("__cluster_metadata"), nullptr);
    ASSERT_TRUE((*broker)->close());
  }
}

}  // namespace
}  // namespace millrace
