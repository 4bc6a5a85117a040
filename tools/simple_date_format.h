/// Dates by the patterns of java.text.SimpleDateFormat, which the performance tools take.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// `ms` since the epoch in local time. Of the pattern letters y M d H h m s S a E are known; quoted text, other
/// characters and other letters stand for themselves.
std::string java_date(int64_t ms, std::string_view pattern);

}  // namespace millrace
