// Fetches that wait, and fetch sessions, over a node in process.
#include "protocol/messages/fetch.h"
#include "broker/dialogue_testing.h"
#include "protocol/legacy_messages.h"
#include "protocol/messages/produce.h"
#include "protocol/record_batch.h"

namespace millrace::testing {
namespace {

constexpr int16_t kFetchVersion = 12;
constexpr int16_t kProduceVersion = 9;

template <class Request>
std::shared_ptr<OutcomeSink> send(Node& node, const Request& request, int16_t version) {
  std::string frame(4, '\0');
  append_be(frame, Request::kApiKey);
  append_be(frame, version);
  append_be<int32_t>(frame, 7);   // correlation id
  append_be<int16_t>(frame, -1);  // client id
  if (version >= Request::kFlexibleFrom) frame.push_back('\0');
  WireWriter writer(frame);
  request.encode(writer, version);
  store_be(frame.data(), static_cast<int32_t>(frame.size() - 4));
  return send_frame(node, frame);
}

/// An answer and the bytes that it points into.
struct FetchAnswer {
  std::string bytes;
  FetchResponse response;
};

FetchAnswer fetched(OutcomeSink& sink) {
  FetchAnswer answer;
  Outcome outcome = sink.wait();
  EXPECT_EQ(outcome.kind, Outcome::Kind::kAnswer);
  answer.bytes = std::move(outcome.bytes);
  if (answer.bytes.empty()) return answer;
  WireReader reader(BytesView(answer.bytes).substr(9));
  answer.response.decode(reader, kFetchVersion);
  EXPECT_FALSE(reader.bad());
  return answer;
}

class FetchTest : public ::testing::Test {
 protected:
  void produce(const std::string& topic, const std::string& value) {
    RecordBatchBuilder builder;
    builder.append(1, std::nullopt, BytesView(value));
    ASSERT_TRUE(builder.finish());
    const std::string bytes = builder.take();
    ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 1000;
    request.topic_data.push_back({topic, {}, {{0, Records{false, bytes, 0}}}});
    ASSERT_EQ(send(node(), request, kProduceVersion)->wait().kind, Outcome::Kind::kAnswer);
  }

  static FetchRequest fetch(const std::vector<std::pair<std::string_view, int64_t>>& from, int32_t wait_ms,
                            int32_t session = 0, int32_t epoch = -1) {
    FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.session_id = session;
    request.session_epoch = epoch;
    for (const auto& [topic, offset] : from) {
      FetchRequest::FetchTopic asked;
      asked.topic = topic;
      FetchRequest::FetchPartition partition;
      partition.fetch_offset = offset;
      partition.partition_max_bytes = 1 << 20;
      asked.partitions.push_back(partition);
      request.topics.push_back(asked);
    }
    return request;
  }

  Node& node() { return dialogue_.node(); }

