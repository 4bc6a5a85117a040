// kafka-groups: all groups of all kinds; kafka-client-metrics: subscriptions of client metrics.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/messages/describe_configs.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/messages/list_config_resources.h"
#include "tools/group_client.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

constexpr int8_t kClientMetricsResource = 16;
constexpr int8_t kClientMetricsSource = 7;

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

std::string capitalised(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

CommandSpec groups_command() {
  CommandSpec spec;
  spec.program = "kafka-groups";
  spec.description = "This tool helps to list groups of all types.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("list", "List the groups."),
      {.name = "group-type", .argument = "type", .description = "Only groups of the type: classic, consumer, share."},
      {.name = "protocol", .argument = "protocol", .description = "Only groups with the protocol, as consumer."},
      flag("consumer", "Only consumer groups of any type."),
      flag("share", "Only share groups."),
  };
  return spec;
}

Status print_groups(const ToolIo& io, const ParsedOptions& options) {
  auto client = open_admin(io, options);
  if (!client) return fail(std::move(client.error()));
  auto groups = list_groups(**client);
  if (!groups) return fail(std::move(groups.error()));
  std::erase_if(*groups, [&](const WireGroupListing& group) {
    if (options.has("group-type") && capitalised(group.type) != capitalised(options.text("group-type"))) return true;
    if (options.has("protocol") && group.protocol_type != options.text("protocol")) return true;
    if (options.has("share") && capitalised(group.type) != "Share") return true;
    return options.has("consumer") && group.protocol_type != "consumer" && !group.protocol_type.empty();
  });
  size_t width = 15;
  for (const WireGroupListing& group : *groups) width = std::max(width, group.id.size());
  const auto line = [&](std::string_view id, std::string_view type, std::string_view protocol) {
    io.print(fmt::format("{:<{}} {:<20} {:<20}\n", id, width, type, protocol));
  };
  line("GROUP", "TYPE", "PROTOCOL");
  for (const WireGroupListing& group : *groups) line(group.id, capitalised(group.type), group.protocol_type);
  return {};
}

CommandSpec metrics_command() {
  CommandSpec spec;
  spec.program = "kafka-client-metrics";
  spec.description = "This tool helps to manipulate and describe client metrics configurations.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("alter", "Set configs of the resource."),
      flag("delete", "Delete the resource."),
      flag("describe", "Show configs of resources."),
      flag("list", "List the resources."),
      {.name = "name", .argument = "name", .description = "Name of the resource."},
      {.name = "interval", .argument = "push interval", .description = "Milliseconds between pushes."},
      {.name = "match", .argument = "k1=v1,k2=v2", .description = "Which clients are meant."},
      {.name = "metrics", .argument = "m1,m2", .description = "Prefixes of metrics."},
  };
  return spec;
}

class ClientMetricsTool {
 public:
  ClientMetricsTool(const ToolIo& io, const ParsedOptions& options, WireClient& client)
      : io_(io), options_(options), client_(client) {}

  Status run() {
    if (options_.has("list")) return list();
    if (options_.has("describe")) return describe();
    return options_.has("alter") ? alter() : remove();
  }

 private:
  Expected<std::vector<std::string>> names() {
    if (options_.has("name")) return std::vector<std::string>{options_.text("name")};
    ListConfigResourcesRequest request;
    request.resource_types = {kClientMetricsResource};
    auto answer = client_.call<ListConfigResourcesResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
    std::vector<std::string> all;
    for (const auto& resource : answer->message.config_resources) all.emplace_back(resource.resource_name);
    return all;
  }

  Status list() {
    auto all = names();
    if (!all) return fail(std::move(all.error()));
    io_.print(fmt::format("{}\n", fmt::join(*all, "\n")));
    return {};
  }

  Expected<std::vector<std::pair<std::string, std::string>>> configs_of(const std::string& name) {
    DescribeConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kClientMetricsResource;
    resource.resource_name = name;
    resource.configuration_keys = std::nullopt;
    auto answer = client_.call<DescribeConfigsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    std::vector<std::pair<std::string, std::string>> configs;
    for (const auto& result : answer->message.results) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
      for (const auto& config : result.configs) {
        if (config.config_source == kClientMetricsSource) configs.emplace_back(config.name, config.value.value_or(""));
      }
    }
    return configs;
  }

  Status describe() {
    auto all = names();
    if (!all) return fail(std::move(all.error()));
    for (const std::string& name : *all) {
      auto configs = configs_of(name);
      if (!configs) return fail(std::move(configs.error()));
      io_.print(fmt::format("Client metrics configs for {} are:\n", name));
      for (const auto& [key, value] : *configs) io_.print(fmt::format("  {}={}\n", key, value));
    }
    return {};
  }

  Status send(const std::string& name, const std::vector<std::pair<std::string, std::optional<std::string>>>& changes) {
    IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kClientMetricsResource;
    resource.resource_name = name;
    for (const auto& [key, value] : changes) {
      auto& config = resource.configs.emplace_back();
      config.name = key;
      config.config_operation = value ? 0 : 1;
      if (value) config.value = *value;
    }
    auto answer = client_.call<IncrementalAlterConfigsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.responses) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  Status alter() {
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
    for (const auto& [option, key] :
         {std::pair{"interval", "interval.ms"}, {"match", "match"}, {"metrics", "metrics"}}) {
      if (options_.has(option)) changes.emplace_back(key, options_.text(option));
    }
    const std::string name = options_.text("name");
    if (auto sent = send(name, changes); !sent) return sent;
    io_.print(fmt::format("Altered client metrics config for {}.\n", name));
    return {};
  }

  Status remove() {
    const std::string name = options_.text("name");
    auto configs = configs_of(name);
    if (!configs) return fail(std::move(configs.error()));
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
    for (const auto& [key, value] : *configs) changes.emplace_back(key, std::nullopt);
    if (auto sent = send(name, changes); !sent) return sent;
    io_.print(fmt::format("Deleted client metrics config for {}.\n", name));
    return {};
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
};

}  // namespace

int run_groups(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = groups_command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (!options->has("list")) return usage_error(spec, io, "Command must include exactly one action: --list.");
  const Status done = print_groups(io, *options);
  return done ? kToolOk : report_tool_error(io, done.error());
}

int run_client_metrics(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = metrics_command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  int actions = 0;
  for (const char* action : {"alter", "delete", "describe", "list"}) actions += options->has(action) ? 1 : 0;
  if (actions != 1)
    return usage_error(spec, io, "Command must include exactly one action: --alter, --delete, --describe or --list");
  if ((options->has("alter") || options->has("delete")) && !options->has("name"))
    return usage_error(spec, io, "A client metrics resource name must be specified: --name");
  auto client = open_admin(io, *options);
  const Status done = client ? ClientMetricsTool(io, *options, **client).run() : fail(std::move(client.error()));
  if (done) return kToolOk;
  io.print(fmt::format("Error while executing client metrics command : {}\n", error_text(done.error())));
  return kToolFailed;
}

}  // namespace millrace
