// kafka-log-dirs: where partitions lie and how large they are.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/java_text.h"
#include "protocol/messages/describe_log_dirs.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-log-dirs";
  spec.description = "This tool helps to query log directory usage on the specified brokers.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      {.name = "describe",
       .description = "Describe the log directories of the brokers.",
       .type = OptionType::kFlag,
       .required = true},
      {.name = "topic-list",
       .argument = "Topic list",
       .description = "Topics to show, separated by commas; all when absent.",
       .default_value = ""},
      {.name = "broker-list",
       .argument = "Broker list",
       .description = "Brokers to ask, separated by commas; all when absent."},
  };
  // --broker-list is an option of its own here.
  std::erase(spec.options.front().aliases, "broker-list");
  return spec;
}

Expected<Json> dirs_of(WireClient& client, int32_t broker, const std::set<std::string>& topics) {
  DescribeLogDirsRequest request;
  request.topics = std::nullopt;
  auto answer = client.call<DescribeLogDirsResponse>(broker, request);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
  Json dirs = Json::array();
  for (const auto& result : answer->message.results) {
    Json partitions = Json::array();
    for (const auto& topic : result.topics) {
      if (!topics.empty() && !topics.contains(std::string(topic.name))) continue;
      for (const auto& partition : topic.partitions) {
        partitions.push_back({{"partition", partition_text({std::string(topic.name), partition.partition_index})},
                              {"size", partition.partition_size},
                              {"offsetLag", partition.offset_lag},
                              {"isFuture", partition.is_future_key}});
      }
    }
    Json error = nullptr;
    if (result.error_code != 0) error = wire_error(result.error_code).exception;
    dirs.push_back({{"partitions", partitions}, {"error", error}, {"logDir", result.log_dir}});
  }
  return dirs;
}

Status describe(const ToolIo& io, const ParsedOptions& options) {
  auto client = open_admin(io, options);
  if (!client) return fail(std::move(client.error()));
  auto brokers = (*client)->brokers();
  if (!brokers) return fail(std::move(brokers.error()));
  std::vector<int32_t> known, asked;
  for (const WireBroker& broker : *brokers) known.push_back(broker.id);
  for (const std::string& text : split(options.text("broker-list"))) {
    const auto id = parse_java_integer(text, 0, INT32_MAX);
    if (!id) return fail(terse(fmt::format("--broker-list: '{}' is no broker id", text)));
    asked.push_back(static_cast<int32_t>(*id));
  }
  if (asked.empty()) asked = known;
  for (const int32_t id : asked) {
    if (std::ranges::find(known, id) == known.end())
      return fail(
          terse(fmt::format("ERROR: The given brokers do not exist from --broker-list: {}. Current existent "
                            "brokers: {}\n",
                            id, join(known))));
  }
  const std::vector<std::string> topics = split(options.text("topic-list"));
  io.print("Querying brokers for log directories information\n");
  Json all = Json::array();
  for (const int32_t id : asked) {
    auto dirs = dirs_of(**client, id, {topics.begin(), topics.end()});
    if (!dirs) return fail(std::move(dirs.error()));
    all.push_back({{"broker", id}, {"logDirs", std::move(*dirs)}});
  }
  io.print(fmt::format("Received log directory information from brokers {}\n", join(asked)));
  const Json document = {{"brokers", all}, {"version", 1}};
  io.print(document.dump() + "\n");
  return {};
}

}  // namespace

int run_log_dirs(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const Status done = describe(io, *options);
  if (done) return kToolOk;
  io.print_error(error_text(done.error()) + "\n");
  return kToolFailed;
}

}  // namespace millrace
