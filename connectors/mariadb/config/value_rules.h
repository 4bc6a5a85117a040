/// What the value of one setting may be, with Debezium's words for what it may not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/config/options.h"

namespace millrace::mariadb {

/// What is wrong with `value`; empty = nothing. The worker has checked the type before. Keys without rule are fine.
std::vector<std::string> value_faults(Dialect dialect, std::string_view key, std::string_view value);

/// In ASCII.
std::string lower(std::string_view text);

}  // namespace millrace::mariadb
