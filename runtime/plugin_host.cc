#include "runtime/plugin_host.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/value.h"

namespace millrace {
namespace {

tl::unexpected<Error> refuse(const Path& library, std::string_view reason) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("plugin {} refused: {}", library.string(), reason));
}

/// The copy holds NULL for members that a table of an older minor version does not have.
mr_connector_v1 copy_table(const mr_connector_v1& from) {
  mr_connector_v1 table{};
  std::memcpy(&table, &from, std::min<size_t>(from.struct_size, sizeof(table)));
  return table;
}

/// What a connector table must have; empty = fine.
std::string_view missing_in(const mr_connector_v1& table) {
  if (table.kind != MR_SOURCE && table.kind != MR_SINK) return "a connector is neither MR_SOURCE nor MR_SINK";
  if (table.names == nullptr || table.name_count == 0 || table.names[0].size == 0) return "a connector has no name";
  if (table.config == nullptr && table.config_count != 0) return "config is NULL but config_count is not 0";
  if (table.task_create == nullptr || table.task_start == nullptr || table.task_stop == nullptr ||
      table.task_destroy == nullptr) {
    return "task_create, task_start, task_stop or task_destroy is NULL";
  }
  if (table.kind == MR_SOURCE && table.poll == nullptr) return "a source has no poll";
  if (table.kind == MR_SINK && table.put == nullptr) return "a sink has no put";
  const int instance = (table.connector_create != nullptr) + (table.connector_start != nullptr) +
                       (table.connector_task_configs != nullptr) + (table.connector_stop != nullptr) +
                       (table.connector_destroy != nullptr);
  if (instance != 0 && instance != 5) return "some of the five connector_* functions are NULL and some are not";
  return {};
}

std::string_view simple_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::string_view without_suffix(std::string_view name) {
  constexpr std::string_view kSuffix = "Connector";
  return name.ends_with(kSuffix) && name.size() > kSuffix.size() ? name.substr(0, name.size() - kSuffix.size()) : name;
}

bool matches_alias(const ConnectorPlugin& plugin, std::string_view name) {
  return std::any_of(plugin.names.begin(), plugin.names.end(), [&](std::string_view own) {
    return simple_name(own) == name || without_suffix(simple_name(own)) == name;
  });
}

std::string describe(const ConnectorPlugin& plugin) {
  const auto type = connector_type_name(plugin.type);
  return fmt::format(
      "PluginDesc{{klass=class {}, name='{}', version='{}', encodedVersion={}, type={}, typeName='{}', location='{}'}}",
      plugin.class_name, plugin.class_name, plugin.version, plugin.version, type, type, plugin.library.string());
}

}  // namespace

void PluginHost::scan(const Path& folder) {
  std::vector<Path> libraries;
  const auto collect = [&](const Path& from) {
    auto names = files_.list(from);
    if (!names) return;
    for (const std::string& name : *names) {
      if (name.ends_with(".so")) libraries.push_back(from / name);
    }
  };
  auto names = files_.list(folder);
  if (!names) {
    logger_.warn("plugin_path_unreadable", {{"folder", folder.string()}, {"error", names.error().message}});
    return;
  }
  collect(folder);
  for (const std::string& name : *names) {
    if (!name.ends_with(".so")) collect(folder / name);
  }
  for (const Path& library : libraries) {
    if (auto loaded = load(library); !loaded) {
      logger_.error("plugin_refused", {{"library", library.string()}, {"error", loaded.error().message}});
      refused_.push_back({library, loaded.error().message});
    }
  }
}

