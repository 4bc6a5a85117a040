/// `millrace lint`: reads the files of a worker and its connectors as the worker would, runs nothing, and tells what is
/// wrong, misspelt or insecure.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace millrace {

/// Arguments: [--strict] [--json] [--online] worker.properties [connector.properties|connector.json …], or
/// --print-options. `built_in_plugins` is the folder of the connectors that come with millrace. Prints to `out`,
/// mistakes in the arguments to `err`. Returns the exit code: 0 clean, 1 warnings with --strict (and wrong arguments),
/// 2 errors.
int run_lint(const std::vector<std::string>& arguments, const std::string& built_in_plugins, std::FILE* out,
             std::FILE* err);

}  // namespace millrace
