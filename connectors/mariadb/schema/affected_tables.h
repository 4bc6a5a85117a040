/// source.table of a schema change record: Debezium keeps the tables of a statement in a java.util.HashSet, so that
/// their order is that of Java's hashes ("keep2,d3", golden case 130).
#pragma once

#include <string>
#include <vector>

#include "connectors/mariadb/table_id.h"

namespace millrace::mariadb {

std::string affected_tables(const std::vector<TableId>& ids);

}  // namespace millrace::mariadb
