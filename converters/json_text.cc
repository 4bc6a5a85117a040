#include "converters/json_text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <vector>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace millrace {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes of leads that may need an escape: surrogates in three bytes (0xED) and everything of four bytes.
constexpr uint8_t kFirstSpecialLead = 0xED;

bool plain_for_output(uint8_t c) { return c >= 0x20 && c != '"' && c != '\\' && c < kFirstSpecialLead; }
bool plain_for_input(uint8_t c) { return c >= 0x20 && c != '"' && c != '\\' && c < 0x80; }

/// Length of the run at `text` that is copied as it is; kLimit is the first high byte that is not.
template <uint8_t kLimit>
size_t plain_run(const char* text, size_t size) {
  size_t at = 0;
#ifdef __SSE2__
  const auto special = [](__m128i block) {
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    const __m128i high = _mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8(static_cast<char>(kLimit))), block);
    const __m128i quote =
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control, high), quote)));
  };
  const auto load = [&](size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i)); };
  for (; at + 16 <= size; at += 16) {
    if (const unsigned mask = special(load(at)); mask != 0) return at + static_cast<size_t>(__builtin_ctz(mask));
  }
  // What is left overlaps with what has been looked at, or its halves do.
  if (size >= 16) {
    const unsigned mask = special(load(size - 16));
    return mask == 0 ? size : size - 16 + static_cast<size_t>(__builtin_ctz(mask));
  }
  if (size >= 8) {
    uint64_t low = 0, high = 0;
    std::memcpy(&low, text, 8);
    std::memcpy(&high, text + size - 8, 8);
    if (special(_mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low))) == 0) return size;
  }
#endif
  const auto plain = kLimit == 0x80 ? plain_for_input : plain_for_output;
  while (at < size && plain(static_cast<uint8_t>(text[at]))) ++at;
  return at;
}

char* put_unit_escape(char* to, uint32_t unit) {
  *to++ = '\\';
  *to++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4) *to++ = kHex[unit >> shift & 0xF];
  return to;
}

constexpr auto kBase64Values = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kBase64.size(); ++i) values[static_cast<uint8_t>(kBase64[i])] = static_cast<int8_t>(i);
  return values;
}();
int base64_value(char c) { return kBase64Values[static_cast<uint8_t>(c)]; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Reads the part behind a backslash; false when it is no escape.
bool read_escape(const char*& at, const char* end, std::string& out) {
  if (at == end) return false;
  switch (const char c = *at++) {
    case '"':
    case '\\':
    case '/':
      out += c;
      return true;
    case 'b':
      out += '\b';
      return true;
    case 'f':
      out += '\f';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'u': {
      if (end - at < 4) return false;
      uint32_t unit = 0;
      for (int i = 0; i < 4; ++i) {
        const int digit = hex_value(at[i]);
        if (digit < 0) return false;
        unit = unit << 4 | static_cast<uint32_t>(digit);
      }
      at += 4;
      append_utf8(out, unit);
      return true;
    }
    default:
      return false;
  }
}

/// Decodes one character of several bytes as Jackson does, which accepts overlong forms and surrogates.
const char* read_multibyte(const char*& at, const char* end, std::string& out) {
  const auto lead = static_cast<uint8_t>(*at++);
  const int tail = (lead & 0xE0) == 0xC0 ? 1 : (lead & 0xF0) == 0xE0 ? 2 : (lead & 0xF8) == 0xF0 ? 3 : 0;
  if (tail == 0) return "Invalid UTF-8 start byte";
  uint32_t point = lead & (0x3FU >> tail);
  for (int i = 0; i < tail; ++i) {
    if (at == end) return "Unexpected end-of-input in a character";
    if ((static_cast<uint8_t>(*at) & 0xC0) != 0x80) return "Invalid UTF-8 middle byte";
    point = point << 6 | (static_cast<uint8_t>(*at++) & 0x3FU);
  }
  if (point > 0x10FFFF) return "Invalid UTF-8 character";
  append_utf8(out, point);
  return nullptr;
}

/// The slow form of read_json_string(): `at` stands where the first byte needs care, `start` at the string's begin.
const char* read_string_with_care(const char* start, const char*& at, const char* end, Arena& arena,
                                  std::string_view& out) {
  std::string text(start, at);
  for (;;) {
    const size_t run = plain_run<0x80>(at, static_cast<size_t>(end - at));
    text.append(at, run);
    at += run;
    if (at == end) return "Unexpected end-of-input: was expecting closing quote for a string value";
    const auto c = static_cast<uint8_t>(*at);
    if (c == '"') break;
    if (c < 0x20) return "Illegal unquoted character: has to be escaped using backslash to be included in string value";
    if (c == '\\') {
      if (!read_escape(++at, end, text)) return "Unrecognized character escape";
    } else if (const char* why = read_multibyte(at, end, text)) {
      return why;
    }
  }
  ++at;
  out = arena.copy(text);
  return nullptr;
}

}  // namespace

