/// The parameters that the drivers of connection.url take, and what each does here: for the warning about those that
/// nobody knows, or that mean something to another database only.
#pragma once

#include <string>
#include <vector>

#include "connectors/jdbc/jdbc_url.h"

namespace millrace::jdbc {

/// A parameter without effect, as a sentence without its end: "sslmod (did you mean sslMode: …?)".
/// Sorted by name; empty when every parameter of `url` is known to its driver.
std::vector<std::string> ignored_parameters(const JdbcUrl& url);

}  // namespace millrace::jdbc
