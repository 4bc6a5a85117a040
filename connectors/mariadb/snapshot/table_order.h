/// The order in which Debezium meets tables that an expression names: that of a Java hash set of their names. Kept, so
/// that incremental snapshots and the lists of notifications are the same after a change of the connector.
/// Threads: any.
#pragma once

#include <vector>

#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

/// Tables of one hash bucket keep their order.
void order_as_debezium(std::vector<TableId>& tables);

}  // namespace millrace::mariadb
