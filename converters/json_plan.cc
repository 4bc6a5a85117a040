#include "converters/json_plan.h"

#include "converters/json_text.h"
#include "core/java_text.h"

namespace millrace {
namespace {

using Step = JsonPlan::Step;

Step step_of(const Schema& schema) {
  if (schema.is_date()) return Step::kDate;
  if (schema.is_time()) return Step::kTime;
  if (schema.is_timestamp()) return Step::kTimestamp;
  if (schema.name()) {
    if (*schema.name() == kDecimalName) return Step::kDecimal;
    if (*schema.name() == kDateName || *schema.name() == kTimeName || *schema.name() == kTimestampName)
      return Step::kOddLogical;
  }
  switch (schema.type()) {
    case Type::kBoolean:
      return Step::kBoolean;
    case Type::kInt8:
      return Step::kInt8;
    case Type::kInt16:
      return Step::kInt16;
    case Type::kInt32:
      return Step::kInt32;
    case Type::kInt64:
      return Step::kInt64;
    case Type::kFloat32:
      return Step::kFloat32;
    case Type::kFloat64:
      return Step::kFloat64;
    case Type::kString:
      return Step::kString;
    case Type::kBytes:
      return Step::kBytes;
    case Type::kArray:
      return Step::kArray;
    case Type::kMap:
      return Step::kMap;
    case Type::kStruct:
      return Step::kStruct;
  }
  return Step::kAny;
}

}  // namespace

JsonPlan::JsonPlan(const Schema* from) : schema(from) {
  if (from == nullptr) return;
  step = step_of(*from);
  optional = from->optional();
  if (from->default_value() != nullptr && !is_null(*from->default_value())) default_value = from->default_value();
  if (step == Step::kDecimal) {
    const std::string* text = from->parameter("scale");
    const auto number = text == nullptr ? std::nullopt : parse_java_integer(*text, INT32_MIN, INT32_MAX);
    if (number) scale = static_cast<int32_t>(*number);
  }
  if (step == Step::kStruct) {
    JsonBuffer buffer;
    members.reserve(from->fields().size());
    for (const Field& field : from->fields()) {
      buffer.clear();
      buffer.put_string(field.name);
      buffer.put(':');
      std::string padded(buffer.text());
      const size_t size = padded.size();
      padded.resize((size + JsonBuffer::kBlock - 1) / JsonBuffer::kBlock * JsonBuffer::kBlock);
      members.push_back({std::move(padded), size, field.name, std::make_unique<JsonPlan>(field.schema.get())});
    }
  }
  constexpr size_t kManyMembers = 8;
  if (members.size() >= kManyMembers) {
    memo = std::make_unique<JsonMemo>();
    memo->members.resize(members.size());
  }
  if (step == Step::kArray || step == Step::kMap) value = std::make_unique<JsonPlan>(from->value_schema());
  if (step == Step::kMap) {
    key = std::make_unique<JsonPlan>(from->key_schema());
    string_keys = from->key_schema() != nullptr && from->key_schema()->type() == Type::kString;
  }
}

}  // namespace millrace
