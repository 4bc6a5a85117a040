#include "connectors/mariadb/capture/new_tables.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace millrace::mariadb {
namespace {

using connectors::Code;
using connectors::Result;
using Json = nlohmann::json;

constexpr const char* kLists[] = {"database.include.list", "database.exclude.list", "table.include.list",
                                  "table.exclude.list"};

}  // namespace

std::string table_lists(const sdk::Config& config) {
  Json lists = Json::object();
  for (const char* key : kLists) {
    if (const std::string text = config.string(key); !text.empty()) lists[key] = text;
  }
  return lists.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<TableId>> brought_in(std::string_view before, const std::vector<TableId>& captured) {
  const Json lists = Json::parse(before, nullptr, false);
  if (!lists.is_object()) return connectors::Status(Code::kBadRecord, "not lists of tables: " + std::string(before));
  std::map<std::string, std::string> texts;
  for (const auto& [key, text] : lists.items()) {
    if (text.is_string()) texts[key] = text;
  }
  std::vector<mr_pair> pairs;
  for (const auto& [key, text] : texts) pairs.push_back({sdk::to_mr(key), sdk::to_mr(text)});
  auto filter = TableFilter::parse(sdk::Config({pairs.data(), pairs.size()}, {}));
  if (!filter.ok()) return filter.status();
  std::vector<TableId> tables;
  std::ranges::copy_if(captured, std::back_inserter(tables), [&](const TableId& id) { return !filter->captures(id); });
  return tables;
}

}  // namespace millrace::mariadb
