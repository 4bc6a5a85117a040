#include "connectors/mariadb/events/event_schemas.h"

namespace millrace::mariadb {

using connectors::SchemaSpec;

namespace {

SchemaSpec plain(mr_kind type, bool optional) {
  SchemaSpec spec;
  spec.type = type;
  spec.optional = optional;
  return spec;
}
SchemaSpec required(mr_kind type) { return plain(type, false); }
SchemaSpec optional(mr_kind type) { return plain(type, true); }

SchemaSpec structure(std::string name, int32_t version, std::vector<SchemaSpec::Field> fields,
                     bool is_optional = false) {
  SchemaSpec spec = plain(MR_STRUCT, is_optional);
  spec.name = std::move(name);
  spec.version = version;
  spec.fields = std::move(fields);
  return spec;
}

SchemaSpec array(SchemaSpec elements, bool is_optional) {
  SchemaSpec spec = plain(MR_ARRAY, is_optional);
  spec.elements = std::make_shared<const SchemaSpec>(std::move(elements));
  return spec;
}

std::string of_connector(std::string_view connector, std::string_view name) {
  return "io.debezium.connector." + std::string(connector) + "." + std::string(name);
}

std::string common(std::string_view name) { return of_connector("common", name); }

SchemaSpec snapshot_schema() {
  SchemaSpec spec = optional(MR_STRING);
  spec.name = "io.debezium.data.Enum";
  spec.version = 1;
  spec.parameters = {{"allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"}};
  spec.set_default_bytes("false");
  return spec;
}

SchemaSpec transaction_block_schema() {
  return structure(
      "event.block", 1,
      {{"id", required(MR_STRING)}, {"total_order", required(MR_INT64)}, {"data_collection_order", required(MR_INT64)}},
      true);
}

SchemaSpec column_schema() {
  return structure("io.debezium.connector.schema.Column", 1,
                   {{"name", required(MR_STRING)},
                    {"jdbcType", required(MR_INT32)},
                    {"nativeType", optional(MR_INT32)},
                    {"typeName", required(MR_STRING)},
                    {"typeExpression", optional(MR_STRING)},
                    {"charsetName", optional(MR_STRING)},
                    {"length", optional(MR_INT32)},
                    {"scale", optional(MR_INT32)},
                    {"position", required(MR_INT32)},
                    {"optional", optional(MR_BOOLEAN)},
                    {"autoIncremented", optional(MR_BOOLEAN)},
                    {"generated", optional(MR_BOOLEAN)},
                    {"comment", optional(MR_STRING)},
                    {"defaultValueExpression", optional(MR_STRING)},
                    {"enumValues", array(required(MR_STRING), true)}});
}

SchemaSpec table_schema() {
  return structure("io.debezium.connector.schema.Table", 1,
                   {{"defaultCharsetName", optional(MR_STRING)},
                    {"primaryKeyColumnNames", array(required(MR_STRING), true)},
                    {"columns", array(column_schema(), false)},
                    {"comment", optional(MR_STRING)}},
                   true);
}

SchemaSpec change_schema() {
  return structure("io.debezium.connector.schema.Change", 1,
                   {{"type", required(MR_STRING)}, {"id", required(MR_STRING)}, {"table", table_schema()}});
}

}  // namespace

SchemaSpec plain_string_schema() { return required(MR_STRING); }

SchemaSpec source_schema(std::string_view connector) {
  return structure(of_connector(connector, "Source"), 1,
                   {{"version", required(MR_STRING)},
                    {"connector", required(MR_STRING)},
                    {"name", required(MR_STRING)},
                    {"ts_ms", required(MR_INT64)},
                    {"snapshot", snapshot_schema()},
                    {"db", required(MR_STRING)},
                    {"sequence", optional(MR_STRING)},
                    {"ts_us", optional(MR_INT64)},
                    {"ts_ns", optional(MR_INT64)},
                    {"table", optional(MR_STRING)},
                    {"server_id", required(MR_INT64)},
                    {"gtid", optional(MR_STRING)},
                    {"file", required(MR_STRING)},
                    {"pos", required(MR_INT64)},
                    {"row", required(MR_INT32)},
                    {"thread", optional(MR_INT64)},
                    {"query", optional(MR_STRING)}});
}

SchemaSpec envelope_schema(std::string_view connector, std::string_view name, const SchemaSpec& row) {
  return structure(std::string(name), 2,
                   {{"before", row},
                    {"after", row},
                    {"source", source_schema(connector)},
                    {"transaction", transaction_block_schema()},
                    {"op", required(MR_STRING)},
                    {"ts_ms", optional(MR_INT64)},
                    {"ts_us", optional(MR_INT64)},
                    {"ts_ns", optional(MR_INT64)}});
}

SchemaSpec schema_change_key_schema(std::string_view connector) {
  return structure(of_connector(connector, "SchemaChangeKey"), 1, {{"databaseName", required(MR_STRING)}});
}

SchemaSpec schema_change_value_schema(std::string_view connector) {
  return structure(of_connector(connector, "SchemaChangeValue"), 1,
                   {{"source", source_schema(connector)},
                    {"ts_ms", required(MR_INT64)},
                    {"databaseName", optional(MR_STRING)},
                    {"schemaName", optional(MR_STRING)},
                    {"ddl", optional(MR_STRING)},
                    {"tableChanges", array(change_schema(), false)}});
}

SchemaSpec transaction_key_schema() {
  return structure(common("TransactionMetadataKey"), 1, {{"id", required(MR_STRING)}});
}

SchemaSpec transaction_value_schema() {
  SchemaSpec collection = structure(
      "event.collection", 1, {{"data_collection", required(MR_STRING)}, {"event_count", required(MR_INT64)}}, true);
  return structure(common("TransactionMetadataValue"), 1,
                   {{"status", required(MR_STRING)},
                    {"id", required(MR_STRING)},
                    {"event_count", optional(MR_INT64)},
                    {"data_collections", array(std::move(collection), true)},
                    {"ts_ms", required(MR_INT64)}});
}

SchemaSpec heartbeat_key_schema() {
  return structure(common("ServerNameKey"), 1, {{"serverName", required(MR_STRING)}});
}

SchemaSpec heartbeat_value_schema() { return structure(common("Heartbeat"), 1, {{"ts_ms", required(MR_INT64)}}); }

SchemaSpec notification_key_schema() { return structure(common("NotificationKey"), 1, {{"id", required(MR_STRING)}}); }

SchemaSpec notification_value_schema() {
  SchemaSpec additional = optional(MR_MAP);
  additional.keys = additional.elements = std::make_shared<const SchemaSpec>(required(MR_STRING));
  return structure(common("Notification"), 1,
                   {{"id", required(MR_STRING)},
                    {"type", required(MR_STRING)},
                    {"aggregate_type", required(MR_STRING)},
                    {"additional_data", std::move(additional)},
                    {"timestamp", required(MR_INT64)}});
}

}  // namespace millrace::mariadb
