/// time.precision.mode=structured: dates and times as their parts, so that zero and invalid dates stay what they are.
#include <cstdlib>

#include "connectors/mariadb/types/plan.h"
#include "connectors/mariadb/types/temporal.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

struct Part {
  const char* name;
  mr_kind type;
};
constexpr Part kDateParts[] = {{"year", MR_INT32}, {"month", MR_INT8}, {"day", MR_INT8}, {"specialValue", MR_STRING}};
constexpr Part kTimestampParts[] = {{"year", MR_INT32},  {"month", MR_INT8},          {"day", MR_INT8},
                                    {"hour", MR_INT8},   {"minute", MR_INT8},         {"second", MR_INT8},
                                    {"nanos", MR_INT32}, {"specialValue", MR_STRING}, {"precision", MR_INT32}};
constexpr Part kZonedParts[] = {{"year", MR_INT32},          {"month", MR_INT8},          {"day", MR_INT8},
                                {"hour", MR_INT8},           {"minute", MR_INT8},         {"second", MR_INT8},
                                {"nanos", MR_INT32},         {"offsetSeconds", MR_INT32}, {"zoneId", MR_STRING},
                                {"specialValue", MR_STRING}, {"precision", MR_INT32}};
constexpr Part kDurationParts[] = {{"years", MR_INT32}, {"months", MR_INT32},   {"days", MR_INT32},
                                   {"hours", MR_INT32}, {"minutes", MR_INT32},  {"seconds", MR_INT64},
                                   {"nanos", MR_INT32}, {"precision", MR_INT32}};

template <size_t kCount>
void set_plan(Plan& plan, std::string_view name, const Part (&parts)[kCount], Plan::Convert convert) {
  name_schema(plan, MR_STRUCT, name);
  for (const Part& part : parts) {
    SchemaSpec schema;
    schema.type = part.type;
    schema.optional = true;
    plan.schema.fields.push_back({part.name, std::move(schema)});
  }
  plan.convert = convert;
}

mr_value struct_of(const mr_value* items, size_t count) {
  mr_value value{};
  value.kind = MR_STRUCT;
  value.size = static_cast<uint32_t>(count);
  value.u.items = items;
  return value;
}

bool convert_date(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDate && cell.kind != Kind::kDateTime) return convert_odd(plan, cell, arena, out);
  mr_value* items = arena.values(std::size(kDateParts));
  items[0] = value_of(MR_INT32, int64_t{cell.time.year});
  items[1] = value_of(MR_INT8, int64_t{cell.time.month});
  items[2] = value_of(MR_INT8, int64_t{cell.time.day});
  items[3] = {};
  out = struct_of(items, std::size(kDateParts));
  return true;
}

void put_reading(const WallTime& time, mr_value* items) {
  items[0] = value_of(MR_INT32, int64_t{time.year});
  items[1] = value_of(MR_INT8, int64_t{time.month});
  items[2] = value_of(MR_INT8, int64_t{time.day});
  items[3] = value_of(MR_INT8, int64_t{time.hour});
  items[4] = value_of(MR_INT8, int64_t{time.minute});
  items[5] = value_of(MR_INT8, int64_t{time.second});
  items[6] = value_of(MR_INT32, int64_t{time.micros} * 1000);
}

bool convert_date_time(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kDateTime && cell.kind != Kind::kDate) return convert_odd(plan, cell, arena, out);
  mr_value* items = arena.values(std::size(kTimestampParts));
  put_reading(cell.time, items);
  items[7] = {};
  items[8] = value_of(MR_INT32, int64_t{plan.digits});
  out = struct_of(items, std::size(kTimestampParts));
  return true;
}

bool convert_timestamp(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTimestamp) return convert_odd(plan, cell, arena, out);
  mr_value* items = arena.values(std::size(kZonedParts));
  put_reading(cell.i64 == 0 ? WallTime{} : wall_time_of(cell.i64), items);
  items[7] = value_of(MR_INT32, int64_t{0});
  items[8] = value_of(MR_STRING, std::string_view("Z"));
  items[9] = {};
  items[10] = value_of(MR_INT32, int64_t{plan.digits});
  out = struct_of(items, std::size(kZonedParts));
  return true;
}

/// Every part carries the sign.
bool convert_time(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kTime) return convert_odd(plan, cell, arena, out);
  const int64_t seconds = cell.i64 / kMicrosPerSecond;
  mr_value* items = arena.values(std::size(kDurationParts));
  items[0] = items[1] = items[2] = value_of(MR_INT32, int64_t{0});
  items[3] = value_of(MR_INT32, seconds / 3600);
  items[4] = value_of(MR_INT32, seconds / 60 % 60);
  items[5] = value_of(MR_INT64, seconds % 60);
  items[6] = value_of(MR_INT32, cell.i64 % kMicrosPerSecond * 1000);
  items[7] = value_of(MR_INT32, int64_t{plan.digits});
  out = struct_of(items, std::size(kDurationParts));
  return true;
}

}  // namespace

void plan_structured(Plan& plan) {
  switch (plan.type.family) {
    case Family::kDate:
      return set_plan(plan, "io.debezium.time.StructuredDate", kDateParts, convert_date);
    case Family::kTime:
      return set_plan(plan, "io.debezium.time.StructuredDuration", kDurationParts, convert_time);
    case Family::kDateTime:
      return set_plan(plan, "io.debezium.time.StructuredTimestamp", kTimestampParts, convert_date_time);
    default:
      return set_plan(plan, "io.debezium.time.StructuredZonedTimestamp", kZonedParts, convert_timestamp);
  }
}

}  // namespace millrace::mariadb
