// A record whose schema was never registered.
#include "raw.h"

namespace {
const mr_host_v1* the_host = nullptr;
}

const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept {
  the_host = host;
  static const mr_str name = bad::text("BadSchemaIdSource");
  static const mr_connector_v1 table = [] {
    mr_connector_v1 made = bad::source_table(&name);
    made.poll = [](void* task, mr_error* error) {
      return bad::emit_spoiled(the_host, task, error, [](mr_record& record) { record.value_schema = 4711; });
    };
    return made;
  }();
  static const mr_connector_v1* const connectors[] = {&table};
  static const mr_plugin_v1 plugin = bad::plugin_table(connectors);
  return &plugin;
}
