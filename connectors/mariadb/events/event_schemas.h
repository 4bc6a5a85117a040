/// The Connect schemas of everything that is not a row: names, versions, order and optional flags are Debezium's.
/// `connector` is "mariadb" or "mysql". Threads: any.
#pragma once

#include <string_view>

#include "connectors/common/schema_spec.h"

namespace millrace::mariadb {

connectors::SchemaSpec source_schema(std::string_view connector);
/// `row`: the optional struct of before and after, with its name.
connectors::SchemaSpec envelope_schema(std::string_view connector, std::string_view name,
                                       const connectors::SchemaSpec& row);

connectors::SchemaSpec schema_change_key_schema(std::string_view connector);
connectors::SchemaSpec schema_change_value_schema(std::string_view connector);

connectors::SchemaSpec transaction_key_schema();
connectors::SchemaSpec transaction_value_schema();

connectors::SchemaSpec heartbeat_key_schema();
connectors::SchemaSpec heartbeat_value_schema();

connectors::SchemaSpec notification_key_schema();
connectors::SchemaSpec notification_value_schema();

/// A required STRING without name, as headers and key fields have it.
connectors::SchemaSpec plain_string_schema();

}  // namespace millrace::mariadb
