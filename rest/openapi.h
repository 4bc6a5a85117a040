/// The description of the API that tools generate clients and tests from.
#pragma once

#include <string>

#include "rest/json_body.h"

namespace millrace {

/// OpenAPI 3.0.3, made from the table of routes. Bodies without a route's own schema are those of errors.
Json openapi_description();
/// The same as indented text, as it is served and checked in.
const std::string& openapi_text();

/// components/schemas of the description.
Json openapi_schemas();

}  // namespace millrace