void JsonBuffer::grow(size_t bytes) {
  const auto used = static_cast<size_t>(at_ - begin_.get());
  const size_t capacity = std::max(used + bytes, std::max(size_t{1024}, 2 * static_cast<size_t>(end_ - begin_.get())));
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (used != 0) std::memcpy(larger.get(), begin_.get(), used);
  begin_ = std::move(larger);
  at_ = begin_.get() + used;
  end_ = begin_.get() + capacity;
}

void JsonBuffer::put_string(std::string_view text) {
  size_t run = plain_run<kFirstSpecialLead>(text.data(), text.size());
  if (run == text.size()) {  // nearly all
    char* to = room(run + 2);
    *to++ = '"';
    if (run > 0) std::memcpy(to, text.data(), run);  // an empty text may be at nullptr
    to[run] = '"';
    at_ = to + run + 1;
    return;
  }
  put('"');
  for (size_t at = 0;; run = plain_run<kFirstSpecialLead>(text.data() + at, text.size() - at)) {
    put(text.substr(at, run));
    at += run;
    if (at == text.size()) break;
    put_special(text, at);
  }
  put('"');
}

void JsonBuffer::put_special(std::string_view text, size_t& at) {
  char* to = room(16);
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : uint8_t{0}; };
  const uint8_t c = byte(0);
  const auto short_escape = [&](char letter) {
    *to++ = '\\';
    *to++ = letter;
  };
  size_t taken = 1;
  switch (c) {
    case '"':
      short_escape('"');
      break;
    case '\\':
      short_escape('\\');
      break;
    case '\b':
      short_escape('b');
      break;
    case '\f':
      short_escape('f');
      break;
    case '\n':
      short_escape('n');
      break;
    case '\r':
      short_escape('r');
      break;
    case '\t':
      short_escape('t');
      break;
    default:
      if (c < 0x20) {
        to = put_unit_escape(to, c);
      } else if (c < 0xF0 && at + 2 < text.size()) {
        taken = 3;
        const uint32_t unit = (c & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
        if (unit >= 0xD800 && unit < 0xE000) {
          to = put_unit_escape(to, unit);
        } else {
          to = std::copy_n(text.data() + at, 3, to);
        }
      } else if (c >= 0xF0 && c < 0xF5 && at + 3 < text.size()) {
        taken = 4;
        const uint32_t point = (c & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU);
        to = put_unit_escape(to, 0xD800 + ((point - 0x10000) >> 10 & 0x3FF));
        to = put_unit_escape(to, 0xDC00 + (point & 0x3FF));
      } else {  // no UTF-8: the replacement character, as Java would have it in its string
        to = std::copy_n("\xEF\xBF\xBD", 3, to);
      }
  }
  at += taken;
  advance(to);
}

void JsonBuffer::put_base64(std::string_view bytes) {
  char* to = room(bytes.size() / 3 * 4 + 8);
  *to++ = '"';
  const auto* from = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 3; left -= 3, from += 3) {
    const uint32_t group = static_cast<uint32_t>(from[0]) << 16 | static_cast<uint32_t>(from[1]) << 8 | from[2];
    *to++ = kBase64[group >> 18];
    *to++ = kBase64[group >> 12 & 63];
    *to++ = kBase64[group >> 6 & 63];
    *to++ = kBase64[group & 63];
  }
  if (left > 0) {
    const uint32_t group = static_cast<uint32_t>(from[0]) << 16 | (left > 1 ? static_cast<uint32_t>(from[1]) << 8 : 0);
    *to++ = kBase64[group >> 18];
    *to++ = kBase64[group >> 12 & 63];
    *to++ = left > 1 ? kBase64[group >> 6 & 63] : '=';
    *to++ = '=';
  }
  *to++ = '"';
  advance(to);
}

