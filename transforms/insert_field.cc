#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

constexpr std::string_view kPurpose = "field insertion";

enum class Source : uint8_t { kTopic, kPartition, kOffset, kTimestamp, kStatic };

struct Insertion {
  Source source;
  std::string name;
  bool optional;
};

SchemaPtr schema_of(const Insertion& insertion) {
  switch (insertion.source) {
    case Source::kPartition:
      return plain_schema(Type::kInt32, insertion.optional);
    case Source::kOffset:
      return plain_schema(Type::kInt64, insertion.optional);
    case Source::kTimestamp:
      return timestamp_schema(insertion.optional);
    default:
      return plain_schema(Type::kString, insertion.optional);
  }
}

class InsertField final : public Transformation {
 public:
  explicit InsertField(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = insert_field_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    add(Source::kTopic, *parsed, "topic.field");
    add(Source::kPartition, *parsed, "partition.field");
    add(Source::kOffset, *parsed, "offset.field");
    add(Source::kTimestamp, *parsed, "timestamp.field");
    add(Source::kStatic, *parsed, "static.field");
    if (insertions_.empty()) return bad_config("No field insertion configured");
    static_value_ = parsed->text("static.value");
    if (insertions_.back().source == Source::kStatic && parsed->is_null("static.value")) {
      return bad_config(
          invalid_config_value("static.value", {}, "No value specified for static field: " + insertions_.back().name));
    }
    replace_null_ = parsed->boolean(kReplaceNull);
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    const SchemaAndValue& at = operand(record, side_);
    if (is_null(at.value)) return true;
    Status status = at.schema == nullptr ? apply_schemaless(record, arena) : apply_with_schema(record, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  void add(Source source, const ParsedConfig& config, std::string_view key) {
    if (config.is_null(key)) return;
    std::string name = config.text(key);
    const bool required = name.ends_with('!');
    if (required || name.ends_with('?')) name.pop_back();
    insertions_.push_back({source, std::move(name), !required});
  }

  Status apply_schemaless(ConnectRecord& record, Arena& arena) const {
    SchemaAndValue& at = operand(record, side_);
    if (auto status = require_map(at.value, kPurpose); !status) return status;
    MapEdit edit(at.value, insertions_.size(), arena);
    for (const Insertion& insertion : insertions_) {
      const auto value = inserted(insertion.source, record);
      if (!value) return fail(value.error());
      if (!is_null(*value)) edit.put(insertion.name, *value);
    }
    at.value = edit.get();
    return {};
  }

  Status apply_with_schema(ConnectRecord& record, Arena& arena) {
    SchemaAndValue& at = operand(record, side_);
    if (auto status = require_struct(*at.schema, at.value, kPurpose); !status) return status;
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    const size_t count = (*plan)->output->fields().size();
    auto* items = arena.allocate_array<Value>(count);
    if (auto status = copy_fields(**plan, at.value, items); !status) return status;
    Value* next = items + (*plan)->copies.size();
    for (const Insertion& insertion : insertions_) {
      const auto value = inserted(insertion.source, record);
      if (!value) return fail(value.error());
      *next++ = *value;
    }
    at = {(*plan)->output.get(), items_value(MR_STRUCT, {items, count})};
    return {};
  }

  /// Null for what the record does not know; a required field then stays unset, as in Connect.
  Expected<Value> inserted(Source source, const ConnectRecord& record) const {
    switch (source) {
      case Source::kTopic:
        return string_value(record.topic);
      case Source::kPartition:
        return record.partition < 0 ? null_value() : int32_value(record.partition);
      case Source::kOffset:
        if (record.kind == ConnectRecord::Kind::kSink) return int64_value(record.offset);
        return bad_record(fmt::format("Only SinkRecord supported for [{}], found: {}", kPurpose,
                                      "org.apache.kafka.connect.source.SourceRecord"));
      case Source::kTimestamp:
        return record.timestamp_ms ? int64_value(*record.timestamp_ms) : null_value();
      case Source::kStatic:
        break;
    }
    return string_value(static_value_);
  }

  Expected<StructPlan> make_plan(const Schema& schema) const {
    StructPlan plan;
    FieldList fields;
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      const Field& field = schema.fields()[i];
      if (auto status = fields.add(field.name, field.schema); !status) return fail(std::move(status.error()));
      plan.copies.push_back(field_copy(schema, i, replace_null_));
    }
    for (const Insertion& insertion : insertions_) {
      if (auto status = fields.add(insertion.name, schema_of(insertion)); !status)
        return fail(std::move(status.error()));
    }
    SchemaParts parts = schema_basics(schema, Type::kStruct);
    parts.fields = fields.take();
    plan.output = make_schema(std::move(parts));
    return plan;
  }

  const Side side_;
  std::vector<Insertion> insertions_;
  std::string static_value_;
  bool replace_null_ = true;
  PlanCache<StructPlan> plans_;
};

ConfigKey field_key(std::string name, std::string_view what) {
  return {.name = std::move(name),
          .default_value = nullptr,
          .documentation = fmt::format("Field for {}. A final ! makes the field required, a final ? or nothing "
                                       "optional.",
                                       what)};
}

}  // namespace

TransformationPtr make_insert_field(Side side) { return std::make_unique<InsertField>(side); }

const ConfigDef& insert_field_options() {
  static const ConfigDef def =
      make_options({field_key("topic.field", "the topic"),
                    field_key("partition.field", "the partition"),
                    field_key("offset.field", "the offset (sink connectors only)"),
                    field_key("timestamp.field", "the record's timestamp"),
                    field_key("static.field", "a fixed text"),
                    {.name = "static.value", .default_value = nullptr, .documentation = "The text for static.field."},
                    replace_null_key()});
  return def;
}

}  // namespace millrace::smt
