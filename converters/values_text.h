/// The text form that Connect gives values in headers: [1,"a"], {"k":v}, 2020-01-02T03:04:05.678Z; times are in UTC.
#pragma once

#include <string>

#include "data/schema.h"
#include "data/value.h"

namespace millrace {

/// Appends a value's text. Strings stand for themselves, but are quoted inside collections; bytes are base64; of a
/// struct every field is written. `schema` null: the value's own kinds count, and a struct has no fields.
void append_values_text(std::string& out, const Schema* schema, const Value& value);

}  // namespace millrace
