#include "cli/plugin_check.h"

#include <fmt/format.h>

#include "runtime/plugin_bridge.h"
#include "runtime/plugin_host.h"

namespace millrace {

bool check_plugins(const std::vector<std::string>& libraries) {
  PosixFileSystem files;
  bool all_fine = true;
  for (const std::string& library : libraries) {
    PluginHost host(files, plugin_host_table(), Logger());
    // dlopen looks along its search path unless the name holds a slash.
    if (auto loaded = host.load(std::filesystem::absolute(library)); !loaded) {
      fmt::print("{}\n", loaded.error().message);
      all_fine = false;
      continue;
    }
    for (const ConnectorPlugin* plugin : host.connectors()) {
      fmt::print("{}: {} {} version {}, {} options\n", library, connector_type_name(plugin->type), plugin->class_name,
                 plugin->version, plugin->table.config_count);
    }
  }
  return all_fine;
}

}  // namespace millrace
