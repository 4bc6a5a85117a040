# The transaction coordinator and its requests.
millrace_library(NAME broker_transaction
  SRCS transaction/transaction_state.cc transaction/producer_ids.cc transaction/transaction_records.cc
    transaction/transaction_coordinator.cc transaction/transaction_markers.cc transaction/transaction_load.cc
    transaction/transaction_environment.cc
  DEPS broker core log protocol
  SYSTEM fmt::fmt)

millrace_library(NAME broker_handlers_transaction COLD
  SRCS handlers/transaction_apis.cc handlers/init_producer_id.cc handlers/add_partitions_to_txn.cc
    handlers/add_offsets_to_txn.cc handlers/end_txn.cc handlers/write_txn_markers.cc handlers/describe_producers.cc
    handlers/describe_transactions.cc handlers/list_transactions.cc
  DEPS broker broker_group broker_security broker_server broker_transaction core log protocol
  SYSTEM PkgConfig::re2)

millrace_test(NAME broker_transaction
  SRCS transaction/transaction_state_test.cc transaction/transaction_coordinator_test.cc
    transaction/transaction_simulation_test.cc transaction/transaction_threads_test.cc
  DEPS broker_server broker_transaction log_testing)
