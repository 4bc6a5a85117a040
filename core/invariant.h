/// Programmer errors stop the process with the place; operating errors are returned as core/error.h.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string_view>

namespace millrace {

inline void invariant(bool holds, std::string_view what, std::source_location at = std::source_location::current()) {
  if (holds) [[likely]]
    return;
  std::fprintf(stderr, "%s:%u: invariant broken: %.*s\n", at.file_name(), static_cast<unsigned>(at.line()),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace millrace
