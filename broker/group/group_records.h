/// The records of __consumer_offsets in Kafka's own format (kafka.coordinator.group): key = INT16 type and fields,
/// value = INT16 version and fields, null value = deleted. Offsets are written as value version 3 (1 with an explicit
/// expiry), groups as version 3, as Kafka 3.9 does; all versions are read.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "broker/group/group_offsets.h"
#include "core/bytes.h"
#include "core/error.h"

namespace millrace {

namespace group_records {

std::string offset_key(std::string_view group, const PartitionKey& partition);
std::string offset_value(const CommittedOffset& committed);
std::string group_key(std::string_view group);
std::string group_value(const GroupMetadata& metadata);

struct OffsetRecord {
  std::string group;
  PartitionKey partition;
  std::optional<CommittedOffset> committed;  ///< nothing: deleted
};
struct GroupRecord {
  std::string group;
  std::optional<GroupMetadata> metadata;  ///< nothing: deleted
};
/// A kind that is not ours to read: another coordinator's, or a newer Kafka's.
struct OtherRecord {
  int16_t type = -1;
};
using Record = std::variant<OtherRecord, OffsetRecord, GroupRecord>;

/// Errors: kCorruption for a record of a known type and version that cannot be read.
Expected<Record> decode(BytesView key, const std::optional<BytesView>& value);

}  // namespace group_records
}  // namespace millrace
