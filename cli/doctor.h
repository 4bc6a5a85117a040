/// `millrace doctor`: connects to what connectors would connect to, and tells what would go wrong, each with its cure.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace millrace {

/// Arguments: [--json] [--worker worker.properties] connector.properties|connector.json …. `built_in_plugins` is the
/// folder of the connectors that come with millrace. Prints to `out`, mistakes in the arguments to `err`. Returns the
/// exit code: 0 nothing wrong, 1 wrong arguments, 2 errors.
int run_doctor(const std::vector<std::string>& arguments, const std::string& built_in_plugins, std::FILE* out,
               std::FILE* err);

}  // namespace millrace