  static constexpr int32_t kLongWaitMs = 600'000;
  Dialogue dialogue_{{.topics = {{"a"}, {"b"}}}};
};

TEST_F(FetchTest, AnAppendWakesAWaitingFetch) {
  const auto waiting = send(node(), fetch({{"a", 0}, {"b", 0}}, kLongWaitMs), kFetchVersion);
  EXPECT_EQ(waiting->wait(std::chrono::milliseconds(20)).kind, Outcome::Kind::kPending);
  produce("b", "late");
  const FetchAnswer answer = fetched(*waiting);
  ASSERT_EQ(answer.response.responses.size(), 2u);
  EXPECT_TRUE(answer.response.responses[0].partitions[0].records.bytes.empty());
  EXPECT_FALSE(answer.response.responses[1].partitions[0].records.bytes.empty());
}

TEST_F(FetchTest, ManyFetchesAndAppendsLoseNoWakeUp) {
  for (int i = 0; i < 200; ++i) {
    const auto waiting = send(node(), fetch({{"a", i}}, kLongWaitMs), kFetchVersion);
    produce("a", std::to_string(i));
    const FetchAnswer answer = fetched(*waiting);
    ASSERT_FALSE(answer.response.responses[0].partitions[0].records.bytes.empty()) << i;
  }
}

TEST_F(FetchTest, WaitsForMinBytesButNotForEver) {
  FetchRequest request = fetch({{"a", 0}}, 50);
  request.min_bytes = 1 << 20;
  const auto waiting = send(node(), request, kFetchVersion);
  produce("a", "little");
  EXPECT_FALSE(fetched(*waiting).response.responses[0].partitions[0].records.bytes.empty());
}

TEST_F(FetchTest, ADeletedTopicEndsTheWait) {
  const auto waiting = send(node(), fetch({{"a", 0}}, kLongWaitMs), kFetchVersion);
  ASSERT_TRUE(node().broker().delete_topic("a"));
  EXPECT_EQ(fetched(*waiting).response.responses[0].partitions[0].error_code,
            code_of(KafkaError::kUnknownTopicOrPartition));
}

TEST_F(FetchTest, OldVersionsGetMessageSets) {
  produce("a", "first");
  produce("a", "second");
  for (int16_t version = 0; version <= 3; ++version) {
    const Outcome outcome = send(node(), fetch({{"a", 1}}, 0), version)->wait();
    ASSERT_EQ(outcome.kind, Outcome::Kind::kAnswer);
    FetchResponse response;
    WireReader reader(BytesView(outcome.bytes).substr(8));
    response.decode(reader, version);
    ASSERT_FALSE(reader.bad());
    const BytesView set = response.responses[0].partitions[0].records.bytes;
    BatchSequence messages(set);
    const auto message = messages.next();
    ASSERT_TRUE(message && *message);
    EXPECT_EQ(magic_of(**message), version < 2 ? 0 : 1);
    const LegacyMessage read(**message);
    EXPECT_TRUE(read.verify_crc());
    EXPECT_EQ(read.offset(), 1);
    EXPECT_EQ(messages.position(), set.size());
    std::string scratch;
    std::vector<RecordView> records;
    ASSERT_TRUE(read.records(scratch, records));
    EXPECT_EQ(records[0].value, "second");
  }
}

TEST_F(FetchTest, ASessionTellsOnlyWhatIsNew) {
  produce("a", "1");
  const FetchAnswer full = fetched(*send(node(), fetch({{"a", 0}, {"b", 0}}, 0, 0, 0), kFetchVersion));
  const int32_t id = full.response.session_id;
  ASSERT_NE(id, 0);
  EXPECT_EQ(full.response.responses.size(), 2u);

  // The client has read a; nothing else is named, and nothing has changed.
  const FetchAnswer idle = fetched(*send(node(), fetch({{"a", 1}}, 0, id, 1), kFetchVersion));
  EXPECT_EQ(idle.response.session_id, id);
  EXPECT_TRUE(idle.response.responses.empty());

  produce("b", "2");
  const FetchAnswer news = fetched(*send(node(), fetch({}, 0, id, 2), kFetchVersion));
  ASSERT_EQ(news.response.responses.size(), 1u);
  EXPECT_EQ(news.response.responses[0].topic, "b");

  // b is forgotten: its records are no longer sent.
  FetchRequest without = fetch({}, 0, id, 3);
  without.forgotten_topics_data.push_back({"b", {}, {0}});
  EXPECT_TRUE(fetched(*send(node(), without, kFetchVersion)).response.responses.empty());
}

TEST_F(FetchTest, SessionsAreRefusedByNumber) {
  const FetchAnswer full = fetched(*send(node(), fetch({{"a", 0}}, 0, 0, 0), kFetchVersion));
  const int32_t id = full.response.session_id;
  EXPECT_EQ(fetched(*send(node(), fetch({}, 0, id, 5), kFetchVersion)).response.error_code,
            code_of(KafkaError::kInvalidFetchSessionEpoch));
  // A session that is closed is gone.
  fetched(*send(node(), fetch({{"a", 0}}, 0, id, -1), kFetchVersion));
  EXPECT_EQ(fetched(*send(node(), fetch({}, 0, id, 1), kFetchVersion)).response.error_code,
            code_of(KafkaError::kFetchSessionIdNotFound));
}

}  // namespace
}  // namespace millrace::testing
