// io.debezium.transforms.HeaderToValue: copies or moves headers into fields of the value.

#include <algorithm>

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
  const auto elements = [](const char* name) {
    return checks::both(checks::no_space_in_elements(name), checks::no_empty_elements(name));
  };
  static const Options all({
      {.key = config_key("headers", T::kList, nullptr, I::kHigh, W::kNone, "Header names list",
                         "The headers whose values go into the record's value."),
       .required = true,
       .check = elements("headers")},
      {.key = config_key("fields", T::kList, nullptr, I::kHigh, W::kNone, "Field names list",
                         "The new field for each header, in the same order; source.x puts it into a struct."),
       .required = true,
       .check = elements("fields")},
      {.key = config_key("operation", T::kString, nullptr, I::kHigh, W::kNone, "Operation: mover or copy",
                         "move takes the headers away, copy leaves them."),
       .choices = {"move", "copy"},
       .required = true},
  });
  return all;
}

/// How one struct of the value is rebuilt: its own fields, some of them rebuilt too, then the new ones.
struct Node {
  SchemaPtr from, to;
  std::vector<std::pair<uint32_t, Node>> nested;  ///< by field of `from`
  std::vector<uint32_t> added;                    ///< indices of entries
};
struct Plan {
  std::vector<SchemaPtr> header_schemas;  ///< kept, as their addresses are part of the key
  Node root;
};

class HeaderToValue final : public Transformation {
 public:
  Status configure(const ConfigMap& given) override;
  Expected<bool> apply(ConnectRecord& record, Arena& arena) override;
  void new_batch() override {
    plans_.new_batch();
    pool_.new_batch();
  }

 private:
  struct Entry {
    size_t target = 0;  // in fields_
    const ConnectHeader* header = nullptr;
  };

  Expected<Plan> make_plan(const Schema& schema);
  Status check_parents(const Schema& schema, const std::vector<std::string>& path, std::string_view whole) const;
  Expected<Node> make_node(const Schema& schema, const std::vector<uint32_t>& entries, size_t level);
  Expected<Value> rebuild(const Node& node, const Value& from, Arena& arena) const;

  std::vector<std::string> headers_, fields_;
  std::vector<std::vector<std::string>> paths_;  // of fields_
  bool move_ = false;
  std::vector<Entry> entries_;  // of the record at hand
  std::string key_;
  SchemaPool pool_;
  PlanCache<Plan> plans_;
};

Status HeaderToValue::configure(const ConfigMap& given) {
  const Settings settings(options(), given);
  if (auto status = settings.check(); !status) return status;
  headers_ = settings.list("headers");
  fields_ = settings.list("fields");
  if (headers_.size() != fields_.size())
    return config_error("'fields' config must have the same number of elements as 'headers' config.");
  for (const std::string& field : fields_) paths_.push_back(java_split(field, '.'));
  const std::string operation = settings.text_or_empty("operation");
  if (operation != "move" && operation != "copy")
    return config_error("operation must be written move or copy, not " + operation, std::string(kIllegalArgument));
  move_ = operation == "move";
  return {};
}

Expected<bool> HeaderToValue::apply(ConnectRecord& record, Arena& arena) {
  if (is_null(record.value.value)) return true;
  if (auto status = require_struct(record.value, "Header field insertion"); !status)
    return fail(std::move(status.error()));
  entries_.clear();
  key_.assign(reinterpret_cast<const char*>(&record.value.schema), sizeof record.value.schema);
  for (const ConnectHeader& header : record.headers) {
    const auto found = std::ranges::find(headers_, header.key);
    if (found == headers_.end()) continue;
    const Entry& entry = entries_.emplace_back(static_cast<size_t>(found - headers_.begin()), &header);
    key_.append(reinterpret_cast<const char*>(&entry.target), sizeof entry.target);
    key_.append(reinterpret_cast<const char*>(&header.schema), sizeof header.schema);
  }
  if (entries_.empty()) return true;

  const Plan* plan = plans_.find(key_);
  if (plan == nullptr) {
    auto made = make_plan(*record.value.schema);
    if (!made) return fail(std::move(made.error()));
    plan = plans_.add(key_, std::move(*made));
  }
  auto rebuilt = rebuild(plan->root, record.value.value, arena);
  if (!rebuilt) return fail(std::move(rebuilt.error()));
  record.value = {plan->root.to.get(), *rebuilt};
  if (move_) {
    std::erase_if(record.headers,
                  [&](const ConnectHeader& header) { return std::ranges::count(headers_, header.key) > 0; });
  }
  return true;
}

