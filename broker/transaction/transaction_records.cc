#include "broker/transaction/transaction_records.h"

#include <fmt/format.h>

#include "core/invariant.h"
#include "protocol/messages/control_records.h"
#include "protocol/messages/transaction_state_records.h"

namespace millrace {
namespace {

constexpr int16_t kKeyVersion = 0;
constexpr int16_t kValueVersion = 1;
constexpr int16_t kControlVersion = 0;

template <class Message>
std::string versioned(const Message& message, int16_t version) {
  std::string bytes;
  WireWriter out(bytes);
  out.number(version);
  message.encode(out, version);
  return bytes;
}

std::string finished(RecordBatchBuilder& builder) {
  // Uncompressed batches cannot fail to finish.
  invariant(builder.finish().has_value(), "an uncompressed batch finishes");
  return builder.take();
}

}  // namespace

Expected<std::optional<std::string>> read_transaction_key(BytesView key) {
  WireReader in(key);
  const auto version = in.number<int16_t>();
  if (!in.bad() && version != kKeyVersion) return std::nullopt;
  TransactionLogKey read;
  read.decode(in, version);
  if (in.bad()) return fail(ErrorCode::kCorruption, "the key of a transaction record is cut");
  return std::string(read.transactional_id);
}

Expected<TransactionState> read_transaction_value(BytesView value) {
  WireReader in(value);
  const auto version = in.number<int16_t>();
  if (in.bad() || version < TransactionLogValue::kVersionMin || version > TransactionLogValue::kVersionMax) {
    return fail(ErrorCode::kCorruption,
                fmt::format("a transaction record has value version {}, known are 0 and 1", version));
  }
  TransactionLogValue read;
  read.decode(in, version);
  const bool known = read.transaction_status >= 0 && read.transaction_status <= 7;
  if (in.bad() || !known) {
    return fail(ErrorCode::kCorruption,
                fmt::format("a transaction record of producer {} is cut or has the unknown state {}", read.producer_id,
                            read.transaction_status));
  }
  TransactionState state;
  state.producer = {read.producer_id, read.producer_epoch};
  state.previous_producer_id = read.previous_producer_id;
  state.next_producer_id = read.next_producer_id;
  state.next_producer_epoch = read.next_producer_epoch;
  state.timeout_ms = read.transaction_timeout_ms;
  state.status = static_cast<TransactionStatus>(read.transaction_status);
  state.start_ms = read.transaction_start_timestamp_ms;
  state.update_ms = read.transaction_last_update_timestamp_ms;
  state.client_version = read.client_transaction_version;
  if (read.transaction_partitions && state.status != TransactionStatus::kEmpty) {
    for (const auto& topic : *read.transaction_partitions) {
      for (const int32_t partition : topic.partition_ids) state.partitions.emplace(std::string(topic.topic), partition);
    }
  }
  return state;
}

std::string write_transaction_key(std::string_view transactional_id) {
  return versioned(TransactionLogKey{transactional_id}, kKeyVersion);
}

std::string write_transaction_value(const TransactionState& state) {
  TransactionLogValue value;
  value.producer_id = state.producer.id;
  value.producer_epoch = state.producer.epoch;
  value.previous_producer_id = state.previous_producer_id;
  value.next_producer_id = state.next_producer_id;
  value.next_producer_epoch = state.next_producer_epoch;
  value.transaction_timeout_ms = state.timeout_ms;
  value.transaction_status = static_cast<int8_t>(state.status);
  value.transaction_last_update_timestamp_ms = state.update_ms;
  value.transaction_start_timestamp_ms = state.start_ms;
  value.client_transaction_version = state.client_version;
  if (state.status == TransactionStatus::kEmpty) {
    value.transaction_partitions.reset();
  } else {
    for (const auto& [topic, partition] : state.partitions) {
      auto& topics = *value.transaction_partitions;
      if (topics.empty() || topics.back().topic != topic) topics.emplace_back().topic = topic;
      topics.back().partition_ids.push_back(partition);
    }
  }
  return versioned(value, kValueVersion);
}

std::string transaction_batch(std::string_view transactional_id, const TransactionState& state, int64_t now_ms) {
  RecordBatchBuilder builder({.bytes_reserved = 512});
  builder.append(now_ms, write_transaction_key(transactional_id), write_transaction_value(state));
  return finished(builder);
}

std::string tombstone_batch(const std::vector<std::string>& transactional_ids, int64_t now_ms) {
  RecordBatchBuilder builder;
  for (const std::string& id : transactional_ids) builder.append(now_ms, write_transaction_key(id), {});
  return finished(builder);
}

std::string marker_batch(const ProducerIdAndEpoch& producer, bool commit, int32_t coordinator_epoch, int64_t now_ms) {
  RecordBatchBuilder builder({.producer_id = producer.id,
                              .producer_epoch = producer.epoch,
                              .transactional = true,
                              .control = true,
                              .bytes_reserved = 128});
  const ControlRecordTypeSchema key{commit ? batch_format::kControlCommit : batch_format::kControlAbort};
  builder.append(now_ms, versioned(key, kControlVersion), versioned(EndTxnMarker{coordinator_epoch}, kControlVersion));
  return finished(builder);
}

}  // namespace millrace
