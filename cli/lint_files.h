/// The files of a worker and its connectors, read as the worker would, and checked: what `millrace lint` and
/// `millrace doctor` have in common.
#pragma once

#include <string>
#include <vector>

#include "cli/lint_findings.h"
#include "core/file_system.h"

namespace millrace {

struct LintFiles {
  std::string worker;  ///< a .properties file; empty = none, connectors are checked with a worker's defaults
  std::vector<std::string> connectors;  ///< .properties or .json
  bool check_worker =
      true;  ///< false = the worker's file only says how to read connectors: what is in the way of that is told
  bool online = false;  ///< ask the connectors too, which may connect to their servers
};

/// Each file counts; plugins come from `built_in_plugins` and the worker's plugin.path.
Findings lint_files(const LintFiles& what, FileSystem& files, const std::string& built_in_plugins);

}  // namespace millrace
