/// Leaves out the fields of a key or a value that a header of the record names.
#pragma once

#include <span>
#include <string>

#include "data/arena.h"
#include "transforms/debezium_plans.h"
#include "transforms/debezium_records.h"

namespace millrace::debezium {

/// Threads: one. Schemas live as a transformation's do.
class FieldDropper {
 public:
  /// `keep_compatible`: required fields stay.
  explicit FieldDropper(bool keep_compatible = true) : keep_compatible_(keep_compatible) {}

  /// `names` are strings; of the struct's fields only the first `candidates` may go. Null values and values without a
  /// schema stay as they are. Errors: kBadRecord.
  Status drop(SchemaAndValue& from, std::span<const Value> names, size_t candidates, SchemaPool& pool, Arena& arena);
  void new_batch() { plans_.new_batch(); }

 private:
  struct Plan {
    SchemaPtr from, to;
    std::vector<uint32_t> kept, required;  ///< indices in `from`; in `to`
  };
  Expected<Plan> make(const Schema& from, SchemaPool& pool) const;

  bool keep_compatible_;
  std::string key_;  // address of the schema, then one byte a field: 1 = goes
  PlanCache<Plan> plans_;
};

}  // namespace millrace::debezium
