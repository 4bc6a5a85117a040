#include "tools/coordinator_records.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "protocol/messages/registry.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

const MessageInfo* find_message(std::string_view name) {
  for (const MessageInfo* message : all_messages()) {
    if (message->name == name) return message;
  }
  return nullptr;
}

/// Keys are told apart by their leading number, which is the version of the key's message.
const MessageInfo* find_key(CoordinatorTopic topic, int16_t version) {
  if (topic == CoordinatorTopic::kTransactions) return version == 0 ? find_message("TransactionLogKey") : nullptr;
  for (const MessageInfo* message : all_messages()) {
    const bool candidate = message->kind == MessageInfo::Kind::kRecord && message->name.ends_with("Key") &&
                           message->name != "TransactionLogKey";
    if (candidate && version >= message->version_min && version <= message->version_max) return message;
  }
  return nullptr;
}

Expected<std::string> fields_json(const MessageInfo& message, BytesView bytes, int16_t version) {
  size_t left = 0;
  auto json = message.to_json(bytes.substr(sizeof(int16_t)), version, left);
  if (!json) json.error().code = ErrorCode::kBadRecord;
  return json;
}

/// Puts `message` (a version and fields) in place of the base64 of its bytes; what cannot be decoded stays as it is.
void replace_embedded(Json& member, const char* field, const char* name, BytesView bytes) {
  const MessageInfo* message = find_message(name);
  if (message == nullptr || bytes.size() < sizeof(int16_t)) return;
  const auto version = load_be<int16_t>(bytes.data());
  if (version < message->version_min || version > message->version_max) return;
  if (auto json = fields_json(*message, bytes, version)) member[field] = Json::parse(*json, nullptr, false);
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (digit < 0) break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return bytes;
}

/// Group metadata holds the members' subscriptions and assignments as bytes of the consumer protocol.
std::string with_decoded_members(const std::string& value) {
  Json json = Json::parse(value, nullptr, false);
  if (!json.is_object() || json.value("protocolType", "") != "consumer") return value;
  for (Json& member : json["members"]) {
    for (const auto& [field, name] : {std::pair{"subscription", "ConsumerProtocolSubscription"},
                                      std::pair{"assignment", "ConsumerProtocolAssignment"}}) {
      if (!member.contains(field) || !member[field].is_string()) continue;
      replace_embedded(member, field, name, from_base64(member[field].get<std::string>()));
    }
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view transaction_state_name(int64_t status) {
  constexpr std::array<std::string_view, 8> kNames{"Empty",        "Ongoing",          "PrepareCommit",
                                                   "PrepareAbort", "CompleteCommit",   "CompleteAbort",
                                                   "Dead",         "PrepareEpochFence"};
  return status >= 0 && status < static_cast<int64_t>(kNames.size()) ? kNames[static_cast<size_t>(status)] : "Unknown";
}

std::string transaction_text(const Json& value) {
  std::string partitions;
  if (value["transactionStatus"] != 0 && value["transactionPartitions"].is_array()) {
    for (const Json& topic : value["transactionPartitions"]) {
      for (const Json& partition : topic["partitionIds"]) {
        partitions += fmt::format("{}{}-{}", partitions.empty() ? "" : ",", topic["topic"].get<std::string>(),
                                  partition.get<int32_t>());
      }
    }
  }
  return fmt::format(
      "producerId:{},producerEpoch:{},state={},partitions=[{}],txnLastUpdateTimestamp={},txnTimeoutMs={}",
      value["producerId"].get<int64_t>(), value["producerEpoch"].get<int64_t>(),
      transaction_state_name(value["transactionStatus"].get<int64_t>()), partitions,
      value["transactionLastUpdateTimestampMs"].get<int64_t>(), value["transactionTimeoutMs"].get<int64_t>());
}

}  // namespace

Expected<CoordinatorRecord> decode_coordinator_record(CoordinatorTopic topic, NullableBytes key, NullableBytes value) {
  if (!key || key->size() < sizeof(int16_t)) return fail(ErrorCode::kBadRecord, "the record has no key");
  CoordinatorRecord record;
  record.key_version = load_be<int16_t>(key->data());
  const MessageInfo* key_message = find_key(topic, record.key_version);
  if (key_message == nullptr) return record;
  record.key_name = key_message->name;
  auto key_json = fields_json(*key_message, *key, record.key_version);
  if (!key_json) return fail(std::move(key_json.error()));
  record.key = std::move(*key_json);
  if (!value) return record;

  if (value->size() < sizeof(int16_t)) return fail(ErrorCode::kBadRecord, "the record's value has no version");
  record.value_version = load_be<int16_t>(value->data());
  const std::string value_name = record.key_name.substr(0, record.key_name.size() - 3) + "Value";
  const MessageInfo* value_message = find_message(value_name);
  record.value_known = value_message != nullptr && record.value_version >= value_message->version_min &&
                       record.value_version <= value_message->version_max;
  if (!record.value_known) {
    record.value = "\"unknown\"";
    return record;
  }
  auto value_json = fields_json(*value_message, *value, record.value_version);
  if (!value_json) return fail(std::move(value_json.error()));
  record.value = std::move(*value_json);
  return record;
}

DecodedText offsets_record_text(int64_t offset, NullableBytes key, NullableBytes value) {
  auto record = decode_coordinator_record(CoordinatorTopic::kOffsets, key, value);
  if (!record) return {fmt::format("Error at offset {}, skipping. {}", offset, record.error().message), std::nullopt};
  if (record->key_name.empty())
    return {fmt::format("Unknown record type {} at offset {}, skipping.", record->key_version, offset), std::nullopt};
  if (!record->value_known) {
    return {
        fmt::format("Error at offset {}, skipping. Unknown version {} of the value.", offset, record->value_version),
        std::nullopt};
  }
  DecodedText text;
  text.key = fmt::format(R"({{"type":"{}","data":{}}})", record->key_version, record->key);
  if (!record->value) {
    text.payload = "<DELETE>";
  } else {
    const bool group = record->key_name == "GroupMetadataKey";
    text.payload = fmt::format(R"({{"version":"{}","data":{}}})", record->value_version,
                               group ? with_decoded_members(*record->value) : *record->value);
  }
  return text;
}

DecodedText transaction_record_text(int64_t offset, NullableBytes key, NullableBytes value) {
  auto record = decode_coordinator_record(CoordinatorTopic::kTransactions, key, value);
  if (!record) return {fmt::format("Error at offset {}, skipping. {}", offset, record.error().message), std::nullopt};
  if (record->key_name.empty()) return {fmt::format("unknown::version={}", record->key_version), std::nullopt};
  DecodedText text;
  const Json key_fields = Json::parse(record->key, nullptr, false);
  text.key = fmt::format("transaction_metadata::transactionalId={}", key_fields["transactionalId"].get<std::string>());
  if (!record->value) {
    text.payload = "<DELETE>";
  } else if (!record->value_known) {
    text.payload = fmt::format("unknown::version={}", record->value_version);
  } else {
    text.payload = transaction_text(Json::parse(*record->value, nullptr, false));
  }
  return text;
}

}  // namespace millrace
