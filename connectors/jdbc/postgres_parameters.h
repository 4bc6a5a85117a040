/// JDBC's ? in the words of PostgreSQL's protocol.
/// Threads: any (pure).
#pragma once

#include <string>
#include <string_view>

#include "connectors/common/result.h"

namespace millrace::jdbc {

using connectors::Code;
using connectors::Result;
using connectors::Status;

/// `sql` with $1, $2 … for each ? outside quotes and comments but the first `operators`, which stay; ?? becomes the
/// operator ?. `count` = how many single ones there were.
std::string numbered_parameters(std::string_view sql, size_t& count, size_t operators = 0);

/// A user's statement with `own` conditions of the connector behind it: their ? are the last ones, and all others are
/// the operator, in any mode and whether written ? or ??.
/// Errors: kInvalidConfig when a comment or quote swallows them.
Result<std::string> with_own_parameters(std::string_view sql, size_t own);

}  // namespace millrace::jdbc
