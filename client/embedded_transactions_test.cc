/// Transactions of the embedded log as its clients see them: all or nothing, fencing, and read_committed.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "broker/node.h"
#include "client/embedded_log_client.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EmbeddedTransactionsTest : public ::testing::Test {
 protected:
  EmbeddedTransactionsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    open();
  }
  ~EmbeddedTransactionsTest() override {
    client_.reset();
    node_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    client_.reset();
    node_.reset();
    auto node = Node::open(fs_, clock_, {}, {.broker = {.directory = folder_}});
    ASSERT_TRUE(node) << error_trace(node.error());
    node_ = std::move(*node);
    client_ =
        EmbeddedLogClient::over(node_->broker(), node_->groups(), {.directory = folder_}, {}, &node_->transactions());
  }
  std::unique_ptr<TransactionalProducer> producer(const std::string& id) {
    auto made = client_->transactional_producer({.client_id = "p", .transactional_id = id});
    EXPECT_TRUE(made) << error_trace(made.error());
    return std::move(*made);
  }
  static Status send(TransactionalProducer& to, const std::string& topic, const std::vector<std::string>& values) {
    RecordBatchBuilder batch({.transactional = true});
    for (const std::string& value : values) batch.append(1000, std::nullopt, BytesView(value));
    Status outcome;
    to.send({topic, 0}, std::move(batch), [&](Expected<int64_t> offset) {
      if (!offset) outcome = fail(std::move(offset.error()));
    });
    if (auto flushed = to.flush(seconds(10)); !flushed) return flushed;
    return outcome;
  }
  /// Everything that a reader from the start sees now.
  std::vector<std::string> visible(const std::string& topic, bool read_committed) {
    auto consumer = client_->consumer({.read_committed = read_committed});
    EXPECT_TRUE((*consumer)->assign({{topic, 0}}));
    std::vector<std::string> values;
    while (true) {
      auto fetched = (*consumer)->poll(milliseconds(0));
      EXPECT_TRUE(fetched) << error_trace(fetched.error());
      if (!fetched || fetched->empty()) return values;
      for (const auto& each : *fetched) {
        for (const RecordView& record : each.records) values.emplace_back(*record.value);
      }
    }
  }
  using Values = std::vector<std::string>;
  PosixFileSystem fs_;
  SystemClock clock_;
  Path folder_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<EmbeddedLogClient> client_;
};

TEST_F(EmbeddedTransactionsTest, RecordsAppearTogetherInAllTopicsAndAbortedOnesNever) {
  auto writer = producer("w");
  ASSERT_TRUE(send(*writer, "a", {"1", "2"}));
  ASSERT_TRUE(send(*writer, "b", {"x"}));
  EXPECT_TRUE(writer->in_transaction());
  EXPECT_EQ(visible("a", true), Values{});
  EXPECT_EQ(visible("a", false), (Values{"1", "2"}));
  ASSERT_TRUE(writer->commit());
  EXPECT_FALSE(writer->in_transaction());
  EXPECT_EQ(visible("a", true), (Values{"1", "2"}));
  EXPECT_EQ(visible("b", true), (Values{"x"}));
  ASSERT_TRUE(send(*writer, "a", {"3"}));
  ASSERT_TRUE(writer->abort());
  ASSERT_TRUE(writer->commit()) << "nothing is open: nothing happens";
  ASSERT_TRUE(send(*writer, "a", {"4"}));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(visible("a", true), (Values{"1", "2", "4"}));
  EXPECT_EQ(visible("a", false), (Values{"1", "2", "3", "4"}));
}

TEST_F(EmbeddedTransactionsTest, AnOpenTransactionHidesWhatFollowsIt) {
  auto first = producer("first");
  auto second = producer("second");
  ASSERT_TRUE(send(*first, "t", {"open"}));
  ASSERT_TRUE(send(*second, "t", {"later"}));
  ASSERT_TRUE(second->commit());
  EXPECT_EQ(visible("t", true), Values{}) << "records keep their order: what is behind waits";
  auto reader = client_->consumer({.read_committed = true});
  ASSERT_TRUE((*reader)->assign({{"t", 0}}));
  EXPECT_TRUE((*reader)->poll(milliseconds(0))->empty());
  ASSERT_TRUE(first->abort());
  auto fetched = (*reader)->poll(seconds(10));
  ASSERT_TRUE(fetched);
  ASSERT_EQ(fetched->size(), 1U);
  EXPECT_EQ(*fetched->front().records.front().value, "later");
}

TEST_F(EmbeddedTransactionsTest, ASuccessorFencesAndAbortsItsPredecessor) {
  auto old = producer("id");
  ASSERT_TRUE(send(*old, "t", {"lost"}));
  auto young = producer("id");
  ASSERT_TRUE(send(*young, "t", {"kept"}));
  ASSERT_TRUE(young->commit());
  EXPECT_FALSE(send(*old, "t", {"too late"}));
  const Status committed = old->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::kFenced) << error_trace(committed.error());
  EXPECT_EQ(visible("t", true), (Values{"kept"}));
}

TEST_F(EmbeddedTransactionsTest, WhatAKilledProcessLeftOpenIsAborted) {
  {
    auto writer = producer("id");
    ASSERT_TRUE(send(*writer, "t", {"done"}));
    ASSERT_TRUE(writer->commit());
    ASSERT_TRUE(send(*writer, "t", {"half"}));
  }
  open();
  EXPECT_EQ(visible("t", true), (Values{"done"}));
  ASSERT_TRUE(client_->admin().abort_transactions_on("other"));
  auto bystander = producer("bystander");
  ASSERT_TRUE(send(*bystander, "t", {"behind"}));
  ASSERT_TRUE(bystander->commit());
  EXPECT_EQ(visible("t", true), (Values{"done"})) << "still open";
  ASSERT_TRUE(client_->admin().abort_transactions_on("t"));
  EXPECT_EQ(visible("t", true), (Values{"done", "behind"}));
}

TEST_F(EmbeddedTransactionsTest, WithoutAResetPolicyAMissingPositionIsAnError) {
  auto writer = producer("id");
  ASSERT_TRUE(send(*writer, "t", {"x"}));
  ASSERT_TRUE(writer->commit());
  auto consumer = client_->consumer({.group_id = "g", .reset = false});
  const Status assigned = (*consumer)->assign({{"t", 0}});
  ASSERT_FALSE(assigned);
  EXPECT_EQ(assigned.error().exception, "org.apache.kafka.clients.consumer.NoOffsetForPartitionException");
  auto lost = client_->consumer({.reset = false});
  EXPECT_FALSE((*lost)->assign({{"t", 0}}));
}

}  // namespace
}  // namespace millrace
