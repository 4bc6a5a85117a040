// One of the connectors is NULL.
#include "raw.h"

const mr_plugin_v1* mr_plugin(const mr_host_v1*) noexcept {
  static const mr_connector_v1* const connectors[] = {nullptr};
  static const mr_plugin_v1 plugin = bad::plugin_table(connectors);
  return &plugin;
}
