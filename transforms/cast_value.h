/// One value cast to another type by Java's rules, as Connect's Cast does it.
#pragma once

#include <string>

#include "data/arena.h"
#include "data/schema.h"

namespace millrace::smt {

/// A null stays null. `schema` describes `value`; null = none, its own kind counts. `to` is a primitive type but BYTES.
/// Texts lie in `arena`; `scratch` is room kept from call to call. Errors: kBadRecord with Connect's texts.
Expected<Value> cast_value(const Schema* schema, const Value& value, Type to, Arena& arena, std::string& scratch);

}  // namespace millrace::smt
