#include "connectors/jdbc/sink_table.h"

#include <algorithm>

namespace millrace::jdbc {
namespace {

constexpr std::string_view kKafkaColumns[] = {"__connect_topic", "__connect_partition", "__connect_offset"};

std::string listed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) out += (out.size() == 1 ? "" : ", ") + name;
  return out + "]";
}

const char* type_name(const mr_schema& schema) {
  constexpr const char* kNames[] = {"NULL",    "BOOLEAN", "INT8",  "INT16", "INT32", "INT64", "FLOAT32",
                                    "FLOAT64", "STRING",  "BYTES", "ARRAY", "MAP",   "STRUCT"};
  return schema.type < std::size(kNames) ? kNames[schema.type] : "?";
}

/// SinkRecordField{schema=Schema{STRING}, name='x', isPrimaryKey=false}
std::string described(const SinkField& field) {
  const std::string_view name = sdk::view(field.schema->name);
  return "SinkRecordField{schema=Schema{" + std::string(name) + (name.empty() ? "" : ":") + type_name(*field.schema) +
         "}, name='" + field.name + "', isPrimaryKey=" + (field.key ? "true" : "false") + "}";
}

std::string described(const std::vector<const SinkField*>& fields) {
  std::string out = "[";
  for (const SinkField* field : fields) out += (out.size() == 1 ? "" : ", ") + described(*field);
  return out + "]";
}

CellForm form_of(const mr_schema& schema) {
  const std::string_view name = sdk::view(schema.name);
  if (name == "org.apache.kafka.connect.data.Decimal") return CellForm::kDecimal;
  if (name == "org.apache.kafka.connect.data.Date") return CellForm::kDate;
  if (name == "org.apache.kafka.connect.data.Time") return CellForm::kTime;
  if (name == "org.apache.kafka.connect.data.Timestamp") return CellForm::kTimestamp;
  switch (schema.type) {
    case MR_FLOAT32:
      return CellForm::kFloat;
    case MR_FLOAT64:
      return CellForm::kDouble;
    case MR_STRING:
      return CellForm::kText;
    case MR_BYTES:
      return CellForm::kBytes;
    default:
      return CellForm::kInt;
  }
}

std::vector<ColumnInfo> infos_of(const std::vector<ColumnDefinition>& definitions) {
  std::vector<ColumnInfo> columns;
  for (const ColumnDefinition& definition : definitions)
    columns.push_back({definition.name, definition.optional, false});
  return columns;
}

/// Builds a plan step by step; `status` keeps the first problem.
class PlanMaker {
 public:
  PlanMaker(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context, const mr_schema* key,
            const mr_schema* value)
      : config_(config), table_(table), context_(context), key_(key), value_(value) {}

  Result<FieldPlan> make() {
    if (value_ != nullptr && value_->type != MR_STRUCT && value_->type != MR_STRING) {
      return fail("Value schema must be of type Struct or String");
    }
    Status s = keys();
    if (s.ok()) s = others();
    if (!s.ok()) return s;
    if (plan_.keys.empty() && plan_.others.empty())
      return fail("No fields found using key and value schemas for table: " + table_.table);
    order();
    return std::move(plan_);
  }

 private:
  Status fail(std::string message) const { return {Code::kInvalidConfig, std::move(message)}; }

  Status keys() {
    switch (config_.key_mode) {
      case KeyMode::kNone:
        if (config_.insert_mode == InsertMode::kUpsert) {
          return fail("Write to table '" + double_quoted(table_) +
                      "' in UPSERT mode requires key field names to be known, check the primary key configuration");
        }
        return sdk::ok();
      case KeyMode::kKafka:
        return kafka_keys();
      case KeyMode::kRecordKey:
        return record_keys();
      case KeyMode::kRecordValue:
        return value_keys();
    }
    return sdk::ok();
  }

  Status kafka_keys() {
    if (!config_.key_fields.empty() && config_.key_fields.size() != 3) {
      return fail("PK mode for table '" + table_.table +
                  "' is KAFKA so there should either be no field names defined for defaults "
                  "[__connect_topic, __connect_partition, __connect_offset] to be applicable, or exactly 3, defined "
                  "fields are: " +
                  listed(config_.key_fields));
    }
    static constexpr CellSource::From kFrom[] = {CellSource::From::kTopic, CellSource::From::kPartition,
                                                 CellSource::From::kOffset};
    static constexpr mr_kind kTypes[] = {MR_STRING, MR_INT32, MR_INT64};
    for (size_t i = 0; i < 3; ++i) {
      mr_schema plain{};
      plain.struct_size = sizeof(plain);
      plain.type = static_cast<uint8_t>(kTypes[i]);
      mr_schema_id id = 0;
      if (Status s = context_.register_schema(plain, id); !s.ok()) return s;
      const mr_schema* schema = context_.describe(id);
      const std::string name = config_.key_fields.empty() ? std::string(kKafkaColumns[i]) : config_.key_fields[i];
      plan_.keys.push_back({name, schema, {kFrom[i], 0}, form_of(*schema), true, false});
    }
    return sdk::ok();
  }

