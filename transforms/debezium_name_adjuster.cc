#include "transforms/debezium_name_adjuster.h"

#include <fmt/format.h>

namespace millrace::debezium {
namespace {

/// The next UTF-16 unit of UTF-8 text; characters beyond the BMP are two.
struct Utf16Reader {
  std::string_view text;
  size_t at = 0;
  uint32_t pending = 0;

  bool next(uint32_t& unit) {
    if (pending != 0) {
      unit = pending;
      pending = 0;
      return true;
    }
    if (at >= text.size()) return false;
    const auto lead = static_cast<uint8_t>(text[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (size_t k = 1; k < length && at + k < text.size(); ++k)
      code = code << 6 | (static_cast<uint8_t>(text[at + k]) & 0x3FU);
    at += length;
    unit = code;
    if (code >= 0x10000) {
      unit = 0xD7C0 + (code >> 10);
      pending = 0xDC00 + (code & 0x3FF);
    }
    return true;
  }
};

bool is_digit(uint32_t unit) { return unit >= '0' && unit <= '9'; }

bool may_begin(uint32_t unit, NameAdjustment how) {
  return (unit >= 'a' && unit <= 'z') || (unit >= 'A' && unit <= 'Z') || (unit == '_' && how == NameAdjustment::kAvro);
}

}  // namespace

std::vector<std::string> name_adjustments() { return {"none", "avro", "avro_unicode"}; }

std::string adjust_name(std::string_view name, NameAdjustment how, bool field) {
  if (how == NameAdjustment::kNone) return std::string(name);
  std::string out;
  Utf16Reader reader{name};
  bool first = true;
  for (uint32_t unit = 0; reader.next(unit); first = false) {
    const bool fine = may_begin(unit, how) || (!first && (is_digit(unit) || (unit == '.' && !field)));
    if (fine) {
      out += static_cast<char>(unit);
    } else if (how == NameAdjustment::kAvro) {
      out += '_';
      if (first && is_digit(unit)) out += static_cast<char>(unit);  // 1a and 2a stay different
    } else {
      out += unit < 0x100 ? fmt::format("_u{:04x}", unit) : fmt::format("_u{:x}", unit);
    }
  }
  return out;
}

}  // namespace millrace::debezium
