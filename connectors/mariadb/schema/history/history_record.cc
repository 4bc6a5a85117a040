#include "connectors/mariadb/schema/history/history_record.h"

#include <charconv>

#include "connectors/mariadb/schema/history/history_json.h"

namespace millrace::mariadb {
namespace {

template <class T>
T number(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number() ? at->get<T>() : T{};
}

std::string text(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || at->is_null()) return {};
  return at->is_string() ? at->get<std::string>() : at->dump();
}

Json position_json(const HistoryPosition& position) {
  Json json = {{"ts_sec", position.ts_sec}, {"file", position.file}, {"pos", position.pos}};
  if (!position.gtids.empty()) json["gtids"] = position.gtids;
  if (position.server_id != 0) json["server_id"] = position.server_id;
  if (position.row != 0) json["row"] = position.row;
  if (position.event != 0) json["event"] = position.event;
  if (!position.snapshot.empty()) json["snapshot"] = position.snapshot;
  return json;
}

HistoryPosition position_of(const Json& json) {
  HistoryPosition position;
  position.ts_sec = number<int64_t>(json, "ts_sec");
  position.file = text(json, "file");
  position.pos = number<uint64_t>(json, "pos");
  position.gtids = text(json, "gtids");
  position.server_id = number<int64_t>(json, "server_id");
  position.event = number<int64_t>(json, "event");
  position.row = number<int64_t>(json, "row");
  position.snapshot = text(json, "snapshot");
  if (position.snapshot == "false") position.snapshot.clear();
  return position;
}

std::optional<GtidList> gtids_of(const HistoryPosition& position) {
  if (position.gtids.empty()) return std::nullopt;
  Result<GtidList> list = GtidList::parse(position.gtids);
  return list.ok() ? std::optional(std::move(*list)) : std::nullopt;
}

/// The number at the end of "bin.000012", with what stands before it.
std::pair<std::string_view, uint64_t> file_number(std::string_view file) {
  size_t digits = file.size();
  while (digits > 0 && file[digits - 1] >= '0' && file[digits - 1] <= '9') --digits;
  uint64_t number = 0;
  std::from_chars(file.data() + digits, file.data() + file.size(), number);
  return {file.substr(0, digits), number};
}

bool counters_at_or_before(const HistoryPosition& record, const HistoryPosition& stop) {
  if (record.event != stop.event) return record.event < stop.event;
  return record.row <= stop.row;
}

}  // namespace

Result<HistoryPosition> HistoryPosition::parse(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return Status(Code::kBadRecord, "A binlog position must be a JSON object");
  return position_of(parsed);
}

std::string HistoryPosition::json() const {
  return position_json(*this).dump(-1, ' ', false, Json::error_handler_t::replace);
}

HistoryStop::HistoryStop(HistoryPosition at) : position(std::move(at)), gtids(gtids_of(position)) {}

bool HistoryPosition::at_or_before(const HistoryStop& end) const {
  const HistoryPosition& stop = end.position;
  const std::optional<GtidList> own_gtids = gtids_of(*this);
  if (own_gtids && end.gtids) {
    if (!end.gtids->contains_all(*own_gtids)) return false;
    return !own_gtids->contains_all(*end.gtids) || counters_at_or_before(*this, stop);
  }
  if (own_gtids.has_value() != end.gtids.has_value()) return !own_gtids;  // GTIDs were turned on in between
  const auto own = file_number(file), theirs = file_number(stop.file);
  if (own.first != theirs.first) return ts_sec <= stop.ts_sec;  // of another server: all there is to compare
  if (own.second != theirs.second) return own.second < theirs.second;
  if (pos != stop.pos) return pos < stop.pos;
  return counters_at_or_before(*this, stop);
}

std::string history_json(const HistoryRecord& record) {
  Json json;
  json["source"] = {{"server", record.server}};
  json["position"] = position_json(record.position);
  json["ts_ms"] = record.ts_ms;
  json["databaseName"] = record.change.database;
  json["ddl"] = record.change.ddl;
  Json& changes = json["tableChanges"] = Json::array();
  for (const TableChange& change : record.change.changes) changes.push_back(table_change_json(change));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<HistoryRecord> parse_history(std::string_view document) {
  const Json json = Json::parse(document, nullptr, false);
  const auto bad = [&document](const char* why) {
    return Status(Code::kBadRecord,
                  std::string("A schema history record ") + why + ": " + std::string(document.substr(0, 120)));
  };
  if (!json.is_object()) return bad("is not a JSON object");
  HistoryRecord record;
  if (const auto source = json.find("source"); source != json.end() && source->is_object())
    record.server = text(*source, "server");
  const auto position = json.find("position");
  if (position == json.end() || !position->is_object()) return bad("has no position");
  record.position = position_of(*position);
  record.ts_ms = number<int64_t>(json, "ts_ms");
  record.change.database = text(json, "databaseName");
  record.change.ddl = text(json, "ddl");
  const auto changes = json.find("tableChanges");
  if (changes == json.end() || !changes->is_array()) return record;  // written before Debezium 1.5: the DDL is all
  for (const Json& change : *changes) {
    std::optional<TableChange> read = table_change_of(change);
    if (!read) return bad("has a table change that cannot be read");
    record.change.changes.push_back(std::move(*read));
  }
  return record;
}

}  // namespace millrace::mariadb