  Status record_keys() {
    if (key_ == nullptr)
      return fail("PK mode for table '" + table_.table + "' is RECORD_KEY, but record key schema is missing");
    if (key_->type == MR_STRUCT) return struct_keys(*key_, CellSource::From::kKeyField, "RECORD_KEY", "key");
    if (key_->type > MR_BYTES) {
      return fail(std::string("Key schema must be primitive type or Struct, but is of type: ") + type_name(*key_));
    }
    if (config_.key_fields.size() != 1) {
      return fail(
          "Need exactly one PK column defined since the key schema for records is a primitive type, defined columns "
          "are: " +
          listed(config_.key_fields));
    }
    plan_.keys.push_back({config_.key_fields[0], key_, {CellSource::From::kKey, 0}, form_of(*key_), true, false});
    return sdk::ok();
  }

  Status value_keys() {
    if (value_ == nullptr)
      return fail("PK mode for table '" + table_.table + "' is RECORD_VALUE, but record value schema is missing");
    if (value_->type == MR_STRING) return fail("pk.mode record_value is not supported with String value schemas");
    return struct_keys(*value_, CellSource::From::kValueField, "RECORD_VALUE", "value");
  }

  Status struct_keys(const mr_schema& schema, CellSource::From from, const char* mode, const char* what) {
    std::vector<std::string> names = config_.key_fields;
    if (names.empty()) {
      for (size_t i = 0; i < schema.field_count; ++i) names.emplace_back(sdk::view(schema.fields[i].name));
    }
    for (const std::string& name : names) {
      size_t at = 0;
      while (at < schema.field_count && sdk::view(schema.fields[at].name) != name) ++at;
      if (at == schema.field_count) {
        return fail("PK mode for table '" + table_.table + "' is " + mode + " with configured PK fields " +
                    listed(names) + ", but record " + what + " schema does not contain field: " + name);
      }
      add(plan_.keys, name, schema.fields[at].schema, {from, static_cast<uint32_t>(at)}, true);
    }
    return sdk::ok();
  }

  Status others() {
    if (value_ == nullptr) return sdk::ok();
    if (value_->type == MR_STRING) {
      if (!config_.value_fields.empty() || !config_.timestamp_fields.empty()) {
        std::string names = config_.value_fields.empty() ? "" : "fields.whitelist";
        if (!config_.timestamp_fields.empty())
          names += (names.empty() ? "" : ", ") + std::string("timestamp.fields.list");
        return fail("Sink connector '" + connector() +
                    "' is configured with field-level options that are not applicable to String values: " + names +
                    ". Remove these options, or have the upstream producer emit Struct values instead.");
      }
      if (is_key(config_.string_column)) {
        return fail("Configured string.output.value.column.name '" + config_.string_column +
                    "' conflicts with a primary key column for table '" + table_.table + "'");
      }
      plan_.others.push_back({config_.string_column,
                              value_,
                              {CellSource::From::kValue, 0},
                              CellForm::kText,
                              false,
                              value_->optional != 0});
      return sdk::ok();
    }
    for (size_t i = 0; i < value_->field_count; ++i) {
      const std::string name(sdk::view(value_->fields[i].name));
      if (is_key(name)) continue;
      if (!config_.value_fields.empty() && !config_.value_fields.contains(name)) continue;
      add(plan_.others, name, value_->fields[i].schema, {CellSource::From::kValueField, static_cast<uint32_t>(i)},
          false);
    }
    return sdk::ok();
  }

  /// A task's context names the task, "orders-sink-0" of the connector "orders-sink".
  std::string connector() const { return context_.name(); }

  bool is_key(std::string_view name) const {
    return std::any_of(plan_.keys.begin(), plan_.keys.end(),
                       [&](const SinkField& field) { return field.name == name; });
  }

  void add(std::vector<SinkField>& to, const std::string& name, mr_schema_id id, CellSource source, bool key) {
    const mr_schema* schema = context_.describe(id);
    SinkField field{name, schema, source, form_of(*schema), key, !key && schema->optional != 0};
    if (!key && config_.timestamp_fields.contains(name) && (schema->type == MR_INT64 || schema->type == MR_STRING)) {
      field.form = config_.timestamp_nanos ? CellForm::kEpochNanos : CellForm::kEpochMicros;
    }
    to.push_back(std::move(field));
  }

