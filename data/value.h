/// A value of Kafka Connect's data model. It is the plugin ABI's own tagged tree (millrace/abi.h), so a row goes from a
/// connector to a converter without being translated. Values borrow their bytes: from an Arena, a record, or an
/// OwnedValue.
#pragma once

#include <millrace/abi.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "data/arena.h"

namespace millrace {

using Value = mr_value;

enum class Type : uint8_t {
  kBoolean = MR_BOOLEAN,
  kInt8 = MR_INT8,
  kInt16 = MR_INT16,
  kInt32 = MR_INT32,
  kInt64 = MR_INT64,
  kFloat32 = MR_FLOAT32,
  kFloat64 = MR_FLOAT64,
  kString = MR_STRING,
  kBytes = MR_BYTES,
  kArray = MR_ARRAY,
  kMap = MR_MAP,
  kStruct = MR_STRUCT,
};

/// As Connect's messages print it: INT32, STRING, STRUCT.
std::string_view type_name(Type type);
/// The type of the same number, for kinds up to MR_STRUCT except MR_NULL.
inline Type type_of_kind(uint8_t kind) { return static_cast<Type>(kind); }

inline std::string_view view(mr_str text) { return {text.data == nullptr ? "" : text.data, text.size}; }
inline mr_str to_mr(std::string_view text) { return {text.data(), text.size()}; }

inline bool is_null(const Value& value) { return value.kind == MR_NULL; }
/// The text or bytes of STRING, BYTES and DECIMAL.
inline std::string_view bytes_of(const Value& value) { return {value.u.bytes, value.size}; }
/// ARRAY elements, STRUCT fields, or MAP keys and values in turn (2 * size of them).
inline std::span<const Value> items_of(const Value& value) {
  return {value.u.items, value.kind == MR_MAP ? size_t{2} * value.size : size_t{value.size}};
}

inline Value null_value() { return Value{}; }
inline Value scalar(mr_kind kind, int64_t number) {
  Value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.u.i64 = number;
  return value;
}
inline Value boolean_value(bool b) { return scalar(MR_BOOLEAN, b ? 1 : 0); }
inline Value int32_value(int32_t number) { return scalar(MR_INT32, number); }
inline Value int64_value(int64_t number) { return scalar(MR_INT64, number); }
inline Value floating(mr_kind kind, double number) {
  Value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.u.f64 = number;
  return value;
}
/// STRING, BYTES or DECIMAL over borrowed bytes.
inline Value bytes_value(mr_kind kind, std::string_view bytes, int16_t scale = 0) {
  Value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.scale = scale;
  value.size = static_cast<uint32_t>(bytes.size());
  value.u.bytes = bytes.data();
  return value;
}
inline Value string_value(std::string_view text) { return bytes_value(MR_STRING, text); }
/// ARRAY, MAP (items = keys and values in turn) or STRUCT over borrowed items.
inline Value items_value(mr_kind kind, std::span<const Value> items) {
  Value value{};
  value.kind = static_cast<uint8_t>(kind);
  value.size = static_cast<uint32_t>(kind == MR_MAP ? items.size() / 2 : items.size());
  value.u.items = items.data();
  return value;
}

/// Same kinds, same contents, same order. Floats compare by bits, so NaN equals itself.
bool equal(const Value& left, const Value& right);
/// The entry of a MAP with STRING keys; nullptr if absent or not a MAP.
const Value* find(const Value& map, std::string_view key);
/// A deep copy whose bytes and items lie in `arena`.
Value deep_copy(const Value& value, Arena& arena);

/// A value tree with memory of its own; cheap to share, immutable.
class OwnedValue {
 public:
  OwnedValue() = default;
  explicit OwnedValue(const Value& value);
  const Value& get() const { return value_; }

 private:
  std::shared_ptr<const Arena> memory_;  // co-owned by the copies of this value
  Value value_{};
};

}  // namespace millrace
