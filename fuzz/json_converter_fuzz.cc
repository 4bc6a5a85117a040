/// JsonConverter takes any bytes without a crash, its fast and its complete reader agree, and what it writes reads back
/// to the same bytes. The first byte of the input chooses the settings.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "converters/converter.h"

namespace {

using namespace millrace;

/// Reads all of it, so that a value pointing to freed or foreign memory is noticed.
size_t touch(const Value& value) {
  size_t sum = value.kind;
  if (value.kind == MR_STRING || value.kind == MR_BYTES || value.kind == MR_DECIMAL) {
    for (const char c : bytes_of(value)) sum += static_cast<uint8_t>(c);
  } else if (value.kind >= MR_ARRAY && value.kind <= MR_STRUCT) {
    for (const Value& item : items_of(value)) sum += touch(item);
  }
  return sum;
}

/// NaN and infinity become strings, which no longer read as numbers, and a decimal has no negative zero: the format's
/// own losses.
bool survives(const Value& value) {
  if (value.kind == MR_FLOAT32 || value.kind == MR_FLOAT64)
    return std::isfinite(value.u.f64) && !(value.u.f64 == 0 && std::signbit(value.u.f64));
  if (value.kind < MR_ARRAY || value.kind > MR_STRUCT) return true;
  for (const Value& item : items_of(value)) {
    if (!survives(item)) return false;
  }
  return true;
}

bool survives(const Schema* schema) {
  if (schema == nullptr) return true;
  if (schema->default_value() != nullptr && !survives(*schema->default_value())) return false;
  for (const Field& field : schema->fields()) {
    if (!survives(field.schema.get())) return false;
  }
  return survives(schema->key_schema()) && survives(schema->value_schema());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto converter = make_converter("JsonConverter");
  const bool envelope = (data[0] & 1) != 0;
  const bool set = converter
                       ->configure({{"schemas.enable", envelope ? "true" : "false"},
                                    {"decimal.format", (data[0] & 2) != 0 ? "NUMERIC" : "BASE64"},
                                    {"replace.null.with.default", (data[0] & 4) != 0 ? "false" : "true"}},
                                   false)
                       .has_value();
  if (!set) std::abort();
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Arena arena;
  const auto first = converter->to_connect("t", input, arena);
  const auto again = converter->to_connect("t", input, arena);
  if (first.has_value() != again.has_value()) std::abort();
  if (!first) return 0;
  // The second time the schema was known and the payload took the fast way: the same result.
  if (first->schema != again->schema || !equal(first->value, again->value)) std::abort();
  if (touch(first->value) == SIZE_MAX) return 1;

  // A coerced null may be written as its default, so the second generation is compared with the third.
  std::string written, rewritten;
  const auto present = converter->from_connect("t", first->schema, first->value, written);
  if (!present || !*present || !survives(first->value) || !survives(first->schema)) return 0;
  const auto back = converter->to_connect("t", written, arena);
  if (!back) std::abort();
  const auto present_again = converter->from_connect("t", back->schema, back->value, rewritten);
  if (!present_again || *present_again != *present) {
    // Without schemas a null is no longer told from a tombstone.
    if (written == "null") return 0;
    std::abort();
  }
  if (written != rewritten) std::abort();
  return 0;
}
