/// The records of __transaction_state and the markers that end transactions, in Kafka's formats
/// (protocol/messages/transaction_state_records.msg, control_records.msg).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/transaction/transaction_state.h"
#include "core/error.h"
#include "protocol/record_batch.h"

namespace millrace {

/// The transactional id of a record's key; nothing for kinds of records that are not known. Errors: kCorruption.
Expected<std::optional<std::string>> read_transaction_key(BytesView key);
/// Versions 0 and 1. Errors: kCorruption for what cannot be read or is of another version.
Expected<TransactionState> read_transaction_value(BytesView value);

std::string write_transaction_key(std::string_view transactional_id);
/// Version 1, which Kafka reads from 3.8 on and writes from 4.0 on.
std::string write_transaction_value(const TransactionState& state);

/// A batch with the one record for `state`.
std::string transaction_batch(std::string_view transactional_id, const TransactionState& state, int64_t now_ms);

/// A batch that takes the ids out of the topic.
std::string tombstone_batch(const std::vector<std::string>& transactional_ids, int64_t now_ms);

/// The control batch that ends the producer's transaction in a partition.
std::string marker_batch(const ProducerIdAndEpoch& producer, bool commit, int32_t coordinator_epoch, int64_t now_ms);

}  // namespace millrace
