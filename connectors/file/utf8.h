/// Text of unknown origin made valid UTF-8, as records promise it.
#pragma once

#include <string>
#include <string_view>

namespace millrace::file {

/// True for valid UTF-8. Runs over plain ASCII eight bytes at a time.
bool valid_utf8(std::string_view text);

/// A copy in which each malformed part is U+FFFD.
std::string repaired_utf8(std::string_view text);

}  // namespace millrace::file
