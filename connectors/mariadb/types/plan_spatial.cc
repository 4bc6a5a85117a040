#include <bit>
#include <cstring>

#include "connectors/mariadb/types/plan.h"

namespace millrace::mariadb {
namespace {

constexpr size_t kSridBytes = 4;

SchemaSpec plain(mr_kind type, bool optional) {
  SchemaSpec schema;
  schema.type = type;
  schema.optional = optional;
  return schema;
}

mr_value srid_of(const char* bytes) {
  uint32_t srid = 0;
  std::memcpy(&srid, bytes, sizeof(srid));
  return srid == 0 ? mr_value{} : value_of(MR_INT32, static_cast<int64_t>(srid));
}

mr_value struct_of(const mr_value* items, uint32_t count) {
  mr_value value{};
  value.kind = MR_STRUCT;
  value.size = count;
  value.u.items = items;
  return value;
}

bool convert_geometry(const Plan&, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Cell::Kind::kBytes || cell.size <= kSridBytes) return false;
  mr_value* items = arena.values(2);
  items[0] = value_of(MR_BYTES, cell.text().substr(kSridBytes));
  items[1] = srid_of(cell.bytes);
  out = struct_of(items, 2);
  return true;
}

double coordinate(const char* bytes, bool big_endian) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, sizeof(bits));
  return std::bit_cast<double>(big_endian ? __builtin_bswap64(bits) : bits);
}

/// A point's WKB: byte order, type 1, x, y.
bool convert_point(const Plan&, const Cell& cell, ByteArena& arena, mr_value& out) {
  constexpr size_t kHeader = kSridBytes + 5;
  if (cell.kind != Cell::Kind::kBytes || cell.size < kHeader + 16) return false;
  const bool big_endian = cell.bytes[kSridBytes] == 0;
  mr_value* items = arena.values(4);
  items[0] = value_of(MR_FLOAT64, coordinate(cell.bytes + kHeader, big_endian));
  items[1] = value_of(MR_FLOAT64, coordinate(cell.bytes + kHeader + 8, big_endian));
  items[2] = value_of(MR_BYTES, cell.text().substr(kSridBytes));
  items[3] = srid_of(cell.bytes);
  out = struct_of(items, 4);
  return true;
}

bool convert_vector(const Plan&, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Cell::Kind::kBytes || cell.size % sizeof(float) != 0) return false;
  const uint32_t count = cell.size / sizeof(float);
  mr_value* items = arena.values(count);
  for (uint32_t i = 0; i < count; ++i) {
    float number = 0;
    std::memcpy(&number, cell.bytes + i * sizeof(float), sizeof(float));
    items[i] = value_of(MR_FLOAT32, static_cast<double>(number));
  }
  out = {};
  out.kind = MR_ARRAY;
  out.size = count;
  out.u.items = items;
  return true;
}

}  // namespace

void plan_spatial(Plan& plan) {
  if (plan.type.family == Family::kVector) {
    name_schema(plan, MR_ARRAY, "io.debezium.data.FloatVector");
    plan.schema.elements = std::make_shared<SchemaSpec>(plain(MR_FLOAT32, false));
    plan.convert = convert_vector;
    return;
  }
  const bool point = plan.type.family == Family::kPoint;
  name_schema(plan, MR_STRUCT, point ? "io.debezium.data.geometry.Point" : "io.debezium.data.geometry.Geometry");
  plan.schema.doc = point ? "Geometry (POINT)" : "Geometry";
  auto& fields = plan.schema.fields;
  if (point) {
    fields.push_back({"x", plain(MR_FLOAT64, false)});
    fields.push_back({"y", plain(MR_FLOAT64, false)});
  }
  fields.push_back({"wkb", plain(MR_BYTES, point)});
  fields.push_back({"srid", plain(MR_INT32, true)});
  plan.convert = point ? convert_point : convert_geometry;
}

}  // namespace millrace::mariadb
