#include "broker/transaction/transaction_coordinator.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/transaction/transaction_records.h"
#include "broker/transaction/transaction_testing.h"

namespace millrace {
namespace {

struct Answer {
  std::optional<KafkaError> error;
  ProducerIdAndEpoch producer;
};

class Coordinator : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    const Status opened = world_.open();
    ASSERT_TRUE(opened) << error_trace(opened.error());
    ASSERT_TRUE(world_.make_log({"a", 0}));
    ASSERT_TRUE(world_.make_log({"a", 1}));
    world_.settle();
  }
  void crash() {
    world_.crash(1);
    open();
  }
  TransactionCoordinator& coordinator() { return world_.coordinator(); }
  TransactionCoordinator::ProducerDone into(const std::shared_ptr<Answer>& answer) {
    return [answer](KafkaError error, ProducerIdAndEpoch producer) { *answer = {error, producer}; };
  }
  Answer settled(const std::shared_ptr<Answer>& answer) {
    world_.settle();
    return *answer;
  }

  Answer init(const std::string& id, std::optional<ProducerIdAndEpoch> expected = {}, int32_t timeout_ms = 1000) {
    auto answer = std::make_shared<Answer>();
    coordinator().init_producer_id(id, timeout_ms, expected, into(answer));
    return settled(answer);
  }
  KafkaError add(const std::string& id, ProducerIdAndEpoch producer, std::vector<PartitionKey> keys) {
    auto error = std::make_shared<KafkaError>(KafkaError::kUnknownServerError);
    coordinator().add_partitions(id, producer, std::move(keys), kTransactionsV1, [error](KafkaError e) { *error = e; });
    world_.settle();
    return *error;
  }
  Answer end(const std::string& id, ProducerIdAndEpoch producer, bool commit, int16_t version = kTransactionsV1) {
    auto answer = std::make_shared<Answer>();
    coordinator().end_transaction(id, producer, commit, version, into(answer));
    return settled(answer);
  }
  void sync_decision() {
    for (const auto& [key, log] : world_.logs()) {
      if (key.first != kTransactionsTopic) continue;
      ASSERT_TRUE(log->flush());
    }
  }
  void produce(const PartitionKey& key, ProducerIdAndEpoch producer, int32_t sequence) {
    RecordBatchBuilder builder({.producer_id = producer.id,
                                .producer_epoch = producer.epoch,
                                .base_sequence = sequence,
                                .transactional = true});
    builder.append(world_.clock.wall_ms(), {}, "value");
    ASSERT_TRUE(builder.finish());
    std::string batch = builder.take();
    ASSERT_TRUE(world_.log(key).append(batch));
    world_.settle();
  }

  TransactionWorld world_;
};

TEST_F(Coordinator, CommitsATransaction) {
  const Answer first = init("tx");
  ASSERT_EQ(first.error, KafkaError::kNone);
  EXPECT_EQ(first.producer.epoch, 0);
  EXPECT_EQ(coordinator().verify("tx", first.producer.id, 0, {"a", 0}), KafkaError::kTransactionAbortable);
  EXPECT_EQ(end("tx", first.producer, true).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(add("tx", first.producer, {{"a", 0}, {"a", 1}}), KafkaError::kNone);
  EXPECT_EQ(coordinator().verify("tx", first.producer.id, 0, {"a", 0}), KafkaError::kNone);
  produce({"a", 0}, first.producer, 0);
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 0);
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kOngoing);
  EXPECT_EQ(end("tx", first.producer, true).error, KafkaError::kNone);
  EXPECT_EQ(end("tx", first.producer, true).error, KafkaError::kNone);
  EXPECT_EQ(end("tx", first.producer, false).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 2);
  EXPECT_EQ(world_.log({"a", 1}).last_stable_offset(), 1);
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kCompleteCommit);
  EXPECT_EQ(coordinator().verify("tx", first.producer.id, 0, {"a", 0}), KafkaError::kTransactionAbortable);
}

