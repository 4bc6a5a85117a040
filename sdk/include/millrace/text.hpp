/// Values as text, in the words of Java's toString: what Kafka Connect's file sink writes and what logs show.
///
///   null  true  42  1.0E10  text  [1, 2]  {a=1, b=2}  Struct{id=1,name=x}  12.50  Thu Jan 01 00:00:00 UTC 1970
///
/// Differences, because Java prints an object's address there: BYTES are the bytes themselves at the top and base64
/// inside a container. Dates are in UTC. Header-only; no state, any thread.
#pragma once

#include <millrace/abi.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {
namespace text_detail {

inline void append_number(std::string& out, int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

inline void append_padded(std::string& out, int64_t number, size_t width) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  const auto size = static_cast<size_t>(end - digits);
  if (size < width) out.append(width - size, '0');
  out.append(digits, size);
}

/// Shortest digits that read back as the same number; plain from 1e-3 up to 1e7, else with an exponent.
template <class Float>
void append_floating(std::string& out, Float number) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::signbit(number)) out += '-';
  number = std::abs(number);
  if (std::isinf(number)) {
    out += "Infinity";
    return;
  }
  char raw[64];
  const auto end = std::to_chars(raw, raw + sizeof(raw), number, std::chars_format::scientific).ptr;
  const std::string_view all(raw, static_cast<size_t>(end - raw));
  const size_t e = all.find('e');
  int exponent = 0;
  const bool negative = all[e + 1] == '-';
  std::from_chars(all.data() + e + 2, all.data() + all.size(), exponent);
  if (negative) exponent = -exponent;
  std::string digits(1, all[0]);
  if (e > 2) digits.append(all.substr(2, e - 2));
  if (number == 0) exponent = 0;
  if (exponent < -3 || exponent >= 7) {
    out += digits[0];
    out += '.';
    out += digits.size() > 1 ? std::string_view(digits).substr(1) : "0";
    out += 'E';
    append_number(out, exponent);
    return;
  }
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out += digits;
    return;
  }
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() < whole + 1) digits.append(whole + 1 - digits.size(), '0');
  out.append(digits, 0, whole);
  out += '.';
  out.append(digits, whole);
}

/// Magnitude of a big-endian two's complement number in decimal digits, without sign.
inline std::string decimal_digits(std::string_view bytes, bool negative) {
  std::vector<uint8_t> rest(bytes.begin(), bytes.end());
  if (negative) {
    unsigned carry = 1;
    for (size_t i = rest.size(); i-- > 0;) {
      const unsigned sum = static_cast<uint8_t>(~rest[i]) + carry;
      rest[i] = static_cast<uint8_t>(sum);
      carry = sum >> 8;
    }
  }
  std::string digits;
  size_t begin = 0;
  while (begin < rest.size() && rest[begin] == 0) ++begin;
  while (begin < rest.size()) {
    uint32_t remainder = 0;
    for (size_t i = begin; i < rest.size(); ++i) {
      const uint32_t current = remainder << 8 | rest[i];
      rest[i] = static_cast<uint8_t>(current / 10);
      remainder = current % 10;
    }
    digits += static_cast<char>('0' + remainder);
    while (begin < rest.size() && rest[begin] == 0) ++begin;
  }
  if (digits.empty()) digits = "0";
  std::reverse(digits.begin(), digits.end());
  return digits;
}

/// BigDecimal.toString: plain unless the scale is negative or the number is smaller than 1e-6.
inline void append_decimal(std::string& out, std::string_view bytes, int scale) {
  const bool negative = !bytes.empty() && (static_cast<uint8_t>(bytes[0]) & 0x80) != 0;
  std::string digits = decimal_digits(bytes, negative);
  if (negative) out += '-';
  const int exponent = static_cast<int>(digits.size()) - 1 - scale;
  if (scale == 0) {
    out += digits;
  } else if (scale > 0 && exponent >= -6) {
    const auto fraction = static_cast<size_t>(scale);
    if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
    out.append(digits, 0, digits.size() - fraction);
    out += '.';
    out.append(digits, digits.size() - fraction);
  } else {
    out += digits[0];
    if (digits.size() > 1) out.append(".").append(digits, 1);
    if (exponent != 0) {
      out += exponent > 0 ? "E+" : "E";
      append_number(out, exponent);
    }
  }
}

