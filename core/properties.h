/// Java's .properties format, the form of worker and server settings.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace millrace {

/// Pairs in the order of the file; a key that comes twice is there twice (the last one counts). Comments (# and !),
/// continuation lines, =, : or blanks between key and value, and the escapes \t \n \r \f \uXXXX are Java's; bytes above
/// 0x7F are taken as UTF-8. Errors: kInvalidConfig for a broken \u escape, naming the line.
Expected<std::vector<std::pair<std::string, std::string>>> parse_properties(std::string_view text);

}  // namespace millrace
