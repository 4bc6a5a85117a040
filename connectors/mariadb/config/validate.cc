#include "connectors/mariadb/config/validate.h"

#include <algorithm>

#include "connectors/mariadb/config/check_config.h"
#include "connectors/mariadb/config/connection_settings.h"
#include "connectors/mariadb/config/server_checks.h"

namespace millrace::mariadb {
namespace {

/// The log and `millrace doctor` say the severity themselves.
std::string without_severity(const ServerFinding& finding) {
  return finding.what + (finding.cure.empty() ? "." : ". Do: " + finding.cure);
}

/// Connects and looks around. Returns what is wrong with the connection.
Status try_server(sdk::ConnectorContext& context, const sdk::Config& config) {
  auto options = connection_options(config);
  if (!options.ok()) return options.status();
  const int64_t limit = config.int64("connection.validation.timeout.ms");
  if (limit > 0) {
    options->connect_timeout_ms = std::min(options->connect_timeout_ms, limit);
    options->query_timeout_ms = options->query_timeout_ms == 0 ? limit : std::min(options->query_timeout_ms, limit);
  }
  auto connection = Connection::open(*options);
  if (!connection.ok()) return connection.status();
  auto needs = ServerNeeds::parse(config);
  if (!needs.ok()) return {};  // told already as an error of its key
  for (const ServerFinding& finding : check_server(**connection, *needs)) {
    const std::string text = "server check: " + without_severity(finding);
    switch (finding.severity) {
      case ServerFinding::Severity::kError:
        context.error(text);
        break;
      case ServerFinding::Severity::kWarning:
        context.warn(text);
        break;
      case ServerFinding::Severity::kInfo:
        context.info(text);
    }
  }
  return {};
}

}  // namespace

Status validate(sdk::ConnectorContext& context, Dialect dialect, const sdk::Config& config) {
  ConfigReport report = check_config(dialect, config);
  const auto fine = [&](const char* key) { return report.fine(key); };
  if (fine("database.hostname") && fine("database.port") && fine("database.user") && fine("database.password") &&
      fine("database.ssl.mode")) {
    if (const Status s = try_server(context, config); !s.ok())
      report.error("database.hostname", "Unable to connect: " + s.message());
  }
  for (const auto& entry : report.errors) context.add_config_error(entry.key, entry.message);
  for (const auto& entry : report.warnings) context.warn("setting " + entry.key + ": " + entry.message);
  for (const auto& entry : report.notes) context.info("setting " + entry.key + ": " + entry.message);
  return {};
}

}  // namespace millrace::mariadb
