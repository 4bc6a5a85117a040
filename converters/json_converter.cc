#include "converters/json_converter.h"

#include <algorithm>
#include <cstring>

#include "core/invariant.h"

namespace millrace {
namespace {

constexpr std::string_view kConversionFailed =
    "Converting byte[] to Kafka Connect data failed due to serialization error: ";
constexpr std::string_view kNoEnvelope =
    "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional "
    "fields. If you are "
    "trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

/// Where the payload of `{"schema":{...},"payload":` begins; npos if the record does not look like that.
size_t find_payload(std::string_view text) {
  constexpr auto npos = std::string_view::npos;
  const auto expect = [&](size_t at, std::string_view word) {
    if (at == npos) return npos;
    at = skip_space(text, at);
    return text.substr(at).starts_with(word) ? at + word.size() : npos;
  };
  size_t at = expect(expect(expect(0, "{"), "\"schema\""), ":");
  if (at == npos) return npos;
  at = skip_space(text, at);
  int depth = 0;
  for (bool quoted = false; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      break;
    }
  }
  at = expect(expect(expect(at < text.size() ? at + 1 : npos, ","), "\"payload\""), ":");
  return at == npos ? npos : skip_space(text, at);
}

}  // namespace

JsonConverter::JsonConverter() : writer_(options_), payloads_(std::make_unique<JsonPayloadReader>(true)) {}
JsonConverter::~JsonConverter() = default;

const ConfigDef& JsonConverter::config_def() {
  static const ConfigDef def = [] {
    auto made = ConfigDef::create(
        {{.name = "converter.type",
          .importance = ConfigImportance::kLow,
          .documentation = "How this converter will be used."},
         {.name = "schemas.enable",
          .type = ConfigType::kBoolean,
          .default_value = "true",
          .importance = ConfigImportance::kHigh,
          .documentation = "Include schemas within each of the serialized values and keys.",
          .group = "Schemas",
          .order = 0,
          .width = ConfigWidth::kMedium,
          .display_name = "Enable Schemas"},
         {.name = "schemas.cache.size",
          .type = ConfigType::kInt,
          .default_value = "1000",
          .importance = ConfigImportance::kHigh,
          .documentation = "The maximum number of schemas that can be cached in this converter instance.",
          .group = "Schemas",
          .order = 1,
          .width = ConfigWidth::kMedium,
          .display_name = "Schema Cache Size"},
         {.name = "decimal.format",
          .default_value = "BASE64",
          .importance = ConfigImportance::kLow,
          .documentation = "Controls which format this converter will serialize decimals in. This value is case "
                           "insensitive and can be "
                           "either 'BASE64' (default) or 'NUMERIC'",
          .validator = validators::one_of_ignoring_case({"BASE64", "NUMERIC"}),
          .group = "Serialization",
          .order = 0,
          .width = ConfigWidth::kMedium,
          .display_name = "Decimal Format"},
         {.name = "replace.null.with.default",
          .type = ConfigType::kBoolean,
          .default_value = "true",
          .importance = ConfigImportance::kLow,
          .documentation =
              "Whether to replace fields that have a default value and that are null to the default value. When set to "
              "true, the default value is used, otherwise null is used.",
          .group = "Serialization",
          .order = 1,
          .width = ConfigWidth::kMedium,
          .display_name = "Replace null with default"}});
    invariant(made.has_value(), "JsonConverter's options fit their own rules");
    return std::move(*made);
  }();
  return def;
}

Status JsonConverter::configure(const ConfigMap& settings, bool is_key) {
  ConfigMap with_type = settings;
  with_type.try_emplace("converter.type", is_key ? "key" : "value");
  auto parsed = config_def().parse(with_type);
  if (!parsed) return fail(std::move(parsed.error()));
  options_.schemas_enable = parsed->boolean("schemas.enable");
  options_.replace_null_with_default = parsed->boolean("replace.null.with.default");
  options_.decimal_numeric = (parsed->text("decimal.format").front() | 0x20) == 'n';
  options_.schemas_cache_size = static_cast<size_t>(std::max<int64_t>(parsed->integer("schemas.cache.size"), 1));
  payloads_ = std::make_unique<JsonPayloadReader>(options_.replace_null_with_default);
  return {};
}

void JsonConverter::new_batch() {
  ++batch_;
  if (incoming_.size() <= options_.schemas_cache_size) return;
  recent_.fill(nullptr);
  std::erase_if(incoming_, [&](const auto& entry) { return entry.second->last_batch + 1 < batch_; });
}

const JsonConverter::Outgoing& JsonConverter::outgoing(const Schema* schema) {
  if (last_outgoing_ != nullptr && last_outgoing_->schema.get() == schema) return *last_outgoing_;
  auto found = outgoing_.find(schema);
  if (found == outgoing_.end()) {
    if (outgoing_.size() >= options_.schemas_cache_size) outgoing_.clear();
    Outgoing made{schema == nullptr ? SchemaPtr() : schema->shared_from_this(), std::make_unique<JsonPlan>(schema),
                  std::string()};
    if (options_.schemas_enable) made.envelope = writer_.envelope(schema);
    found = outgoing_.emplace(schema, std::move(made)).first;
  }
  last_outgoing_ = &found->second;
  return found->second;
}

Expected<bool> JsonConverter::from_connect(std::string_view, const Schema* schema, const Value& value,
                                           std::string& out) {
  if (schema == nullptr && is_null(value)) return false;
  const Outgoing& known = outgoing(schema);
  if (!known.envelope) return fail(known.envelope.error());
  const auto payload = writer_.payload(*known.plan, value);
  if (!payload) return fail(payload.error());
  const size_t size = out.size() + known.envelope->size() + payload->size() + 1;
  if (out.capacity() < size) out.reserve(std::max(size, 2 * out.capacity()));
  out.append(*known.envelope).append(*payload);
  if (options_.schemas_enable) out += '}';
  return true;
}

