/// Which topic a table's rows go to.
/// Threads: any (pure).
#pragma once

#include <string>
#include <string_view>

#include "connectors/jdbc/session.h"

namespace millrace::jdbc {

inline constexpr const char* kTopicFormat = "${table}";

/// `prefix` and the table's name in `format`: ${table}, ${schema} (in MariaDB the database) and ${database}.
/// `home`: the database of connection.url, where tables have none before them.
std::string topic_of(std::string_view prefix, std::string_view format, const TableId& table, const std::string& home);

namespace check {
/// Only known placeholders, and ${table} among them. A single-value check in the ABI's form.
int32_t topic_format(mr_str value, mr_error* error);
}  // namespace check

}  // namespace millrace::jdbc
