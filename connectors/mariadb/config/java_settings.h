/// Settings that name Java classes or serve the JVM: refused when they ask for what would silently be missing, else
/// noted as without effect.
#pragma once

#include "connectors/mariadb/config/check_config.h"

namespace millrace::mariadb {

void check_java_settings(Dialect dialect, const sdk::Config& config, ConfigReport& report);

}  // namespace millrace::mariadb
