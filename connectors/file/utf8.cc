#include "connectors/file/utf8.h"

#include <cstdint>
#include <cstring>

namespace millrace::file {
namespace {

struct Sequence {
  size_t size;  // bytes looked at: the whole sequence, or its longest well-formed beginning
  bool valid;
};

/// The sequence at the front of `text`, by the table of well-formed byte sequences of the Unicode standard.
Sequence sequence_at(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and points above U+10FFFF.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < size; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xBF)) return {i, false};
  }
  return {size, true};
}

size_t ascii_prefix(std::string_view text) {
  size_t i = 0;
  for (uint64_t word; i + sizeof(word) <= text.size(); i += sizeof(word)) {
    std::memcpy(&word, text.data() + i, sizeof(word));
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (i < text.size() && static_cast<uint8_t>(text[i]) < 0x80) ++i;
  return i;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  for (;;) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const Sequence sequence = sequence_at(text);
    if (!sequence.valid) return false;
    text.remove_prefix(sequence.size);
  }
}

std::string repaired_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const Sequence sequence = sequence_at(text);
    if (sequence.valid)
      out.append(text.substr(0, sequence.size));
    else
      out += "\xEF\xBF\xBD";
    text.remove_prefix(sequence.size);
  }
  return out;
}

}  // namespace millrace::file
