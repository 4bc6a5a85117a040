#include "connectors/mariadb/types/text_decoder.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "connectors/mariadb/types/charset_fixes.h"

namespace millrace::mariadb {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// How many bytes of the front are ASCII, in steps of eight where it can.
size_t ascii_prefix(std::string_view text) {
  size_t at = 0;
  for (uint64_t word; at + 8 <= text.size(); at += 8) {
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

/// Bytes of the well-formed sequence at the front, 0 = none; then `broken` is how many bytes belong to the bad one.
size_t sequence_size(std::string_view text, size_t& broken) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const uint32_t lead = byte(0);
  broken = 1;
  if (lead < 0x80) return 1;
  // The second byte of some leads is narrower: no overlong forms, no surrogates, nothing above U+10FFFF.
  const uint32_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint32_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  const size_t size = lead >= 0xC2 && lead <= 0xDF   ? 2
                      : lead >= 0xE0 && lead <= 0xEF ? 3
                      : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                     : 0;
  if (size == 0 || byte(1) < low || byte(1) > high) return 0;
  for (broken = 2; broken < size; ++broken)
    if ((byte(broken) & 0xC0) != 0x80) return 0;
  return size;
}

std::string_view repaired(std::string_view text, size_t good, connectors::ByteArena& arena) {
  char* out = arena.allocate(good + (text.size() - good) * kReplacement.size());
  std::memcpy(out, text.data(), good);
  size_t written = good;
  for (size_t at = good, broken = 0; at < text.size();) {
    const size_t size = sequence_size(text.substr(at), broken);
    const std::string_view piece = size == 0 ? kReplacement : text.substr(at, size);
    std::memcpy(out + written, piece.data(), piece.size());
    written += piece.size();
    at += size == 0 ? broken : size;
  }
  return {out, written};
}

struct Name {
  std::string_view mariadb;
  const char* iconv;
};

constexpr Name kSingleByte[] = {
    {"latin1", "CP1252"},           {"ascii", "ASCII"},        {"latin2", "ISO-8859-2"},   {"latin5", "ISO-8859-9"},
    {"latin7", "ISO-8859-13"},      {"cp1250", "CP1250"},      {"cp1251", "CP1251"},       {"cp1256", "CP1256"},
    {"cp1257", "CP1257"},           {"koi8r", "KOI8-R"},       {"koi8u", "KOI8-U"},        {"greek", "ISO-8859-7"},
    {"hebrew", "ISO-8859-8"},       {"cp850", "CP850"},        {"cp852", "CP852"},         {"cp866", "CP866"},
    {"tis620", "TIS-620"},          {"armscii8", "ARMSCII-8"}, {"dec8", "DEC-MCS"},        {"hp8", "HP-ROMAN8"},
    {"macce", "MAC-CENTRALEUROPE"}, {"macroman", "MACINTOSH"}, {"geostd8", "GEORGIAN-PS"}, {"swe7", "SEN_850200_C"},
    {"keybcs2", "ASCII"},
};
// sjis is read as cp932, which differs in nothing MariaDB stores but leaves the backslash a backslash.
constexpr Name kMultiByte[] = {
    {"sjis", "CP932"}, {"cp932", "CP932"}, {"ujis", "EUC-JP-MS"}, {"eucjpms", "EUC-JP-MS"},
    {"euckr", "UHC"},  {"gbk", "GBK"},     {"gb2312", "GB2312"},  {"big5", "BIG5"},
};
constexpr Name kWide[] = {{"ucs2", "UTF-16BE"}, {"utf16", "UTF-16BE"}, {"utf16le", "UTF-16LE"}, {"utf32", "UTF-32BE"}};

const char* iconv_name(std::span<const Name> names, std::string_view charset) {
  for (const Name& name : names)
    if (name.mariadb == charset) return name.iconv;
  return nullptr;
}

}  // namespace

struct TextDecoder::State {
  iconv_t conversion = reinterpret_cast<iconv_t>(-1);
  bool wide = false;  // a byte below 0x80 need not be ASCII
  size_t unit = 1;    // bytes that a bad character takes at least
  bool table = false;
  struct Entry {
    uint8_t size;
    char utf8[3];
  };
  std::array<Entry, 256> entries{};

  ~State() { close(); }
  bool open(const char* from) {
    conversion = iconv_open("UTF-8", from);
    return conversion != reinterpret_cast<iconv_t>(-1);
  }
  void close() {
    if (conversion != reinterpret_cast<iconv_t>(-1)) iconv_close(conversion);
    conversion = reinterpret_cast<iconv_t>(-1);
  }

