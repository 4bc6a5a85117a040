#include "connectors/mariadb/capture/mariadb_connector.h"

#include "connectors/mariadb/config/validate.h"

namespace millrace::mariadb {

Status MariaDbConnector::validate(sdk::ConnectorContext& context, const sdk::Config& config) {
  return mariadb::validate(context, dialect_of(config), config);
}

Status MariaDbConnector::alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset) {
  const mr_value* server = sdk::find(partition, "server");
  const std::string prefix = config.string("topic.prefix");
  if (server == nullptr || server->kind != MR_STRING || partition.size != 1) {
    return {Code::kInvalidConfig, "The source partition of this connector is {\"server\": \"" + prefix + "\"}"};
  }
  if (offset.kind == MR_NULL) return sdk::ok();
  auto parsed = SourceOffset::parse(offset);
  if (!parsed.ok()) return parsed.status();
  if (!parsed->set()) {
    return {Code::kInvalidConfig,
            "The source offset needs 'file' and 'pos', or 'gtids': where in the binlog to go on, as GET .../offsets "
            "shows it"};
  }
  return sdk::ok();
}

}  // namespace millrace::mariadb
