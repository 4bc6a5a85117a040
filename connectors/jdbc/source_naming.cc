#include "connectors/jdbc/source_naming.h"

namespace millrace::jdbc {
namespace {

constexpr std::string_view kTable = "${table}", kSchema = "${schema}", kDatabase = "${database}";

}  // namespace

std::string topic_of(std::string_view prefix, std::string_view format, const TableId& table, const std::string& home) {
  const std::string& database = table.catalog.empty() ? home : table.catalog;
  std::string topic(prefix);
  for (size_t at = 0; at < format.size();) {
    const std::string_view rest = format.substr(at);
    if (rest.starts_with(kTable)) {
      topic += table.table;
      at += kTable.size();
    } else if (rest.starts_with(kSchema)) {
      topic += table.schema.empty() ? database : table.schema;
      at += kSchema.size();
    } else if (rest.starts_with(kDatabase)) {
      topic += database;
      at += kDatabase.size();
    } else {
      topic += rest.front();
      ++at;
    }
  }
  return topic;
}

int32_t check::topic_format(mr_str value, mr_error* error) {
  const std::string_view format = sdk::view(value);
  for (size_t at = format.find("${"); at != std::string_view::npos; at = format.find("${", at + 1)) {
    const std::string_view rest = format.substr(at);
    if (!rest.starts_with(kTable) && !rest.starts_with(kSchema) && !rest.starts_with(kDatabase)) {
      return sdk::set_error(error, MR_INVALID_CONFIG,
                            "Only ${table}, ${schema} and ${database} can be placeholders of a topic's name");
    }
  }
  if (format.find(kTable) != std::string_view::npos) return MR_OK;
  return sdk::set_error(error, MR_INVALID_CONFIG, "${table} must be in it, or all tables would share a topic");
}

}  // namespace millrace::jdbc
