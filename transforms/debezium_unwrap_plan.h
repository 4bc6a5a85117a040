/// What ExtractNewRecordState does with change events of one schema.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transforms/debezium_added_fields.h"
#include "transforms/debezium_records.h"

namespace millrace::debezium {

struct UnwrapOptions {
  enum class Deletes : uint8_t { kDrop, kTombstone, kRewrite, kRewriteWithTombstone, kDeleteToTombstone };

  Deletes deletes = Deletes::kTombstone;
  std::string route_by_field;  ///< empty = the topic stays
  std::vector<FieldReference> fields, headers;
  bool replace_null_with_default = true;  ///< in the rewrite modes

  bool rewrites() const { return deletes == Deletes::kRewrite || deletes == Deletes::kRewriteWithTombstone; }
};

/// From `before` or `after` to the row that stays.
struct RowPlan {
  struct Default {
    uint32_t field;
    Value value;
  };

  SchemaPtr schema;  ///< the row's fields, __deleted in the rewrite modes, the added ones
  uint32_t copied = 0;
  std::vector<Default> defaults;   ///< for fields that are null
  std::vector<uint32_t> required;  ///< of the copied fields
};

struct UnwrapPlan {
  SchemaPtr envelope;
  uint32_t after = 0;
  std::optional<uint32_t> before;
  std::vector<AddedField> fields, headers;
  std::optional<RowPlan> new_row, old_row;  ///< from `after`, from `before`; made when one is seen
  std::optional<uint32_t> route;            ///< index in the row, known when one was seen
};

/// Borrows `options`. Errors: kBadRecord "Unknown field: after", and those of plan_added_fields() for headers.
Expected<UnwrapPlan> plan_unwrap(const UnwrapOptions& options, const Schema& envelope);
/// Fills in `plan.fields` too. Errors: kBadRecord.
Expected<RowPlan> plan_row(const UnwrapOptions& options, UnwrapPlan& plan, uint32_t row, SchemaPool& pool);
/// The row of `row_schema` with what the plan adds to it. Errors: kBadRecord for nulls in required fields.
Expected<SchemaAndValue> run_row(const UnwrapOptions& options, const UnwrapPlan& plan, const RowPlan& row_plan,
                                 const Value& envelope, const Value& row, Arena& arena);

}  // namespace millrace::debezium
