#include <arpa/inet.h>

#include <bit>
#include <cstring>

#include "connectors/mariadb/types/plan.h"

namespace millrace::mariadb {
namespace {

using Kind = Cell::Kind;

bool convert_text(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind == Kind::kBytes) [[likely]] {
    out = value_of(MR_STRING, plan.decoder.decode(cell.text(), arena));
    return true;
  }
  if (cell.kind != Kind::kText) return false;
  out = value_of(MR_STRING, valid_utf8(cell.text(), arena));
  return true;
}

// ---- binary

/// BINARY(n) is stored without the zeros at its end; only with the metadata of the binlog could the reader know.
std::string_view padded(const Plan& plan, std::string_view bytes, ByteArena& arena) {
  if (bytes.size() >= plan.size) [[likely]]
    return bytes;
  char* out = arena.allocate(plan.size);
  std::memcpy(out, bytes.data(), bytes.size());
  std::memset(out + bytes.size(), 0, plan.size - bytes.size());
  return {out, plan.size};
}

bool content_of(const Plan& plan, const Cell& cell, ByteArena& arena, std::string_view& bytes) {
  bytes = padded(plan, cell.text(), arena);
  return cell.kind == Kind::kBytes || cell.kind == Kind::kText;
}

bool convert_binary(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  std::string_view bytes;
  if (!content_of(plan, cell, arena, bytes)) return false;
  out = value_of(MR_BYTES, bytes);
  return true;
}

bool convert_to_hex(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string_view bytes;
  if (!content_of(plan, cell, arena, bytes)) return false;
  char* text = arena.allocate(bytes.size() * 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text[2 * i] = kDigits[byte >> 4];
    text[2 * i + 1] = kDigits[byte & 15];
  }
  out = value_of(MR_STRING, std::string_view(text, bytes.size() * 2));
  return true;
}

bool convert_to_base64(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  constexpr char kPlain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr char kUrlSafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const char* digits = plan.binary == BinaryMode::kBase64UrlSafe ? kUrlSafe : kPlain;
  std::string_view bytes;
  if (!content_of(plan, cell, arena, bytes)) return false;
  const size_t size = (bytes.size() + 2) / 3 * 4;
  char* text = arena.allocate(size);
  char* at = text;
  const auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U; };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t word = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *at++ = digits[word >> shift & 63];
  }
  if (bytes.size() % 3 != 0) at[-1] = '=';
  if (bytes.size() % 3 == 1) at[-2] = '=';
  out = value_of(MR_STRING, std::string_view(text, size));
  return true;
}

void plan_binary(Plan& plan, BinaryMode mode) {
  plan.binary = mode;
  plan.schema.type = mode == BinaryMode::kBytes ? MR_BYTES : MR_STRING;
  plan.convert = mode == BinaryMode::kBytes ? convert_binary
                 : mode == BinaryMode::kHex ? convert_to_hex
                                            : convert_to_base64;
}

// ---- ENUM and SET

bool convert_enum(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kEnum && cell.kind != Kind::kInteger) return convert_text(plan, cell, arena, out);
  const auto index = static_cast<uint64_t>(cell.i64);
  const bool known = index != 0 && index <= plan.labels.size();  // 0 is what MariaDB keeps for a wrong value
  out = value_of(MR_STRING, known ? std::string_view(plan.labels[index - 1]) : std::string_view());
  return true;
}

bool convert_set(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  if (cell.kind != Kind::kSet && cell.kind != Kind::kInteger) return convert_text(plan, cell, arena, out);
  const uint64_t declared = plan.labels.size() >= 64 ? ~uint64_t{0} : (uint64_t{1} << plan.labels.size()) - 1;
  const uint64_t members = static_cast<uint64_t>(cell.i64) & declared;
  size_t size = 0;
  for (uint64_t rest = members; rest != 0; rest &= rest - 1)
    size += plan.labels[static_cast<size_t>(std::countr_zero(rest))].size() + 1;
  char* text = arena.allocate(size);
  char* at = text;
  for (uint64_t rest = members; rest != 0; rest &= rest - 1) {
    const std::string& label = plan.labels[static_cast<size_t>(std::countr_zero(rest))];
    if (at != text) *at++ = ',';
    std::memcpy(at, label.data(), label.size());
    at += label.size();
  }
  out = value_of(MR_STRING, std::string_view(text, static_cast<size_t>(at - text)));
  return true;
}

