/// Consumer groups over the wire, whichever protocol their members speak.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/admin_tool.h"

namespace millrace {

struct WireGroupListing {
  std::string id;
  std::string protocol_type;  ///< "consumer", "connect", "" of a group that only commits offsets
  std::string state;          ///< as the broker writes it; may be empty with old brokers
  std::string type;           ///< "classic", "consumer", "share"; may be empty with old brokers
};

struct WireGroupMember {
  std::string id;
  std::string instance_id;
  std::string client_id;
  std::string host;
  std::vector<PartitionName> assignment;
};

struct WireGroupDescription {
  std::string id;
  int16_t error = 0;
  std::string error_message;
  std::string state;  ///< "Dead" for unknown groups
  std::string assignor;
  std::vector<WireGroupMember> members;
  WireBroker coordinator;
};

/// All groups of all brokers. Filters are as the broker takes them; empty = no filter. Errors: those of
/// WireClient::call().
Expected<std::vector<WireGroupListing>> list_groups(WireClient& client, const std::vector<std::string>& states = {},
                                                    const std::vector<std::string>& types = {});
/// Errors: those of WireClient::coordinator() and call(); what is wrong with the group is in the description.
Expected<WireGroupDescription> describe_group(WireClient& client, const std::string& group);
/// Committed offsets, partitions without any left out. Errors: also the broker's.
Expected<std::map<PartitionName, int64_t>> committed_offsets(WireClient& client, const std::string& group);
/// Errors: also the broker's, the first one.
Status commit_offsets(WireClient& client, const std::string& group, const std::map<PartitionName, int64_t>& offsets);

}  // namespace millrace
