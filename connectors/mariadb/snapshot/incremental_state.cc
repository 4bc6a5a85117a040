// What an incremental snapshot tells of itself: notifications, marks in the signal table, offsets.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "connectors/mariadb/snapshot/incremental_snapshot.h"

namespace millrace::mariadb {
namespace {

using Json = nlohmann::json;
using Data = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kCollections = "incremental_snapshot_collections";
constexpr const char* kCollectionId = "incremental_snapshot_collections_id";
constexpr const char* kCondition = "incremental_snapshot_collections_additional_condition";
constexpr const char* kSurrogate = "incremental_snapshot_collections_surrogate_key";
constexpr const char* kCorrelation = "incremental_snapshot_correlation_id";
constexpr const char* kKey = "incremental_snapshot_key";          // not Debezium's
constexpr const char* kBlocking = "millrace_blocking_snapshots";  // likewise

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text_at(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

std::optional<TableId> table_named(const std::string& full) {
  const size_t dot = full.find('.');
  if (dot == std::string::npos) return std::nullopt;
  return TableId{full.substr(0, dot), full.substr(dot + 1)};
}

std::string blocking_text(const std::deque<BlockingSnapshot>& snapshots) {
  Json list = Json::array();
  for (const BlockingSnapshot& snapshot : snapshots) {
    Json tables = Json::array();
    for (const TableId& id : snapshot.tables) {
      const auto select = snapshot.selects.find(id);
      tables.push_back({{"id", id.full()}, {"select", select == snapshot.selects.end() ? "" : select->second}});
    }
    list.push_back({{"signal", snapshot.id}, {"tables", tables}});
  }
  return dumped(list);
}

Status read_blocking(const std::string& text, std::deque<BlockingSnapshot>& to) {
  const Json list = Json::parse(text, nullptr, false);
  if (!list.is_array()) return {Code::kBadRecord, std::string(kBlocking) + " of the offset cannot be read: " + text};
  for (const Json& entry : list) {
    BlockingSnapshot snapshot{text_at(entry, "signal"), {}, {}};
    for (const Json& table : entry.value("tables", Json::array())) {
      const auto id = table_named(text_at(table, "id"));
      if (!id) continue;
      snapshot.tables.push_back(*id);
      if (const std::string select = text_at(table, "select"); !select.empty()) snapshot.selects[*id] = select;
    }
    to.push_back(std::move(snapshot));
  }
  return sdk::ok();
}

}  // namespace

Result<IncrementalOptions> IncrementalOptions::parse(const sdk::Config& config) {
  IncrementalOptions options;
  options.connector_name = config.string("topic.prefix");
  if (const int64_t rows = config.int64("incremental.snapshot.chunk.size"); rows > 0)
    options.chunk_rows = static_cast<uint64_t>(rows);
  const std::vector<std::string> tables = config.list("signal.data.collection");
  std::string table = tables.empty() ? "" : tables.front();
  std::erase(table, '`');
  const size_t dot = table.find('.');
  if (table.empty() || config.boolean("read.only")) return options;
  if (dot == std::string::npos) {
    return Status(Code::kInvalidConfig, "signal.data.collection: '" + table + "' must be written as database.table");
  }
  options.signal_table = {table.substr(0, dot), table.substr(dot + 1)};
  std::string strategy = config.string("incremental.snapshot.watermarking.strategy");
  for (char& c : strategy) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (!strategy.empty() && strategy != "insert_insert" && strategy != "insert_delete") {
    return Status(Code::kInvalidConfig, "incremental.snapshot.watermarking.strategy: '" + strategy +
                                            "' is unknown; use insert_insert or insert_delete");
  }
  options.watermark = strategy == "insert_delete" ? Watermark::kInsertDelete : Watermark::kInsertInsert;
  return options;
}

Status IncrementalSnapshot::open_mark(Window& window) {
  window.mark = host_.new_id();
  if (options_.watermark == IncrementalOptions::Watermark::kGtid) return sdk::ok();
  window.opened_at = host_.now_text();
  return source_->write_mark(window.mark + "-open", "snapshot-window-open",
                             R"({"openWindowTimestamp": ")" + window.opened_at + R"("})");
}

Status IncrementalSnapshot::close_mark(const Window& window) {
  switch (options_.watermark) {
    case IncrementalOptions::Watermark::kGtid:
      return sdk::ok();
    case IncrementalOptions::Watermark::kInsertDelete:
      return source_->remove_mark(window.mark + "-open");
    case IncrementalOptions::Watermark::kInsertInsert:
      break;
  }
  return source_->write_mark(window.mark + "-close", "snapshot-window-close",
                             R"({"openWindowTimestamp": ")" + window.opened_at + R"(", "closeWindowTimestamp": ")" +
                                 host_.now_text() + R"("})");
}

