/// Options that several of Apache Kafka's transformations and predicates have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config_def.h"

namespace millrace::smt {

inline constexpr std::string_view kReplaceNull = "replace.null.with.default";

/// Stops the process when the table breaks its own rules: it is part of the program.
ConfigDef make_options(std::vector<ConfigKey> keys);
ConfigKey replace_null_key();

/// "Empty list".
ConfigValidator non_empty_list();
/// "Invalid regex: ...".
ConfigValidator regex();

/// String.split of a one-character separator: empty parts at the end vanish, but "" is one empty part.
std::vector<std::string> java_split(std::string_view text, char separator);

}  // namespace millrace::smt
