// Needs a function that nobody has: the library cannot be loaded.
#include "raw.h"

extern "C" int millrace_test_function_that_does_not_exist();

const mr_plugin_v1* mr_plugin(const mr_host_v1*) noexcept {
  return millrace_test_function_that_does_not_exist() == 0 ? nullptr : nullptr;
}