const char* read_json_string(const char*& at, const char* end, Arena& arena, std::string_view& out) {
  const char* const start = at;
  at += plain_run<0x80>(at, static_cast<size_t>(end - at));
  if (at != end && static_cast<uint8_t>(*at) >= 0x80) {
    const char* close = at;
    while (close != end && *close != '"' && *close != '\\' && static_cast<uint8_t>(*close) >= 0x20) {
      ++close;
      close += plain_run<0xFF>(close, static_cast<size_t>(end - close));
    }
    if (close != end && *close == '"' && simdjson::validate_utf8(start, static_cast<size_t>(close - start))) at = close;
  }
  if (at == end || *at != '"') return read_string_with_care(start, at, end, arena, out);
  out = {start, static_cast<size_t>(at - start)};
  ++at;
  return nullptr;
}

void append_utf8(std::string& out, uint32_t point) {
  const size_t size = out.size();
  const auto before = [&](size_t i) { return static_cast<uint8_t>(out[size - i]); };
  if (point >= 0xDC00 && point < 0xE000 && size >= 3 && before(3) == 0xED && before(2) >= 0xA0 && before(2) < 0xB0) {
    const uint32_t high = (before(2) & 0x0FU) << 6 | (before(1) & 0x3FU);
    point = 0x10000 + (high << 10) + (point - 0xDC00);
    out.resize(size - 3);
  }
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
    return;
  }
  if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
  } else {
    if (point < 0x10000) {
      out += static_cast<char>(0xE0 | point >> 12);
    } else {
      out += static_cast<char>(0xF0 | point >> 18);
      tail(12);
    }
    tail(6);
  }
  tail(0);
}

std::optional<std::string_view> decode_base64(std::string_view text, Arena& arena) {
  char* const begin = arena.allocate_array<char>(text.size() / 4 * 3 + 3);
  char* to = begin;
  for (size_t at = 0;;) {
    while (at < text.size() && static_cast<uint8_t>(text[at]) <= ' ') ++at;
    if (at == text.size()) return std::string_view(begin, static_cast<size_t>(to - begin));
    if (text.size() - at < 4) return std::nullopt;
    const int a = base64_value(text[at]), b = base64_value(text[at + 1]), c = base64_value(text[at + 2]),
              d = base64_value(text[at + 3]);
    const bool two_pads = text[at + 2] == '=' && text[at + 3] == '=', one_pad = text[at + 3] == '=' && c >= 0;
    if (a < 0 || b < 0 || (c < 0 && !two_pads) || (d < 0 && !one_pad && !two_pads)) return std::nullopt;
    const auto group = static_cast<uint32_t>(a << 18 | b << 12 | std::max(c, 0) << 6 | std::max(d, 0));
    *to++ = static_cast<char>(group >> 16);
    if (!two_pads) *to++ = static_cast<char>(group >> 8);
    if (!two_pads && !one_pad) *to++ = static_cast<char>(group);
    at += 4;
  }
}

std::string_view shortest_unscaled(std::string_view unscaled) {
  if (unscaled.empty()) return {"\0", 1};
  while (unscaled.size() > 1) {
    const auto first = static_cast<uint8_t>(unscaled[0]);
    const bool next_negative = (static_cast<uint8_t>(unscaled[1]) & 0x80) != 0;
    if (!(first == 0 && !next_negative) && !(first == 0xFF && next_negative)) break;
    unscaled.remove_prefix(1);
  }
  return unscaled;
}

std::string_view unscaled_of(std::string_view digits, bool negative, Arena& arena) {
  std::vector<uint32_t> words;  // least significant first
  if (digits.size() > 18) words.reserve(digits.size() / 9 + 1);
  const auto multiply_add = [&](uint32_t factor, uint32_t more) {
    uint64_t carry = more;
    for (uint32_t& word : words) {
      carry += static_cast<uint64_t>(word) * factor;
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
  };
  for (size_t at = 0; at < digits.size();) {
    const size_t count = std::min<size_t>(9, digits.size() - at);
    uint32_t part = 0, factor = 1;
    for (size_t i = 0; i < count; ++i, factor *= 10) part = part * 10 + static_cast<uint32_t>(digits[at + i] - '0');
    multiply_add(factor, part);
    at += count;
  }
  words.push_back(0);  // room for the sign
  if (negative) {
    bool carry = true;
    for (uint32_t& word : words) {
      word = ~word + (carry ? 1 : 0);
      carry = carry && word == 0;
    }
  }
  char* const bytes = arena.allocate_array<char>(words.size() * 4);
  for (size_t i = 0; i < words.size(); ++i) {
    const uint32_t big_endian = __builtin_bswap32(words[words.size() - 1 - i]);
    std::memcpy(bytes + 4 * i, &big_endian, 4);
  }
  return shortest_unscaled({bytes, words.size() * 4});
}

}  // namespace millrace