Status PluginHost::load(const Path& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return refuse(library, fmt::format("it cannot be loaded ({}); build it with g++ -shared -fPIC", ::dlerror()));
  const auto entry = reinterpret_cast<mr_plugin_entry>(::dlsym(handle, MR_PLUGIN_SYMBOL));
  if (entry == nullptr) {
    return refuse(library,
                  "it does not export the symbol mr_plugin; end the source file with MILLRACE_PLUGIN(YourConnector)");
  }
  const mr_plugin_v1* plugin = entry(&host_);
  if (plugin == nullptr) {
    return refuse(
        library,
        fmt::format("its mr_plugin returned NULL for ABI version {}.{}; rebuild it against this worker's header",
                    MR_ABI_MAJOR, MR_ABI_MINOR));
  }
  if (plugin->major != MR_ABI_MAJOR) {
    return refuse(
        library,
        fmt::format("it was built for ABI version {}, this worker has {}; rebuild it against this worker's header",
                    plugin->major, MR_ABI_MAJOR));
  }
  if (plugin->struct_size < sizeof(mr_plugin_v1) || (plugin->connectors == nullptr && plugin->connector_count != 0)) {
    return refuse(library, "its plugin table is too small or has no connectors array");
  }
  std::vector<std::unique_ptr<ConnectorPlugin>> found;
  for (size_t i = 0; i < plugin->connector_count; ++i) {
    const mr_connector_v1* from = plugin->connectors[i];
    if (from == nullptr) return refuse(library, "a connector table is NULL");
    if (from->major != MR_ABI_MAJOR) {
      return refuse(library,
                    fmt::format("a connector table has ABI version {}, this worker has {}", from->major, MR_ABI_MAJOR));
    }
    if (from->struct_size < offsetof(mr_connector_v1, validate))
      return refuse(library, "a connector table is too small");
    auto made = std::make_unique<ConnectorPlugin>();
    made->table = copy_table(*from);
    if (const auto missing = missing_in(made->table); !missing.empty()) return refuse(library, missing);
    for (size_t n = 0; n < made->table.name_count; ++n) made->names.emplace_back(view(made->table.names[n]));
    made->class_name = made->names.front();
    made->type = made->table.kind == MR_SOURCE ? ConnectorType::kSource : ConnectorType::kSink;
    made->version = view(made->table.version);
    made->library = library;
    const bool taken = std::any_of(plugins_.begin(), plugins_.end(),
                                   [&](const auto& other) { return other->class_name == made->class_name; });
    if (taken) {
      logger_.warn(
          "plugin_duplicate",
          {{"library", library.string()}, {"class", made->class_name}, {"action", "kept the first one found"}});
      continue;
    }
    found.push_back(std::move(made));
  }
  for (auto& made : found) {
    logger_.debug("plugin_loaded",
                  {{"class", made->class_name}, {"version", made->version}, {"library", library.string()}});
    plugins_.push_back(std::move(made));
  }
  return {};
}

Expected<const ConnectorPlugin*> PluginHost::find(std::string_view name) const {
  for (const auto& plugin : plugins_) {
    if (std::find(plugin->names.begin(), plugin->names.end(), name) != plugin->names.end()) return plugin.get();
  }
  std::vector<const ConnectorPlugin*> matches;
  for (const auto& plugin : plugins_) {
    if (matches_alias(*plugin, name)) matches.push_back(plugin.get());
  }
  if (matches.size() == 1) return matches.front();
  std::string list;
  const auto candidates = matches.empty() ? connectors() : matches;
  for (const ConnectorPlugin* plugin : candidates) list += (list.empty() ? "" : ", ") + describe(*plugin);
  if (matches.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("Failed to find any class that implements Connector and which name "
                                                  "matches {}, available connectors are: {}",
                                                  name, list));
  }
  return fail(
      ErrorCode::kConflict,
      fmt::format(
          "More than one connector matches alias {}. Please use full package and class name instead. Classes found: {}",
          name, list));
}

std::vector<const ConnectorPlugin*> PluginHost::connectors() const {
  std::vector<const ConnectorPlugin*> all;
  for (const auto& plugin : plugins_) all.push_back(plugin.get());
  std::sort(all.begin(), all.end(), [](const ConnectorPlugin* a, const ConnectorPlugin* b) {
    if (a->type != b->type) return a->type == ConnectorType::kSink;
    return a->class_name < b->class_name;
  });
  return all;
}

}  // namespace millrace
