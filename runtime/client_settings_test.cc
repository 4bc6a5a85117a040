#include "runtime/client_settings.h"

#include <gtest/gtest.h>

#include "runtime/exactly_once.h"

namespace millrace {
namespace {

TEST(ClientSettings, TheConnectorWinsOverTheWorker) {
  const ConfigMap worker = {{"producer.compression.type", "gzip"}, {"producer.client.id", "mine"}};
  const auto plain = ProducerSettings::from(worker, {}, "fallback");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->compression.codec, Codec::kGzip);
  EXPECT_EQ(plain->client_id, "mine");
  EXPECT_FALSE(plain->batch_bytes) << "Kafka's default is not somebody's wish";
  const auto overridden = ProducerSettings::from(worker,
                                                 {{"producer.override.compression.type", "zstd"},
                                                  {"producer.override.compression.zstd.level", "7"},
                                                  {"producer.override.batch.size", "100"},
                                                  {"producer.override.ssl.truststore.location", "/x"}},
                                                 "fallback");
  ASSERT_TRUE(overridden);
  EXPECT_EQ(overridden->compression.codec, Codec::kZstd);
  EXPECT_EQ(overridden->compression.level, 7);
  EXPECT_EQ(overridden->batch_bytes, 100U);
}

TEST(ClientSettings, BadValuesHaveKafkasText) {
  const auto acks = ProducerSettings::from({}, {{"producer.override.acks", "2"}}, "p");
  ASSERT_FALSE(acks);
  EXPECT_EQ(
      error_trace(acks.error()),
      "org.apache.kafka.common.config.ConfigException: Invalid value 2 for configuration acks: String must be one "
      "of: all, -1, 0, 1\n");
  EXPECT_FALSE(ProducerSettings::from({}, {{"producer.override.max.request.size", "x"}}, "p"));
  EXPECT_FALSE(consumer_settings({}, {{"consumer.override.auto.offset.reset", "now"}}, "g", "c"));
  EXPECT_FALSE(consumer_settings({{"consumer.max.poll.records", "0"}}, {}, "g", "c"));
  EXPECT_FALSE(check_admin_settings({}, {{"admin.override.retries", "-1"}}));
}

TEST(ClientSettings, ConsumersReadAsTheyAreTold) {
  const auto plain = consumer_settings({}, {}, "connect-c", "client");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->group_id, "connect-c");
  EXPECT_TRUE(plain->from_earliest && plain->reset && !plain->read_committed);
  EXPECT_EQ(plain->poll_bytes, size_t{4} << 20);
  const auto told = consumer_settings({{"consumer.group.id", "w"}, {"consumer.auto.offset.reset", "none"}},
                                      {{"consumer.override.group.id", "g"},
                                       {"consumer.override.isolation.level", "read_committed"},
                                       {"consumer.override.max.poll.records", "7"},
                                       {"consumer.override.max.partition.fetch.bytes", "1000"}},
                                      "connect-c", "client");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->group_id, "g");
  EXPECT_FALSE(told->reset);
  EXPECT_TRUE(told->read_committed);
  EXPECT_EQ(told->max_poll_records, 7U);
  EXPECT_EQ(told->partition_fetch_bytes_max, 1000U);
  EXPECT_EQ(told->poll_bytes, 0U);
}

TEST(ClientSettings, TransactionsOutlastTheirInterval) {
  const ConfigMap worker = {{"exactly.once.source.support", "enabled"}, {"group.id", "g"}};
  const ProducerSettings producer;
  EXPECT_FALSE(*ExactlyOnce::from({}, {}, "c", 1, producer));
  const auto poll = ExactlyOnce::from(worker, {}, "c", 1, producer);
  EXPECT_EQ((*poll)->transactional_id, "g-c-1");
  EXPECT_EQ((*poll)->boundary, TransactionBoundary::kPoll);
  const auto interval = ExactlyOnce::from(
      worker, {{"transaction.boundary", "INTERVAL"}, {"transaction.boundary.interval.ms", "100000"}}, "c", 1, producer);
  EXPECT_EQ((*interval)->boundary, TransactionBoundary::kInterval);
  EXPECT_GT((*interval)->timeout, (*interval)->interval);
  EXPECT_FALSE(ExactlyOnce::from(worker, {{"transaction.boundary", "never"}}, "c", 1, producer));
}

}  // namespace
}  // namespace millrace
