#include "connectors/mariadb/events/table_events.h"

#include <algorithm>
#include <numeric>

#include "connectors/mariadb/events/event_schemas.h"
#include "connectors/mariadb/schema/reconcile.h"
#include "connectors/mariadb/types/rules.h"

namespace millrace::mariadb {

using connectors::ByteArena;
using connectors::SchemaSpec;

namespace {

constexpr size_t kNoPlace = static_cast<size_t>(-1);

bool same_wire(const WireColumn& a, const WireColumn& b) {
  return a.type == b.type && a.metadata == b.metadata && a.nullable == b.nullable && a.is_unsigned == b.is_unsigned &&
         a.collation == b.collation && a.geometry == b.geometry && a.name == b.name && a.labels == b.labels;
}

/// A converted value may lead into the cell, whose content is gone after the call.
void own(const Cell& cell, ByteArena& arena, mr_value& value) {
  const bool text = value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL;
  const bool lends =
      cell.kind == Cell::Kind::kBytes || cell.kind == Cell::Kind::kText || cell.kind == Cell::Kind::kDecimalText;
  if (!text || !lends || value.u.bytes < cell.bytes || value.u.bytes >= cell.bytes + cell.size) return;
  value.u.bytes = arena.copy({value.u.bytes, value.size}).data();
  if (value.u.bytes == nullptr) value.u.bytes = "";
}

/// Whether a column's value or schema is changed by settings that keys do not follow.
bool is_mapped(const ValueOptions& values, const std::string& table, const ColumnDefinition& column) {
  if (values.rules == nullptr) return false;
  const ValueOptions::Rules& rules = *values.rules;
  const std::string name = table + "." + column.name;
  const auto matches = [&](const auto& rule) { return rule.columns.matches(name); };
  return std::any_of(rules.masks.begin(), rules.masks.end(), matches) ||
         std::any_of(rules.hashes.begin(), rules.hashes.end(), matches) ||
         std::any_of(rules.truncates.begin(), rules.truncates.end(), matches) || !rules.propagate_columns.empty() ||
         !rules.propagate_types.empty();
}

}  // namespace

TableEvents::TableEvents(const EventOptions& options, const TableDefinition& definition, const TableMap* map,
                         sdk::SourceContext& context)
    : context_(context), options_(options), definition_(definition), collection_(definition.id.full()) {
  if (map != nullptr) {
    wire_ = map->columns;
    wire_has_names_ = map->has_names;
  }
  topic_ = options.rules->topics.data_topic(definition.id);
  if (!options.rules->topics.key_field().empty())
    key_field_value_ = options.rules->topics.key_field_value(definition.id);
  source_.emplace(options, definition_.id.database, definition_.id.table);
}

Result<std::unique_ptr<TableEvents>> TableEvents::make(sdk::SourceContext& context, const EventOptions& options,
                                                       const ValueOptions& values, const ValueOptions& key_values,
                                                       const TableDefinition& definition, const TableMap* map) {
  std::unique_ptr<TableEvents> table(new TableEvents(options, definition, map, context));
  if (Status s = table->add_columns(map, values, key_values); !s.ok()) return s;
  if (Status s = table->register_schemas(); !s.ok()) return s;
  return table;
}

bool TableEvents::made_of(const TableDefinition& definition, const TableMap* map) const {
  if ((map != nullptr) != wire_.has_value() || !(definition == definition_)) return false;
  return map == nullptr ||
         (map->has_names == wire_has_names_ &&
          std::equal(wire_->begin(), wire_->end(), map->columns.begin(), map->columns.end(), same_wire));
}

Result<std::vector<uint32_t>> TableEvents::cells_of_columns(const TableMap* map) const {
  if (map != nullptr && map->columns.size() < definition_.columns.size())
    return Status(Code::kBadRecord, "The table " + collection_ + " has " + std::to_string(definition_.columns.size()) +
                                        " columns in its definition, but " + std::to_string(map->columns.size()) +
                                        " in its row events: the definition is out of date");
  if (map != nullptr) return match_columns(definition_, *map);
  std::vector<uint32_t> cells(definition_.columns.size());
  std::iota(cells.begin(), cells.end(), 0U);
  return cells;
}

ValueOptions TableEvents::unmapped(const ValueOptions& values) {
  ValueOptions plain = values;
  if (values.rules == nullptr) return plain;
  auto rules = std::make_shared<ValueOptions::Rules>();
  rules->converters = values.rules->converters;
  plain.rules = std::move(rules);
  return plain;
}

Status TableEvents::add_columns(const TableMap* map, const ValueOptions& values, const ValueOptions& key_values) {
  auto cells = cells_of_columns(map);
  if (!cells.ok()) return cells.status();
  cell_count_ = wire_.has_value() ? wire_->size() : definition_.columns.size();
  const std::vector<size_t> key = options_.rules->keys.of(definition_);
  std::vector<size_t> places(definition_.columns.size(), kNoPlace);
  for (size_t i = 0; i < definition_.columns.size(); ++i) {
    if (!options_.rules->columns.includes(definition_.id, definition_.columns[i].name)) continue;
    const bool in_key = std::find(key.begin(), key.end(), i) != key.end();
    places[i] = columns_.size();
    if (Status s = add_column(i, (*cells)[i], in_key, values); !s.ok()) return s;
  }
  field_count_ = columns_.size();
  for (const size_t index : key) {
    const bool shared = places[index] != kNoPlace && !is_mapped(values, collection_, definition_.columns[index]);
    key_.push_back(shared ? places[index] : columns_.size());
    if (shared) continue;
    if (Status s = add_column(index, (*cells)[index], true, key_values); !s.ok()) return s;
  }
  return add_row_key(*cells);
}

Status TableEvents::add_row_key(const std::vector<size_t>& cells) {
  for (size_t i = 0; i < definition_.columns.size(); ++i) {
    const ColumnDefinition& column = definition_.columns[i];
    const std::vector<std::string>& names = definition_.primary_key;
    if (std::find(names.begin(), names.end(), column.name) == names.end()) continue;
    const WireColumn* wire = wire_.has_value() ? &(*wire_)[cells[i]] : nullptr;
    auto plan = ColumnPlan::make(definition_.id, column, wire, ValueOptions{});
    if (!plan.ok()) return plan.status();
    row_key_.push_back({std::move(plan.value()), cells[i]});
  }
  return sdk::ok();
}

Status TableEvents::add_column(size_t index, size_t cell, bool in_key, const ValueOptions& values) {
  const ColumnDefinition& column = definition_.columns[index];
  auto plan = ColumnPlan::make(definition_.id, column, wire_.has_value() ? &(*wire_)[cell] : nullptr, values);
  if (!plan.ok()) return plan.status();
  const bool optional = plan->schema().optional;
  columns_.push_back({std::move(plan.value()), cell, in_key, optional});
  field_names_.push_back(adjusted_field_name(options_.rules->field_names, column.name));
  return sdk::ok();
}

Status TableEvents::register_schemas() {
  const EventOptions::Rules& rules = *options_.rules;
  const auto named = [&](const char* end) { return adjusted_schema_name(rules.schema_names, topic_ + end); };
  SchemaSpec key, row;
  key.type = row.type = MR_STRUCT;
  key.name = named(".Key");
  row.name = named(".Value");
  row.optional = true;
  Status status;
  const auto add_field = [&](SchemaSpec& to, const std::string& name, const SchemaSpec& schema) {
    const auto same = [&](const SchemaSpec::Field& field) { return field.name == name; };
    if (std::any_of(to.fields.begin(), to.fields.end(), same))
      status = Status(Code::kInvalidConfig,
                      "Cannot create field because of field name duplication " + name + " in table " + collection_ +
                          ": field.name.adjustment.mode gives two of its columns this name; leave one out with "
                          "column.exclude.list or choose avro_unicode");
    to.fields.push_back({name, schema});
  };
  for (size_t i = 0; i < field_count_; ++i) add_field(row, field_names_[i], columns_[i].plan.schema());
  for (const size_t place : key_) add_field(key, field_names_[place], columns_[place].plan.schema());
  if (!rules.topics.key_field().empty()) add_field(key, rules.topics.key_field(), plain_string_schema());
  if (!status.ok()) return status;
  if (!key.fields.empty()) {
    if (Status s = key.register_with(context_, key_schema_); !s.ok()) return s;
  }
  return envelope_schema(options_.connector, named(".Envelope"), row).register_with(context_, value_schema_);
}

Status TableEvents::convert(std::span<const Cell> cells, std::span<const Cell> other, ByteArena& arena, mr_value* out) {
  if (cells.size() != cell_count_)
    return {Code::kBadRecord, "A row of " + collection_ + " has " + std::to_string(cells.size()) +
                                  " columns, its table " + std::to_string(cell_count_)};
  for (Column& column : columns_) {
    const Cell* cell = &cells[column.cell];
    if (cell->kind == Cell::Kind::kAbsent && !other.empty()) cell = &other[column.cell];
    *out = mr_value{};
    if (Status s = column.plan.convert(*cell, arena, *out); !s.ok()) [[unlikely]] {
      if (s = failed(column, s, *out); !s.ok()) return s;
    }
    own(*cell, arena, *out++);
  }
  return sdk::ok();
}

/// event.converting.failure.handling.mode: a key is never guessed, nor a column that takes no null.
Status TableEvents::failed(Column& column, const Status& why, mr_value& out) {
  const ValueFailure mode = options_.rules->value_failure;
  if (why.code() != Code::kBadRecord || mode == ValueFailure::kFail || column.in_key || !column.optional) return why;
  const int64_t count = ++column.failures;
  const bool told_before = (count & (count - 1)) != 0;
  if (mode == ValueFailure::kWarn && !told_before)
    context_.warn(why.message() + "; the field becomes null (" + std::to_string(count) + " times so far)");
  out = null_value();
  return sdk::ok();
}

bool TableEvents::same_key(const mr_value* a, const mr_value* b) const {
  return std::all_of(key_.begin(), key_.end(), [&](size_t place) { return equal_values(a[place], b[place]); });
}

bool TableEvents::same_fields(const mr_value* a, const mr_value* b) const {
  return std::equal(a, a + field_count_, b, equal_values);
}

mr_value TableEvents::key(const mr_value* values, ByteArena& arena) const {
  if (key_schema_ == 0) return null_value();
  const bool tail = !options_.rules->topics.key_field().empty();
  mr_value* items = arena.values(key_.size() + 1);
  for (size_t i = 0; i < key_.size(); ++i) items[i] = values[key_[i]];
  if (tail) items[key_.size()] = text_value(key_field_value_);
  return struct_value(items, key_.size() + (tail ? 1 : 0));
}

}  // namespace millrace::mariadb
