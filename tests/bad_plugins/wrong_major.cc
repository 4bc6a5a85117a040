// Built for an ABI that this worker does not have.
#include "raw.h"

const mr_plugin_v1* mr_plugin(const mr_host_v1*) noexcept {
  static const mr_str name = bad::text("WrongMajorSource");
  static const mr_connector_v1 table = bad::source_table(&name);
  static const mr_connector_v1* const connectors[] = {&table};
  static const mr_plugin_v1 plugin = {sizeof(mr_plugin_v1), MR_ABI_MAJOR + 1, 0, connectors, 1};
  return &plugin;
}
