#include "client/embedded_log_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <thread>

namespace millrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Recorder final : RebalanceListener {
  void on_revoked(const std::vector<TopicPartition>& partitions) override { revoked += partitions.size(); }
  void on_assigned(const std::vector<TopicPartition>& partitions) override {
    assigned = partitions;
    ++assignments;
  }
  std::vector<TopicPartition> assigned;
  size_t revoked = 0;
  int assignments = 0;
};

class EmbeddedLogClientTest : public ::testing::Test {
 protected:
  EmbeddedLogClientTest() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    open();
  }
  ~EmbeddedLogClientTest() override {
    client_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    client_.reset();
    auto client = EmbeddedLogClient::open(fs_, clock_, {.directory = folder_}, {});
    ASSERT_TRUE(client) << error_trace(client.error());
    client_ = std::move(*client);
  }
  void send(const std::string& topic, int32_t partition, int count, Codec codec = Codec::kNone) {
    auto producer = client_->producer("p");
    for (int i = 0; i < count; i += 10) {
      RecordBatchBuilder batch({.compression = {codec, {}}});
      for (int k = i; k < std::min(i + 10, count); ++k)
        batch.append(1000 + k, "k" + std::to_string(k), "v" + std::to_string(k));
      (*producer)->send({topic, partition}, std::move(batch),
                        [](Expected<int64_t> offset) { EXPECT_TRUE(offset) << offset.error().message; });
    }
    ASSERT_TRUE((*producer)->flush(seconds(10)));
  }
  /// Polls until `count` values have come.
  std::vector<std::string> read(Consumer& consumer, size_t count) {
    std::vector<std::string> values;
    const auto until = std::chrono::steady_clock::now() + seconds(10);
    while (values.size() < count && std::chrono::steady_clock::now() < until) {
      auto fetched = consumer.poll(milliseconds(200));
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched) break;
      for (const auto& each : *fetched) {
        for (const RecordView& record : each.records) values.emplace_back(*record.value);
      }
    }
    return values;
  }
  PosixFileSystem fs_;
  SystemClock clock_;
  Path folder_;
  std::unique_ptr<EmbeddedLogClient> client_;
};

TEST_F(EmbeddedLogClientTest, ProducesConsumesCommitsAndGoesOnAfterReopening) {
  ASSERT_TRUE(client_->admin().create_topic({.name = "orders", .partitions = 1, .configs = {{"retention.ms", "-1"}}}));
  EXPECT_EQ(client_->admin().create_topic({.name = "orders", .partitions = 1, .configs = {}}).error().code,
            ErrorCode::kAlreadyExists);
  send("orders", 0, 100, Codec::kZstd);
  const TopicPartition orders{"orders", 0};
  {
    Recorder listener;
    auto consumer = client_->consumer({.group_id = "connect-sink", .client_id = {}, .max_poll_records = 7});
    ASSERT_TRUE((*consumer)->subscribe({"orders"}, listener));
    const auto values = read(**consumer, 40);
    ASSERT_GE(values.size(), 40U);
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], "v" + std::to_string(i));
    EXPECT_EQ(listener.assigned, std::vector{orders});
    ASSERT_TRUE((*consumer)->commit({{orders, {40, "meta"}}}));
  }
  const std::string cluster = client_->admin().cluster_id();
  open();
  EXPECT_EQ(client_->admin().cluster_id(), cluster);
  Recorder listener;
  auto consumer = client_->consumer({.group_id = "connect-sink", .client_id = {}});
  EXPECT_EQ((*(*consumer)->committed(orders))->metadata, "meta");
  ASSERT_TRUE((*consumer)->subscribe({"orders"}, listener));
  EXPECT_EQ(read(**consumer, 60).front(), "v40");
  EXPECT_EQ(*client_->admin().latest_offset(orders), 100);
  EXPECT_EQ(*client_->admin().offset_for_time(orders, 1050), std::optional<int64_t>(50));
  EXPECT_EQ(client_->admin().alter_group_offsets("connect-sink", {{orders, 0}}).error().code, ErrorCode::kConflict);
  consumer->reset();
  ASSERT_TRUE(client_->admin().alter_group_offsets("connect-sink", {{orders, 3}}));
  EXPECT_EQ(client_->admin().group_offsets("connect-sink")->at(orders).offset, 3);
  ASSERT_TRUE(client_->admin().delete_group("connect-sink"));
  EXPECT_TRUE(client_->admin().group_offsets("connect-sink")->empty());
  ASSERT_TRUE(client_->admin().delete_topic("orders"));
  EXPECT_EQ(client_->admin().describe_topic("orders").error().code, ErrorCode::kNotFound);
}

