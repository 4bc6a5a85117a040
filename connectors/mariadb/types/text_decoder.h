/// Text as MariaDB stores it, in any of its character sets, to UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/common/byte_arena.h"

namespace millrace::mariadb {

/// "utf8mb4" of a collation's number in a TABLE_MAP; nothing for a number nobody gave.
std::string_view charset_of_collation(uint16_t collation);

/// `text` if it is UTF-8 from end to end, else a copy with U+FFFD for each sequence that is not.
std::string_view valid_utf8(std::string_view text, connectors::ByteArena& arena);

/// One column's way to UTF-8. What a character set does not know becomes U+FFFD.
/// Threads: one at a time (a multi-byte set has a conversion state).
class TextDecoder {
 public:
  /// UTF-8 itself, only checked.
  TextDecoder();
  /// By MariaDB's name; an unknown name is taken for UTF-8.
  explicit TextDecoder(std::string_view charset);
  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;
  ~TextDecoder();

  /// Borrows from `text` where nothing has to change. No allocation but of the arena.
  std::string_view decode(std::string_view text, connectors::ByteArena& arena) const {
    return utf8_ ? valid_utf8(text, arena) : decode_other(text, arena);
  }

 private:
  struct State;
  std::string_view decode_other(std::string_view text, connectors::ByteArena& arena) const;
  bool utf8_ = true;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::mariadb
