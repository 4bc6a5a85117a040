// A connector table that ends before its functions.
#include "raw.h"

const mr_plugin_v1* mr_plugin(const mr_host_v1*) noexcept {
  static const mr_str name = bad::text("SmallStructSource");
  static const mr_connector_v1 table = [] {
    mr_connector_v1 made = bad::source_table(&name);
    made.struct_size = 8;
    return made;
  }();
  static const mr_connector_v1* const connectors[] = {&table};
  static const mr_plugin_v1 plugin = bad::plugin_table(connectors);
  return &plugin;
}