TEST_F(EmbeddedLogClientTest, APollReadsOnWhileThereIsMoreAndRoom) {
  ASSERT_TRUE(client_->admin().create_topic({.name = "t", .partitions = 2, .configs = {}}));
  send("t", 0, 100);
  send("t", 1, 30);
  const auto polled = [&](size_t poll_bytes, size_t records) {
    auto consumer =
        client_->consumer({.max_poll_records = records, .partition_fetch_bytes_max = 1, .poll_bytes = poll_bytes});
    EXPECT_TRUE((*consumer)->assign({{"t", 0}, {"t", 1}}));
    std::map<int32_t, int64_t> next;
    auto fetched = (*consumer)->poll(milliseconds(0));
    for (const FetchedPartition& each : fetched.value()) {
      for (const RecordView& record : each.records) EXPECT_EQ(record.offset, next[each.from.partition]++);
      EXPECT_EQ(each.next_offset, next[each.from.partition]);
    }
    return next;
  };
  using Counts = std::map<int32_t, int64_t>;
  EXPECT_EQ(polled(0, 500), (Counts{{0, 10}, {1, 10}})) << "a batch of ten each, as ever";
  EXPECT_EQ(polled(1 << 20, 500), (Counts{{0, 100}, {1, 30}}));
  EXPECT_EQ(polled(1 << 20, 75), (Counts{{0, 45}, {1, 30}}));
  EXPECT_EQ(polled(100, 500), (Counts{{0, 20}, {1, 20}}))
      << "keys and values of 40 and, from the tenth record on, 60 bytes a batch";
}

TEST_F(EmbeddedLogClientTest, TwoMembersShareAndHandOver) {
  ASSERT_TRUE(client_->admin().create_topic({.name = "shared-a", .partitions = 3, .configs = {}}));
  Recorder first_listener, second_listener;
  auto first = client_->consumer({.group_id = "g", .client_id = "one"});
  auto second = client_->consumer({.group_id = "g", .client_id = "two"});
  ASSERT_TRUE((*first)->subscribe_pattern("shared-.*", first_listener));
  ASSERT_TRUE((*first)->poll(milliseconds(0)));
  EXPECT_EQ(first_listener.assigned.size(), 3U);
  ASSERT_TRUE((*second)->subscribe_pattern("shared-.*", second_listener));
  ASSERT_TRUE((*second)->poll(milliseconds(0)));
  EXPECT_EQ(second_listener.assignments, 0) << "the first member still holds the partitions";
  ASSERT_TRUE((*first)->commit({{{"shared-a", 0}, {0, ""}}}));
  ASSERT_TRUE((*first)->poll(milliseconds(0)));
  EXPECT_EQ(first_listener.revoked, 3U);
  ASSERT_TRUE((*second)->poll(milliseconds(0)));
  EXPECT_EQ(first_listener.assigned.size() + second_listener.assigned.size(), 3U);
  // A new topic that matches the pattern starts another generation.
  ASSERT_TRUE(client_->admin().create_topic({.name = "shared-b", .partitions = 1, .configs = {}}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE((*first)->poll(milliseconds(0)));
    ASSERT_TRUE((*second)->poll(milliseconds(0)));
  }
  EXPECT_EQ(first_listener.assigned.size() + second_listener.assigned.size(), 4U);
  first->reset();
  ASSERT_TRUE((*second)->poll(milliseconds(0)));
  EXPECT_EQ(second_listener.assigned.size(), 4U);
}

TEST_F(EmbeddedLogClientTest, PauseSeekAndWakeup) {
  send("auto", 0, 20);
  auto consumer = client_->consumer({});
  const TopicPartition name{"auto", 0};
  ASSERT_TRUE((*consumer)->assign({name}));
  (*consumer)->pause({name});
  EXPECT_TRUE((*consumer)->poll(milliseconds(0))->empty());
  (*consumer)->resume({name});
  ASSERT_TRUE((*consumer)->seek(name, 15));
  EXPECT_EQ(read(**consumer, 5).front(), "v15");
  EXPECT_EQ(*(*consumer)->position(name), 20);
  ASSERT_TRUE((*consumer)->seek(name, 500));
  EXPECT_EQ(read(**consumer, 20).size(), 20U) << "outside the log: the reset policy";
  std::thread waker([&] { (*consumer)->wakeup(); });
  EXPECT_TRUE((*consumer)->poll(seconds(60))->empty());
  waker.join();
  EXPECT_EQ(client_->producer("p").value()->partition_count("bad name").error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(client_->admin().create_topic({.name = "x", .configs = {{"no.such", "1"}}}).error().code,
            ErrorCode::kInvalidConfig);
}

TEST_F(EmbeddedLogClientTest, AWaitingPollIsWokenByAnAppend) {
  ASSERT_TRUE(client_->admin().create_topic({.name = "live", .partitions = 1, .configs = {}}));
  auto consumer = client_->consumer({});
  ASSERT_TRUE((*consumer)->assign({{"live", 0}}));
  std::thread writer([&] { send("live", 0, 10); });
  const auto fetched = (*consumer)->poll(seconds(60));
  writer.join();
  ASSERT_TRUE(fetched);
  ASSERT_EQ(fetched->size(), 1U);
  EXPECT_EQ(fetched->front().records.size(), 10U);
}

}  // namespace
}  // namespace millrace
