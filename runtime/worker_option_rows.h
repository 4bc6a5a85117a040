/// The rows behind worker_options(): plain data, in the order of the documentation.
#pragma once

#include <span>
#include <string_view>

#include "core/config_def.h"

namespace millrace {

enum class OptionScope {
  kOptional,
  kRequired,
  kRequiredInGroup,  ///< required in distributed mode
};
/// The mode in which a setting does something.
enum class OnlyIn { kBoth, kGroup, kAlone };

struct WorkerOptionRow {
  std::string_view name;
  ConfigType type;
  const char* default_value;  ///< nullptr: null, or required as `scope` says
  ConfigImportance importance;
  const char* section;
  const char* documentation;
  ConfigValidator (*validator)() = nullptr;
  OptionScope scope = OptionScope::kOptional;
  OnlyIn only = OnlyIn::kBoth;
  const char* default_alone = nullptr;  ///< standalone mode's default, where it is another one
};

std::span<const WorkerOptionRow> worker_option_rows();

}  // namespace millrace
