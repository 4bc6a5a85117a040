#include "connectors/mariadb/snapshot/snapshot_ledger.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::mariadb {
namespace {
using Json = nlohmann::json;
}

bool SnapshotLedger::done() const {
  return std::all_of(tables.begin(), tables.end(), [](const Table& table) { return table.done; });
}

const SnapshotLedger::Table* SnapshotLedger::find(const TableId& id) const {
  const auto at = std::ranges::find(tables, id, &Table::id);
  return at == tables.end() ? nullptr : &*at;
}

std::string SnapshotLedger::text() const {
  Json list = Json::array();
  for (const Table& table : tables) {
    Json entry = {{"db", table.id.database}, {"table", table.id.table}, {"rows", table.rows}};
    if (table.done) entry["done"] = true;
    if (!table.last_key.empty()) entry["key"] = table.last_key;
    list.push_back(std::move(entry));
  }
  const Json all = {{"file", cut.file},
                    {"pos", cut.position},
                    {"gtids", cut.gtids.text()},
                    {"ts_us", cut.time_us},
                    {"tables", std::move(list)}};
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SnapshotLedger> SnapshotLedger::parse(std::string_view text) {
  const Status bad(Code::kBadRecord, "the stored state of the snapshot cannot be read: " + std::string(text));
  const Json all = Json::parse(text, nullptr, false);
  if (!all.is_object()) return bad;
  SnapshotLedger ledger;
  try {
    ledger.cut.file = all.at("file").get<std::string>();
    ledger.cut.position = all.at("pos").get<uint64_t>();
    ledger.cut.time_us = all.value("ts_us", int64_t{0});
    auto gtids = GtidList::parse(all.value("gtids", ""));
    if (!gtids.ok()) return bad;
    ledger.cut.gtids = std::move(gtids.value());
    for (const Json& entry : all.at("tables")) {
      ledger.tables.push_back({{entry.at("db").get<std::string>(), entry.at("table").get<std::string>()},
                               entry.value("done", false),
                               entry.value("key", ""),
                               entry.value("rows", uint64_t{0})});
    }
  } catch (const Json::exception&) {
    return bad;
  }
  return ledger;
}

}  // namespace millrace::mariadb
