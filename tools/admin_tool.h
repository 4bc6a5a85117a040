/// What the tools that administer a cluster share: options, the client, topics and partitions as users name them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/wire_client.h"
#include "tools/connection_options.h"
#include "tools/options.h"
#include "tools/tool.h"

namespace millrace {

using PartitionName = std::pair<std::string, int32_t>;
inline std::string partition_text(const PartitionName& partition) {
  return partition.first + "-" + std::to_string(partition.second);
}

/// --command-config, with `alias` as another spelling.
OptionSpec command_config_option(std::string_view description = "Property file with settings of the client.");

/// A client for --bootstrap-server and --command-config. Errors: those of WireClient::open(), and of the file.
Expected<std::unique_ptr<WireClient>> open_admin(const ToolIo& io, const ParsedOptions& options);
Expected<std::unique_ptr<WireClient>> open_admin(const ToolIo& io, const std::string& bootstrap,
                                                 const std::string& command_config);

/// Kafka's rule for --topic: a regular expression that the whole name must match, "," meaning "|".
/// Errors: kInvalidConfig for an expression that cannot be read.
Expected<std::function<bool(const std::string&)>> topic_filter(const std::string& expression);

struct TopicLayout {
  struct Partition {
    int32_t index = 0;
    int32_t leader = -1;
    std::vector<int32_t> replicas;
    std::vector<int32_t> isr;
    bool has_elr = false;  ///< the broker tells eligible leader replicas
    std::vector<int32_t> elr;
    std::vector<int32_t> last_known_elr;
  };
  std::string name;
  Uuid id;
  bool internal = false;
  int16_t error = 0;
  std::vector<Partition> partitions;  ///< by index
};
/// Topics by name; `names` null = all. Unknown ones have an error. Errors: those of WireClient::call().
Expected<std::map<std::string, TopicLayout>> describe_topics(WireClient& client, const std::vector<std::string>* names);

struct ListedOffset {
  int16_t error = 0;
  int64_t offset = -1;
  int64_t timestamp = -1;
};
inline constexpr int64_t kLatestOffset = -1;
inline constexpr int64_t kEarliestOffset = -2;
/// Offsets of partitions by timestamp or special number, asked of their leaders. Errors: those of WireClient::call().
Expected<std::map<PartitionName, ListedOffset>> list_offsets(WireClient& client,
                                                             const std::map<PartitionName, int64_t>& timestamps,
                                                             bool committed_only = false);

/// "a,b,c" in parts, empty ones left out.
std::vector<std::string> split(std::string_view text, char separator = ',');
std::string join(const std::vector<int32_t>& numbers, std::string_view separator = ",");

/// "[time] ERROR class: message (tool)" as Kafka's log of a failed tool begins.
void log_tool_error(const ToolIo& io, const Error& error, std::string_view tool_class);
/// The innermost message of an error: what Kafka prints; our own explanations follow in brackets.
std::string error_text(const Error& error);
/// "class: message" where Kafka has a class for the error, else the message.
std::string failure_text(const Error& error);

/// An error of the user's, of which the message is all there is to say.
Error terse(std::string message);

}  // namespace millrace
