/// Connector files of the command line: Java properties, a flat JSON object of settings, or the JSON that POST takes.
#pragma once

#include "core/file_system.h"
#include "runtime/herder.h"

namespace millrace {

struct ConnectorFile {
  std::string name;
  RawConfig config;
  TargetState initial = TargetState::kStarted;
};

/// Errors: kInvalidConfig or kUnavailable naming the file.
Expected<ConnectorFile> read_connector_file(FileSystem& files, const Path& path);
/// A .properties file as a map; the last of two equal keys counts.
Expected<ConfigMap> read_properties_file(FileSystem& files, const Path& path);

}  // namespace millrace