Expected<SchemaAndValue> JsonConverter::to_connect(std::string_view, std::optional<std::string_view> bytes,
                                                   Arena& arena) {
  if (!bytes) return SchemaAndValue{};
  SchemaAndValue result;
  if (read_fast(*bytes, arena, result)) return result;
  return read_completely(*bytes, arena);
}

bool JsonConverter::read_fast(std::string_view bytes, Arena& arena, SchemaAndValue& out) {
  if (!options_.schemas_enable) {
    size_t used = 0;
    out.schema = nullptr;
    return payloads_->read(schemaless_, bytes, arena, out.value, used) &&
           (used == bytes.size() || is_space(bytes[used]));
  }
  for (size_t i = 0; i < recent_.size() && recent_[i] != nullptr; ++i) {
    Incoming& known = *recent_[i];
    const std::string& prefix = known.prefix;
    if (bytes.size() <= prefix.size() || std::memcmp(bytes.data(), prefix.data(), prefix.size()) != 0) continue;
    if (i != 0) remember(known);
    return read_payload(known, bytes, arena, out);
  }
  Incoming* known = find_by_scan(bytes);
  if (known == nullptr) return false;
  remember(*known);
  return read_payload(*known, bytes, arena, out);
}

JsonConverter::Incoming* JsonConverter::find_by_scan(std::string_view bytes) {
  if (incoming_.size() <= recent_.size()) return nullptr;  // all of them have just been compared
  const size_t payload = find_payload(bytes);
  if (payload == std::string_view::npos) return nullptr;
  const auto found = incoming_.find(bytes.substr(0, payload));
  return found == incoming_.end() ? nullptr : found->second.get();
}

bool JsonConverter::read_payload(Incoming& known, std::string_view bytes, Arena& arena, SchemaAndValue& out) {
  size_t used = 0;
  const std::string_view rest = bytes.substr(known.prefix.size());
  if (!payloads_->read(*known.plan, rest, arena, out.value, used)) return false;
  used = skip_space(rest, used);
  if (used == rest.size() || rest[used] != '}') return false;
  out.schema = known.schema.get();
  known.last_batch = batch_;
  return true;
}

void JsonConverter::remember(Incoming& known) {
  const auto place = std::find(recent_.begin(), recent_.end(), &known);
  const auto last = place == recent_.end() ? recent_.end() - 1 : place;
  std::move_backward(recent_.begin(), last, last + 1);
  recent_[0] = &known;
}

Expected<SchemaAndValue> JsonConverter::read_completely(std::string_view bytes, Arena& arena) {
  // Texts of the tree end in the result, so it lies in the caller's arena.
  const auto document = parse_json(bytes, arena);
  if (!document) {
    Error cause = document.error();
    cause.exception = "org.apache.kafka.common.errors.SerializationException";
    return fail(std::move(cause).wrap(std::string(kConversionFailed)));
  }
  const JsonNode& root = **document;
  if (options_.schemas_enable) return read_envelope(bytes, root, arena);
  auto value = read_value(schemaless_, &root, {options_.replace_null_with_default}, arena);
  if (!value) return fail(std::move(value.error()));
  return SchemaAndValue{nullptr, *value};
}

JsonConverter::Incoming& JsonConverter::keep(std::string prefix, SchemaPtr schema) {
  if (const auto found = incoming_.find(prefix); found != incoming_.end()) return *found->second;
  auto made = std::make_unique<Incoming>();
  made->prefix = std::move(prefix);
  made->schema = std::move(schema);
  made->plan = std::make_unique<JsonPlan>(made->schema.get());
  const std::string_view key = made->prefix;
  return *incoming_.emplace(key, std::move(made)).first->second;
}

Expected<SchemaAndValue> JsonConverter::read_envelope(std::string_view bytes, const JsonNode& document, Arena& arena) {
  const JsonNode* schema_node = document.member("schema");
  const JsonNode* payload_node = document.member("payload");
  if (document.count != 2 || schema_node == nullptr || payload_node == nullptr) {
    return fail(ErrorCode::kBadRecord, std::string(kNoEnvelope));
  }
  const JsonReadOptions options{options_.replace_null_with_default};
  const char* payload_begin = payload_node->begin;
  // Not so for members in the other order and for trees of UTF-16, which do not lie in the input.
  const bool has_prefix = payload_begin >= bytes.data() && payload_begin < bytes.data() + bytes.size() &&
                          schema_node == document.first && schema_node->begin < payload_begin;
  Incoming* entry = nullptr;
  if (has_prefix) {
    const std::string_view prefix = bytes.substr(0, static_cast<size_t>(payload_begin - bytes.data()));
    if (const auto found = incoming_.find(prefix); found != incoming_.end()) entry = found->second.get();
  }
  if (entry == nullptr) {
    auto schema = read_schema(*schema_node, options);
    if (!schema) return fail(std::move(schema.error()));
    if (has_prefix) {
      entry =
          &keep(std::string(bytes.substr(0, static_cast<size_t>(payload_begin - bytes.data()))), std::move(*schema));
    } else {
      // The prefix that the schema would have here: equal schemas share an entry, and it serves other records too.
      auto prefix = writer_.envelope(schema->get());
      if (!prefix) return fail(std::move(prefix.error()));
      entry = &keep(std::move(*prefix), std::move(*schema));
    }
  }
  Incoming& known = *entry;
  known.last_batch = batch_;
  if (has_prefix) remember(known);
  auto value = read_value(*known.plan, payload_node, options, arena);
  if (!value) return fail(std::move(value.error()));
  return SchemaAndValue{known.schema.get(), *value};
}

}  // namespace millrace
