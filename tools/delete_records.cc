// kafka-delete-records: deletes the records before given offsets.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "protocol/messages/delete_records.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int32_t kTimeoutMs = 60'000;

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-delete-records";
  spec.description = "This tool helps to delete records of the given partitions down to the specified offset.";
  spec.options = {
      bootstrap_option(),
      {.name = "offset-json-file",
       .argument = "Offset json file path",
       .description = "REQUIRED: {\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}], "
                      "\"version\": 1}",
       .required = true},
      command_config_option(),
  };
  return spec;
}

Expected<std::map<PartitionName, int64_t>> read_offsets(const ToolIo& io, const std::string& path) {
  auto text = io.files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return fail(terse("The input string is not a valid JSON"));
  if (const auto version = json.value("version", 1); version != 1)
    return fail(terse(fmt::format("Not supported version field value {}", version)));
  if (!json.contains("partitions") || !json["partitions"].is_array()) return fail(terse("Missing partitions field"));
  std::map<PartitionName, int64_t> offsets;
  std::vector<std::string> twice;
  for (const auto& entry : json["partitions"]) {
    const bool whole = entry.is_object() && entry.contains("topic") && entry["topic"].is_string() &&
                       entry.contains("partition") && entry["partition"].is_number_integer() &&
                       entry.contains("offset") && entry["offset"].is_number_integer();
    if (!whole)
      return fail(terse(fmt::format("{}: {} has not all of topic, partition and offset", path, entry.dump())));
    const PartitionName partition{entry["topic"].get<std::string>(), entry["partition"].get<int32_t>()};
    if (!offsets.emplace(partition, entry["offset"].get<int64_t>()).second) twice.push_back(partition_text(partition));
  }
  if (!twice.empty())
    return fail(terse(fmt::format("Offset json file contains duplicate topic partitions: {}", fmt::join(twice, ","))));
  return offsets;
}

/// Asks the leader of each partition.
Status delete_records(const ToolIo& io, WireClient& client, const std::map<PartitionName, int64_t>& offsets) {
  std::set<std::string> names;
  for (const auto& [partition, offset] : offsets) names.insert(partition.first);
  const std::vector<std::string> list(names.begin(), names.end());
  auto topics = describe_topics(client, &list);
  if (!topics) return fail(std::move(topics.error()));
  io.print("Executing records delete operation\nRecords delete operation completed:\n");
  for (const auto& [partition, offset] : offsets) {
    int32_t leader = WireClient::kAnyBroker;
    for (const auto& known : (*topics)[partition.first].partitions) {
      if (known.index == partition.second) leader = known.leader;
    }
    DeleteRecordsRequest request;
    request.timeout_ms = kTimeoutMs;
    auto& topic = request.topics.emplace_back();
    topic.name = partition.first;
    topic.partitions.push_back({partition.second, offset});
    auto answer = client.call<DeleteRecordsResponse>(leader, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result_topic : answer->message.topics) {
      for (const auto& result : result_topic.partitions) {
        const std::string outcome = result.error_code == 0
                                        ? fmt::format("low_watermark: {}", result.low_watermark)
                                        : fmt::format("error: {}", wire_error(result.error_code).message);
        io.print(fmt::format("partition: {}\t{}\n", partition_text(partition), outcome));
      }
    }
  }
  return {};
}

}  // namespace

int run_delete_records(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const auto failed = [&](const Error& error) {
    io.print_error(error_text(error) + "\n");
    return kToolFailed;
  };
  auto offsets = read_offsets(io, options->text("offset-json-file"));
  if (!offsets) return failed(offsets.error());
  auto client = open_admin(io, *options);
  if (!client) return failed(client.error());
  const Status done = delete_records(io, **client, *offsets);
  return done ? kToolOk : failed(done.error());
}

}  // namespace millrace
