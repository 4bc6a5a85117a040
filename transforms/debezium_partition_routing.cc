// io.debezium.transforms.partitions.PartitionRouting: the partition from the hash of some fields.

#include <limits>

#include "transforms/debezium_config.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_records.h"
#include "transforms/debezium_transformations.h"

namespace millrace::debezium {
namespace {

using T = ConfigType;
using I = ConfigImportance;
using W = ConfigWidth;

ConfigKey partition_key(std::string name, T type, ConfigKey::Default fallback, I importance, std::string display,
                        std::string documentation) {
  ConfigKey key = config_key(std::move(name), type, std::move(fallback), importance, W::kNone, std::move(display),
                             std::move(documentation));
  key.group = "partitions";
  return key;
}

const Options& options() {
  static const Options all({
      {.key = partition_key("partition.payload.fields", T::kList, nullptr, I::kHigh,
                            "List of payload fields to use for compute partition.",
                            "Fields of the change event: op, source.table, after.id; change.id is that of the old row "
                            "for a delete and of the new one otherwise. Fields that an event lacks do not count."),
       .required = true,
       .check = checks::no_empty_elements("partition.payload.fields")},
      {.key = partition_key("partition.topic.num", T::kInt, nullptr, I::kHigh,
                            "Number of partition configured for topic", "How many partitions the topic has."),
       .required = true,
       .check = checks::positive_integer("partition.topic.num")},
      {.key = partition_key("partition.hash.function", T::kString, "java", I::kLow, "Hash function",
                            "java (the default) or murmur."),
       .checked = false},
  });
  return all;
}

/// Where one configured field lies in events of a schema.
struct Path {
  std::vector<uint32_t> structs;  ///< from the envelope down
  uint32_t field = 0;
  const Field* described = nullptr;
  bool found = false;
};

struct Plan {
  SchemaPtr envelope;
  uint32_t op = 0;
  std::vector<Path> paths, delete_paths;  ///< `change` is `after` in the one and `before` in the other
};

Path find_path(const Schema& envelope, const std::vector<std::string>& names, std::string_view change) {
  Path path;
  const Schema* at = &envelope;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    const auto index = at->field_index(names[i] == "change" ? change : std::string_view(names[i]));
    if (!index || at->fields()[*index].schema->type() != Type::kStruct) return path;
    path.structs.push_back(static_cast<uint32_t>(*index));
    at = at->fields()[*index].schema.get();
  }
  const auto index = names.empty() ? std::nullopt : at->field_index(names.back());
  if (!index) return path;
  path.field = static_cast<uint32_t>(*index);
  path.described = &at->fields()[*index];
  path.found = true;
  return path;
}

class PartitionRouting final : public Transformation {
 public:
  Status configure(const ConfigMap& given) override {
    const Settings settings(options(), given);
    if (auto status = settings.check(); !status) return status;
    for (const std::string& field : settings.list("partition.payload.fields"))
      fields_.push_back(java_split_trimmed(field, '.'));
    partitions_ = static_cast<int32_t>(settings.integer("partition.topic.num"));
    murmur_ = java_split_trimmed(lower(settings.text_or_empty("partition.hash.function")), ',').front() == "murmur";
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena&) override {
    if (is_null(record.value.value) || !is_envelope(record.value.schema)) return true;
    if (auto status = require_struct(record.value, "partition routing"); !status)
      return fail(std::move(status.error()));
    if (record.kind == ConnectRecord::Kind::kSink)
      return refuse(record, "Partitions of records that were read cannot be chosen", "java.lang.ClassCastException");
    const auto planned = plans_.get(record.value.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!planned) return refuse(record, planned.error().message, {});
    const Plan& plan = **planned;

    const Value& op = record.value.value.u.items[plan.op];
    const std::string_view code = is_null(op) ? std::string_view() : bytes_of(op);
    if (equals_ignoring_case(code, "t") || equals_ignoring_case(code, "m")) return true;
    uint32_t total = 0;
    bool any = false;
    for (const Path& path : equals_ignoring_case(code, "d") ? plan.delete_paths : plan.paths) {
      if (!path.found) continue;
      const Value* at = &record.value.value;
      for (const uint32_t index : path.structs) {
        at = &at->u.items[index];
        if (is_null(*at)) return refuse(record, "A struct on the way to a partition field is null", kNullPointer);
      }
      const Value& value = value_or_default(*path.described, at->u.items[path.field]);
      if (is_null(value)) continue;
      const Schema* schema = path.described->schema.get();
      total += static_cast<uint32_t>(murmur_ ? murmur_hash(schema, value) : java_hash(schema, value));
      any = true;
    }
    if (!any) return true;
    auto hash = static_cast<int32_t>(total & 0x7FFFFFFFU);
    if (hash == std::numeric_limits<int32_t>::max()) hash = 0;
    record.partition = hash % partitions_;
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  Expected<Plan> make_plan(const Schema& envelope) const {
    const auto op = field_of(envelope, kOp, Type::kString);
    if (!op) return fail(op.error());
    Plan plan{envelope.shared_from_this(), static_cast<uint32_t>(*op), {}, {}};
    for (const std::vector<std::string>& names : fields_) {
      plan.paths.push_back(find_path(envelope, names, kAfter));
      plan.delete_paths.push_back(find_path(envelope, names, kBefore));
    }
    return plan;
  }

  static tl::unexpected<Error> refuse(const ConnectRecord& record, std::string why, std::string_view exception) {
    std::string message = "Unprocessable message ";
    append_java_text(message, record.value.schema, record.value.value);
    Error outer = Error{ErrorCode::kBadRecord, std::move(why), std::string(exception), {}, {}}.wrap(std::move(message));
    outer.exception = kDebezium;
    return fail(std::move(outer));
  }

  std::vector<std::vector<std::string>> fields_;
  int32_t partitions_ = 1;
  bool murmur_ = false;
  SchemaPlans<Plan> plans_;
};

}  // namespace

TransformationClass partition_routing_class() {
  return {"io.debezium.transforms.partitions.PartitionRouting",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<PartitionRouting>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
