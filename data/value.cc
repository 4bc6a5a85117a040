#include "data/value.h"

namespace millrace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "BOOLEAN";
    case Type::kInt8:
      return "INT8";
    case Type::kInt16:
      return "INT16";
    case Type::kInt32:
      return "INT32";
    case Type::kInt64:
      return "INT64";
    case Type::kFloat32:
      return "FLOAT32";
    case Type::kFloat64:
      return "FLOAT64";
    case Type::kString:
      return "STRING";
    case Type::kBytes:
      return "BYTES";
    case Type::kArray:
      return "ARRAY";
    case Type::kMap:
      return "MAP";
    case Type::kStruct:
      return "STRUCT";
  }
  return "UNKNOWN";
}

namespace {
bool has_bytes(const Value& value) {
  return value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL;
}
bool has_items(const Value& value) { return value.kind == MR_ARRAY || value.kind == MR_MAP || value.kind == MR_STRUCT; }
}  // namespace

bool equal(const Value& left, const Value& right) {
  if (left.kind != right.kind) return false;
  if (left.kind == MR_NULL) return true;
  if (has_bytes(left)) {
    return bytes_of(left) == bytes_of(right) && (left.kind != MR_DECIMAL || left.scale == right.scale);
  }
  if (has_items(left)) {
    const auto a = items_of(left), b = items_of(right);
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!equal(a[i], b[i])) return false;
    }
    return true;
  }
  return left.u.i64 == right.u.i64;  // for floats: the same bits
}

const Value* find(const Value& map, std::string_view key) {
  if (map.kind != MR_MAP) return nullptr;
  const auto items = items_of(map);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == MR_STRING && bytes_of(items[i]) == key) return &items[i + 1];
  }
  return nullptr;
}

Value deep_copy(const Value& value, Arena& arena) {
  Value copy = value;
  if (has_bytes(value)) {
    copy.u.bytes = arena.copy(bytes_of(value)).data();
  } else if (has_items(value)) {
    const auto from = items_of(value);
    Value* to = arena.allocate_array<Value>(from.size());
    for (size_t i = 0; i < from.size(); ++i) to[i] = deep_copy(from[i], arena);
    copy.u.items = to;
  }
  return copy;
}

OwnedValue::OwnedValue(const Value& value) {
  if (!has_bytes(value) && !has_items(value)) {
    value_ = value;
    return;
  }
  auto memory = std::make_shared<Arena>(size_t{512});
  value_ = deep_copy(value, *memory);
  memory_ = std::move(memory);
}

}  // namespace millrace
