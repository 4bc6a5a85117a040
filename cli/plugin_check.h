/// `millrace plugin-check`: what the worker would say about plugin libraries, without a worker.
#pragma once

#include <string>
#include <vector>

namespace millrace {

/// Prints a line or more for each library; true when all would be accepted.
bool check_plugins(const std::vector<std::string>& libraries);

}  // namespace millrace
