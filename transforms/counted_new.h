/// Test only: counts what operator new is asked for in this program.
#pragma once

#include <cstddef>

namespace millrace {

size_t allocations();

}  // namespace millrace
