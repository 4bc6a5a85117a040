/// The JAAS form in which Kafka's settings name users: `module required option="value" ...;`
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/error.h"

namespace millrace {

struct JaasEntry {
  std::string module;                          ///< the login module's class
  std::map<std::string, std::string> options;  ///< never to be logged
};

/// Reads one entry. Errors: kInvalidConfig, telling what was expected where; no value is repeated in the text.
Expected<JaasEntry> parse_jaas(std::string_view text);

}  // namespace millrace