  /// Columns of CREATE TABLE: Kafka's coordinates, the value's fields, then what is left of the key in alphabetical
  /// order.
  void order() {
    std::vector<const SinkField*> left;
    for (const SinkField& field : plan_.keys) left.push_back(&field);
    if (config_.key_mode == KeyMode::kKafka) {
      plan_.all = plan_.keys;
      left.clear();
    }
    const auto take = [&](std::string_view name) {
      for (const SinkField& field : plan_.others) {
        if (field.name == name) plan_.all.push_back(field);
      }
      for (auto at = left.begin(); at != left.end(); ++at) {
        if ((*at)->name != name) continue;
        plan_.all.push_back(**at);
        left.erase(at);
        return;
      }
    };
    if (value_ != nullptr && value_->type == MR_STRUCT) {
      for (size_t i = 0; i < value_->field_count; ++i) take(sdk::view(value_->fields[i].name));
    } else if (value_ != nullptr) {
      take(config_.string_column);
    }
    std::sort(left.begin(), left.end(), [](const SinkField* a, const SinkField* b) { return a->name < b->name; });
    for (const SinkField* field : left) plan_.all.push_back(*field);
  }

  const SinkConfig& config_;
  const TableId& table_;
  const sdk::TaskContext& context_;
  const mr_schema* key_;
  const mr_schema* value_;
  FieldPlan plan_;
};

}  // namespace

Result<FieldPlan> FieldPlan::make(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context,
                                  const mr_schema* key, const mr_schema* value) {
  return PlanMaker(config, table, context, key, value).make();
}

Result<BatchWriter*> SinkTable::writer(Session& session, const sdk::TaskContext& context, mr_schema_id key,
                                       mr_schema_id value, bool remove) {
  for (const Prepared& prepared : prepared_) {
    if (prepared.key == key && prepared.value == value && prepared.remove == remove) return prepared.writer.get();
  }
  const auto schema_of = [&](mr_schema_id id) { return id == 0 ? nullptr : context.describe(id); };
  auto plan = FieldPlan::make(config_, id_, context, schema_of(key), schema_of(value));
  if (!plan.ok()) return plan.status();
  if (Status s = ensure(session, *plan); !s.ok()) return s;

  std::vector<std::string> keys, others;
  std::vector<Cell> cells;
  const auto add_cells = [&](const std::vector<SinkField>& fields) {
    for (const SinkField& field : fields) {
      const bool fallback =
          config_.replace_null && field.schema->has_default != 0 && field.schema->default_value.kind != MR_NULL;
      cells.push_back({field.source, field.form, fallback ? &field.schema->default_value : nullptr});
    }
  };
  for (const SinkField& field : plan->keys) keys.push_back(field.name);
  for (const SinkField& field : plan->others) others.push_back(field.name);
  std::string sql;
  if (remove) {
    sql = dialect_.remove(id_, keys);
    add_cells(plan->keys);
  } else if (config_.insert_mode == InsertMode::kUpdate) {
    sql = dialect_.update(id_, keys, others);
    add_cells(plan->others);
    add_cells(plan->keys);
  } else {
    sql = config_.insert_mode == InsertMode::kUpsert ? dialect_.upsert(id_, keys, others)
                                                     : dialect_.insert(id_, keys, others);
    add_cells(plan->keys);
    add_cells(plan->others);
  }
  auto made = session.writer(sql, std::move(cells), config_.write);
  if (!made.ok()) return made.status();
  prepared_.push_back({key, value, remove, std::move(*plan), std::move(*made)});
  return prepared_.back().writer.get();
}

void SinkTable::forget() {
  prepared_.clear();
  waiting.clear();
  known_ = false;
}

Status SinkTable::refresh(Session& session) {
  auto type = session.table_type(id_);
  if (!type.ok()) return type.status();
  type_ = std::move(*type);
  columns_.clear();
  if (!type_.empty()) {
    auto columns = session.columns(id_);
    if (!columns.ok()) return columns.status();
    columns_ = std::move(*columns);
  }
  known_ = true;
  return sdk::ok();
}

std::vector<const SinkField*> SinkTable::missing(const FieldPlan& plan) const {
  std::vector<const SinkField*> fields;
  for (const SinkField& field : plan.all) {
    const bool found = std::any_of(columns_.begin(), columns_.end(),
                                   [&](const ColumnInfo& column) { return lower(column.name) == lower(field.name); });
    if (!found) fields.push_back(&field);
  }
  return fields;
}

