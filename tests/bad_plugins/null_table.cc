// mr_plugin gives nothing.
#include "raw.h"

const mr_plugin_v1* mr_plugin(const mr_host_v1*) noexcept { return nullptr; }