TEST_F(Coordinator, RefusesWhatCannotBe) {
  EXPECT_EQ(init("").error, KafkaError::kInvalidRequest);
  EXPECT_EQ(init("tx", {}, 0).error, KafkaError::kInvalidTransactionTimeout);
  EXPECT_EQ(init("tx", {}, 900'001).error, KafkaError::kInvalidTransactionTimeout);
  EXPECT_EQ(add("tx", {1, 0}, {{"a", 0}}), KafkaError::kInvalidProducerIdMapping);
  EXPECT_EQ(end("tx", {1, 0}, true).error, KafkaError::kInvalidProducerIdMapping);
  EXPECT_EQ(coordinator().verify("tx", 1, 0, {"a", 0}), KafkaError::kInvalidProducerIdMapping);
  EXPECT_FALSE(coordinator().describe("tx"));
  EXPECT_TRUE(coordinator().list().empty());
}

TEST_F(Coordinator, ASecondInstanceFencesTheFirst) {
  const ProducerIdAndEpoch first = init("tx").producer;
  EXPECT_EQ(add("tx", first, {{"a", 0}}), KafkaError::kNone);
  produce({"a", 0}, first, 0);
  // The open transaction is aborted behind the answer; asking again succeeds.
  EXPECT_EQ(init("tx").error, KafkaError::kConcurrentTransactions);
  const Answer second = init("tx");
  ASSERT_EQ(second.error, KafkaError::kNone);
  EXPECT_EQ(second.producer, (ProducerIdAndEpoch{first.id, 2}));
  EXPECT_EQ(add("tx", first, {{"a", 0}}), KafkaError::kProducerFenced);
  EXPECT_EQ(end("tx", first, true).error, KafkaError::kProducerFenced);
  EXPECT_EQ(coordinator().verify("tx", first.id, first.epoch, {"a", 0}), KafkaError::kProducerFenced);
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 2);
  EXPECT_EQ(world_.log({"a", 0}).aborted_transactions(0, 2).size(), 1u);
  EXPECT_EQ(init("tx", first).error, KafkaError::kProducerFenced);
}

TEST_F(Coordinator, WhatMeetsAPendingChangeWaitsOrIsTurnedAway) {
  const ProducerIdAndEpoch producer = init("tx").producer;
  std::vector<std::pair<char, KafkaError>> answers;
  const auto note = [&answers](char who) {
    return [&answers, who](KafkaError error) { answers.emplace_back(who, error); };
  };
  const auto noted_end = [&](char who) { return [=](KafkaError error, ProducerIdAndEpoch) { note(who)(error); }; };
  // Version 2: all in their order, the end last.
  coordinator().add_partitions("tx", producer, {{"a", 0}}, kTransactionsV2, note('a'));
  coordinator().end_transaction("tx", producer, true, kTransactionsV2, noted_end('e'));
  coordinator().add_partitions("tx", producer, {{"a", 1}}, kTransactionsV2, note('b'));
  EXPECT_TRUE(answers.empty());
  world_.settle();
  EXPECT_EQ(answers, (std::vector{std::pair{'a', KafkaError::kNone}, std::pair{'b', KafkaError::kNone},
                                  std::pair{'e', KafkaError::kNone}}));
  EXPECT_EQ(world_.log({"a", 1}).end_offset(), 1);
  // Version 1 asks one thing at a time, so whoever else asks is told to come back.
  answers.clear();
  const ProducerIdAndEpoch second = init("tx").producer;
  coordinator().add_partitions("tx", second, {{"a", 0}}, kTransactionsV1, note('a'));
  coordinator().add_partitions("tx", second, {{"a", 1}}, kTransactionsV1, note('b'));
  coordinator().end_transaction("tx", second, true, kTransactionsV1, noted_end('e'));
  world_.settle();
  EXPECT_EQ(answers,
            (std::vector{std::pair{'b', KafkaError::kConcurrentTransactions},
                         std::pair{'e', KafkaError::kConcurrentTransactions}, std::pair{'a', KafkaError::kNone}}));
}

TEST_F(Coordinator, Version2GoesOnWithTheNextEpoch) {
  ProducerIdAndEpoch producer = init("tx").producer;
  for (int16_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(producer.epoch, epoch);
    EXPECT_EQ(add("tx", producer, {{"a", 0}}), KafkaError::kNone);
    produce({"a", 0}, producer, 0);
    const Answer ended = end("tx", producer, true, kTransactionsV2);
    ASSERT_EQ(ended.error, KafkaError::kNone);
    EXPECT_EQ(end("tx", producer, true, kTransactionsV2).producer, ended.producer);
    producer = ended.producer;
  }
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 6);
}

TEST_F(Coordinator, FinishesADecisionAfterACrash) {
  const ProducerIdAndEpoch producer = init("tx").producer;
  ASSERT_EQ(add("tx", producer, {{"a", 0}, coordinator().offsets_partition("g")}), KafkaError::kNone);
  produce({"a", 0}, producer, 0);
  coordinator().end_transaction("tx", producer, true, kTransactionsV1, [](KafkaError, ProducerIdAndEpoch) {});
  sync_decision();
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 0);
  world_.offsets_completed.clear();
  crash();
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 2);
  EXPECT_TRUE(world_.log({"a", 0}).aborted_transactions(0, 2).empty());
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kCompleteCommit);
  ASSERT_EQ(world_.offsets_completed.size(), 1u);
  EXPECT_EQ(world_.offsets_completed[0], std::tuple(producer.id, coordinator().offsets_partition("g").second, true));
  EXPECT_EQ(end("tx", producer, true).error, KafkaError::kNone);
}

