#include <bit>

#include "converters/civil_date.h"
#include "core/java_text.h"
#include "transforms/debezium_java.h"

namespace millrace::debezium {
namespace {

uint32_t hash_of_long(int64_t number) {
  const auto bits = static_cast<uint64_t>(number);
  return static_cast<uint32_t>(bits ^ bits >> 32);
}

/// Calls `unit` with each UTF-16 code unit. Three bytes a surrogate, as the readers keep lone ones, pass as they are.
template <class Unit>
void for_each_utf16(std::string_view text, Unit&& unit) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3FU);
    i += length;
    if (code < 0x10000) {
      unit(code);
    } else {
      unit(0xD7C0 + (code >> 10));
      unit(0xDC00 + (code & 0x3FF));
    }
  }
}

/// BigInteger.hashCode: the magnitude in words of 32 bits, from the most significant one.
uint32_t hash_of_integer(std::string_view twos_complement) {
  std::string magnitude(twos_complement);
  const bool negative = !magnitude.empty() && static_cast<int8_t>(magnitude[0]) < 0;
  if (negative) {
    bool carry = true;
    for (size_t i = magnitude.size(); i-- > 0;) {
      const auto flipped = static_cast<uint8_t>(~static_cast<uint8_t>(magnitude[i]) + (carry ? 1 : 0));
      carry = carry && flipped == 0;
      magnitude[i] = static_cast<char>(flipped);
    }
  }
  uint32_t hash = 0, word = 0;
  const size_t first = (4 - magnitude.size() % 4) % 4;  // bytes that the first word lacks
  for (size_t i = 0; i < magnitude.size(); ++i) {
    word = word << 8 | static_cast<uint8_t>(magnitude[i]);
    if ((i + first) % 4 == 3) {
      hash = hash * 31 + word;
      word = 0;
    }
  }
  return negative ? 0 - hash : hash;
}

/// ByteBuffer.hashCode, the class in which Debezium carries bytes.
uint32_t hash_of_bytes(std::string_view bytes) {
  uint32_t hash = 1;
  for (size_t i = bytes.size(); i-- > 0;) hash = hash * 31 + static_cast<uint32_t>(static_cast<int8_t>(bytes[i]));
  return hash;
}

uint32_t hash_of(const Schema* schema, const Value& value) {
  switch (value.kind) {
    case MR_BOOLEAN:
      return value.u.i64 != 0 ? 1231 : 1237;
    case MR_INT8:
    case MR_INT16:
    case MR_INT32:
      if (schema != nullptr && schema->is_date()) return hash_of_long(value.u.i64 * kDayMs);
      return static_cast<uint32_t>(value.u.i64);
    case MR_INT64:
    case MR_TIMESTAMP:
      return hash_of_long(value.u.i64);
    case MR_FLOAT32:
      return value.u.f64 != value.u.f64 ? 0x7fc00000U : std::bit_cast<uint32_t>(static_cast<float>(value.u.f64));
    case MR_FLOAT64:
      return value.u.f64 != value.u.f64 ? 0x7ff80000U : hash_of_long(std::bit_cast<int64_t>(value.u.f64));
    case MR_STRING:
      return static_cast<uint32_t>(java_string_hash(bytes_of(value)));
    case MR_BYTES:
      return hash_of_bytes(bytes_of(value));
    case MR_DECIMAL:
      return 31 * hash_of_integer(bytes_of(value)) + static_cast<uint32_t>(value.scale);
    default:
      break;
  }
  const auto items = items_of(value);
  uint32_t hash = value.kind == MR_MAP ? 0 : 1;
  for (size_t i = 0; value.kind != MR_NULL && i < items.size(); ++i) {
    if (value.kind == MR_MAP) {
      hash += hash_of(schema == nullptr ? nullptr : schema->key_schema(), items[i]) ^
              hash_of(schema == nullptr ? nullptr : schema->value_schema(), items[i + 1]);
      ++i;
      continue;
    }
    const Schema* of = schema == nullptr         ? nullptr
                       : value.kind == MR_STRUCT ? schema->fields()[i].schema.get()
                                                 : schema->value_schema();
    hash = hash * 31 + hash_of(of, items[i]);
  }
  return value.kind == MR_NULL ? 0 : hash;
}

/// The 64 bit variant of MurmurHash3 that keeps growing its constants; Debezium takes its upper half.
class Murmur {
 public:
  void block(uint64_t low, uint64_t high) {
    low = std::rotl(low * c1_, 23) * c2_;
    h1_ = (h1_ ^ low) + h2_;
    h2_ = std::rotl(h2_, 41);
    high = std::rotl(high * c2_, 23) * c1_;
    h2_ = (h2_ ^ high) + h1_;
    h1_ = h1_ * 3 + 0x52dce729;
    h2_ = h2_ * 3 + 0x38495ab5;
    c1_ = c1_ * 5 + 0x7b7d159c;
    c2_ = c2_ * 5 + 0x6bce6396;
  }