std::string IncrementalSnapshot::collections(bool resumed) const {
  std::string text;
  for (const Item& item : items_) {
    if (item.resumed == resumed) text += (text.empty() ? "" : ",") + item.id.full();
  }
  return text;
}

void IncrementalSnapshot::tell(std::string_view type, Data data, bool resumed) {
  data.insert(data.begin(), {"connector_name", options_.connector_name});
  host_.notify({resumed ? host_.new_id() : signal_id_, resumed ? "Initial Snapshot" : "Incremental Snapshot",
                std::string(type), std::move(data)});
}

void IncrementalSnapshot::tell_end(bool resumed) { tell("COMPLETED", {}, resumed); }

Notification initial_notification(IncrementalHost& host, const std::string& connector_name, std::string_view type,
                                  Data data) {
  data.insert(data.begin(), {"connector_name", connector_name});
  return {host.new_id(), "Initial Snapshot", std::string(type), std::move(data)};
}

SnapshotLedger::Table* IncrementalSnapshot::ledger_entry(const TableId& id) {
  if (!ledger_) return nullptr;
  const auto at = std::find_if(ledger_->tables.begin(), ledger_->tables.end(),
                               [&](const SnapshotLedger::Table& table) { return table.id == id; });
  return at == ledger_->tables.end() ? nullptr : &*at;
}

void IncrementalSnapshot::table_done(std::string_view status) {
  const Item item = items_.front();
  alterations_ = 0;
  tell("TABLE_SCAN_COMPLETED",
       {{"scanned_collection", item.id.full()},
        {"total_rows_scanned", std::to_string(item.rows)},
        {"data_collections", collections(item.resumed)},
        {"status", std::string(status)}},
       item.resumed);
  items_.pop_front();
  if (SnapshotLedger::Table* entry = item.resumed ? ledger_entry(item.id) : nullptr; entry != nullptr)
    entry->done = true;
  if (ledger_ && ledger_->done()) ledger_.reset();
  const bool ended =
      std::none_of(items_.begin(), items_.end(), [&](const Item& other) { return other.resumed == item.resumed; });
  if (ended) tell_end(item.resumed);
}

std::vector<std::pair<std::string, std::string>> IncrementalSnapshot::offset_state() const {
  Json list = Json::array();
  const Item* current = nullptr;
  for (const Item& item : items_) {
    if (item.resumed || (stopping_ && &item == &items_.front())) continue;
    if (current == nullptr) current = &item;
    list.push_back({{kCollectionId, item.id.full()}, {kCondition, item.filter}, {kSurrogate, item.surrogate}});
  }
  Data state;
  if (!blocking_.empty()) state.emplace_back(kBlocking, blocking_text(blocking_));
  if (current == nullptr) return state;
  Json key = {{"rows", current->rows}, {"paused", paused_}};
  if (!current->last_key.empty()) key["last"] = current->last_key;
  if (current->sized) key["maximum"] = current->maximum_key;
  state.insert(state.end(), {{kCollections, dumped(list)}, {kCorrelation, signal_id_}, {kKey, dumped(key)}});
  return state;
}

Status IncrementalSnapshot::restore(const std::map<std::string, std::string>& offset) {
  if (const auto blocking = offset.find(kBlocking); blocking != offset.end()) {
    if (Status s = read_blocking(blocking->second, blocking_); !s.ok()) return s;
  }
  const auto stored = offset.find(kCollections);
  if (stored == offset.end() || stored->second.empty()) return sdk::ok();
  const Json list = Json::parse(stored->second, nullptr, false);
  if (!list.is_array())
    return {Code::kBadRecord, std::string(kCollections) + " of the offset cannot be read: " + stored->second};
  for (const Json& entry : list) {
    const auto id = table_named(text_at(entry, kCollectionId));
    if (!id) continue;
    Item item;
    item.id = *id;
    item.filter = text_at(entry, kCondition);
    item.surrogate = text_at(entry, kSurrogate);
    items_.push_back(std::move(item));
  }
  if (const auto id = offset.find(kCorrelation); id != offset.end()) signal_id_ = id->second;
  const auto position = offset.find(kKey);
  const Json key = position == offset.end() ? Json() : Json::parse(position->second, nullptr, false);
  const auto first = std::find_if(items_.begin(), items_.end(), [](const Item& item) { return !item.resumed; });
  if (!key.is_object() || first == items_.end()) return sdk::ok();
  first->last_key = text_at(key, "last");
  first->maximum_key = text_at(key, "maximum");
  first->sized = key.contains("maximum");
  first->rows = key.value("rows", uint64_t{0});
  paused_ = key.value("paused", false);
  return sdk::ok();
}

}  // namespace millrace::mariadb
