/// JSON's lexical level, as Jackson writes and reads it: strings, base64 and whole numbers in a growing buffer.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "data/arena.h"

namespace millrace {

/// Output of one record. Raw pointers instead of std::string: a field is a few bytes, and each append would check and
/// terminate. Kept and reused from record to record.
class JsonBuffer {
 public:
  static constexpr size_t kBlock = 16;

  void clear() { at_ = begin_.get(); }
  size_t size() const { return static_cast<size_t>(at_ - begin_.get()); }
  std::string_view text() const { return {begin_.get(), static_cast<size_t>(at_ - begin_.get())}; }

  /// A place to write up to `bytes`; advance() tells where the writing ended.
  char* room(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
    return at_;
  }
  void advance(char* to) { at_ = to; }

  void put(char c) {
    *room(1) = c;
    ++at_;
  }
  void put(std::string_view text) {
    if (text.empty()) return;  // at nullptr perhaps
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  /// A comma if `comma`, then the first `size` bytes of a text that is padded to whole blocks.
  void put_blocks(bool comma, std::string_view padded, size_t size) {
    char* to = room(padded.size() + 1);
    *to = ',';
    to += comma ? 1 : 0;
    for (size_t i = 0; i < padded.size(); i += kBlock) std::memcpy(to + i, padded.data() + i, kBlock);
    at_ = to + size;
  }
  void put_integer(int64_t number) {
    char* to = room(24);
    at_ = std::to_chars(to, to + 24, number).ptr;
  }
  /// A quoted string: control characters, quote and backslash escaped, characters beyond the BMP as two \uXXXX.
  void put_string(std::string_view text);
  /// A quoted base64 text.
  void put_base64(std::string_view bytes);

 private:
  void grow(size_t bytes);
  void put_special(std::string_view text, size_t& at);

  std::unique_ptr<char[]> begin_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

/// Reads a string whose opening quote is just before `at`; leaves `at` behind the closing quote. Without escapes the
/// result borrows the input, else it lies in the arena. Lone surrogates become three bytes each, overlong forms are
/// taken. nullptr when fine, else what is wrong.
const char* read_json_string(const char*& at, const char* end, Arena& arena, std::string_view& out);

/// Appends one UTF-16 unit or code point as UTF-8, joining a surrogate pair whose first half was appended before.
void append_utf8(std::string& out, uint32_t point);

/// Base64 as Jackson reads it: blanks only between groups of four, padding required. Nothing if broken.
std::optional<std::string_view> decode_base64(std::string_view text, Arena& arena);

/// Big-endian two's complement of a decimal number in as few bytes as possible.
std::string_view unscaled_of(std::string_view digits, bool negative, Arena& arena);
/// The same number without redundant sign bytes; at least one byte.
std::string_view shortest_unscaled(std::string_view unscaled);

}  // namespace millrace
