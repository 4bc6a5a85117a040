/// Java's character sets: strings are UTF-8 inside, StringConverter may write and read others.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "data/arena.h"

namespace millrace {

/// Threads: one.
class Charset {
 public:
  /// nullptr when the system knows no set of that name.
  static std::unique_ptr<Charset> open(const std::string& name);
  ~Charset();
  Charset(const Charset&) = delete;
  Charset& operator=(const Charset&) = delete;

  /// Appends `text` (UTF-8) in this set; a question mark for what it lacks.
  void encode(std::string_view text, std::string& out);
  /// The bytes as UTF-8, U+FFFD for what is malformed; borrows `bytes` where nothing changes, else from the arena.
  std::string_view decode(std::string_view bytes, Arena& arena);

 private:
  Charset() = default;
  bool utf8_ = false;
  std::string question_mark_;
  void* encoder_ = nullptr;  // iconv_t
  void* decoder_ = nullptr;
  bool byte_order_mark_ = false;
};

/// UTF-8 as Java decodes it, with its number of U+FFFD for a malformed sequence.
std::string_view decode_utf8(std::string_view bytes, Arena& arena);

}  // namespace millrace
