#include "broker/transaction/transaction_state.h"

#include <gtest/gtest.h>

#include "broker/transaction/transaction_records.h"

namespace millrace {
namespace {

using enum TransactionStatus;
constexpr int64_t kNow = 1'700'000'000'000;
const PartitionKey kA{"a", 0};
const PartitionKey kB{"b", 3};

TransactionState state_in(TransactionStatus status, ProducerIdAndEpoch producer = {7, 4}) {
  TransactionState state;
  state.producer = producer;
  state.timeout_ms = 1000;
  state.status = status;
  state.update_ms = kNow - 10;
  if (status == kOngoing || state.prepared()) state.partitions = {kA};
  if (status != kEmpty) state.start_ms = kNow - 10;
  return state;
}

struct Row {
  TransactionStatus from;
  KafkaError error;
  std::optional<TransactionStatus> to;
};

TEST(TransactionState, InitProducerIdByState) {
  const Row rows[] = {{kEmpty, KafkaError::kNone, kEmpty},
                      {kOngoing, KafkaError::kConcurrentTransactions, kPrepareAbort},
                      {kPrepareCommit, KafkaError::kConcurrentTransactions, {}},
                      {kPrepareAbort, KafkaError::kConcurrentTransactions, {}},
                      {kCompleteCommit, KafkaError::kNone, kEmpty},
                      {kCompleteAbort, KafkaError::kNone, kEmpty}};
  for (const Row& row : rows) {
    SCOPED_TRACE(transaction_status_name(row.from));
    const Transition got = init_producer_id(state_in(row.from), {}, 2000, {}, kNow);
    EXPECT_EQ(got.error, row.error);
    ASSERT_EQ(got.next.has_value(), row.to.has_value());
    if (!row.to) continue;
    EXPECT_EQ(got.next->status, *row.to);
    EXPECT_EQ(got.next->producer, (ProducerIdAndEpoch{7, 5}));
    EXPECT_EQ(got.next->timeout_ms, *row.to == kEmpty ? 2000 : 1000);
    EXPECT_EQ(got.next->partitions.empty(), *row.to == kEmpty);
  }
}

TEST(TransactionState, InitProducerIdOfANewId) {
  TransactionState state;
  state.producer.id = 12;
  const Transition got = init_producer_id(state, {}, 500, 12, kNow);
  ASSERT_TRUE(got.next);
  EXPECT_EQ(got.next->producer, (ProducerIdAndEpoch{12, 0}));
}

TEST(TransactionState, RecoveryNeedsTheCurrentOrTheLastEpoch) {
  TransactionState state = state_in(kCompleteAbort);
  Transition got = init_producer_id(state, ProducerIdAndEpoch{7, 4}, 1000, {}, kNow);
  ASSERT_TRUE(got.next);
  EXPECT_EQ(got.next->producer.epoch, 5);
  EXPECT_EQ(got.next->last_producer_epoch, 4);
  // The same request again, as its answer was lost.
  const Transition again = init_producer_id(*got.next, ProducerIdAndEpoch{7, 4}, 1000, {}, kNow);
  ASSERT_TRUE(again.next);
  EXPECT_EQ(again.next->producer.epoch, 5);
  for (const ProducerIdAndEpoch stranger : {ProducerIdAndEpoch{7, 3}, ProducerIdAndEpoch{7, 6}, {8, 5}}) {
    const Transition fenced = init_producer_id(*got.next, stranger, 1000, {}, kNow);
    EXPECT_EQ(fenced.error, KafkaError::kProducerFenced);
    EXPECT_FALSE(fenced.next);
  }
}

TEST(TransactionState, ExhaustedEpochsTakeAFreshId) {
  const TransactionState state = state_in(kCompleteCommit, {7, INT16_MAX - 1});
  EXPECT_TRUE(init_producer_id(state, {}, 1000, {}, kNow).needs_producer_id);
  const Transition got = init_producer_id(state, {}, 1000, 40, kNow);
  ASSERT_TRUE(got.next);
  EXPECT_EQ(got.next->producer, (ProducerIdAndEpoch{40, 0}));
  EXPECT_EQ(got.next->previous_producer_id, 7);
  // A producer that recovers with the old id at its last epoch is still known, one with an older epoch is not.
  EXPECT_FALSE(init_producer_id(*got.next, ProducerIdAndEpoch{7, 30}, 1000, {}, kNow).next);
  const Transition recovered =
      init_producer_id(*init_producer_id(state, ProducerIdAndEpoch{7, INT16_MAX - 1}, 1000, 40, kNow).next,
                       ProducerIdAndEpoch{7, INT16_MAX - 1}, 1000, {}, kNow);
  ASSERT_TRUE(recovered.next);
  EXPECT_EQ(recovered.next->producer, (ProducerIdAndEpoch{40, 0}));
  // An open transaction is fenced with the very last epoch.
  const Transition aborted = init_producer_id(state_in(kOngoing, {7, INT16_MAX - 1}), {}, 1000, {}, kNow);
  ASSERT_TRUE(aborted.next);
  EXPECT_EQ(aborted.next->producer.epoch, INT16_MAX);
  EXPECT_TRUE(init_producer_id(completed(*aborted.next, kNow), {}, 1000, {}, kNow).needs_producer_id);
}

TEST(TransactionState, AddPartitionsByState) {
  const Row rows[] = {{kEmpty, KafkaError::kNone, kOngoing},
                      {kOngoing, KafkaError::kNone, kOngoing},
                      {kPrepareCommit, KafkaError::kConcurrentTransactions, {}},
                      {kPrepareAbort, KafkaError::kConcurrentTransactions, {}},
                      {kCompleteCommit, KafkaError::kNone, kOngoing},
                      {kCompleteAbort, KafkaError::kNone, kOngoing}};
  for (const Row& row : rows) {
    SCOPED_TRACE(transaction_status_name(row.from));
    const Transition got = add_partitions(state_in(row.from), {7, 4}, {kB}, kTransactionsV1, kNow);
    EXPECT_EQ(got.error, row.error);
    ASSERT_EQ(got.next.has_value(), row.to.has_value());
    if (!row.to) continue;
    EXPECT_EQ(got.next->status, kOngoing);
    EXPECT_TRUE(got.next->partitions.contains(kB));
    EXPECT_EQ(got.next->start_ms, row.from == kOngoing ? kNow - 10 : kNow);
  }
  EXPECT_EQ(add_partitions(state_in(kOngoing), {7, 4}, {kA}, kTransactionsV1, kNow).next, std::nullopt);
  EXPECT_EQ(add_partitions(state_in(kEmpty), {8, 4}, {kA}, kTransactionsV1, kNow).error,
            KafkaError::kInvalidProducerIdMapping);
  EXPECT_EQ(add_partitions(state_in(kEmpty), {7, 3}, {kA}, kTransactionsV1, kNow).error, KafkaError::kProducerFenced);
}

struct EndRow {
  TransactionStatus from;
  bool commit;
  KafkaError error;
  std::optional<TransactionStatus> to;
};

TEST(TransactionState, EndByState) {
  const EndRow rows[] = {{kEmpty, true, KafkaError::kInvalidTxnState, {}},
                         {kEmpty, false, KafkaError::kInvalidTxnState, {}},
                         {kOngoing, true, KafkaError::kNone, kPrepareCommit},
                         {kOngoing, false, KafkaError::kNone, kPrepareAbort},
                         {kPrepareCommit, true, KafkaError::kConcurrentTransactions, {}},
                         {kPrepareCommit, false, KafkaError::kInvalidTxnState, {}},
                         {kPrepareAbort, true, KafkaError::kInvalidTxnState, {}},
                         {kPrepareAbort, false, KafkaError::kConcurrentTransactions, {}},
                         {kCompleteCommit, true, KafkaError::kNone, {}},
                         {kCompleteCommit, false, KafkaError::kInvalidTxnState, {}},
                         {kCompleteAbort, true, KafkaError::kInvalidTxnState, {}},
                         {kCompleteAbort, false, KafkaError::kNone, {}}};
  for (const EndRow& row : rows) {
    SCOPED_TRACE(std::string(transaction_status_name(row.from)) + (row.commit ? " commit" : " abort"));
    const Transition got = end_transaction(state_in(row.from), {7, 4}, row.commit, kTransactionsV1, {}, kNow);
    EXPECT_EQ(got.error, row.error);
    ASSERT_EQ(got.next.has_value(), row.to.has_value());
    if (row.to) {
      EXPECT_EQ(got.next->status, *row.to);
      EXPECT_EQ(got.next->producer.epoch, 4);
    }
    EXPECT_EQ(end_transaction(state_in(row.from), {8, 4}, row.commit, kTransactionsV1, {}, kNow).error,
              KafkaError::kInvalidProducerIdMapping);
    EXPECT_EQ(end_transaction(state_in(row.from), {7, 3}, row.commit, kTransactionsV1, {}, kNow).error,
              KafkaError::kProducerFenced);
  }
}

TEST(TransactionState, EndOfVersion2RaisesTheEpoch) {
  const Transition ended = end_transaction(state_in(kOngoing), {7, 4}, true, kTransactionsV2, {}, kNow);
  ASSERT_TRUE(ended.next);
  EXPECT_EQ(ended.next->producer, (ProducerIdAndEpoch{7, 5}));
  EXPECT_EQ(end_transaction(*ended.next, {7, 4}, true, kTransactionsV2, {}, kNow).error,
            KafkaError::kConcurrentTransactions);
  const TransactionState done = completed(*ended.next, kNow);
  EXPECT_EQ(done.status, kCompleteCommit);
  EXPECT_EQ(producer_after(done), (ProducerIdAndEpoch{7, 5}));
  // Again, as the answer was lost; the other way round; and the next abort, of a transaction that has not begun.
  EXPECT_EQ(end_transaction(done, {7, 4}, true, kTransactionsV2, {}, kNow).error, KafkaError::kNone);
  EXPECT_FALSE(end_transaction(done, {7, 4}, true, kTransactionsV2, {}, kNow).next);
  EXPECT_EQ(end_transaction(done, {7, 4}, false, kTransactionsV2, {}, kNow).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(end_transaction(done, {7, 5}, true, kTransactionsV2, {}, kNow).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(end_transaction(done, {7, 3}, true, kTransactionsV2, {}, kNow).error, KafkaError::kProducerFenced);
  const Transition nothing = end_transaction(done, {7, 5}, false, kTransactionsV2, {}, kNow);
  ASSERT_TRUE(nothing.next);
  EXPECT_EQ(nothing.next->status, kPrepareAbort);
  EXPECT_EQ(nothing.next->producer.epoch, 6);
}

TEST(TransactionState, EndOfVersion2GoesOnWithAFreshId) {
  const TransactionState last = state_in(kOngoing, {7, INT16_MAX - 1});
  EXPECT_TRUE(end_transaction(last, {7, INT16_MAX - 1}, true, kTransactionsV2, {}, kNow).needs_producer_id);
  const Transition ended = end_transaction(last, {7, INT16_MAX - 1}, true, kTransactionsV2, 90, kNow);
  ASSERT_TRUE(ended.next);
  EXPECT_EQ(ended.next->producer, (ProducerIdAndEpoch{7, INT16_MAX}));
  EXPECT_EQ(producer_after(*ended.next), (ProducerIdAndEpoch{90, 0}));
  const TransactionState done = completed(*ended.next, kNow);
  EXPECT_EQ(done.producer, (ProducerIdAndEpoch{90, 0}));
  EXPECT_EQ(end_transaction(done, {7, INT16_MAX - 1}, true, kTransactionsV2, {}, kNow).error, KafkaError::kNone);
}

TEST(TransactionState, TimedOutTransactionsAreFenced) {
  const TransactionState state = state_in(kOngoing);
  EXPECT_FALSE(timed_out(state, kNow - 10 + 1000));
  EXPECT_TRUE(timed_out(state, kNow - 10 + 1001));
  const TransactionState aborted = fenced_abort(state, kNow);
  EXPECT_EQ(aborted.producer.epoch, 5);
  EXPECT_EQ(end_transaction(completed(aborted, kNow), {7, 4}, false, kTransactionsV2, {}, kNow).error,
            KafkaError::kProducerFenced);
}

TEST(TransactionState, IdsExpireOnlyWhenIdle) {
  EXPECT_TRUE(expired(state_in(kEmpty), kNow, 10));
  EXPECT_TRUE(expired(state_in(kCompleteAbort), kNow, 10));
  EXPECT_FALSE(expired(state_in(kCompleteAbort), kNow, 11));
  EXPECT_FALSE(expired(state_in(kOngoing), kNow, 10));
  EXPECT_FALSE(expired(state_in(kPrepareCommit), kNow, 10));
}

TEST(TransactionRecords, RoundTrip) {
  TransactionState state = state_in(kPrepareCommit);
  state.partitions = {kA, kB, {"a", 5}};
  state.previous_producer_id = 3;
  state.next_producer_id = 99;
  state.client_version = kTransactionsV2;
  const auto read = read_transaction_value(write_transaction_value(state));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, state);
  const auto key = read_transaction_key(write_transaction_key("my-id"));
  ASSERT_TRUE(key && *key);
  EXPECT_EQ(**key, "my-id");
  EXPECT_FALSE(*read_transaction_key(std::string("\0\7x", 3)));
  EXPECT_FALSE(read_transaction_value(std::string("\0\7x", 3)));
  const std::string whole = write_transaction_value(state);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_transaction_value(whole.substr(0, size))) << size;
}

}  // namespace
}  // namespace millrace
