#include <algorithm>

#include "transforms/kafka_transforms.h"
#include "transforms/options.h"
#include "transforms/plan_cache.h"
#include "transforms/struct_plan.h"

namespace millrace::smt {
namespace {

struct HeaderPlan : StructPlan {
  struct Header {
    FieldCopy copy;
    const Schema* schema;
  };
  std::vector<Header> headers;
};

class HeaderFrom final : public Transformation {
 public:
  explicit HeaderFrom(Side side) : side_(side) {}

  Status configure(const ConfigMap& settings) override {
    auto parsed = header_from_options().parse(settings);
    if (!parsed) return fail(std::move(parsed.error()));
    fields_ = parsed->list("fields");
    headers_ = parsed->list("headers");
    if (fields_.size() != headers_.size())
      return bad_config("'fields' config must have the same number of elements as 'headers' config.");
    move_ = parsed->text("operation") == "move";
    purpose_ = move_ ? "header move" : "header copy";
    replace_null_ = parsed->boolean(kReplaceNull);
    return {};
  }

  Expected<bool> apply(ConnectRecord& record, Arena& arena) override {
    SchemaAndValue& at = operand(record, side_);
    Status status = at.schema == nullptr ? apply_schemaless(at, record.headers, arena)
                                         : apply_with_schema(at, record.headers, arena);
    if (!status) return fail(std::move(status.error()));
    return true;
  }

  void new_batch() override { plans_.new_batch(); }

 private:
  using Headers = std::vector<ConnectHeader>;

  Status apply_schemaless(SchemaAndValue& at, Headers& headers, Arena& arena) const {
    if (auto status = require_map(at.value, purpose_); !status) return status;
    const Value from = at.value;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const Value* value = find(from, fields_[i]);
      headers.push_back({headers_[i], nullptr, value == nullptr ? null_value() : *value});
    }
    if (!move_) return {};
    MapEdit edit(from, 0, arena);
    for (const std::string& field : fields_) edit.remove(field);
    at.value = edit.get();
    return {};
  }

  Status apply_with_schema(SchemaAndValue& at, Headers& headers, Arena& arena) {
    if (auto status = require_struct(*at.schema, at.value, purpose_); !status) return status;
    const auto plan = plans_.get(*at.schema, [this](const Schema& schema) { return make_plan(schema); });
    if (!plan) return fail(plan.error());
    const Value from = at.value;
    if (move_) {
      const size_t count = (*plan)->copies.size();
      auto* items = arena.allocate_array<Value>(count);
      if (auto status = copy_fields(**plan, from, items); !status) return status;
      at = {(*plan)->output.get(), items_value(MR_STRUCT, {items, count})};
    }
    for (size_t i = 0; i < headers_.size(); ++i) {
      const HeaderPlan::Header& header = (*plan)->headers[i];
      headers.push_back({headers_[i], header.schema, copied(header.copy, from)});
    }
    return {};
  }

  Expected<HeaderPlan> make_plan(const Schema& schema) const {
    HeaderPlan plan;
    for (const std::string& name : fields_) {
      const auto index = schema.field_index(name);
      if (!index) return bad_record("Unknown field: " + name, "java.lang.NullPointerException");
      plan.headers.push_back({field_copy(schema, *index, replace_null_), schema.fields()[*index].schema.get()});
    }
    SchemaParts parts = schema_basics(schema, Type::kStruct);
    for (size_t i = 0; i < schema.fields().size(); ++i) {
      if (std::ranges::find(fields_, schema.fields()[i].name) != fields_.end()) continue;
      parts.fields.push_back(schema.fields()[i]);
      plan.copies.push_back(field_copy(schema, i, replace_null_));
    }
    plan.output = make_schema(std::move(parts));
    return plan;
  }

  const Side side_;
  std::vector<std::string> fields_, headers_;
  bool move_ = false, replace_null_ = true;
  std::string_view purpose_;
  PlanCache<HeaderPlan> plans_;
};

}  // namespace

TransformationPtr make_header_from(Side side) { return std::make_unique<HeaderFrom>(side); }

const ConfigDef& header_from_options() {
  static const ConfigDef def =
      make_options({{.name = "fields",
                     .type = ConfigType::kList,
                     .importance = ConfigImportance::kHigh,
                     .documentation = "Names of the fields whose values become headers.",
                     .validator = non_empty_list()},
                    {.name = "headers",
                     .type = ConfigType::kList,
                     .importance = ConfigImportance::kHigh,
                     .documentation = "Names of the headers, in the order of the fields.",
                     .validator = non_empty_list()},
                    {.name = "operation",
                     .importance = ConfigImportance::kHigh,
                     .documentation = "move takes the fields out of the key or value, copy leaves them there.",
                     .validator = validators::one_of({"move", "copy"})},
                    replace_null_key()});
  return def;
}

}  // namespace millrace::smt
