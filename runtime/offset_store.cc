#include "runtime/offset_store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

Expected<Json> primitive_to_json(const Value& value, std::string_view key) {
  switch (value.kind) {
    case MR_NULL:
      return Json(nullptr);
    case MR_BOOLEAN:
      return Json(value.u.i64 != 0);
    case MR_INT8:
    case MR_INT16:
    case MR_INT32:
    case MR_INT64:
      return Json(value.u.i64);
    case MR_FLOAT32:
    case MR_FLOAT64:
      return Json(value.u.f64);
    case MR_STRING:
      return Json(bytes_of(value));
    default:
      return fail(ErrorCode::kBadRecord,
                  fmt::format("Offsets may only contain primitive types as values, but field {} contains kind {}", key,
                              value.kind));
  }
}

Expected<Json> map_to_json(const Value& map) {
  if (map.kind != MR_MAP)
    return fail(ErrorCode::kBadRecord,
                fmt::format("Offsets must be specified as a Map, but the value is of kind {}", map.kind));
  Json object = Json::object();
  const auto items = items_of(map);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind != MR_STRING) return fail(ErrorCode::kBadRecord, "Offsets may only use String keys");
    auto value = primitive_to_json(items[i + 1], bytes_of(items[i]));
    if (!value) return fail(std::move(value.error()));
    object[std::string(bytes_of(items[i]))] = std::move(*value);
  }
  return object;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string key_of(const std::string& connector, const Json& partition) {
  return dump(Json::array({connector, partition}));
}

}  // namespace

Expected<std::string> offset_map_to_json(const Value& map) {
  auto object = map_to_json(map);
  if (!object) return fail(std::move(object.error()));
  return dump(*object);
}

Expected<OwnedValue> offset_map_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_null()) return OwnedValue();
  if (!json.is_object())
    return fail(ErrorCode::kCorruption, fmt::format("a stored offset is not a JSON object: {}", text));
  std::vector<std::string> texts;
  texts.reserve(json.size() * 2);  // values below point into it
  std::vector<Value> items;
  for (const auto& [key, value] : json.items()) {
    items.push_back(string_value(texts.emplace_back(key)));
    if (value.is_boolean()) {
      items.push_back(boolean_value(value.get<bool>()));
    } else if (value.is_number_integer()) {
      items.push_back(int64_value(value.get<int64_t>()));
    } else if (value.is_number()) {
      items.push_back(floating(MR_FLOAT64, value.get<double>()));
    } else if (value.is_string()) {
      items.push_back(string_value(texts.emplace_back(value.get<std::string>())));
    } else {
      items.push_back(null_value());
    }
  }
  return OwnedValue(items_value(MR_MAP, items));
}

Expected<OwnedValue> OffsetStore::get(const std::string& connector, const Value& partition) const {
  auto key = map_to_json(partition);
  if (!key) return fail(std::move(key.error()));
  const auto stored = topic_->get(key_of(connector, *key));
  if (!stored) return OwnedValue();
  return offset_map_from_json(*stored);
}

Expected<std::vector<TopicStore::Entry>> OffsetStore::encode(const std::string& connector,
                                                             const std::vector<Change>& changes) const {
  std::vector<TopicStore::Entry> entries;
  for (const Change& change : changes) {
    auto partition = map_to_json(change.partition.get());
    if (!partition) return fail(std::move(partition.error()));
    TopicStore::Entry entry{key_of(connector, *partition), std::nullopt};
    if (!is_null(change.offset.get())) {
      auto offset = map_to_json(change.offset.get());
      if (!offset) return fail(std::move(offset.error()));
      entry.value = dump(*offset);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Status OffsetStore::write(const std::string& connector, const std::vector<Change>& changes) {
  auto entries = encode(connector, changes);
  if (!entries) return fail(std::move(entries.error()));
  return write_entries(*entries);
}

std::vector<std::pair<std::string, std::string>> OffsetStore::all(const std::string& connector) const {
  std::vector<std::pair<std::string, std::string>> found;
  const std::string prefix = "[" + dump(Json(connector)) + ",";
  for (const auto& [key, value] : topic_->with_prefix(prefix)) {
    const Json json = Json::parse(key, nullptr, false);
    if (json.is_array() && json.size() == 2) found.emplace_back(dump(json[1]), value);
  }
  return found;
}

Status OffsetStore::write_json(const std::string& connector,
                               const std::vector<std::pair<std::string, std::string>>& changes) {
  const auto stored = all(connector);
  std::vector<TopicStore::Entry> entries;
  for (const auto& [partition, offset] : changes) {
    Json wanted = Json::parse(partition, nullptr, false);
    for (const auto& [known, unused] : stored) {
      // Unordered comparison: a user need not know the order in which the connector writes its partition.
      if (nlohmann::json::parse(known) == nlohmann::json::parse(partition, nullptr, false)) wanted = Json::parse(known);
    }
    entries.push_back({key_of(connector, wanted), offset.empty() ? std::nullopt : std::optional<std::string>(offset)});
  }
  return write_entries(entries);
}

Status OffsetStore::write_entries(const std::vector<TopicStore::Entry>& entries) {
  auto written = topic_->write(entries);
  if (written && !entries.empty()) ++version_;
  return written;
}

OffsetEntries OffsetStore::entries() const {
  OffsetEntries all;
  for (auto& [key, value] : topic_->with_prefix("[")) all.emplace(key, std::move(value));
  return all;
}

Expected<size_t> OffsetStore::import(const OffsetEntries& entries) {
  // Compared without regard to member order: another writer may have put a partition's members in another one.
  std::set<std::string> known;
  for (const auto& [key, value] : topic_->with_prefix("["))
    known.insert(nlohmann::json::parse(key, nullptr, false).dump());
  std::vector<TopicStore::Entry> taken;
  for (const auto& [key, value] : entries) {
    const auto parsed = nlohmann::json::parse(key, nullptr, false);
    if (!value || !parsed.is_array() || parsed.size() != 2 || known.contains(parsed.dump())) continue;
    taken.push_back({key, *value});
  }
  if (auto written = write_entries(taken); !written) return fail(std::move(written.error()));
  return taken.size();
}

}  // namespace millrace
