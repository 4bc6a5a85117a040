#include "broker/group/group_records.h"

#include <fmt/format.h>

#include "protocol/messages/consumer_offsets_records.h"

namespace millrace::group_records {
namespace {

constexpr int16_t kOffsetKeyVersion = 1;
constexpr int16_t kOffsetValueVersion = 3;
constexpr int16_t kOffsetValueWithExpiry = 1;
constexpr int16_t kGroupKeyVersion = 2;
constexpr int16_t kGroupValueVersion = 3;

template <class Message>
std::string encoded(const Message& message, int16_t version) {
  std::string out;
  WireWriter writer(out);
  writer.number(version);
  message.encode(writer, version);
  return out;
}

std::optional<std::string_view> view(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return *text;
}

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

template <class Value>
Expected<Value> decode_value(BytesView bytes, std::string_view what) {
  WireReader in(bytes);
  const auto version = in.number<int16_t>();
  if (version < Value::kVersionMin || version > Value::kVersionMax) {
    return fail(ErrorCode::kCorruption, fmt::format("{} has version {}, {} to {} can be read", what, version,
                                                    Value::kVersionMin, Value::kVersionMax));
  }
  Value value;
  value.decode(in, version);
  if (in.bad()) return fail(ErrorCode::kCorruption, fmt::format("{} of version {} is cut", what, version));
  return value;
}

Expected<Record> decode_offset(WireReader& in, int16_t version, const std::optional<BytesView>& bytes) {
  OffsetCommitKey key;
  key.decode(in, version);
  if (in.bad()) return fail(ErrorCode::kCorruption, "the key of a committed offset is cut");
  OffsetRecord record{std::string(key.group), {std::string(key.topic), key.partition}, {}};
  if (!bytes) return Record(std::move(record));
  auto value = decode_value<OffsetCommitValue>(
      *bytes, fmt::format("the offset of group {} for {}-{}", key.group, key.topic, key.partition));
  if (!value) return fail(std::move(value.error()));
  record.committed = CommittedOffset{value->offset,           value->leader_epoch,     std::string(value->metadata),
                                     value->commit_timestamp, value->expire_timestamp, -1};
  return Record(std::move(record));
}

Expected<Record> decode_group(WireReader& in, int16_t version, const std::optional<BytesView>& bytes) {
  GroupMetadataKey key;
  key.decode(in, version);
  if (in.bad()) return fail(ErrorCode::kCorruption, "the key of a group is cut");
  GroupRecord record{std::string(key.group), {}};
  if (!bytes) return Record(std::move(record));
  auto value = decode_value<GroupMetadataValue>(*bytes, fmt::format("the record of group {}", key.group));
  if (!value) return fail(std::move(value.error()));
  GroupMetadata metadata{std::string(value->protocol_type),
                         value->generation,
                         owned(value->protocol),
                         owned(value->leader),
                         value->current_state_timestamp,
                         {}};
  for (const auto& each : value->members) {
    const std::chrono::milliseconds session(each.session_timeout);
    const std::chrono::milliseconds rebalance(each.rebalance_timeout < 0 ? each.session_timeout
                                                                         : each.rebalance_timeout);
    metadata.members.push_back({std::string(each.member_id), owned(each.group_instance_id), std::string(each.client_id),
                                std::string(each.client_host), rebalance, session, std::string(each.subscription),
                                std::string(each.assignment)});
  }
  record.metadata = std::move(metadata);
  return Record(std::move(record));
}

}  // namespace

std::string offset_key(std::string_view group, const PartitionKey& partition) {
  OffsetCommitKey key;
  key.group = group;
  key.topic = partition.first;
  key.partition = partition.second;
  return encoded(key, kOffsetKeyVersion);
}

std::string offset_value(const CommittedOffset& committed) {
  OffsetCommitValue value;
  value.offset = committed.offset;
  value.leader_epoch = committed.leader_epoch;
  value.metadata = committed.metadata;
  value.commit_timestamp = committed.commit_ms;
  value.expire_timestamp = committed.expire_ms;
  return encoded(value, committed.expire_ms >= 0 ? kOffsetValueWithExpiry : kOffsetValueVersion);
}

std::string group_key(std::string_view group) {
  GroupMetadataKey key;
  key.group = group;
  return encoded(key, kGroupKeyVersion);
}

std::string group_value(const GroupMetadata& metadata) {
  GroupMetadataValue value;
  value.protocol_type = metadata.protocol_type;
  value.generation = metadata.generation;
  value.protocol = view(metadata.protocol);
  value.leader = view(metadata.leader);
  value.current_state_timestamp = metadata.state_ms;
  for (const GroupMetadata::Member& each : metadata.members) {
    auto& member = value.members.emplace_back();
    member.member_id = each.member_id;
    member.group_instance_id = view(each.instance_id);
    member.client_id = each.client_id;
    member.client_host = each.client_host;
    member.rebalance_timeout = static_cast<int32_t>(each.rebalance_timeout.count());
    member.session_timeout = static_cast<int32_t>(each.session_timeout.count());
    member.subscription = each.subscription;
    member.assignment = each.assignment;
  }
  return encoded(value, kGroupValueVersion);
}

Expected<Record> decode(BytesView key, const std::optional<BytesView>& value) {
  WireReader in(key);
  const auto type = in.number<int16_t>();
  if (in.bad()) return fail(ErrorCode::kCorruption, "a record of __consumer_offsets has no key type");
  if (type == 0 || type == kOffsetKeyVersion) return decode_offset(in, type, value);
  if (type == kGroupKeyVersion) return decode_group(in, type, value);
  return Record(OtherRecord{type});
}

}  // namespace millrace::group_records
