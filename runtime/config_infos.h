/// The answer of PUT /connector-plugins/{plugin}/config/validate, and the key definitions of …/config.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace millrace {

/// One option as REST describes it (eleven members, in this order).
struct ConfigKeyInfo {
  std::string name;
  std::string type;  ///< BOOLEAN STRING INT SHORT LONG DOUBLE LIST CLASS PASSWORD
  bool required = false;
  std::optional<std::string> default_value;
  std::string importance;  ///< HIGH MEDIUM LOW
  std::string documentation;
  std::optional<std::string> group;
  std::string width = "NONE";
  std::string display_name;
  std::vector<std::string> dependents;
  int order = -1;
};

struct ConfigValueInfo {
  std::string name;
  std::optional<std::string> value;
  std::vector<std::string> recommended_values;
  std::vector<std::string> errors;
  bool visible = true;
};

struct ConfigInfo {
  std::optional<ConfigKeyInfo> definition;
  ConfigValueInfo value;
};

struct ConfigInfos {
  std::string name;  ///< connector.class as it was sent
  int error_count = 0;
  std::vector<std::string> groups;
  std::vector<ConfigInfo> configs;
};

}  // namespace millrace
