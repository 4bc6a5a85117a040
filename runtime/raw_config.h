/// Reading settings as a client sent them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"

namespace millrace {

/// A setting's text; nullptr if absent or null.
const std::string* given(const RawConfig& config, std::string_view name);
/// Whether all characters are blanks, as Java's String.trim() sees them.
bool is_blank(std::string_view text);
/// Elements of a LIST without empty ones and repetitions.
std::vector<std::string> distinct_elements(std::string_view list);
/// Settings under a prefix, without it.
RawConfig with_prefix(const RawConfig& config, std::string_view prefix);

}  // namespace millrace
