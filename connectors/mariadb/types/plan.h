/// What a ColumnPlan holds, and the makers of its parts, one a group of types.
#pragma once

#include <string>
#include <vector>

#include "connectors/mariadb/types/column_plan.h"
#include "connectors/mariadb/types/column_type.h"
#include "connectors/mariadb/types/mask.h"
#include "connectors/mariadb/types/text_decoder.h"

namespace millrace::mariadb {

using connectors::ByteArena;
using connectors::SchemaSpec;

struct Plan {
  /// Converts a value that is there. false = it cannot be represented.
  using Convert = bool (*)(const Plan&, const Cell&, ByteArena&, mr_value&);

  SchemaSpec schema;
  Convert convert = nullptr;
  ColumnType type;
  std::string column;  ///< "db.table.column", for messages

  mr_value null_value{}, absent_value{};  ///< of cells without content
  mr_value zero_value{};                  ///< of dates that are none and of times that do not fit
  bool optional = true;
  bool time_adjuster = false;
  bool zero_in_stream = true;          ///< a zero TIMESTAMP of the binlog is the epoch, not zero_value
  bool default_is_zero_value = false;  ///< ZeroDateFallback: whatever the DEFAULT clause says
  BinaryMode binary = BinaryMode::kBytes;
  uint64_t unsigned_mask = ~uint64_t{0};
  int16_t scale = 0;
  int digits = 0;         ///< of the fraction of seconds
  uint32_t size = 0;      ///< bytes of BIT, BINARY, UUID, INET
  bool positive = false;  ///< TinyIntOneToBoolean: true is what is above zero
  TextDecoder decoder;
  std::vector<std::string> labels;
  std::string zero_text, placeholder;  ///< what zero_value, null_value or absent_value may point to

  Mask mask;            ///< applied to what `convert` made
  bool masked = false;  ///< there is something to apply
};

inline mr_value value_of(mr_kind kind, int64_t number) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.u.i64 = number;
  return value;
}
inline mr_value value_of(mr_kind kind, double number) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.u.f64 = number;
  return value;
}
inline mr_value value_of(mr_kind kind, std::string_view bytes) {
  mr_value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.size = static_cast<uint32_t>(bytes.size());
  value.u.bytes = bytes.data() == nullptr ? "" : bytes.data();
  return value;
}

inline void name_schema(Plan& plan, mr_kind type, std::string_view name) {
  plan.schema.type = type;
  plan.schema.name = name;
  if (!name.empty()) plan.schema.version = 1;
}

/// Each sets schema and `convert` for its families. `plan.type` and the options are there already.
void plan_number(Plan& plan, const ValueOptions& options);
void plan_text(Plan& plan, const ColumnDefinition& column, const WireColumn* wire, const ValueOptions& options);
void plan_temporal(Plan& plan, const ValueOptions& options);
void plan_structured(Plan& plan);
void plan_spatial(Plan& plan);

/// The base plan changed by the first of the `converters` that takes the column.
Status apply_converters(const ValueOptions::Rules& rules, const ColumnDefinition& column, Plan& plan);

/// A literal of a DEFAULT clause, as a SELECT would give it. false = no literal of this type.
bool cell_of_literal(const Plan& plan, std::string_view text, Cell& cell);
void set_default(const ColumnDefinition& column, Plan& plan);

/// A cell of another kind than the plan expects: text is read as a literal.
bool convert_odd(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out);

}  // namespace millrace::mariadb
