/// docs/configuration.md, from the option tables.
#pragma once

#include <string>

namespace millrace {

/// The whole page: settings of workers, of all connectors, of converters, transformations and predicates.
std::string options_document();

}  // namespace millrace
