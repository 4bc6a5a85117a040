// io.debezium.transforms.ExtractChangedRecordState: names of changed and unchanged fields as headers.

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

const Options& options() {
  static const Options all({
      {.key = config_key("header.changed.name", T::kString, nullptr, I::kLow, W::kLong, "Header change name.",
                         "The header that lists the fields that an update changed; none without it.")},
      {.key = config_key("header.unchanged.name", T::kString, nullptr, I::kLow, W::kLong, "Header unchanged name.",
                         "The header that lists the fields that an update left alone; none without it.")},
  });
  return all;
}

/// A header with a list of names.
struct NamesHeader {
  std::string name;  ///< empty = not wanted
  SchemaPtr schema;

  void set_name(std::string_view text) {
    if (is_blank(text)) return;
    name = text;
    SchemaParts parts{.type = Type::kArray, .optional = true, .name = name};
    parts.value_schema = plain_schema(Type::kString, true);
    schema = make_schema(std::move(parts));
  }
};

class ExtractChangedRecordState final : public Transformation {
 public:
  Status configure(const ConfigMap& given) override {
    const Settings settings(options(), given);
    changed_.set_name(settings.text_or_empty("header.changed.name"));
    unchanged_.set_name(settings.text_or_empty("header.unchanged.name"));
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    if (is_null(record.value.value) || !is_envelope(record.value.schema)) return true;
    if (auto status = require_struct(record.value, "Record value should be struct."); !status)
      return fail(std::move(status.error()));
    const auto planned = plans_.get(record.value.schema, make_plan);
    if (!planned) return fail(planned.error());
    const Plan& plan = **planned;
    const Value& after = record.value.value.u.items[plan.after];
    const Value& before = record.value.value.u.items[plan.before];
    const size_t count = is_null(after) || is_null(before) ? 0 : plan.pairs.size();
    if (plan.missing && !is_null(after) && !is_null(before)) return fail(*plan.missing);

    Value* names = arena.allocate_array<Value>(count);  // changed ones from the front, others from the back
    size_t changed = 0, unchanged = 0;
    for (size_t i = 0; i < count; ++i) {
      const Pair& pair = plan.pairs[i];
      const bool same = equal(after.u.items[i], before.u.items[pair.before]);
      names[same ? count - ++unchanged : changed++] = pair.name;
    }
    std::reverse(names + changed, names + count);
    add(record, changed_, {names, changed});
    add(record, unchanged_, {names + changed, unchanged});
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  struct Pair {
    Value name{};
    size_t before = 0;
  };
  struct Plan {
    SchemaPtr envelope;  // keeps the names
    size_t after = 0, before = 0;
    std::vector<Pair> pairs;  // one a field of `after`
    std::optional<Error> missing;
  };

  static Expected<Plan> make_plan(const Schema& envelope) {
    const auto after = field_of(envelope, kAfter);
    if (!after) return fail(after.error());
    const auto before = field_of(envelope, kBefore);
    if (!before) return fail(before.error());
    Plan plan{envelope.shared_from_this(), *after, *before, {}, {}};
    const Schema& old_row = *envelope.fields()[*before].schema;
    for (const Field& field : envelope.fields()[*after].schema->fields()) {
      const auto index = field_of(old_row, field.name);
      if (!index) plan.missing = index.error();
      plan.pairs.push_back({string_value(field.name), index.value_or(0)});
    }
    return plan;
  }

  static void add(ConnectRecord& record, const NamesHeader& header, std::span<const Value> names) {
    if (header.name.empty()) return;
    record.headers.push_back({header.name, header.schema.get(), items_value(MR_ARRAY, names)});
  }

  NamesHeader changed_, unchanged_;
  SchemaPlans<Plan> plans_;
};

}  // namespace

TransformationClass extract_changed_record_state_class() {
  return {"io.debezium.transforms.ExtractChangedRecordState",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<ExtractChangedRecordState>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
