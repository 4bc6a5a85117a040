/// What the transaction coordinator works on in a broker.
#pragma once

#include "broker/broker.h"
#include "broker/transaction/transaction_coordinator.h"

namespace millrace {

/// An environment over `broker`, which outlives it. `fs` is the broker's file system.
TransactionEnvironment transaction_environment(FileSystem& fs, Clock& clock, Executor& executor, Broker& broker,
                                               decltype(TransactionEnvironment::complete_offsets) complete_offsets);

/// Numbers of partitions as the broker's directory has them.
TransactionOptions transaction_options(const Broker& broker);

}  // namespace millrace
