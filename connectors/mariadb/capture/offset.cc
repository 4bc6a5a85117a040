#include "connectors/mariadb/capture/offset.h"

#include <algorithm>
#include <atomic>
#include <charconv>

namespace millrace::mariadb {
namespace {

constexpr std::string_view kOrderPrefix = "transaction_data_collection_order_";

int64_t number_of(const mr_value& value) {
  if (value.kind >= MR_INT8 && value.kind <= MR_INT64) return value.u.i64;
  if (value.kind == MR_FLOAT64) return static_cast<int64_t>(value.u.f64);
  int64_t number = 0;
  if (value.kind == MR_STRING) std::from_chars(value.u.bytes, value.u.bytes + value.size, number);
  return number;
}

std::string text_of(const mr_value& value) {
  if (value.kind == MR_STRING) return {value.u.bytes, value.size};
  if (value.kind == MR_BOOLEAN) return value.u.i64 != 0 ? "true" : "false";
  return std::to_string(number_of(value));
}

}  // namespace

std::string OffsetExtra::get(std::string_view key) const {
  const auto at = entries_.find(std::string(key));
  return at == entries_.end() ? "" : at->second;
}

void OffsetExtra::set(std::string_view key, std::string value) {
  const auto [at, fresh] = entries_.try_emplace(std::string(key));
  if (!fresh && at->second == value) return;
  at->second = std::move(value);
  changed();
}

bool OffsetExtra::erase(std::string_view key) {
  if (entries_.erase(std::string(key)) == 0) return false;
  changed();
  return true;
}

void OffsetExtra::changed() {
  static std::atomic<uint64_t> last = 0;
  version_ = ++last;
}

Result<SourceOffset> SourceOffset::parse(const mr_value& map) {
  SourceOffset offset;
  if (map.kind != MR_MAP) return offset;
  for (uint32_t i = 0; i < map.size; ++i) {
    const mr_value &key = map.u.items[2 * i], &value = map.u.items[2 * i + 1];
    if (key.kind != MR_STRING || value.kind == MR_NULL) continue;
    const std::string_view name(key.u.bytes, key.size);
    if (name == "file") {
      offset.file = text_of(value);
    } else if (name == "pos") {
      offset.position = static_cast<uint64_t>(number_of(value));
    } else if (name == "gtids") {
      auto list = GtidList::parse(text_of(value));
      if (!list.ok()) {
        return Status(Code::kInvalidConfig, "the stored offset's gtids are unreadable: " + list.status().message());
      }
      offset.gtids = *list;
    } else if (name == "event") {
      offset.events = static_cast<uint64_t>(number_of(value));
    } else if (name == "row") {
      offset.rows = static_cast<uint64_t>(number_of(value));
    } else if (name == "server_id") {
      offset.server_id = static_cast<uint32_t>(number_of(value));
    } else if (name == "ts_sec") {
      offset.time_s = number_of(value);
    } else if (name == "snapshot") {
      offset.snapshot = text_of(value);
      if (offset.snapshot == "true") offset.snapshot = "INITIAL";  // Debezium up to 2
      if (offset.snapshot == "false") offset.snapshot.clear();
    } else if (name == "transaction_id") {
      offset.transaction.id = text_of(value);
    } else if (name.starts_with(kOrderPrefix)) {
      offset.transaction.collections.emplace_back(name.substr(kOrderPrefix.size()), number_of(value));
      offset.transaction.total += number_of(value);
    } else {
      offset.extra.set(name, text_of(value));
    }
  }
  return offset;
}

mr_value SourceOffset::write(connectors::ByteArena& arena, std::string_view gtids_text,
                             const TransactionProgress* running, std::span<const mr_value> extra_items) const {
  mr_value* items = arena.values(extra_items.size() + 2 * (9 + (running == nullptr ? 0 : running->collections.size())));
  uint32_t count = 0;
  const auto add = [&](std::string_view key, const mr_value& value) {
    items[2 * count] = sdk::string_value(key);
    items[2 * count + 1] = value;
    ++count;
  };
  const auto add_text = [&](std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, sdk::string_value(arena.copy(text)));
  };
  const auto add_number = [&](std::string_view key, uint64_t number) {
    add(key, sdk::int_value(MR_INT64, static_cast<int64_t>(number)));
  };
  if (running != nullptr) {
    add_text("transaction_id", running->id);
    for (const auto& [table, number] : running->collections) {
      items[2 * count] = sdk::string_value(arena.copy(std::string(kOrderPrefix) + table));
      items[2 * count + 1] = sdk::int_value(MR_INT64, number);
      ++count;
    }
  }
  add_number("ts_sec", static_cast<uint64_t>(time_s));
  add_text("file", file);
  add_number("pos", position);
  add_text("gtids", gtids_text);
  if (rows != 0) add_number("row", rows);
  if (server_id != 0) add_number("server_id", server_id);
  if (events != 0) add_number("event", events);
  add_text("snapshot", snapshot);
  std::ranges::copy(extra_items, items + 2 * count);
  count += static_cast<uint32_t>(extra_items.size() / 2);
  mr_value map{};
  map.kind = MR_MAP;
  map.size = count;
  map.u.items = items;
  return map;
}

}  // namespace millrace::mariadb
