/// What Debezium's transformations inherit from Java's standard library: String.split, hash codes, HashMap's order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/schema.h"

namespace millrace::debezium {

/// String.split at one character: empty parts at the end are left out; text without the character is one part.
std::vector<std::string> java_split(std::string_view text, char separator);
/// The same, each part without outer blanks.
std::vector<std::string> java_split_trimmed(std::string_view text, char separator);
bool equals_ignoring_case(std::string_view left, std::string_view right);
std::string lower(std::string_view text);
/// Null, empty or blanks only.
bool is_blank(std::string_view text);

/// String.hashCode of UTF-8 text.
int32_t java_string_hash(std::string_view text);
/// The order in which a HashMap or HashSet that grew from its default size lists these words.
std::vector<std::string> in_hash_order(std::vector<std::string> words);

/// Object.hashCode of a value as Connect's Java classes hold it. A struct has no fixed hash in Java (it contains
/// addresses); here its fields count alone. `schema` may be null.
int32_t java_hash(const Schema* schema, const Value& value);
/// The hash that Debezium calls murmur, of a value.
int32_t murmur_hash(const Schema* schema, const Value& value);

/// Object.toString of a value: Struct{a=1,b=x}. Appends.
void append_java_text(std::string& out, const Schema* schema, const Value& value);

}  // namespace millrace::debezium
