/// Names of nested fields: `a.b`, with back-ticks around a name that has dots itself (KIP-821).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace::smt {

/// The names to go through, outermost first; none for an empty path. Errors: kInvalidConfig, a back-tick without its
/// partner.
Expected<std::vector<std::string>> parse_field_path(std::string_view path);

}  // namespace millrace::smt
