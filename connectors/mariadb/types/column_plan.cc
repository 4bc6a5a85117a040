#include "connectors/mariadb/types/column_plan.h"

#include "connectors/mariadb/types/plan.h"
#include "connectors/mariadb/types/rules.h"

namespace millrace::mariadb {

struct ColumnPlan::Impl : Plan {};

namespace {

using Rules = ValueOptions::Rules;

void plan_type(const ColumnDefinition& column, const WireColumn* wire, const ValueOptions& options, Plan& plan) {
  switch (plan.type.family) {
    case Family::kText:
    case Family::kBinary:
    case Family::kEnum:
    case Family::kSet:
    case Family::kJson:
    case Family::kUuid:
    case Family::kInet4:
    case Family::kInet6:
      return plan_text(plan, column, wire, options);
    case Family::kDate:
    case Family::kTime:
    case Family::kDateTime:
    case Family::kTimestamp:
      return plan_temporal(plan, options);
    case Family::kPoint:
    case Family::kGeometry:
    case Family::kVector:
      return plan_spatial(plan);
    default:
      return plan_number(plan, options);
  }
}

/// What an absent TEXT or BLOB is (binlog_row_image=NOBLOB); other types have no such value.
void set_placeholder(const std::string& text, Plan& plan) {
  const Family family = plan.type.family;
  if (family != Family::kText && family != Family::kBinary && family != Family::kJson) return;
  plan.placeholder = text;
  plan.absent_value = value_of(plan.schema.type, std::string_view(plan.placeholder));
}

void propagate_source_type(const ColumnDefinition& column, const ValueOptions& options, const TableId& table,
                           Plan& plan) {
  std::string type = column.type_name;
  for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const Rules& rules = *options.rules;
  const bool wanted =
      rules.propagate_columns.matches(plan.column) || rules.propagate_types.matches(table.full() + "." + type);
  if (!wanted) return;
  auto& parameters = plan.schema.parameters;
  parameters.emplace_back("__debezium.source.column.type", type);
  if (column.length) parameters.emplace_back("__debezium.source.column.length", std::to_string(*column.length));
  if (column.scale) parameters.emplace_back("__debezium.source.column.scale", std::to_string(*column.scale));
  if (options.include_comments && column.comment && !column.comment->empty())
    parameters.emplace_back("__debezium.source.column.comment", *column.comment);
  parameters.emplace_back("__debezium.source.column.name", column.name);
}

/// Masks are for text; other types keep their values, as Debezium has it.
bool is_maskable(Family family) {
  return family == Family::kText || family == Family::kEnum || family == Family::kSet || family == Family::kJson;
}

template <class Rule>
const Rule* first_match(const std::vector<Rule>& rules, const std::string& column) {
  for (const Rule& rule : rules)
    if (rule.columns.matches(column)) return &rule;
  return nullptr;
}

void set_asterisks(size_t count, Plan& plan) {
  plan.mask.asterisks = true;
  plan.mask.text.assign(count, '*');
  plan.null_value = plan.absent_value = value_of(MR_STRING, std::string_view(plan.mask.text));
}

Status set_hash(const Rules::Hash& rule, Plan& plan) {
  plan.mask.plain = rule.plain;
  if (!plan.mask.set_hash(rule.algorithm, rule.salt))
    return {Code::kInvalidConfig, "the hash algorithm '" + rule.algorithm + "' of column.mask.hash is not known"};
  if (plan.type.length > 0) {
    plan.mask.truncates = true;
    plan.mask.units_max = static_cast<size_t>(plan.type.length);
  }
  return {};
}

void set_truncation(size_t units, const ColumnDefinition& column, Plan& plan) {
  if (column.length && static_cast<size_t>(*column.length) <= units) return;
  plan.schema.parameters.emplace_back("truncateLength", std::to_string(units));
  const bool has_units = plan.schema.type == MR_STRING || plan.type.family == Family::kBinary;
  if (!has_units) return;
  plan.mask.units_max = plan.mask.truncates ? std::min(plan.mask.units_max, units) : units;
  plan.mask.truncates = true;
}

/// Debezium takes the first rule that names the column and forgets the others. Here a mask or hash never gives way.
Status set_masks(const Rules& rules, const ColumnDefinition& column, Plan& plan) {
  const Rules::Mask* mask = first_match(rules.masks, plan.column);
  const Rules::Hash* hash = first_match(rules.hashes, plan.column);
  const Rules::Truncate* truncate = first_match(rules.truncates, plan.column);
  if (mask != nullptr || hash != nullptr) plan.schema.parameters.emplace_back("masked", "true");
  const bool text = is_maskable(plan.type.family) && plan.schema.type == MR_STRING;
  if (text && mask != nullptr) {
    set_asterisks(mask->chars, plan);
  } else if (text && hash != nullptr) {
    if (Status s = set_hash(*hash, plan); !s.ok()) return s;
  }
  if (truncate != nullptr) set_truncation(truncate->chars, column, plan);
  plan.masked = plan.mask.active();
  return {};
}

std::string shown(const Cell& cell) {
  constexpr size_t kShownMax = 64;
  switch (cell.kind) {
    case Cell::Kind::kDecimalText:
    case Cell::Kind::kText:
      return "'" + std::string(cell.text().substr(0, kShownMax)) + "'";
    case Cell::Kind::kBytes:
      return std::to_string(cell.size) + " bytes";
    case Cell::Kind::kFloat:
    case Cell::Kind::kDouble:
      return std::to_string(cell.f64);
    case Cell::Kind::kInteger:
    case Cell::Kind::kTime:
    case Cell::Kind::kTimestamp:
    case Cell::Kind::kYear:
      return std::to_string(cell.i64);
    default:
      return "a value of kind " + std::to_string(static_cast<int>(cell.kind));
  }
}

Status failure(const Plan& plan, const Cell& cell) {
  return {Code::kBadRecord, "column " + plan.column + ": " + shown(cell) + " cannot be represented as " +
                                (plan.schema.name.empty() ? "its declared type" : plan.schema.name) +
                                "; was the table changed in a way the binlog does not tell? column.exclude.list leaves "
                                "the column out"};
}

}  // namespace

ColumnPlan::ColumnPlan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ColumnPlan::ColumnPlan(ColumnPlan&&) noexcept = default;
ColumnPlan& ColumnPlan::operator=(ColumnPlan&&) noexcept = default;
ColumnPlan::~ColumnPlan() = default;

Result<ColumnPlan> ColumnPlan::make(const TableId& table, const ColumnDefinition& column, const WireColumn* wire,
                                    const ValueOptions& options) {
  auto impl = std::make_unique<Impl>();
  Plan& plan = *impl;
  plan.column = table.full() + "." + column.name;
  plan.type = type_of(column, wire);
  plan.optional = plan.schema.optional = column.optional;
  plan_type(column, wire, options, plan);
  if (options.rules != nullptr)
    if (Status s = apply_converters(*options.rules, column, plan); !s.ok()) return s;
  set_default(column, plan);
  set_placeholder(options.unavailable_placeholder, plan);
  if (options.include_comments && column.comment && !column.comment->empty()) plan.schema.doc = *column.comment;
  if (options.rules != nullptr) {
    propagate_source_type(column, options, table, plan);
    if (Status s = set_masks(*options.rules, column, plan); !s.ok()) return s;
  }
  return ColumnPlan(std::move(impl));
}

const SchemaSpec& ColumnPlan::schema() const { return impl_->schema; }

Status ColumnPlan::convert(const Cell& cell, ByteArena& arena, mr_value& out) const {
  const Plan& plan = *impl_;
  if (cell.kind <= Cell::Kind::kNull) {
    out = cell.kind == Cell::Kind::kNull ? plan.null_value : plan.absent_value;
    return {};
  }
  if (!plan.convert(plan, cell, arena, out)) [[unlikely]]
    return failure(plan, cell);
  if (plan.masked) [[unlikely]]
    plan.mask.apply(arena, out);
  return {};
}

}  // namespace millrace::mariadb