TEST_F(Coordinator, AbortsWhatTimesOut) {
  const ProducerIdAndEpoch producer = init("tx").producer;
  ASSERT_EQ(add("tx", producer, {{"a", 0}}), KafkaError::kNone);
  produce({"a", 0}, producer, 0);
  coordinator().scan();
  world_.settle();
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kOngoing);
  crash();
  world_.clock.advance(std::chrono::milliseconds(1001));
  coordinator().scan();
  world_.settle();
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kCompleteAbort);
  EXPECT_EQ(world_.log({"a", 0}).aborted_transactions(0, 2).size(), 1u);
  EXPECT_EQ(end("tx", producer, true).error, KafkaError::kProducerFenced);
}

TEST_F(Coordinator, ForgetsIdsAfterAWeek) {
  const ProducerIdAndEpoch producer = init("tx").producer;
  world_.clock.advance(std::chrono::hours(24 * 6));
  const ProducerIdAndEpoch other = init("other").producer;
  world_.clock.advance(std::chrono::hours(25));
  coordinator().scan();
  world_.settle();
  EXPECT_FALSE(coordinator().describe("tx"));
  EXPECT_TRUE(coordinator().describe("other"));
  crash();
  EXPECT_FALSE(coordinator().describe("tx"));
  EXPECT_EQ(init("other", other).producer.epoch, 1);
  EXPECT_NE(init("tx").producer.id, producer.id);
}

TEST_F(Coordinator, ProducerIdsAreNeverGivenTwice) {
  std::set<int64_t> given;
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 1500; ++i) {
      coordinator().init_idempotent_producer([&](KafkaError error, ProducerIdAndEpoch producer) {
        EXPECT_EQ(error, KafkaError::kNone);
        EXPECT_TRUE(given.insert(producer.id).second);
      });
    }
    world_.settle();
    crash();
  }
  EXPECT_EQ(given.size(), 4500u);
}

TEST_F(Coordinator, ProducerIdsGoOnBehindThoseFoundInTheLogs) {
  produce({"a", 0}, {123'456, 0}, 0);
  crash();
  EXPECT_EQ(init("tx").producer.id, 124'000);
}

TEST_F(Coordinator, TellsOfADamagedProducerIdFile) {
  world_.drop();
  ASSERT_TRUE(world_.fs.write_file_atomically("/logs/producer-ids", "0\n12"));
  const Status opened = world_.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message.find("producer-ids"), std::string::npos);
}

TEST_F(Coordinator, MarkersThatCannotBeWrittenAreTriedAgain) {
  const ProducerIdAndEpoch producer = init("tx").producer;
  ASSERT_EQ(add("tx", producer, {{"a", 0}}), KafkaError::kNone);
  produce({"a", 0}, producer, 0);
  auto answer = std::make_shared<Answer>();
  coordinator().end_transaction("tx", producer, true, kTransactionsV1, into(answer));
  sync_decision();
  world_.fs.fail_nth(0);
  world_.settle();
  EXPECT_EQ(answer->error, KafkaError::kNone);
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kPrepareCommit);
  EXPECT_EQ(add("tx", producer, {{"a", 0}}), KafkaError::kConcurrentTransactions);
  coordinator().scan();
  world_.settle();
  EXPECT_EQ(coordinator().describe("tx")->state.status, TransactionStatus::kCompleteCommit);
  EXPECT_EQ(world_.log({"a", 0}).last_stable_offset(), 2);
}

TEST_F(Coordinator, ErrorsForProduce) {
  const auto shown = TransactionCoordinator::error_for_produce;
  EXPECT_EQ(shown(KafkaError::kTransactionAbortable, 10), KafkaError::kInvalidTxnState);
  EXPECT_EQ(shown(KafkaError::kTransactionAbortable, 11), KafkaError::kTransactionAbortable);
  EXPECT_EQ(shown(KafkaError::kProducerFenced, 9), KafkaError::kInvalidProducerEpoch);
  EXPECT_EQ(shown(KafkaError::kConcurrentTransactions, 11), KafkaError::kNotEnoughReplicas);
  EXPECT_EQ(shown(KafkaError::kConcurrentTransactions, 12), KafkaError::kConcurrentTransactions);
  EXPECT_EQ(shown(KafkaError::kInvalidProducerIdMapping, 12), KafkaError::kInvalidProducerIdMapping);
}

}  // namespace
}  // namespace millrace