  void fill_table(std::string_view charset) {
    // Both leave bytes open that are control characters to MariaDB.
    const bool controls = charset == "latin1" || charset == "tis620";
    table = true;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      Entry& entry = entries[byte];
      char from = static_cast<char>(byte), *in = &from, *out = entry.utf8;
      size_t in_left = 1, out_left = sizeof(entry.utf8);
      if (conversion == reinterpret_cast<iconv_t>(-1) || iconv(conversion, &in, &in_left, &out, &out_left) != 0) {
        const char control[] = {'\xC2', from, '\0'};
        const std::string_view bytes = byte < 0x80               ? std::string_view(&from, 1)
                                       : controls && byte < 0xA0 ? std::string_view(control, 2)
                                                                 : kReplacement;
        std::memcpy(entry.utf8, bytes.data(), bytes.size());
        entry.size = static_cast<uint8_t>(bytes.size());
      } else {
        entry.size = static_cast<uint8_t>(sizeof(entry.utf8) - out_left);
      }
    }
    for (const CharsetFix& fix : kCharsetFixes)
      if (fix.charset == charset)
        for (size_t i = 0; i < fix.points.size(); ++i) set_entry(fix.first + i, fix.points[i]);
    close();
  }

  void set_entry(size_t byte, char16_t point) {
    Entry& entry = entries[byte];
    const auto last = static_cast<char>(0x80 | (point & 0x3F)), middle = static_cast<char>(0x80 | (point >> 6 & 0x3F));
    if (point < 0x80) {
      entry = {1, {static_cast<char>(point)}};
    } else if (point < 0x800) {
      entry = {2, {static_cast<char>(0xC0 | point >> 6), last}};
    } else {
      entry = {3, {static_cast<char>(0xE0 | point >> 12), middle, last}};
    }
  }

  std::string_view by_table(std::string_view text, size_t ascii, connectors::ByteArena& arena) const {
    char* out = arena.allocate(text.size() * 3 + 1);
    std::memcpy(out, text.data(), ascii);
    char* at = out + ascii;
    for (size_t i = ascii; i < text.size(); ++i) {
      const Entry& entry = entries[static_cast<unsigned char>(text[i])];
      std::memcpy(at, entry.utf8, 3);
      at += entry.size;
    }
    return {out, static_cast<size_t>(at - out)};
  }

  std::string_view by_iconv(std::string_view text, connectors::ByteArena& arena) const {
    const size_t room = text.size() * 3 + 4;
    char* out = arena.allocate(room);
    char *at = out, *in = const_cast<char*>(text.data());
    size_t in_left = text.size(), out_left = room;
    iconv(conversion, nullptr, nullptr, nullptr, nullptr);
    while (in_left > 0 && iconv(conversion, &in, &in_left, &at, &out_left) == static_cast<size_t>(-1)) {
      if (out_left < kReplacement.size()) break;
      std::memcpy(at, kReplacement.data(), kReplacement.size());
      at += kReplacement.size();
      out_left -= kReplacement.size();
      const size_t skipped = std::min(in_left, unit);
      in += skipped;
      in_left -= skipped;
    }
    return {out, static_cast<size_t>(at - out)};
  }
};

TextDecoder::TextDecoder() = default;
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;
TextDecoder::~TextDecoder() = default;

TextDecoder::TextDecoder(std::string_view charset) {
  const char* single = iconv_name(kSingleByte, charset);
  const char* multi = iconv_name(kMultiByte, charset);
  const char* wide = iconv_name(kWide, charset);
  if (single == nullptr && multi == nullptr && wide == nullptr) return;
  state_ = std::make_unique<State>();
  const bool known = state_->open(single != nullptr ? single : multi != nullptr ? multi : wide);
  state_->wide = wide != nullptr || charset == "swe7";
  if (wide != nullptr) state_->unit = charset == "utf32" ? 4 : 2;
  if (single != nullptr || !known) state_->fill_table(charset);
  utf8_ = false;
}

std::string_view TextDecoder::decode_other(std::string_view text, connectors::ByteArena& arena) const {
  const size_t ascii = state_->wide ? 0 : ascii_prefix(text);
  if (ascii == text.size()) return text;
  return state_->table ? state_->by_table(text, ascii, arena) : state_->by_iconv(text, arena);
}

std::string_view valid_utf8(std::string_view text, connectors::ByteArena& arena) {
  size_t at = ascii_prefix(text), broken = 0;
  while (at < text.size()) {
    const size_t size = sequence_size(text.substr(at), broken);
    if (size == 0) return repaired(text, at, arena);
    at += size;
    if (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) at += ascii_prefix(text.substr(at));
  }
  return text;
}

}  // namespace millrace::mariadb
