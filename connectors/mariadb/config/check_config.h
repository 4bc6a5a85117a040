/// What can be said about a configuration without asking the server: values, settings that contradict each other,
/// settings that only Java could honour.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"
#include "connectors/mariadb/config/options.h"

namespace millrace::mariadb {

struct ConfigReport {
  struct Entry {
    std::string key, message;
  };
  std::vector<Entry> errors;    ///< in Debezium's words: "The 'key' value is invalid: …"
  std::vector<Entry> warnings;  ///< accepted, but not what the user may expect
  std::vector<Entry> notes;     ///< accepted and needless here

  bool fine(std::string_view key) const;
  /// Each message once a key.
  void invalid(std::string_view key, std::string_view why);
  void error(std::string_view key, std::string message);
  void warn(std::string_view key, std::string message) { warnings.push_back({std::string(key), std::move(message)}); }
};

/// Everything, in one report.
ConfigReport check_config(Dialect dialect, const sdk::Config& config);

/// The same for a task that starts: kInvalidConfig with the first error.
connectors::Status first_error(const ConfigReport& report);

}  // namespace millrace::mariadb
