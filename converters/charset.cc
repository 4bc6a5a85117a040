#include "converters/charset.h"

#include <iconv.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace millrace {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
const auto kNoIconv = reinterpret_cast<iconv_t>(-1);

bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/// Bytes of the character at `text`, or minus the bytes that one U+FFFD stands for.
int utf8_step(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return text.size() < 2 || !continues(byte(1)) ? -1 : 2;
  if (lead >= 0xE0 && lead < 0xF0) {
    if (text.size() < 2 || !continues(byte(1)) || (lead == 0xE0 && byte(1) < 0xA0)) return -1;
    if (text.size() < 3 || !continues(byte(2))) return -2;
    return lead == 0xED && byte(1) >= 0xA0 ? -3 : 3;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    if (text.size() < 2 || !continues(byte(1)) || (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F))
      return -1;
    if (text.size() < 3 || !continues(byte(2))) return -2;
    return text.size() < 4 || !continues(byte(3)) ? -3 : 4;
  }
  return -1;
}

/// Runs iconv over all of `from`; where it stops, `replace` is appended and `skip(rest)` bytes are left out.
template <class Skip>
void convert(iconv_t with, std::string_view from, std::string_view replace, Skip skip, std::string& out) {
  char* in = const_cast<char*>(from.data());  // iconv's signature; it does not write
  size_t in_left = from.size();
  char block[512];
  iconv(with, nullptr, nullptr, nullptr, nullptr);
  while (in_left > 0) {
    char* to = block;
    size_t room = sizeof block;
    const size_t result = iconv(with, &in, &in_left, &to, &room);
    const int error = errno;
    out.append(block, static_cast<size_t>(to - block));
    if (result != static_cast<size_t>(-1) || error == E2BIG) continue;
    out.append(replace);
    const size_t skipped = std::min(in_left, skip(std::string_view(in, in_left)));
    in += skipped;
    in_left -= skipped;
  }
}

}  // namespace

std::string_view decode_utf8(std::string_view bytes, Arena& arena) {
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return bytes;
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const int step = utf8_step(bytes.substr(at));
    const auto size = static_cast<size_t>(step > 0 ? step : -step);
    text.append(step > 0 ? bytes.substr(at, size) : kReplacement);
    at += size;
  }
  return arena.copy(text);
}

std::unique_ptr<Charset> Charset::open(const std::string& name) {
  std::string upper = name;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  std::unique_ptr<Charset> charset(new Charset());
  if (upper == "UTF-8" || upper == "UTF8") {
    charset->utf8_ = true;
    return charset;
  }
  const bool valid = !name.empty() && name.find_first_of("/ ") == std::string::npos;
  if (!valid) return nullptr;
  charset->byte_order_mark_ = upper == "UTF-16" || upper == "UTF_16" || upper == "UTF16";
  const std::string system_name = upper == "WINDOWS-1252" ? "CP1252" : upper;
  // Java writes UTF-16 in big-endian order behind a byte order mark.
  const auto encoder = iconv_open(charset->byte_order_mark_ ? "UTF-16BE" : system_name.c_str(), "UTF-8");
  charset->encoder_ = encoder == kNoIconv ? nullptr : encoder;
  const auto decoder = iconv_open("UTF-8", system_name.c_str());
  charset->decoder_ = decoder == kNoIconv ? nullptr : decoder;
  if (charset->encoder_ == nullptr || charset->decoder_ == nullptr) return nullptr;
  convert(
      encoder, "?", "", [](std::string_view) { return size_t{1}; }, charset->question_mark_);
  return charset;
}

Charset::~Charset() {
  if (encoder_ != nullptr) iconv_close(encoder_);
  if (decoder_ != nullptr) iconv_close(decoder_);
}

void Charset::encode(std::string_view text, std::string& out) {
  if (utf8_) {
    out.append(text);
    return;
  }
  if (byte_order_mark_ && !text.empty()) out.append("\xFE\xFF");
  convert(
      encoder_, text, question_mark_,
      [](std::string_view rest) { return static_cast<size_t>(std::abs(utf8_step(rest))); }, out);
}

std::string_view Charset::decode(std::string_view bytes, Arena& arena) {
  if (utf8_) return decode_utf8(bytes, arena);
  std::string text;
  // Java takes UTF-16 without a byte order mark as big-endian, iconv as the machine's order.
  const bool marked = bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE");
  std::string with_mark;
  if (byte_order_mark_ && !marked) bytes = with_mark.append("\xFE\xFF").append(bytes);
  convert(
      decoder_, bytes, kReplacement, [](std::string_view) { return size_t{1}; }, text);
  return arena.copy(text);
}

}  // namespace millrace
