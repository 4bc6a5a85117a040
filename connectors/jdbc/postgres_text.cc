#include "connectors/jdbc/postgres_text.h"

#include <charconv>
#include <cstring>
#include <limits>

#include "connectors/common/byte_arena.h"
#include "connectors/jdbc/decimal.h"
#include "connectors/jdbc/geometry.h"
#include "connectors/jdbc/temporal.h"

namespace millrace::jdbc {
namespace {

// What pgjdbc reads and writes for timestamps without an end. Debezium takes the numbers for microseconds.
constexpr int64_t kInfinityMillis = 9'223'372'036'825'200'000, kMinusInfinityMillis = -9'223'372'036'832'400'000;
constexpr uint32_t kEwkbSrid = 0x20000000;

template <class Number>
void append_number(Number number, std::string& out) {
  char text[64];
  out.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

void append_padded(uint32_t number, int digits, std::string& out) {
  char text[16];
  for (int i = digits; i-- > 0; number /= 10) text[i] = static_cast<char>('0' + number % 10);
  out.append(text, static_cast<size_t>(digits));
}

void append_hex(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

void append_bytea(std::string_view bytes, std::string& out) {
  out += "\\x";
  append_hex(bytes, out);
}

std::string_view bytes_of(const mr_value& value) {
  return value.size == 0 ? std::string_view() : std::string_view(value.u.bytes, value.size);
}

mr_value member(const mr_value& value, uint32_t index) {
  return index < value.size ? value.u.items[index] : mr_value{};
}

/// +09, -03:30, +08:27:52
void append_offset(int32_t offset, std::string& out) {
  out += offset < 0 ? '-' : '+';
  const auto seconds = static_cast<uint32_t>(offset < 0 ? -offset : offset);
  append_padded(seconds / 3600, 2, out);
  if (seconds % 3600 == 0) return;
  out += ':';
  append_padded(seconds / 60 % 60, 2, out);
  if (seconds % 60 == 0) return;
  out += ':';
  append_padded(seconds % 60, 2, out);
}

/// The offset matters to types with a zone; the others ignore it.
void append_wall(const WallTime& wall, std::string& out) {
  const Civil& civil = wall.civil;
  const bool before_christ = civil.year <= 0, date = wall.kind != WallTime::Kind::kTime;
  if (date) {
    const auto year = static_cast<uint32_t>(before_christ ? 1 - civil.year : civil.year);
    append_padded(year, year < 10'000 ? 4 : year < 1'000'000 ? 6 : 7, out);
    out += '-';
    append_padded(civil.month, 2, out);
    out += '-';
    append_padded(civil.day, 2, out);
  }
  if (wall.kind != WallTime::Kind::kDate) {
    if (date) out += ' ';
    if (wall.negative && !date) out += '-';
    const uint32_t hours = date ? civil.hour : wall.hours;
    append_padded(hours, hours < 100 ? 2 : 3, out);
    out += ':';
    append_padded(civil.minute, 2, out);
    out += ':';
    append_padded(civil.second, 2, out);
    if (civil.micros != 0) {
      out += '.';
      append_padded(civil.micros, 6, out);
      while (out.back() == '0') out.pop_back();
    }
    if (wall.zoned) append_offset(wall.offset, out);
  }
  if (date && before_christ) out += " BC";
}

Status append_decimal(mr_value value, std::string& out) {
  if (value.kind == MR_STRUCT) {  // VariableScaleDecimal: scale, value
    const int64_t scale = member(value, 0).u.i64;
    value = member(value, 1);
    value.scale = static_cast<int16_t>(scale);
  }
  char text[kDecimalTextMax];
  const size_t size = decimal_text(bytes_of(value), value.scale, text);
  if (size == 0) return {Code::kBadRecord, decimal_refusal(bytes_of(value), value.scale)};
  out.append(text, size);
  return sdk::ok();
}

/// Debezium's little-endian bits: as the digits of a bit column, or as what another column can hold of them.
void append_bits(std::string_view bytes, const PgType& type, std::string& out) {
  const auto bit = [&](size_t i) {
    return i / 8 < bytes.size() && (static_cast<unsigned char>(bytes[i / 8]) >> (i % 8) & 1) != 0;
  };
  switch (type.id) {
    case pg_type::kBytea:
      return append_bytea(bytes, out);
    case pg_type::kBool:
      out += bit(0) ? '1' : '0';
      return;
    case pg_type::kInt2:
    case pg_type::kInt4:
    case pg_type::kInt8: {
      uint64_t number = 0;
      for (size_t i = std::min<size_t>(bytes.size(), 8); i > 0; --i)
        number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
      return append_number(static_cast<int64_t>(number), out);
    }
    default: {
      const size_t bits = type.modifier > 0 ? static_cast<size_t>(type.modifier) : bytes.size() * 8;
      for (size_t i = bits; i-- > 0;) out += bit(i) ? '1' : '0';
    }
  }
}

/// PostGIS's text: WKB in hexadecimal digits, with the SRID inside. `stored`: SRID, then little-endian WKB.
void append_ewkb(std::string_view stored, std::string& out) {
  uint32_t srid = 0, kind = 0;
  std::memcpy(&srid, stored.data(), sizeof(srid));
  std::memcpy(&kind, stored.data() + 5, sizeof(kind));
  if (srid == 0) return append_hex(stored.substr(4), out);
  kind |= kEwkbSrid;
  append_hex(stored.substr(4, 1), out);
  append_hex({reinterpret_cast<const char*>(&kind), sizeof(kind)}, out);
  append_hex(stored.substr(0, 4), out);
  append_hex(stored.substr(9), out);
}

/// Geometry: wkb, srid. Point: x, y, wkb, srid.
Status append_geometry(CellForm form, const mr_value& value, const PgType& type, std::string& out) {
  const bool point = form == CellForm::kPoint;
  if (point && type.id == pg_type::kPoint) {
    out += '(';
    append_number(member(value, 0).u.f64, out);
    out += ',';
    append_number(member(value, 1).u.f64, out);
    out += ')';
    return sdk::ok();
  }
  const mr_value wkb = member(value, point ? 2 : 0), srid = member(value, point ? 3 : 1);
  const auto number = srid.kind == MR_NULL ? 0 : static_cast<uint32_t>(srid.u.i64);
  thread_local ByteArena arena;
  arena.clear();
  std::string_view stored;
  if (wkb.kind == MR_BYTES && type.id == pg_type::kBytea) {
    append_bytea(bytes_of(wkb), out);
    return sdk::ok();
  }
  if (wkb.kind == MR_BYTES) {
    auto made = stored_geometry(bytes_of(wkb), number, arena);
    if (!made.ok()) return made.status();
    stored = *made;
  } else if (point) {
    stored = stored_point(member(value, 0).u.f64, member(value, 1).u.f64, number, arena);
  } else {
    return {Code::kBadRecord, "a geometry without the field wkb"};
  }
  if (type.id == pg_type::kBytea) {
    append_bytea(stored.substr(4), out);
  } else {
    append_ewkb(stored, out);
  }
  return sdk::ok();
}

Status append_array(const mr_value& value, CellForm form, const PgType& type, const WriteOptions& options,
                    std::string& out) {
  out += '{';
  std::string element;
  for (uint32_t i = 0; i < value.size; ++i) {
    const mr_value& item = value.u.items[i];
    if (i != 0) out += ',';
    if (item.kind == MR_NULL) {
      out += "NULL";
      continue;
    }
    if (item.kind == MR_ARRAY || plain_text(form)) {
      if (Status s = append_text(item, form, type, options, out); !s.ok()) return s;
      continue;
    }
    element.clear();
    if (Status s = append_text(item, form, type, options, element); !s.ok()) return s;
    append_element(element, out);
  }
  out += '}';
  return sdk::ok();
}

/// The text of a time without an end, as sources that read PostgreSQL write it; empty for all others.
std::string_view endless(const mr_value& value, CellForm form) {
  constexpr std::string_view kInfinity = "infinity", kMinusInfinity = "-infinity";
  constexpr int64_t kDateMax = std::numeric_limits<int32_t>::max(), kDateMin = std::numeric_limits<int32_t>::min();
  const auto either = [&](bool plus, bool minus) {
    return plus ? kInfinity : minus ? kMinusInfinity : std::string_view();
  };
  const int64_t number = value.u.i64;
  switch (form) {
    case CellForm::kTimestamp:
    case CellForm::kEventMillis:
      return either(number == kInfinityMillis || number == kInfinityMillis / 1000,
                    number == kMinusInfinityMillis || number == kMinusInfinityMillis / 1000);
    case CellForm::kEventMicros:
      return either(number == kInfinityMillis, number == kMinusInfinityMillis);
    case CellForm::kEventNanos:
      return either(number == std::numeric_limits<int64_t>::max(), number == std::numeric_limits<int64_t>::min());
    case CellForm::kEventDate:
      // Also Debezium's days: +5877611-06-21 or, in older versions, -5877611-06-21; -5877611-06-22.
      return either(number == kDateMax || number == 2'146'033'979 || number == -2'147'472'692,
                    number == kDateMin || number == -2'147'472'691);
    case CellForm::kZonedTimestamp:
    case CellForm::kIsoTimestamp:
    case CellForm::kIsoDate:
      if (value.kind != MR_STRING) return {};
      return either(bytes_of(value) == kInfinity, bytes_of(value) == kMinusInfinity);
    default:
      return {};
  }
}

Status append_time(const mr_value& value, CellForm form, const WriteOptions& options, std::string& out) {
  if (const std::string_view text = endless(value, form); !text.empty()) {
    out += text;
    return sdk::ok();
  }
  WallTime wall;
  if (Status s = wall_reading(form, value, options, wall); !s.ok()) return s;
  append_wall(wall, out);
  return sdk::ok();
}

}  // namespace

bool plain_text(CellForm form) {
  return form == CellForm::kInt || form == CellForm::kUnsigned || form == CellForm::kFloat ||
         form == CellForm::kDouble || form == CellForm::kDecimal;
}

Status append_text(const mr_value& value, CellForm form, const PgType& type, const WriteOptions& options,
                   std::string& out) {
  if (value.kind == MR_ARRAY) return append_array(value, form, type, options, out);
  const bool from_struct =
      form == CellForm::kVariableDecimal || form == CellForm::kGeometry || form == CellForm::kPoint;
  if (value.kind == MR_MAP || (value.kind == MR_STRUCT && !from_struct)) {
    return {Code::kBadRecord,
            "Unsupported source data type: maps and structs have no column type; flatten the record first"};
  }
  switch (form) {
    case CellForm::kInt:
      if (value.kind != MR_BOOLEAN) {
        append_number(value.u.i64, out);
      } else if (type.id == pg_type::kBit || type.id == pg_type::kVarbit) {
        out += value.u.i64 != 0 ? '1' : '0';
      } else {
        out += value.u.i64 != 0 ? "true" : "false";
      }
      return sdk::ok();
    case CellForm::kUnsigned:
      append_number(static_cast<uint64_t>(value.u.i64), out);
      return sdk::ok();
    case CellForm::kFloat:
      append_number(static_cast<float>(value.u.f64), out);
      return sdk::ok();
    case CellForm::kDouble:
      append_number(value.u.f64, out);
      return sdk::ok();
    case CellForm::kText:
      if (value.size != 0 && std::memchr(value.u.bytes, 0, value.size) != nullptr) {
        return {Code::kBadRecord, "a text with the character U+0000, which PostgreSQL cannot store"};
      }
      out += bytes_of(value);
      return sdk::ok();
    case CellForm::kBytes:
      append_bytea(bytes_of(value), out);
      return sdk::ok();
    case CellForm::kDecimal:
    case CellForm::kVariableDecimal:
      return append_decimal(value, out);
    case CellForm::kBits:
      append_bits(bytes_of(value), type, out);
      return sdk::ok();
    case CellForm::kGeometry:
    case CellForm::kPoint:
      return append_geometry(form, value, type, out);
    case CellForm::kMicroDuration:
    case CellForm::kNanoDuration:
      append_number(form == CellForm::kMicroDuration ? value.u.i64 : value.u.i64 / 1000, out);
      out += " microseconds";
      return sdk::ok();
    default:
      return append_time(value, form, options, out);
  }
}

void append_element(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_copy_field(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
}

std::string parameter_text(const Parameter& value, const WallClock& clock) {
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  const Instant instant = std::get<Instant>(value);
  const Civil civil = clock.civil_of(instant.seconds, static_cast<uint32_t>(instant.nanos / 1000));
  const int offset = clock.zone.offset_at(instant.seconds), size = std::abs(offset);
  char text[96];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u %02u:%02u:%02u.%06u%c%02d:%02d:%02d%s",
                civil.year > 0 ? civil.year : 1 - civil.year, civil.month, civil.day, civil.hour, civil.minute,
                civil.second, civil.micros, offset < 0 ? '-' : '+', size / 3600, size / 60 % 60, size % 60,
                civil.year > 0 ? "" : " BC");
  return text;
}

}  // namespace millrace::jdbc
