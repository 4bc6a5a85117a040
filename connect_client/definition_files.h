/// Files that define connectors: .properties, a flat JSON object, the JSON that POST takes, or a list of those.
#pragma once

#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "connect_client/connector_model.h"
#include "core/file_system.h"

namespace millrace::connect {

struct Definition {
  std::string name;
  Config config;              ///< with `name`
  std::string initial_state;  ///< RUNNING, PAUSED or STOPPED; empty when the file does not say
  std::string from;           ///< the file, for messages
};

/// Text that begins with { or [ is JSON, other text is .properties. Errors: kInvalidConfig naming `from`.
Expected<std::vector<Definition>> parse_definitions(std::string_view text, const std::string& from);

/// Each path is a file, a folder (its .json and .properties files, sorted) or "-", which is `in`.
/// Errors: those of parse_definitions; a folder without such files; two definitions of one name.
Expected<std::vector<Definition>> read_definitions(FileSystem& files, std::istream& in,
                                                   const std::vector<std::string>& paths);

}  // namespace millrace::connect
