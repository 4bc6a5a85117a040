/// Tables that a changed table.include.list and its kin bring in (snapshot.new.tables=parallel). The lists of the
/// run before are kept in the offset; what they did not capture has its rows read beside the stream. Plain functions.
#pragma once

#include <millrace/connector.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "connectors/mariadb/config/filters.h"

namespace millrace::mariadb {

/// The lists that choose tables, as a JSON object: what SourceOffset::extra holds under kCapturedKey.
std::string table_lists(const sdk::Config& config);

/// Those of `captured` that `before`, a text of table_lists(), did not capture. kBadRecord: not such a text.
connectors::Result<std::vector<TableId>> brought_in(std::string_view before, const std::vector<TableId>& captured);

}  // namespace millrace::mariadb
