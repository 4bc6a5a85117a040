// kafka-broker-api-versions: which requests each broker serves.
#include <fmt/format.h>

#include <map>

#include "protocol/messages/registry.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-broker-api-versions";
  spec.description = "This tool helps to retrieve broker version information.";
  spec.options = {bootstrap_option(), command_config_option()};
  return spec;
}

std::string range_text(int16_t min, int16_t max) {
  return min == max ? std::to_string(min) : fmt::format("{} to {}", min, max);
}

/// One request as Kafka's tool has it: `Fetch(1): 4 to 17 [usable: 17]`.
std::string line(int16_t key, const MessageInfo* ours, const std::map<int16_t, VersionRange>& theirs) {
  constexpr std::string_view kSuffix = "Request";
  std::string name = "UNKNOWN";
  if (ours != nullptr) name = ours->name.substr(0, ours->name.size() - kSuffix.size());
  const auto found = theirs.find(key);
  if (found == theirs.end()) return fmt::format("{}({}): UNSUPPORTED", name, key);
  const std::string range = range_text(found->second.min, found->second.max);
  if (ours == nullptr) return fmt::format("{}({}): {}", name, key, range);
  const int16_t usable = std::min(found->second.max, ours->version_max);
  if (found->second.min > ours->version_max)
    return fmt::format("{}({}): {} [unusable: node too new]", name, key, range);
  if (found->second.max < ours->version_min)
    return fmt::format("{}({}): {} [unusable: node too old]", name, key, range);
  return fmt::format("{}({}): {} [usable: {}]", name, key, range, usable);
}

std::string versions_text(const std::map<int16_t, VersionRange>& theirs) {
  std::map<int16_t, const MessageInfo*> keys;
  for (const auto& [key, range] : theirs) keys[key] = nullptr;
  for (const MessageInfo* message : all_messages()) {
    if (message->kind == MessageInfo::Kind::kRequest) keys[message->api_key] = message;
  }
  std::string text = "(\n";
  size_t left = keys.size();
  for (const auto& [key, ours] : keys) text += fmt::format("\t{}{}\n", line(key, ours, theirs), --left > 0 ? "," : "");
  return text + ")";
}

}  // namespace

int run_broker_api_versions(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const auto failed = [&](const Error& error) {
    io.print_error(error_text(error) + "\n");
    return kToolFailed;
  };
  auto client = open_admin(io, *options);
  if (!client) return failed(client.error());
  const auto brokers = (*client)->brokers();
  if (!brokers) return failed(brokers.error());
  for (const WireBroker& broker : *brokers) {
    const std::string node = fmt::format("{}:{} (id: {} rack: {})", broker.host, broker.port, broker.id,
                                         broker.rack.empty() ? "null" : broker.rack);
    const auto connection = (*client)->connection_to(broker.id);
    if (connection) {
      io.print(fmt::format("{} -> {}\n", node, versions_text((*connection)->versions())));
    } else {
      io.print(fmt::format("{} -> ERROR: {}\n", node, error_text(connection.error())));
    }
  }
  return kToolOk;
}

}  // namespace millrace
