// Source offsets that no offset store can keep: a nested array (BadOffsetsSource), no map at all (NoMapOffsetsSource).
#include "raw.h"

namespace {
const mr_host_v1* the_host = nullptr;
}

const mr_plugin_v1* mr_plugin(const mr_host_v1* host) noexcept {
  the_host = host;
  static const mr_str names[] = {bad::text("BadOffsetsSource"), bad::text("NoMapOffsetsSource")};
  static const mr_connector_v1 nested = [] {
    mr_connector_v1 made = bad::source_table(&names[0]);
    made.poll = [](void* task, mr_error* error) {
      return bad::emit_spoiled(the_host, task, error, [](mr_record& record) {
        static const mr_value inner[] = {bad::string_value("x")};
        static const mr_value entries[] = {bad::string_value("offset"), bad::list_value(MR_ARRAY, inner, 1)};
        record.source_offset = bad::list_value(MR_MAP, entries, 1);
      });
    };
    return made;
  }();
  static const mr_connector_v1 no_map = [] {
    mr_connector_v1 made = bad::source_table(&names[1]);
    made.poll = [](void* task, mr_error* error) {
      return bad::emit_spoiled(the_host, task, error,
                               [](mr_record& record) { record.source_offset = bad::string_value("7"); });
    };
    return made;
  }();
  static const mr_connector_v1* const connectors[] = {&nested, &no_map};
  static const mr_plugin_v1 plugin = {sizeof(mr_plugin_v1), MR_ABI_MAJOR, MR_ABI_MINOR, connectors, 2};
  return &plugin;
}
