/// Consumer groups over the wire, whichever protocol their members speak.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/admin_tool.h"

namespace millrace {

struct GroupListing {
  std::string id;
  std::string protocol_type;  ///< "consumer", "connect", "" of a group that only commits offsets
  std::string state;          ///< as the broker writes it; may be empty with old brokers
  std::string type;           ///< "classic", "consumer", "share"; may be empty with old brokers
};

struct GroupMember {
  std::string id;
  std::string instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

struct GroupDescription {
  std::string id;
  int16_t error = 0;
  std::string error_message;
  std::string state;  ///< "Dead" for unknown groups
  std::string assignor;
  std::vector<GroupMember> members;
  WireBroker coordinator;
};

/// All groups of all brokers. Filters are as the broker takes them; empty = no filter. Errors: those of
/// WireClient::call().
Expected<std::vector<GroupListing>> list_groups(WireClient& client, const std::vector<std::string>& states = {},
                                                const std::vector<std::string>& types = {});
/// Errors: those of WireClient::coordinator() and call(); what is wrong with the group is in the description.
Expected<GroupDescription> describe_group(WireClient& client, const std::string& group);
/// Committed offsets, partitions without any left out. Errors: also the broker's.
Expected<std::map<TopicPartition, int64_t>> committed_offsets(WireClient& client, const std::string& group);
/// Errors: also the broker's, the first one.
Status commit_offsets(WireClient& client, const std::string& group, const std::map<TopicPartition, int64_t>& offsets);

}  // namespace millrace
