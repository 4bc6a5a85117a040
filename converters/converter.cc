#include "converters/converter.h"

#include "converters/json_converter.h"
#include "converters/primitive_converters.h"
#include "converters/simple_header_converter.h"
#include "converters/string_converter.h"
#include "core/invariant.h"

namespace millrace {
namespace {

struct Entry {
  std::string_view class_name;
  std::unique_ptr<Converter> (*make)();  ///< nullptr: for headers only
};

constexpr std::string_view kSimpleHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

template <Type kType>
std::unique_ptr<Converter> make_number() {
  return std::make_unique<NumberConverter>(kType);
}
template <class T>
std::unique_ptr<Converter> make() {
  return std::make_unique<T>();
}

constexpr Entry kConverters[] = {
    {"org.apache.kafka.connect.converters.BooleanConverter", make<BooleanConverter>},
    {"org.apache.kafka.connect.converters.ByteArrayConverter", make<ByteArrayConverter>},
    {"org.apache.kafka.connect.converters.DoubleConverter", make_number<Type::kFloat64>},
    {"org.apache.kafka.connect.converters.FloatConverter", make_number<Type::kFloat32>},
    {"org.apache.kafka.connect.converters.IntegerConverter", make_number<Type::kInt32>},
    {"org.apache.kafka.connect.converters.LongConverter", make_number<Type::kInt64>},
    {"org.apache.kafka.connect.converters.ShortConverter", make_number<Type::kInt16>},
    {"org.apache.kafka.connect.json.JsonConverter", make<JsonConverter>},
    {kSimpleHeaderConverter, nullptr},
    {"org.apache.kafka.connect.storage.StringConverter", make<StringConverter>},
};

/// Full name, class name without its package, or that without "Converter" or "HeaderConverter".
const Entry* find(std::string_view name) {
  for (const Entry& entry : kConverters) {
    const std::string_view simple = entry.class_name.substr(entry.class_name.rfind('.') + 1);
    const std::string_view suffix = simple.ends_with("HeaderConverter") ? "HeaderConverter" : "Converter";
    if (name == entry.class_name || name == simple || name == simple.substr(0, simple.size() - suffix.size()))
      return &entry;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Converter> make_converter(std::string_view class_name) {
  const Entry* entry = find(class_name);
  return entry == nullptr || entry->make == nullptr ? nullptr : entry->make();
}

std::unique_ptr<HeaderConverter> make_header_converter(std::string_view class_name) {
  if (converter_class(class_name) == kSimpleHeaderConverter) return std::make_unique<SimpleHeaderConverter>();
  return make_converter(class_name);
}

std::string_view converter_class(std::string_view class_name) {
  const Entry* entry = find(class_name);
  return entry == nullptr ? std::string_view() : entry->class_name;
}

std::vector<std::string_view> converter_classes() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kConverters) names.push_back(entry.class_name);
  return names;
}

const ConfigDef* converter_config(std::string_view class_name) {
  const Entry* entry = find(class_name);
  if (entry == nullptr) return nullptr;
  if (entry->class_name == kSimpleHeaderConverter) return &SimpleHeaderConverter::config_def();
  if (entry->class_name.ends_with(".JsonConverter")) return &JsonConverter::config_def();
  if (entry->class_name.ends_with(".StringConverter")) return &StringConverter::config_def();
  static const ConfigDef none = [] {
    auto made = ConfigDef::create({{.name = "converter.type",
                                    .importance = ConfigImportance::kLow,
                                    .documentation = "How this converter will be used."}});
    invariant(made.has_value(), "an option of a converter fits its own rules");
    return std::move(*made);
  }();
  return &none;
}

std::string_view java_class(const Value& value) {
  switch (value.kind) {
    case MR_BOOLEAN:
      return "java.lang.Boolean";
    case MR_INT8:
      return "java.lang.Byte";
    case MR_INT16:
      return "java.lang.Short";
    case MR_INT32:
      return "java.lang.Integer";
    case MR_INT64:
      return "java.lang.Long";
    case MR_FLOAT32:
      return "java.lang.Float";
    case MR_FLOAT64:
      return "java.lang.Double";
    case MR_STRING:
      return "java.lang.String";
    case MR_BYTES:
      return "[B";
    case MR_ARRAY:
      return "java.util.ArrayList";
    case MR_MAP:
      return "java.util.HashMap";
    case MR_STRUCT:
      return "org.apache.kafka.connect.data.Struct";
    case MR_DECIMAL:
      return "java.math.BigDecimal";
    case MR_TIMESTAMP:
      return "java.util.Date";
    default:
      return "null";
  }
}

}  // namespace millrace
