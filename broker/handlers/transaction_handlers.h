/// The APIs of transactions, each in the file of its name; transaction_apis.cc lists them. And what they share.
#pragma once

#include <memory>
#include <string_view>

#include "broker/broker.h"
#include "broker/security/security.h"
#include "broker/server/api.h"
#include "broker/server/services.h"
#include "broker/transaction/transaction_coordinator.h"
#include "protocol/kafka_error.h"

namespace millrace {

Api init_producer_id_api();
Api add_partitions_to_txn_api();
Api add_offsets_to_txn_api();
Api end_txn_api();
Api write_txn_markers_api();
Api describe_producers_api();
Api describe_transactions_api();
Api list_transactions_api();

/// `error` for a client before `knows_fenced`: PRODUCER_FENCED was INVALID_PRODUCER_EPOCH then.
inline int16_t producer_error_code(KafkaError error, int16_t version, int16_t knows_fenced) {
  const bool unknown = error == KafkaError::kProducerFenced && version < knows_fenced;
  return code_of(unknown ? KafkaError::kInvalidProducerEpoch : error);
}

inline bool may_on_transactional_id(const BrokerServices& services, const Exchange& exchange, AclOperation operation,
                                    std::string_view id) {
  return services.security.authorized(exchange.session(), operation, ResourceType::kTransactionalId, id);
}

}  // namespace millrace
