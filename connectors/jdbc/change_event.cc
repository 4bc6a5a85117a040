#include "connectors/jdbc/change_event.h"

#include <cstring>

namespace millrace::jdbc {
namespace {

constexpr size_t kShapesMax = 256;

uint32_t index_of(const mr_schema& schema, std::string_view name) {
  uint32_t at = 0;
  while (at < schema.field_count && sdk::view(schema.fields[at].name) != name) ++at;
  return at;
}

bool meta(std::string_view name) {
  return name.ends_with(".SchemaChangeValue") || name.ends_with(".TransactionMetadataValue") ||
         name == "io.debezium.connector.common.Heartbeat" || name.ends_with(".Notification");
}

RecordShape shape_of(const sdk::TaskContext& context, mr_schema_id id) {
  RecordShape shape;
  shape.schema = id;
  const mr_schema* schema = id == 0 ? nullptr : context.describe(id);
  if (schema == nullptr || schema->type != MR_STRUCT) return shape;
  const std::string_view name = sdk::view(schema->name);
  if (name.starts_with("io.debezium.") && meta(name)) shape.kind = RecordShape::Kind::kMeta;
  if (!name.ends_with(".Envelope")) return shape;
  const uint32_t before = index_of(*schema, "before");
  shape.after = index_of(*schema, "after");
  shape.source = index_of(*schema, "source");
  shape.op = index_of(*schema, "op");
  for (const uint32_t field : {before, shape.after, shape.source, shape.op}) {
    if (field == schema->field_count) return shape;
  }
  shape.row_schema = schema->fields[shape.after].schema;
  shape.source_schema = schema->fields[shape.source].schema;
  shape.kind = RecordShape::Kind::kEnvelope;
  return shape;
}

mr_value field_of(const mr_value& value, uint32_t index) {
  return value.kind == MR_STRUCT && index < value.size ? value.u.items[index] : mr_value{};
}

}  // namespace

const RecordShape& ShapeCache::of(const sdk::TaskContext& context, mr_schema_id schema) {
  if (last_ < shapes_.size() && shapes_[last_].schema == schema) return shapes_[last_];
  for (last_ = 0; last_ < shapes_.size(); ++last_) {
    if (shapes_[last_].schema == schema) return shapes_[last_];
  }
  if (shapes_.size() >= kShapesMax) shapes_.clear();
  last_ = shapes_.size();
  shapes_.push_back(shape_of(context, schema));
  if (shapes_.back().kind == RecordShape::Kind::kMeta) {
    context.warn("records of the schema " + std::string(sdk::view(context.describe(schema)->name)) +
                 " are no rows and are skipped; leave their topic out of topics");
  }
  return shapes_.back();
}

char operation_of(const mr_record& record, const RecordShape& shape) {
  const mr_value op = field_of(record.value, shape.op);
  return op.kind == MR_STRING && op.size == 1 ? op.u.bytes[0] : '\0';
}

std::optional<std::string_view> source_field(const sdk::TaskContext& context, const mr_record& record,
                                             const RecordShape& shape, std::string_view name) {
  const mr_schema* schema =
      shape.kind == RecordShape::Kind::kEnvelope ? context.describe(shape.source_schema) : nullptr;
  if (schema == nullptr) return std::nullopt;
  const mr_value value = field_of(field_of(record.value, shape.source), index_of(*schema, name));
  if (value.kind != MR_STRING) return std::nullopt;
  return std::string_view(value.u.bytes, value.size);
}

bool debezium_key(const mr_schema* key) {
  return key != nullptr && key->type == MR_STRUCT && sdk::view(key->name).ends_with(".Key");
}

mr_value cell_of(const mr_record& record, const CellSource& source) {
  const bool moved = record.original_topic.data != nullptr;
  switch (source.from) {
    case CellSource::From::kKey:
      return record.key;
    case CellSource::From::kKeyField:
      return field_of(record.key, source.index);
    case CellSource::From::kValue:
      return record.value;
    case CellSource::From::kValueField:
      return field_of(record.value, source.index);
    case CellSource::From::kAfterField:
      return field_of(field_of(record.value, source.row), source.index);
    case CellSource::From::kHeader:
      for (uint32_t i = record.header_count; i > 0; --i) {
        if (sdk::view(record.headers[i - 1].key) == source.header) return record.headers[i - 1].value;
      }
      return {};
    case CellSource::From::kNothing:
      return {};
    case CellSource::From::kTopic:
      return sdk::string_value(sdk::view(moved ? record.original_topic : record.topic));
    case CellSource::From::kPartition:
      return sdk::int_value(MR_INT32, moved ? record.original_partition : record.partition);
    case CellSource::From::kOffset:
      return sdk::int_value(MR_INT64, record.offset);
  }
  return {};
}

bool same_value(const mr_value& a, const mr_value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case MR_NULL:
      return true;
    case MR_FLOAT32:
    case MR_FLOAT64:
      return a.u.f64 == b.u.f64;
    case MR_STRING:
    case MR_BYTES:
    case MR_DECIMAL:
      return a.size == b.size && a.scale == b.scale && (a.size == 0 || std::memcmp(a.u.bytes, b.u.bytes, a.size) == 0);
    case MR_ARRAY:
    case MR_MAP:
    case MR_STRUCT: {
      if (a.size != b.size) return false;
      const size_t count = a.kind == MR_MAP ? size_t{2} * a.size : a.size;
      for (size_t i = 0; i < count; ++i) {
        if (!same_value(a.u.items[i], b.u.items[i])) return false;
      }
      return true;
    }
    default:
      return a.u.i64 == b.u.i64;
  }
}

}  // namespace millrace::jdbc
