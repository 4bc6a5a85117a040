#include "broker/handlers/apis.h"
#include "broker/handlers/transaction_handlers.h"

namespace millrace {

std::span<const Api> transaction_apis() {
  static const Api kApis[] = {
      init_producer_id_api(),  add_partitions_to_txn_api(), add_offsets_to_txn_api(),    end_txn_api(),
      write_txn_markers_api(), describe_producers_api(),    describe_transactions_api(), list_transactions_api()};
  return kApis;
}

}  // namespace millrace
