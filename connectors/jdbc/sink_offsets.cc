#include "connectors/jdbc/sink_offsets.h"

#include <algorithm>
#include <charconv>

namespace millrace::jdbc {
namespace {

std::string named(const std::string& topic, int32_t partition) { return topic + "-" + std::to_string(partition); }

std::pair<std::string_view, int32_t> key_of(const mr_record& record) {
  return {sdk::view(record.original_topic), record.original_partition};
}

int64_t number_of(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

SinkOffsets::SinkOffsets(const SinkConfig& config, std::string connector)
    : config_(config),
      connector_(std::move(connector)),
      dialect_(make_dialect(config.connection.url, true)),
      name_(config.offsets_table),
      topic_(dialect_->quote("topic")),
      partition_(dialect_->quote("partition")),
      offset_(dialect_->quote("offset")),
      epoch_(dialect_->quote("epoch")) {}

void SinkOffsets::open(std::span<const mr_topic_partition> partitions) {
  for (const mr_topic_partition& one : partitions) {
    Position& position = positions_[{std::string(sdk::view(one.topic)), one.partition}];
    position = {};
    position.next = std::max<int64_t>(one.offset, 0);
  }
}

void SinkOffsets::close(std::span<const mr_topic_partition> partitions) {
  for (const mr_topic_partition& one : partitions) {
    const auto at = positions_.find(std::pair(sdk::view(one.topic), one.partition));
    if (at != positions_.end()) positions_.erase(at);
  }
}

void SinkOffsets::forget_session() {
  found_ = false;
  for (auto& [key, position] : positions_) position.known = false;
}

bool SinkOffsets::settled(std::span<const mr_record> records) const {
  for (const auto& [key, position] : positions_) {
    if (!position.known || position.moved) return false;
  }
  const auto* last = positions_.empty() ? nullptr : &*positions_.begin();
  for (const mr_record& record : records) {
    const auto key = key_of(record);
    if (last != nullptr && last->first.second == key.second && last->first.first == key.first) continue;
    const auto at = positions_.find(key);
    if (at == positions_.end()) return false;
    last = &*at;
  }
  return true;
}

Result<bool> SinkOffsets::settle(Session& session, std::span<const mr_record> records) {
  // A host that never opened the partition has read it up to here.
  for (const mr_record& record : records) {
    const auto key = key_of(record);
    if (!positions_.contains(key)) positions_[{std::string(key.first), key.second}].next = record.offset;
  }
  if (Status s = find_table(session); !s.ok()) return s;
  for (auto& [key, position] : positions_) {
    if (position.known) continue;
    const Status s = position.epoch == 0 ? take_over(session, key, position) : ask(session, key, position);
    if (!s.ok()) return lost_ ? s : Status(s.code(), "Table of offsets " + name_ + ": " + s.message());
  }
  if (Status s = session.execute("COMMIT"); !s.ok()) return s;
  bool moved = false;
  for (auto& [key, position] : positions_) {
    if (!position.known) position.epoch = position.raised;
    position.known = true;
    moved |= position.moved;
  }
  return moved;
}

void SinkOffsets::told() {
  for (auto& [key, position] : positions_) position.moved = false;
}

Status SinkOffsets::find_table(Session& session) {
  if (found_) return sdk::ok();
  auto id = dialect_->table_id(config_.offsets_table, config_.connection.url);
  if (!id.ok()) return id.status();
  if (Status s = session.complete(*id); !s.ok()) return s;
  id_ = std::move(*id);
  name_ = dialect_->qualified(id_);
  auto type = session.table_type(id_);
  if (!type.ok()) return type.status();
  if (type->empty()) {
    const std::string sql = dialect_->create_offsets(id_);
    const Status created = session.change_table(id_, sql, {});
    if (session.broken()) return created;
    type = session.table_type(id_);
    if (!type.ok()) return type.status();
    // Another task may have been faster; then its table will do.
    if (!created.ok() && type->empty()) {
      return {created.code(), "millrace.exactly.once needs its table of offsets: " + created.message() + " in: " + sql};
    }
  }
  if (Status s = session.check_transactional(id_); !s.ok()) return s;
  found_ = true;
  return sdk::ok();
}

std::string SinkOffsets::text(std::string_view value) const {
  mr_schema schema{};
  schema.struct_size = sizeof(schema);
  schema.type = MR_STRING;
  return dialect_->literal(schema, sdk::string_value(value), config_.write);
}

std::string SinkOffsets::where(const Key& key) const {
  return " WHERE " + dialect_->quote("connector") + "=" + text(connector_) + " AND " + topic_ + "=" + text(key.first) +
         " AND " + partition_ + "=" + std::to_string(key.second);
}

/// Raising the epoch waits for a transaction of the task that held the partition before, and fails all later ones.
Status SinkOffsets::take_over(Session& session, const Key& key, Position& position) {
  auto raised = session.change_rows("UPDATE " + name_ + " SET " + epoch_ + "=" + epoch_ + "+1" + where(key));
  if (!raised.ok()) return raised.status();
  if (*raised == 0) {
    const Status added =
        session.execute("INSERT INTO " + name_ + " (" + dialect_->quote("connector") + "," + topic_ + "," + partition_ +
                        "," + offset_ + "," + epoch_ + ") VALUES (" + text(connector_) + "," + text(key.first) + "," +
                        std::to_string(key.second) + "," + std::to_string(position.next) + ",1)");
    // Two tasks that come at the same time: the second one finds the row when it tries again.
    if (!added.ok()) return {Code::kUnavailable, added.message()};
  }
  return ask(session, key, position);
}

Status SinkOffsets::ask(Session& session, const Key& key, Position& position) {
  auto rows = session.query("SELECT " + offset_ + ", " + epoch_ + " FROM " + name_ + where(key) +
                            std::string(dialect_->row_lock()));
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->at(0).size() != 2) {
    return give_up("the row of connector '" + connector_ + "' for " + named(key.first, key.second) + " in " + name_ +
                   " is gone; this task writes nothing more, for it cannot know what has been written. Restart it to "
                   "go on from where it is");
  }
  const int64_t next = number_of(rows->at(0)[0]), epoch = number_of(rows->at(0)[1]);
  if (position.epoch != 0 && epoch != position.epoch) {
    return give_up("another task of connector '" + connector_ + "' has taken over " + named(key.first, key.second) +
                   " (epoch " + std::to_string(epoch) + " in " + name_ + ", this task has " +
                   std::to_string(position.epoch) + "); this task writes nothing more");
  }
  position.moved |= next != position.next;
  position.next = next;
  position.raised = epoch;
  return sdk::ok();
}

std::vector<mr_topic_partition> SinkOffsets::positions() const {
  std::vector<mr_topic_partition> list;
  for (const auto& [key, position] : positions_) list.push_back({sdk::to_mr(key.first), key.second, 0, position.next});
  return list;
}

Status SinkOffsets::advance(Session& session, std::span<const mr_record> records) {
  for (auto& [key, position] : positions_) position.reached = -1;
  Positions::value_type* at = nullptr;
  for (const mr_record& record : records) {
    const auto key = key_of(record);
    if (at == nullptr || at->first.second != key.second || at->first.first != key.first) at = &*positions_.find(key);
    Position& position = at->second;
    if (record.offset < position.next) {
      return give_up("offset " + std::to_string(record.offset) + " of " + named(at->first.first, key.second) +
                     " came, but " + name_ + " says that everything before " + std::to_string(position.next) +
                     " has been written: the topic was created anew or its log was cut. To read it from its start, "
                     "set the offset to 0 in the row of connector '" +
                     connector_ + "' and restart the task");
    }
    position.reached = std::max(position.reached, record.offset + 1);
  }
  std::string cases, rows;
  uint64_t count = 0;
  for (const auto& [key, position] : positions_) {
    if (position.reached < 0) continue;
    const std::string which = topic_ + "=" + text(key.first) + " AND " + partition_ + "=" + std::to_string(key.second);
    cases += " WHEN " + which + " THEN " + std::to_string(position.reached);
    rows += (count++ == 0 ? "(" : " OR (") + which + " AND " + epoch_ + "=" + std::to_string(position.epoch) + ")";
  }
  if (count == 0) return sdk::ok();
  auto changed = session.change_rows("UPDATE " + name_ + " SET " + offset_ + "=CASE" + cases + " END WHERE " +
                                     dialect_->quote("connector") + "=" + text(connector_) + " AND (" + rows + ")");
  if (!changed.ok()) {
    return {changed.status().code(), "Table of offsets " + name_ + ": " + changed.status().message()};
  }
  if (*changed == count) return sdk::ok();
  return give_up("another task of connector '" + connector_ + "' has taken over " +
                 std::to_string(count - std::min(*changed, count)) + " of the " + std::to_string(count) +
                 " partitions at hand (their rows in " + name_ +
                 " have another epoch or are gone); this task writes nothing more");
}

void SinkOffsets::committed() {
  for (auto& [key, position] : positions_) {
    if (position.reached >= 0) position.next = position.reached;
    position.reached = -1;
  }
}

Status SinkOffsets::give_up(std::string why) {
  lost_ = true;
  return {Code::kInternal, std::move(why)};
}

}  // namespace millrace::jdbc
