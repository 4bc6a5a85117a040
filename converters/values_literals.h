/// The single words of values_parser.h's language: dates, times and numbers.
#pragma once

#include <optional>

#include "converters/values_parser.h"

namespace millrace {

/// A date, time or timestamp by its length (10, 13, 24 characters) and pattern; `\:` counts as a colon. Lenient as
/// Java: too large parts carry over, text behind the pattern is ignored, days before 1582-10-15 are Julian. A time of a
/// day or more is an MR_TIMESTAMP, which does not fit its schema.
std::optional<ParsedText> parse_temporal(std::string_view token, const SchemaPool& schemas);

/// A decimal number: 1, +5., -1.5e3. Nothing for any other text.
std::optional<ParsedText> parse_number(std::string_view token, SchemaPool& schemas, Arena& arena);

}  // namespace millrace
