#include "converters/simple_header_converter.h"

#include "converters/charset.h"
#include "converters/values_text.h"
#include "core/invariant.h"

namespace millrace {

const ConfigDef& SimpleHeaderConverter::config_def() {
  static const ConfigDef def = [] {
    auto made = ConfigDef::create({});
    invariant(made.has_value(), "no options fit their own rules");
    return std::move(*made);
  }();
  return def;
}

Status SimpleHeaderConverter::configure(const ConfigMap&, bool) { return {}; }

Expected<bool> SimpleHeaderConverter::from_header(std::string_view, std::string_view, const Schema* schema,
                                                  const Value& value, std::string& out) {
  if (is_null(value)) return false;
  append_values_text(out, schema, value);
  return true;
}

Expected<SchemaAndValue> SimpleHeaderConverter::to_header(std::string_view, std::string_view,
                                                          std::optional<std::string_view> bytes, Arena& arena) {
  if (!bytes) return SchemaAndValue{nullptr, null_value()};
  const ParsedText parsed = parse_values_text(decode_utf8(*bytes, arena), schemas_, arena);
  if (parsed.too_deep) return SchemaAndValue{plain_schema(Type::kBytes).get(), bytes_value(MR_BYTES, *bytes)};
  return SchemaAndValue{parsed.schema, parsed.value};
}

}  // namespace millrace
