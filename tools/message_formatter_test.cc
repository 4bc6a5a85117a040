#include "tools/message_formatter.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "tools/client_metrics.h"
#include "tools/perf_payload.h"
#include "tools/perf_stats.h"
#include "tools/simple_date_format.h"
#include "tools/text_table.h"
#include "tools/throttle.h"

namespace millrace {
namespace {

std::string shown(const ClientProperties& properties, const ConsumedRecord& record,
                  std::string_view formatter = "org.apache.kafka.tools.consumer.DefaultMessageFormatter") {
  auto made = make_formatter(formatter, properties);
  EXPECT_TRUE(made) << made.error().message;
  std::string out;
  const Status done = (*made)->format(record, out);
  return done ? out : "error: " + done.error().message;
}

ConsumedRecord sample() {
  ConsumedRecord record;
  record.partition = 2;
  record.offset = 41;
  record.timestamp = 1700000000000;
  record.key = "k";
  record.value = "v";
  record.headers = {{"h1", "a"}, {"h2", std::nullopt}};
  return record;
}

TEST(DefaultMessageFormatter, TheValueAlone) { EXPECT_EQ(shown({}, sample()), "v\n"); }

TEST(DefaultMessageFormatter, AllColumnsInKafkasOrder) {
  const ClientProperties all{{"print.timestamp", "true"}, {"print.partition", "true"}, {"print.offset", "true"},
                             {"print.headers", "true"},   {"print.key", "true"},       {"print.epoch", "true"}};
  EXPECT_EQ(shown(all, sample()),
            "CreateTime:1700000000000\tPartition:2\tOffset:41\tEpoch:NOT_PRESENT\th1:a,h2:null\tk\tv\n");
}

TEST(DefaultMessageFormatter, SeparatorsAndNullText) {
  ConsumedRecord record = sample();
  record.value = std::nullopt;
  record.headers.clear();
  EXPECT_EQ(shown({{"print.key", "true"},
                   {"print.headers", "true"},
                   {"key.separator", "|"},
                   {"line.separator", ";"},
                   {"null.literal", "-"}},
                  record),
            "NO_HEADERS|k|-;");
  EXPECT_EQ(shown({{"print.value", "false"}, {"print.key", "true"}}, record), "k\n");
}

TEST(DefaultMessageFormatter, DeserializersByJavaClassName) {
  ConsumedRecord record = sample();
  std::string number;
  append_be<int64_t>(number, -5);
  record.value = number;
  EXPECT_EQ(shown({{"value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"}}, record), "-5\n");
  EXPECT_EQ(shown({{"value.deserializer", "org.apache.kafka.common.serialization.IntegerDeserializer"}}, record),
            "error: Size of data received by IntegerDeserializer is not 4");
  EXPECT_FALSE(make_formatter("DefaultMessageFormatter", {{"key.deserializer", "com.example.Mine"}}));
}

TEST(DefaultMessageFormatter, ARefusedFieldLeavesNothingBehind) {
  auto formatter =
      make_formatter("DefaultMessageFormatter", {{"print.key", "true"}, {"value.deserializer", "LongDeserializer"}});
  ASSERT_TRUE(formatter);
  std::string out = "before";
  EXPECT_FALSE((*formatter)->format(sample(), out));
  EXPECT_EQ(out, "before");
}

TEST(OffsetsMessageFormatter, CommitsAsJsonAndGroupsNotAtAll) {
  std::string key;
  append_be<int16_t>(key, 1);
  for (const std::string_view text : {"g", "t"}) {
    append_be<int16_t>(key, 1);
    key += text;
  }
  append_be<int32_t>(key, 3);
  ConsumedRecord record;
  record.key = key;
  EXPECT_EQ(shown({}, record, "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"),
            "{\"key\":{\"type\":1,\"data\":{\"group\":\"g\",\"topic\":\"t\",\"partition\":3}},\"value\":null}\n");
  EXPECT_EQ(shown({}, record, "kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter"), "");
}

TEST(Formatters, UnknownClassesAreNamed) {
  auto made = make_formatter("com.example.Mine", {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("com.example.Mine"), std::string::npos);
}

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table({"A", "LONG"});
  table.add({"wide", "x"});
  EXPECT_EQ(table.text(), "A   \tLONG\t\nwide\tx   \t\n");
  EXPECT_EQ(table.text(" ", 6), "A      LONG   \nwide   x      \n");
}

TEST(SimpleDateFormat, PatternsOfJava) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  EXPECT_EQ(java_date(1700000000123, "yyyy-MM-dd HH:mm:ss:SSS"), "2023-11-14 22:13:20:123");
  EXPECT_EQ(java_date(1700000000123, "d.M.yy 'at' h:mm a"), "14.11.23 at 10:13 PM");
}

TEST(PerfStats, LinesOfTheProducerTest) {
  ManualClock clock;
  PerfStats stats(4, 1000, clock);
  for (const int64_t latency : {1, 2, 3, 10}) stats.record(latency, 1 << 20);
  EXPECT_EQ(stats.take_window(), "");
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(stats.take_window(),
            "4 records sent, 2.0 records/sec (2.00 MB/sec), 4.0 ms avg latency, 10.0 ms max latency.\n");
  EXPECT_EQ(stats.take_window(), "");
  EXPECT_EQ(
      stats.total(),
      "4 records sent, 2.000000 records/sec (2.00 MB/sec), 4.00 ms avg latency, 10.00 ms max latency, 3 ms 50th, 10 ms "
      "95th, 10 ms 99th, 10 ms 99.9th.\n");
}

TEST(PerfPayload, RandomLettersDifferAndRepeatInTheNextRun) {
  PerfPayload first = PerfPayload::random(100);
  PerfPayload second = PerfPayload::random(100);
  const std::string one(first.next(0));
  EXPECT_EQ(one, second.next(0));
  EXPECT_NE(one, first.next(1));
  EXPECT_EQ(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string::npos);
  EXPECT_EQ(PerfPayload::monotonic().next(42), "42");
}

TEST(Throttle, WaitsForWhatIsAheadOfTheRate) {
  ManualClock clock;
  const Throttle throttle(10, clock);
  EXPECT_EQ(throttle.wait(5), std::chrono::milliseconds(500));
  clock.advance(std::chrono::seconds(1));
  EXPECT_LE(throttle.wait(5), std::chrono::seconds(0));
  EXPECT_EQ(Throttle(-1, clock).wait(1000), std::chrono::seconds(0));
}

TEST(ClientMetrics, KafkasNamesForWhatLibrdkafkaCounts) {
  const std::string text =
      metrics_text(R"({"txmsgs":5,"tx":2,"brokers":{"b":{"rtt":{"avg":1500,"max":2000}}},"topics":{}})", "me",
                   ClientKind::kProducer);
  EXPECT_NE(text.find("producer-metrics:record-send-total:{client-id=me}"), std::string::npos);
  EXPECT_NE(text.find(": 1.500\n"), std::string::npos);
}

}  // namespace
}  // namespace millrace
