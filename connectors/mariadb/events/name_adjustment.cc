#include "connectors/mariadb/events/name_adjustment.h"

#include <cstdint>
#include <cstdio>

namespace millrace::mariadb {
namespace {

constexpr size_t kLongestTopic = 249;

bool is_letter(uint16_t c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(uint16_t c) { return c >= '0' && c <= '9'; }

/// Calls `use` with each UTF-16 unit of UTF-8 text; a broken byte is a unit of its own.
template <class F>
void for_each_unit(std::string_view text, F&& use) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
    uint32_t code = size == 1 ? lead : lead & (0x7fU >> size);
    bool whole = i + size <= text.size();
    for (size_t k = 1; whole && k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      whole = (next & 0xc0) == 0x80;
      code = code << 6 | (next & 0x3fU);
    }
    if (!whole) code = lead;
    i += whole ? size : 1;
    if (code < 0x10000) {
      use(static_cast<uint16_t>(code));
    } else {
      use(static_cast<uint16_t>(0xd800 + ((code - 0x10000) >> 10)));
      use(static_cast<uint16_t>(0xdc00 + ((code - 0x10000) & 0x3ff)));
    }
  }
}

void append_escape(std::string& out, uint16_t unit) {
  char text[8];
  std::snprintf(text, sizeof(text), "_u%04x", unit);
  out += text;
}

std::string adjusted(NameAdjustment mode, std::string_view name, bool field) {
  if (mode == NameAdjustment::kNone) return std::string(name);
  std::string out;
  bool first = true;
  for_each_unit(name, [&](uint16_t unit) {
    const bool anywhere = is_letter(unit) || (unit == '_' && mode == NameAdjustment::kAvro);
    const bool later = is_digit(unit) || (unit == '.' && !field);
    if (anywhere || (later && !first)) {
      out += static_cast<char>(unit);
    } else if (mode == NameAdjustment::kAvroUnicode) {
      append_escape(out, unit);
    } else {
      out += '_';
      if (field && first && is_digit(unit)) out += static_cast<char>(unit);
    }
    first = false;
  });
  return out;
}

}  // namespace

connectors::Result<NameAdjustment> parse_name_adjustment(std::string_view key, std::string_view text) {
  std::string word;
  for (const char c : text) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (word.empty() || word == "none") return NameAdjustment::kNone;
  if (word == "avro") return NameAdjustment::kAvro;
  if (word == "avro_unicode") return NameAdjustment::kAvroUnicode;
  return connectors::Status(connectors::Code::kInvalidConfig, "The '" + std::string(key) + "' value is invalid: '" +
                                                                  std::string(text) +
                                                                  "' is not one of none, avro, avro_unicode");
}

std::string adjusted_schema_name(NameAdjustment mode, std::string_view name) { return adjusted(mode, name, false); }

std::string adjusted_field_name(NameAdjustment mode, std::string_view name) { return adjusted(mode, name, true); }

std::string sanitized_topic(std::string_view name) {
  std::string out;
  for_each_unit(name, [&](uint16_t unit) {
    const bool fine = is_letter(unit) || is_digit(unit) || unit == '.' || unit == '_' || unit == '-';
    out += fine ? static_cast<char>(unit) : '_';
  });
  if (out.size() > kLongestTopic) out.resize(kLongestTopic);
  return out;
}

}  // namespace millrace::mariadb