Status SinkTable::ensure(Session& session, const FieldPlan& plan) {
  if (!known_) {
    if (Status s = refresh(session); !s.ok()) return s;
  }
  const bool usable =
      std::find(config_.table_types.begin(), config_.table_types.end(), lower(type_)) != config_.table_types.end();
  if (!usable) {
    if (!type_.empty()) {
      return {Code::kInvalidConfig,
              double_quoted(id_) + " exists, but is a " + type_ + "; add it to table.types to write into it"};
    }
    if (Status s = create(session, plan); !s.ok()) return s;
  }
  return amend(session, plan);
}

std::vector<ColumnDefinition> SinkTable::definitions(const std::vector<const SinkField*>& fields,
                                                     Status& problem) const {
  std::vector<ColumnDefinition> columns;
  for (const SinkField* field : fields) {
    const bool epoch = field->form == CellForm::kEpochMicros || field->form == CellForm::kEpochNanos;
    ColumnDefinition column{field->name, dialect_.column_type(*field->schema, field->key, epoch), field->optional, "",
                            field->key};
    if (field->source.from == CellSource::From::kTopic) column.type = "VARCHAR(249)";  // Kafka's longest topic name
    if (column.type.empty()) {
      const std::string_view name = sdk::view(field->schema->name);
      problem = {Code::kInvalidConfig, (name.empty() ? std::string("null") : std::string(name)) + " (" +
                                           type_name(*field->schema) +
                                           ") type doesn't have a mapping to the SQL database column type (field '" +
                                           field->name + "' for table " + double_quoted(id_) + ")"};
      return columns;
    }
    if (field->schema->has_default != 0 && field->schema->default_value.kind != MR_NULL) {
      column.default_text = dialect_.literal(*field->schema, field->schema->default_value, config_.write);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Status SinkTable::create(Session& session, const FieldPlan& plan) {
  if (!config_.auto_create) {
    return {Code::kInvalidConfig, "Table " + double_quoted(id_) +
                                      " is missing and auto-creation is disabled; create it or set auto.create=true"};
  }
  std::vector<const SinkField*> fields;
  for (const SinkField& field : plan.all) fields.push_back(&field);
  Status problem;
  const std::vector<ColumnDefinition> columns = definitions(fields, problem);
  if (!problem.ok()) return problem;
  const std::string sql = dialect_.create(id_, columns);
  const Status created = session.change_table(id_, sql, infos_of(columns));
  if (session.broken()) return created;
  if (Status s = refresh(session); !s.ok()) return s;
  // Another task may have been faster; then its table will do.
  if (!created.ok() && type_.empty()) return {created.code(), created.message() + " in: " + sql};
  return sdk::ok();
}

Status SinkTable::amend(Session& session, const FieldPlan& plan) {
  for (int64_t attempt = 0;; ++attempt) {
    const std::vector<const SinkField*> fields = missing(plan);
    if (fields.empty()) return sdk::ok();
    if (type_ != "TABLE") {
      std::string kind = lower(type_), upper = type_;
      if (!kind.empty()) kind[0] = static_cast<char>(kind[0] - 32);
      return {Code::kInvalidConfig, kind + " " + double_quoted(id_) + " is missing fields (" + described(fields) +
                                        ") and ALTER " + upper + " is unsupported"};
    }
    for (const SinkField* field : fields) {
      if (field->optional || field->schema->has_default != 0) continue;
      return {Code::kInvalidConfig, "Cannot ALTER TABLE " + double_quoted(id_) + " to add missing field " +
                                        described(*field) +
                                        ", as the field is not optional and does not have a default value"};
    }
    if (!config_.auto_evolve) {
      return {Code::kInvalidConfig, "Table " + double_quoted(id_) + " is missing fields (" + described(fields) +
                                        ") and auto-evolution is disabled"};
    }
    Status problem;
    const std::vector<ColumnDefinition> columns = definitions(fields, problem);
    if (!problem.ok()) return problem;
    const Status altered = session.change_table(id_, dialect_.alter(id_, columns), infos_of(columns));
    if (session.broken()) return altered;
    if (Status s = refresh(session); !s.ok()) return s;
    if (!altered.ok() && attempt >= config_.retries_max) {
      return {altered.code(), "Failed to amend TABLE '" + double_quoted(id_) +
                                  "' to add missing fields: " + described(fields) + ": " + altered.message()};
    }
  }
}

}  // namespace millrace::jdbc
