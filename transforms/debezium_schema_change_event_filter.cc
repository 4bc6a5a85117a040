// io.debezium.transforms.SchemaChangeEventFilter: drops DDL events of some kinds.

#include <algorithm>
#include <array>
#include <bitset>

#include "transforms/debezium_config.h"
#include "transforms/debezium_java.h"
#include "transforms/debezium_records.h"
#include "transforms/debezium_transformations.h"

namespace millrace::debezium {
namespace {

const Options& options() {
  static const Options all({
      {.key = config_key("schema.change.event.exclude.list", ConfigType::kString, nullptr, ConfigImportance::kHigh,
                         ConfigWidth::kShort, "Schema change event exclude list",
                         "Kinds of schema changes to drop: CREATE, ALTER, DROP, TRUNCATE, DATABASE."),
       .required = true},
  });
  return all;
}

constexpr std::array<std::string_view, 5> kKinds = {"CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE"};
constexpr size_t kDatabase = 4;

/// Java's valueOf.
Expected<size_t> kind_of(std::string_view name, ErrorCode code) {
  const auto found = std::ranges::find(kKinds, name);
  if (found != kKinds.end()) return static_cast<size_t>(found - kKinds.begin());
  return fail(Error{code,
                    "No enum constant io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType." + std::string(name),
                    std::string(kIllegalArgument),
                    {},
                    {}});
}

class SchemaChangeEventFilter final : public Transformation {
 public:
  Status configure(const ConfigMap& given) override {
    const Settings settings(options(), given);
    if (auto status = settings.check(); !status) return status;
    for (const std::string& name : settings.list("schema.change.event.exclude.list")) {
      const auto kind = kind_of(name, ErrorCode::kInvalidConfig);
      if (!kind) return fail(kind.error());
      excluded_.set(*kind);
    }
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena&) override {
    if (is_null(record.value.value) || !is_schema_change(record.value.schema)) return true;
    if (auto status = require_struct(record.value, "Read schema change event to filter"); !status)
      return fail(std::move(status.error()));
    const auto changes = field_of(*record.value.schema, "tableChanges", Type::kArray);
    if (!changes) return fail(changes.error());
    const Value& list = record.value.value.u.items[*changes];
    if (is_null(list)) return false;
    if (list.size == 0) return !excluded_.test(kDatabase);
    const Schema* change = record.value.schema->fields()[*changes].schema->value_schema();
    const Value& first = list.u.items[0];
    if (change == nullptr || first.kind != MR_STRUCT)
      return bad_record("A table change is no struct", "java.lang.ClassCastException");
    const auto type = field_of(*change, "type");
    if (!type) return fail(type.error());
    const Value& name = value_or_default(change->fields()[*type], first.u.items[*type]);
    if (name.kind != MR_STRING) return bad_record("Name is null", kNullPointer);
    const auto kind = kind_of(bytes_of(name), ErrorCode::kBadRecord);
    if (!kind) return fail(kind.error());
    return !excluded_.test(*kind);
  }

 private:
  std::bitset<kKinds.size()> excluded_;
};

}  // namespace

TransformationClass schema_change_event_filter_class() {
  return {"io.debezium.transforms.SchemaChangeEventFilter",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<SchemaChangeEventFilter>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