  int32_t finish(size_t length) {
    h2_ ^= length;
    h1_ += h2_;
    h2_ += h1_;
    h1_ = mix(h1_);
    h2_ = mix(h2_);
    return static_cast<int32_t>((h1_ + h2_) >> 32);
  }

 private:
  static uint64_t mix(uint64_t k) {
    k = (k ^ k >> 33) * 0xff51afd7ed558ccdU;
    k = (k ^ k >> 33) * 0xc4ceb9fe1a85ec53U;
    return k ^ k >> 33;
  }

  static constexpr uint64_t kSeed = 9001;
  uint64_t h1_ = 0x9368e53c2f6af274U ^ kSeed, h2_ = 0x586dcd208f7cd3fdU ^ kSeed;
  uint64_t c1_ = 0x87c37b91114253d5U, c2_ = 0x4cf5ad432745937fU;
};

uint64_t little_endian(std::string_view bytes) {
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) word |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return word;
}

/// The bytes of a tail enter as signed numbers, so those above 0x7F spread over the word.
uint64_t signed_tail(std::string_view bytes) {
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    word ^= static_cast<uint64_t>(int64_t{static_cast<int8_t>(bytes[i])}) << (8 * i);
  return word;
}

int32_t murmur_of(std::string_view bytes) {
  Murmur murmur;
  const size_t whole = bytes.size() / 16 * 16;
  for (size_t i = 0; i < whole; i += 16)
    murmur.block(little_endian(bytes.substr(i, 8)), little_endian(bytes.substr(i + 8, 8)));
  const std::string_view tail = bytes.substr(whole);
  if (!tail.empty()) murmur.block(signed_tail(tail.substr(0, 8)), tail.size() > 8 ? signed_tail(tail.substr(8)) : 0);
  return murmur.finish(bytes.size());
}

}  // namespace

int32_t java_string_hash(std::string_view text) {
  uint32_t hash = 0;
  for_each_utf16(text, [&](uint32_t unit) { hash = hash * 31 + unit; });
  return static_cast<int32_t>(hash);
}

int32_t java_hash(const Schema* schema, const Value& value) { return static_cast<int32_t>(hash_of(schema, value)); }

int32_t murmur_hash(const Schema* schema, const Value& value) {
  if (value.kind == MR_STRING) return murmur_of(bytes_of(value));
  const uint32_t hash = hash_of(schema, value);
  char bytes[4];
  for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(hash >> (8 * i));
  return murmur_of({bytes, 4});
}

void append_java_text(std::string& out, const Schema* schema, const Value& value) {
  switch (value.kind) {
    case MR_NULL:
      out += "null";
      return;
    case MR_BOOLEAN:
      out += value.u.i64 != 0 ? "true" : "false";
      return;
    case MR_FLOAT32:
      out += java_float_text(static_cast<float>(value.u.f64));
      return;
    case MR_FLOAT64:
      out += java_double_text(value.u.f64);
      return;
    case MR_STRING:
      out += bytes_of(value);
      return;
    case MR_DECIMAL:
      append_java_decimal(out, bytes_of(value), value.scale);
      return;
    case MR_BYTES: {
      const std::string size = std::to_string(value.size);
      out += "java.nio.HeapByteBuffer[pos=0 lim=" + size + " cap=" + size + "]";
      return;
    }
    case MR_ARRAY:
    case MR_MAP:
    case MR_STRUCT:
      break;
    default:
      out += std::to_string(value.u.i64);
      return;
  }
  const auto items = items_of(value);
  const bool is_struct = value.kind == MR_STRUCT && schema != nullptr;
  out += value.kind == MR_ARRAY ? "[" : value.kind == MR_MAP ? "{" : "Struct{";
  bool first = true;
  for (size_t i = 0; i < items.size(); ++i) {
    if (is_struct && is_null(items[i])) continue;
    if (!first) out += value.kind == MR_STRUCT ? "," : ", ";
    first = false;
    const Schema* of = nullptr;
    if (is_struct) {
      out += schema->fields()[i].name + "=";
      of = schema->fields()[i].schema.get();
    } else if (value.kind == MR_MAP) {
      append_java_text(out, schema == nullptr ? nullptr : schema->key_schema(), items[i++]);
      out += "=";
    }
    if (!is_struct && schema != nullptr) of = schema->value_schema();
    append_java_text(out, of, items[i]);
  }
  out += value.kind == MR_ARRAY ? "]" : "}";
}

}  // namespace millrace::debezium