void plan_labels(Plan& plan, const ColumnDefinition& column, const WireColumn* wire) {
  plan.labels = column.enum_values;
  if (plan.labels.empty() && wire != nullptr) {
    ByteArena arena;
    for (const std::string& label : wire->labels) plan.labels.emplace_back(plan.decoder.decode(label, arena));
  }
  std::string allowed;
  for (const std::string& label : plan.labels) {
    if (&label != &plan.labels.front()) allowed += ',';
    for (const char c : label) allowed += c == ',' ? std::string("\\,") : std::string(1, c);
  }
  const bool is_enum = plan.type.family == Family::kEnum;
  name_schema(plan, MR_STRING, is_enum ? "io.debezium.data.Enum" : "io.debezium.data.EnumSet");
  plan.schema.parameters = {{"allowed", allowed}};
  plan.convert = is_enum ? convert_enum : convert_set;
}

// ---- UUID, INET4, INET6: fixed bytes that a SELECT shows as text

/// The zeros at the end are not in the binlog.
bool fixed_bytes(const Plan& plan, const Cell& cell, unsigned char (&bytes)[16]) {
  if (cell.kind != Kind::kBytes || cell.size > plan.size) return false;
  std::memset(bytes, 0, sizeof(bytes));
  std::memcpy(bytes, cell.bytes, cell.size);
  return true;
}

bool convert_uuid(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  unsigned char bytes[16];
  if (!fixed_bytes(plan, cell, bytes)) return convert_text(plan, cell, arena, out);
  char* text = arena.allocate(36);
  char* at = text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = kDigits[bytes[i] >> 4];
    *at++ = kDigits[bytes[i] & 15];
  }
  out = value_of(MR_STRING, std::string_view(text, 36));
  return true;
}

bool convert_inet(const Plan& plan, const Cell& cell, ByteArena& arena, mr_value& out) {
  unsigned char bytes[16];
  if (!fixed_bytes(plan, cell, bytes)) return convert_text(plan, cell, arena, out);
  char* text = arena.allocate(INET6_ADDRSTRLEN);
  if (inet_ntop(plan.size == 4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN) == nullptr) return false;
  out = value_of(MR_STRING, std::string_view(text));
  return true;
}

void plan_fixed(Plan& plan, uint32_t size, std::string_view name, Plan::Convert convert) {
  name_schema(plan, MR_STRING, name);
  plan.size = size;
  plan.convert = convert;
}

}  // namespace

void plan_text(Plan& plan, const ColumnDefinition& column, const WireColumn* wire, const ValueOptions& options) {
  std::string_view charset = wire == nullptr ? std::string_view() : charset_of_collation(wire->collation);
  // The wire's is of this very version of the table; a definition may be newer, or older than what changed its charset.
  if (charset.empty() && column.charset) charset = *column.charset;
  plan.decoder = TextDecoder(charset);
  switch (plan.type.family) {
    case Family::kBinary:
      // BINARY(n), and nothing else that has a length, is always full.
      if (column.type_name.starts_with("BINARY") || column.type_name == "CHAR BYTE")
        plan.size = static_cast<uint32_t>(plan.type.length < 0 ? 1 : plan.type.length);
      return plan_binary(plan, options.binary);
    case Family::kEnum:
    case Family::kSet:
      return plan_labels(plan, column, wire);
    case Family::kUuid:
      return plan_fixed(plan, 16, "io.debezium.data.Uuid", convert_uuid);
    case Family::kInet4:
      return plan_fixed(plan, 4, "", convert_inet);
    case Family::kInet6:
      return plan_fixed(plan, 16, "", convert_inet);
    case Family::kJson:
      return plan_fixed(plan, 0, "io.debezium.data.Json", convert_text);
    default:
      return plan_fixed(plan, 0, "", convert_text);
  }
}

}  // namespace millrace::mariadb
