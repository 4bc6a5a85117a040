#include "converters/primitive_converters.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "core/bytes.h"

namespace millrace {
namespace {

tl::unexpected<Error> bad(std::string message) { return fail(ErrorCode::kBadRecord, std::move(message)); }

tl::unexpected<Error> not_deserialized(std::string_view what, std::string why) {
  Error cause{ErrorCode::kBadRecord, std::move(why), "org.apache.kafka.common.errors.SerializationException", {}, {}};
  return fail(std::move(cause).wrap(fmt::format("Failed to deserialize {}: ", what)));
}

struct NumberForm {
  std::string_view name;          ///< as messages say it
  std::string_view deserializer;  ///< as messages name it
  size_t bytes;
};

NumberForm form_of(Type type) {
  switch (type) {
    case Type::kInt16:
      return {"short", "ShortDeserializer", 2};
    case Type::kInt32:
      return {"integer", "IntegerDeserializer", 4};
    case Type::kInt64:
      return {"long", "LongDeserializer", 8};
    case Type::kFloat32:
      return {"float", "Deserializer", 4};
    default:
      return {"double", "Deserializer", 8};
  }
}

/// Java's floatToIntBits: every NaN has the same bits.
uint32_t bits_of(float number) { return std::isnan(number) ? 0x7FC00000U : std::bit_cast<uint32_t>(number); }
uint64_t bits_of(double number) { return std::isnan(number) ? 0x7FF8000000000000ULL : std::bit_cast<uint64_t>(number); }

}  // namespace

Expected<bool> ByteArrayConverter::from_connect(std::string_view, const Schema* schema, const Value& value,
                                                std::string& out) {
  if (schema != nullptr && schema->type() != Type::kBytes) {
    return bad(fmt::format("Invalid schema type for ByteArrayConverter: {}", type_name(schema->type())));
  }
  if (is_null(value)) return false;
  if (value.kind != MR_BYTES)
    return bad(fmt::format("ByteArrayConverter is not compatible with objects of type class {}", java_class(value)));
  out.append(bytes_of(value));
  return true;
}

Expected<SchemaAndValue> ByteArrayConverter::to_connect(std::string_view, std::optional<std::string_view> bytes,
                                                        Arena&) {
  return SchemaAndValue{schema_.get(), bytes ? bytes_value(MR_BYTES, *bytes) : null_value()};
}

Expected<bool> BooleanConverter::from_connect(std::string_view, const Schema* schema, const Value& value,
                                              std::string& out) {
  if (schema != nullptr && schema->type() != Type::kBoolean) {
    return bad(fmt::format("Invalid schema type for BooleanConverter: {}", type_name(schema->type())));
  }
  if (is_null(value)) return false;
  if (value.kind != MR_BOOLEAN)
    return bad(fmt::format("BooleanConverter is not compatible with objects of type class {}", java_class(value)));
  out += value.u.i64 != 0 ? '\1' : '\0';
  return true;
}

Expected<SchemaAndValue> BooleanConverter::to_connect(std::string_view, std::optional<std::string_view> bytes, Arena&) {
  if (!bytes) return SchemaAndValue{schema_.get(), null_value()};
  if (bytes->size() != 1) return not_deserialized("boolean", "Size of data received by BooleanDeserializer is not 1");
  const char byte = bytes->front();
  if (byte != 0 && byte != 1) {
    return not_deserialized("boolean",
                            fmt::format("Unexpected byte received by BooleanDeserializer: {}", static_cast<int>(byte)));
  }
  return SchemaAndValue{schema_.get(), boolean_value(byte == 1)};
}

Expected<bool> NumberConverter::from_connect(std::string_view, const Schema*, const Value& value, std::string& out) {
  if (is_null(value)) return false;
  const Type type = schema_->type();
  if (value.kind != static_cast<uint8_t>(type)) {
    return bad(fmt::format("Failed to serialize to {} (was class {}): ", form_of(type).name, java_class(value)));
  }
  switch (type) {
    case Type::kInt16:
      append_be(out, static_cast<int16_t>(value.u.i64));
      break;
    case Type::kInt32:
      append_be(out, static_cast<int32_t>(value.u.i64));
      break;
    case Type::kInt64:
      append_be(out, value.u.i64);
      break;
    case Type::kFloat32:
      append_be(out, bits_of(static_cast<float>(value.u.f64)));
      break;
    default:
      append_be(out, bits_of(value.u.f64));
  }
  return true;
}

Expected<SchemaAndValue> NumberConverter::to_connect(std::string_view, std::optional<std::string_view> bytes, Arena&) {
  if (!bytes) return SchemaAndValue{schema_.get(), null_value()};
  const Type type = schema_->type();
  const NumberForm form = form_of(type);
  if (bytes->size() != form.bytes) {
    return not_deserialized(form.name,
                            fmt::format("Size of data received by {} is not {}", form.deserializer, form.bytes));
  }
  const char* from = bytes->data();
  Value value;
  switch (type) {
    case Type::kInt16:
      value = scalar(MR_INT16, load_be<int16_t>(from));
      break;
    case Type::kInt32:
      value = scalar(MR_INT32, load_be<int32_t>(from));
      break;
    case Type::kInt64:
      value = scalar(MR_INT64, load_be<int64_t>(from));
      break;
    case Type::kFloat32:
      value = floating(MR_FLOAT32, static_cast<double>(std::bit_cast<float>(load_be<uint32_t>(from))));
      break;
    default:
      value = floating(MR_FLOAT64, std::bit_cast<double>(load_be<uint64_t>(from)));
  }
  return SchemaAndValue{schema_.get(), value};
}

}  // namespace millrace
