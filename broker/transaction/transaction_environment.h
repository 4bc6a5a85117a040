/// What the transaction coordinator works on in a broker.
#pragma once

#include "broker/broker.h"
#include "broker/transaction/transaction_coordinator.h"

namespace millrace {

/// An environment over `broker`, which outlives it. `fs` is the broker's file system.
TransactionEnvironment transaction_environment(FileSystem& fs, Clock& clock, Executor& executor, Broker& broker,
                                               decltype(TransactionEnvironment::complete_offsets) complete_offsets);

/// `options` with the numbers of partitions that the broker's directory has.
TransactionOptions transaction_options(const Broker& broker, TransactionOptions options = {});

}  // namespace millrace
