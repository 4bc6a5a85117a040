#include "connectors/jdbc/sink_plan.h"

#include <algorithm>

#include "connectors/jdbc/debezium_types.h"

namespace millrace::jdbc {
namespace {

constexpr std::string_view kKafkaColumns[] = {"__connect_topic", "__connect_partition", "__connect_offset"};

std::string listed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) out += (out.size() == 1 ? "" : ", ") + name;
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

/// The last header of that name; null when there is none.
const mr_header* header_of(const mr_record& record, std::string_view name) {
  for (uint32_t i = record.header_count; i > 0; --i) {
    if (sdk::view(record.headers[i - 1].key) == name) return &record.headers[i - 1];
  }
  return nullptr;
}

/// Builds a plan step by step; `status` keeps the first problem.
class PlanMaker {
 public:
  PlanMaker(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context,
            const FieldPlan::Input& input)
      : config_(config), table_(table), context_(context), input_(input), key_(input.key), value_(input.value) {
    plan_.event = config.event_types || input.event;
  }

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
      case KeyMode::kRecordHeader:
        return header_keys();
    }
    return sdk::ok();
  }

  /// Key columns from headers; all of them when primary.key.fields names none.
  Status header_keys() {
    std::vector<std::string> names = config_.key_fields;
    for (uint32_t i = 0; config_.key_fields.empty() && i < input_.sample->header_count; ++i) {
      const std::string_view name = sdk::view(input_.sample->headers[i].key);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    }
    for (const std::string& name : names) {
      const mr_header* header = header_of(*input_.sample, name);
      const mr_schema* schema = header == nullptr || header->schema == 0 ? nullptr : context_.describe(header->schema);
      if (schema == nullptr || schema->type > MR_BYTES) {
        return fail("PK mode for table '" + table_.table + "' is RECORD_HEADER with PK fields " + listed(names) +
                    ", but a record has no primitive header: " + name);
      }
      plan_.keys.push_back({name, schema, {CellSource::From::kHeader, 0, 0, name}, form(*schema), true, false});
    }
    if (plan_.keys.empty())
      return fail("PK mode for table '" + table_.table + "' is RECORD_HEADER, but a record has no headers");
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
      plan_.keys.push_back({name, schema, {kFrom[i], 0, 0, {}}, form_of(*schema), true, false});
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
    plan_.keys.push_back({config_.key_fields[0], key_, {CellSource::From::kKey, 0, 0, {}}, form(*key_), true, false});
    return sdk::ok();
  }

  Status value_keys() {
    if (value_ == nullptr)
      return fail("PK mode for table '" + table_.table + "' is RECORD_VALUE, but record value schema is missing");
    if (value_->type == MR_STRING) return fail("pk.mode record_value is not supported with String value schemas");
    return struct_keys(*value_, row_field(), "RECORD_VALUE", "value");
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
      add(plan_.keys, name, schema.fields[at].schema, {from, static_cast<uint32_t>(at), input_.shape.after, {}}, true);
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
        return fail("Sink connector '" + context_.name() +
                    "' is configured with field-level options that are not applicable to String values: " + names +
                    ". Remove these options, or have the upstream producer emit Struct values instead.");
      }
      if (is_key(config_.string_column)) {
        return fail("Configured string.output.value.column.name '" + config_.string_column +
                    "' conflicts with a primary key column for table '" + table_.table + "'");
      }
      plan_.others.push_back({config_.string_column,
                              value_,
                              {CellSource::From::kValue, 0, 0, {}},
                              CellForm::kText,
                              false,
                              value_->optional != 0});
      return sdk::ok();
    }
    for (size_t i = 0; i < value_->field_count; ++i) {
      const std::string name(sdk::view(value_->fields[i].name));
      if (is_key(name)) continue;
      if (!config_.value_fields.empty() && !config_.value_fields.contains(name)) continue;
      if (!config_.field_filter.takes(input_.topic, name)) continue;
      add(plan_.others, name, value_->fields[i].schema, {row_field(), static_cast<uint32_t>(i), input_.shape.after, {}},
          false);
    }
    return sdk::ok();
  }

  CellSource::From row_field() const {
    return input_.shape.kind == RecordShape::Kind::kEnvelope ? CellSource::From::kAfterField
                                                             : CellSource::From::kValueField;
  }

  CellForm form(const mr_schema& schema) const {
    CellForm found{};
    return plan_.event && debezium_form(schema, found) ? found : form_of(schema);
  }

  bool is_key(std::string_view name) const {
    return std::any_of(plan_.keys.begin(), plan_.keys.end(),
                       [&](const SinkField& field) { return field.name == name; });
  }

  void add(std::vector<SinkField>& to, const std::string& name, mr_schema_id id, CellSource source, bool key) {
    const mr_schema* schema = context_.describe(id);
    SinkField field{name, schema, std::move(source), form(*schema), key, !key && schema->optional != 0};
    for (const mr_schema* one = schema; one != nullptr && one->type == MR_ARRAY; ++field.array_depth) {
      one = field.element = context_.describe(one->value_schema);
    }
    if (field.element != nullptr) field.form = form(*field.element);
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
  const FieldPlan::Input& input_;
  const mr_schema* key_;
  const mr_schema* value_;
  FieldPlan plan_;
};

}  // namespace

void header_signature(const SinkConfig& config, const mr_record& record, std::string& out) {
  out.clear();
  if (config.key_mode != KeyMode::kRecordHeader) return;
  const auto append_schema = [&out](const mr_header* header) {
    const mr_schema_id id = header == nullptr ? 0 : header->schema;
    out.append(reinterpret_cast<const char*>(&id), sizeof(id));
  };
  for (const std::string& name : config.key_fields) append_schema(header_of(record, name));
  for (uint32_t i = 0; config.key_fields.empty() && i < record.header_count; ++i) {
    const std::string_view name = sdk::view(record.headers[i].key);
    const size_t size = name.size();
    out.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out += name;
    append_schema(&record.headers[i]);
  }
}

const char* type_name(const mr_schema& schema) {
  constexpr const char* kNames[] = {"NULL",    "BOOLEAN", "INT8",  "INT16", "INT32", "INT64", "FLOAT32",
                                    "FLOAT64", "STRING",  "BYTES", "ARRAY", "MAP",   "STRUCT"};
  return schema.type < std::size(kNames) ? kNames[schema.type] : "?";
}

Result<FieldPlan> FieldPlan::make(const SinkConfig& config, const TableId& table, const sdk::TaskContext& context,
                                  const Input& input) {
  return PlanMaker(config, table, context, input).make();
}

}  // namespace millrace::jdbc