/// java.util.Date.toString in UTC.
inline void append_date(std::string& out, int64_t epoch_ms) {
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // the epoch was a Thursday
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr int64_t kDayMs = 86'400'000;
  const int64_t day = (epoch_ms >= 0 ? epoch_ms : epoch_ms - (kDayMs - 1)) / kDayMs;
  const int64_t second = (epoch_ms - day * kDayMs) / 1000;
  // Civil date from a day number: years start in March, so the leap day is the last of its year; 400 years are an era.
  const int64_t shifted = day + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t of_era = shifted - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * of_year + 2) / 153;
  const int64_t day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 2 : month_from_march - 10;  // from 0
  const int64_t year = year_of_era + era * 400 + (month < 2 ? 1 : 0);
  out += kDays.substr(static_cast<size_t>((day % 7 + 7) % 7) * 3, 3);
  out += ' ';
  out += kMonths.substr(static_cast<size_t>(month) * 3, 3);
  out += ' ';
  append_padded(out, day_of_month, 2);
  out += ' ';
  append_padded(out, second / 3600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  out += ':';
  append_padded(out, second % 60, 2);
  out += " UTC ";
  append_padded(out, year, 4);
}

inline void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << 16;
    if (have > 1) group |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + 1])) << 8;
    if (have > 2) group |= static_cast<uint8_t>(bytes[i + 2]);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += have > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += have > 2 ? kAlphabet[group & 63] : '=';
  }
}