Expected<Plan> HeaderToValue::make_plan(const Schema& schema) {
  Plan plan;
  std::vector<uint32_t> all;
  for (const Entry& entry : entries_) {
    if (auto status = check_parents(schema, paths_[entry.target], fields_[entry.target]); !status)
      return fail(std::move(status.error()));
    plan.header_schemas.push_back(entry.header->schema == nullptr ? nullptr : entry.header->schema->shared_from_this());
    all.push_back(static_cast<uint32_t>(all.size()));
  }
  auto root = make_node(schema, all, 0);
  if (!root) return fail(std::move(root.error()));
  plan.root = std::move(*root);
  return plan;
}

Status HeaderToValue::check_parents(const Schema& schema, const std::vector<std::string>& path,
                                    std::string_view whole) const {
  const Schema* at = &schema;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto because = [&](std::string_view why) {
      return bad_record(
          "Field '" + path[i] + "' " + std::string(why) + " Cannot add nested field '" + std::string(whole) + "'.",
          kDebezium);
    };
    if (at->type() != Type::kStruct) return bad_record("Cannot look up fields on non-struct type");
    const auto index = at->field_index(path[i]);
    if (!index) return because("does not exist in the schema.");
    at = at->fields()[*index].schema.get();
    const bool primitive = at->type() != Type::kStruct && at->type() != Type::kArray && at->type() != Type::kMap;
    if (primitive) return because("is a primitive type, not a struct.");
  }
  return at->type() == Type::kStruct ? Status() : bad_record("Cannot look up fields on non-struct type");
}

/// `entries`: those that go into this struct or below it; `level`: how many parts of their paths led here.
Expected<Node> HeaderToValue::make_node(const Schema& schema, const std::vector<uint32_t>& entries, size_t level) {
  Node node;
  node.from = schema.shared_from_this();
  StructBuilder builder(schema);
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const Field& field = schema.fields()[i];
    std::vector<uint32_t> below;
    for (const uint32_t entry : entries) {
      const std::vector<std::string>& path = paths_[entries_[entry].target];
      if (path.size() > level + 1 && path[level] == field.name) below.push_back(entry);
    }
    SchemaPtr field_schema = field.schema;
    if (!below.empty()) {
      auto nested = make_node(*field.schema, below, level + 1);
      if (!nested) return fail(std::move(nested.error()));
      field_schema = nested->to;
      node.nested.emplace_back(static_cast<uint32_t>(i), std::move(*nested));
    }
    if (auto status = builder.add(field.name, std::move(field_schema)); !status) return fail(std::move(status.error()));
  }
  for (const uint32_t entry : entries) {
    const std::vector<std::string>& path = paths_[entries_[entry].target];
    if (path.size() != level + 1) continue;
    const Schema* header = entries_[entry].header->schema;
    if (auto status = builder.add(path.back(), header == nullptr ? nullptr : header->shared_from_this()); !status)
      return fail(std::move(status.error()));
    node.added.push_back(entry);
  }
  node.to = builder.build(pool_);
  return node;
}

Expected<Value> HeaderToValue::rebuild(const Node& node, const Value& from, Arena& arena) const {
  const size_t old_count = node.from->fields().size(), size = old_count + node.added.size();
  Value* items = arena.allocate_array<Value>(size);
  for (size_t i = 0; i < old_count; ++i) items[i] = value_or_default(node.from->fields()[i], from.u.items[i]);
  for (const auto& [index, nested] : node.nested) {
    if (is_null(items[index])) continue;
    auto value = rebuild(nested, items[index], arena);
    if (!value) return value;
    items[index] = *value;
  }
  for (size_t i = 0; i < node.added.size(); ++i) {
    const ConnectHeader& header = *entries_[node.added[i]].header;
    if (auto status = check_value(header.schema, header.value, node.to->fields()[old_count + i].name); !status)
      return fail(std::move(status.error()));
    items[old_count + i] = header.value;
  }
  return items_value(MR_STRUCT, {items, size});
}

}  // namespace

TransformationClass header_to_value_class() {
  return {"io.debezium.transforms.HeaderToValue",
          []() -> std::unique_ptr<Transformation> { return std::make_unique<HeaderToValue>(); },
          []() -> const ConfigDef& { return options().table(); }};
}

}  // namespace millrace::debezium
