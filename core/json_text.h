/// JSON strings written without a document in between.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// Appends the text in quotes, escaped. Always valid UTF-8: bytes that are not become U+FFFD.
void append_json_string(std::string& to, std::string_view text);

}  // namespace millrace