/// String.hashCode: over UTF-16 units, decoded here from UTF-8.
inline uint32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = size == 1 ? lead : lead & (0xFFu >> (size + 1));
    for (size_t n = 1; n < size && i + n < text.size(); ++n)
      point = point << 6 | (static_cast<uint8_t>(text[i + n]) & 0x3F);
    i += size;
    if (point < 0x10000) {
      hash = hash * 31 + point;
    } else {
      hash = hash * 31 + (0xD800 + ((point - 0x10000) >> 10));
      hash = hash * 31 + (0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  return hash;
}

inline uint32_t java_hash(const mr_value& key) {
  switch (key.kind) {
    case MR_STRING:
      return java_hash(std::string_view(key.u.bytes, key.size));
    case MR_BOOLEAN:
      return key.u.i64 != 0 ? 1231 : 1237;
    case MR_INT8:
    case MR_INT16:
    case MR_INT32:
      return static_cast<uint32_t>(key.u.i64);
    case MR_INT64:
      return static_cast<uint32_t>(key.u.i64 ^ static_cast<int64_t>(static_cast<uint64_t>(key.u.i64) >> 32));
    default:
      return 0;
  }
}

/// Calls visit(entry index) in the order in which a HashMap, filled in the order given, shows its entries. Maps read
/// from JSON are HashMaps in Connect, so its lines have this order; files written by both then agree.
template <class Visit>
void in_hash_order(const mr_value& map, Visit&& visit) {
  struct Slot {
    uint32_t bucket, index;
  };
  uint64_t buckets = 16;
  while (map.size > buckets * 3 / 4) buckets *= 2;
  std::array<Slot, 32> few;
  std::vector<Slot> many;
  if (map.size > few.size()) many.resize(map.size);
  Slot* slots = many.empty() ? few.data() : many.data();
  for (uint32_t i = 0; i < map.size; ++i) {
    const uint32_t hash = java_hash(map.u.items[2 * i]);
    slots[i] = {static_cast<uint32_t>((hash ^ hash >> 16) & (buckets - 1)), i};
  }
  std::sort(slots, slots + map.size,
            [](Slot a, Slot b) { return a.bucket != b.bucket ? a.bucket < b.bucket : a.index < b.index; });
  for (uint32_t i = 0; i < map.size; ++i) visit(slots[i].index);
}

inline bool append_logical(std::string& out, const mr_value& value, const mr_schema& schema) {
  constexpr std::string_view kPackage = "org.apache.kafka.connect.data.";
  std::string_view name(schema.name.data == nullptr ? "" : schema.name.data, schema.name.size);
  if (!name.starts_with(kPackage)) return false;
  name.remove_prefix(kPackage.size());
  if (name == "Date") {
    append_date(out, value.u.i64 * 86'400'000);
  } else if (name == "Time" || name == "Timestamp") {
    append_date(out, value.u.i64);
  } else {
    return false;
  }
  return true;
}

template <class Describe>
void append(std::string& out, const mr_value& value, mr_schema_id schema, Describe& describe, bool nested) {
  switch (value.kind) {
    case MR_NULL:
      out += "null";
      return;
    case MR_BOOLEAN:
      out += value.u.i64 != 0 ? "true" : "false";
      return;
    case MR_INT8:
    case MR_INT16:
      append_number(out, value.u.i64);
      return;
    case MR_INT32:
    case MR_INT64: {
      const mr_schema* described = schema == 0 ? nullptr : describe(schema);
      if (described == nullptr || !append_logical(out, value, *described)) append_number(out, value.u.i64);
      return;
    }
    case MR_FLOAT32:
      append_floating(out, static_cast<float>(value.u.f64));
      return;
    case MR_FLOAT64:
      append_floating(out, value.u.f64);
      return;
    case MR_STRING:
      out.append(value.u.bytes, value.size);
      return;
    case MR_BYTES:
      if (nested)
        append_base64(out, {value.u.bytes, value.size});
      else
        out.append(value.u.bytes, value.size);
      return;
    case MR_DECIMAL:
      append_decimal(out, {value.u.bytes, value.size}, value.scale);
      return;
    case MR_TIMESTAMP:
      append_date(out, value.u.i64);
      return;
    default:
      break;
  }
  const mr_schema* described = schema == 0 ? nullptr : describe(schema);
  if (value.kind == MR_ARRAY) {
    out += '[';
    for (uint32_t i = 0; i < value.size; ++i) {
      if (i != 0) out += ", ";
      append(out, value.u.items[i], described == nullptr ? 0 : described->value_schema, describe, true);
    }
    out += ']';
  } else if (value.kind == MR_MAP) {
    out += '{';
    bool first = true;
    in_hash_order(value, [&](uint32_t i) {
      if (!first) out += ", ";
      first = false;
      append(out, value.u.items[2 * i], described == nullptr ? 0 : described->key_schema, describe, true);
      out += '=';
      append(out, value.u.items[2 * i + 1], described == nullptr ? 0 : described->value_schema, describe, true);
    });
    out += '}';
  } else if (value.kind == MR_STRUCT) {
    out += "Struct{";
    bool first = true;
    for (uint32_t i = 0; i < value.size && described != nullptr && i < described->field_count; ++i) {
      if (value.u.items[i].kind == MR_NULL) continue;  // as Java does
      if (!first) out += ',';
      first = false;
      out.append(described->fields[i].name.data, described->fields[i].name.size).append("=");
      append(out, value.u.items[i], described->fields[i].schema, describe, true);
    }
    out += '}';
  }
}

}  // namespace text_detail

/// Appends `value` to `out`. `describe` gives the mr_schema of a number (TaskContext::describe), or nullptr.
template <class Describe>
void append_text(std::string& out, const mr_value& value, mr_schema_id schema, Describe&& describe) {
  text_detail::append(out, value, schema, describe, /*nested=*/false);
}

template <class Describe>
std::string to_text(const mr_value& value, mr_schema_id schema, Describe&& describe) {
  std::string out;
  append_text(out, value, schema, describe);
  return out;
}

/// Of a value without schema.
inline std::string to_text(const mr_value& value) {
  return to_text(value, 0, [](mr_schema_id) -> const mr_schema* { return nullptr; });
}

}  // namespace millrace::sdk
