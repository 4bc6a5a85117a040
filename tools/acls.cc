// kafka-acls: adds, removes and lists access control lists.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "protocol/messages/create_acls.h"
#include "protocol/messages/delete_acls.h"
#include "protocol/messages/describe_acls.h"
#include "tools/admin_tool.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

// The wire's numbers are the indexes.
constexpr std::array<std::string_view, 16> kOperations = {"UNKNOWN",
                                                          "ANY",
                                                          "ALL",
                                                          "READ",
                                                          "WRITE",
                                                          "CREATE",
                                                          "DELETE",
                                                          "ALTER",
                                                          "DESCRIBE",
                                                          "CLUSTER_ACTION",
                                                          "DESCRIBE_CONFIGS",
                                                          "ALTER_CONFIGS",
                                                          "IDEMPOTENT_WRITE",
                                                          "CREATE_TOKENS",
                                                          "DESCRIBE_TOKENS",
                                                          "TWO_PHASE_COMMIT"};
constexpr std::array<std::string_view, 8> kResources = {
    "UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"};
constexpr std::array<std::string_view, 5> kPatterns = {"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"};
constexpr std::array<std::string_view, 4> kPermissions = {"UNKNOWN", "ANY", "DENY", "ALLOW"};
constexpr int8_t kAny = 1, kAll = 2, kRead = 3, kWrite = 4, kCreate = 5, kDescribe = 8, kIdempotentWrite = 12;
constexpr int8_t kTopic = 2, kGroup = 3, kCluster = 4, kTransactionalId = 5, kDelegationToken = 6, kUser = 7;
constexpr int8_t kLiteral = 3, kPrefixed = 4;
constexpr int8_t kDeny = 2, kAllow = 3;

template <size_t N>
std::string_view word(const std::array<std::string_view, N>& words, int8_t number) {
  return number >= 0 && static_cast<size_t>(number) < N ? words[static_cast<size_t>(number)] : words[0];
}

/// "Read", "read", "READ", "IdempotentWrite" or "IDEMPOTENT_WRITE" as a number; 0 when there is no such word.
template <size_t N>
int8_t number_of(const std::array<std::string_view, N>& words, std::string text) {
  const auto plain = [](std::string_view from) {
    std::string to;
    for (const char c : from) {
      if (c != '_') to += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return to;
  };
  for (size_t i = 1; i < N; ++i) {
    if (plain(words[i]) == plain(text)) return static_cast<int8_t>(i);
  }
  return 0;
}

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}
OptionSpec many(std::string_view name, std::string_view argument, std::string_view description) {
  return {.name = name, .argument = argument, .description = description, .repeatable = true};
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-acls";
  spec.description = "This tool helps to manage acls on kafka.";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("add", "Add ACLs."),
      flag("remove", "Remove ACLs."),
      flag("list", "List the ACLs of the resources that are named, or all."),
      many("topic", "topic", "A topic, * for all."),
      many("group", "group", "A consumer group, * for all."),
      flag("cluster", "The cluster."),
      many("transactional-id", "transactional-id", "A transactional id, * for all."),
      many("delegation-token", "delegation-token", "A delegation token."),
      many("user-principal", "user-principal", "A user as a resource."),
      flag("idempotent", "With --producer: idempotence too."),
      {.name = "resource-pattern-type",
       .argument = "ANY|MATCH|LITERAL|PREFIXED",
       .description = "How names of resources are meant.",
       .default_value = "LITERAL"},
      many("operation", "operation", "The operations: Read, Write, Create, Delete, Alter, Describe, All, …"),
      many("allow-principal", "allow-principal", "Who is allowed: User:name."),
      many("deny-principal", "deny-principal", "Who is denied: User:name."),
      many("allow-host", "allow-host", "Addresses from which --allow-principal is allowed; all when absent."),
      many("deny-host", "deny-host", "Addresses from which --deny-principal is denied; all when absent."),
      many("principal", "principal", "With --list: only ACLs of the principal."),
      flag("producer", "What a producer needs: Write, Describe and Create on topics."),
      flag("consumer", "What a consumer needs: Read and Describe on topics, Read on groups."),
      flag("force", "Do not ask."),
  };
  return spec;
}

struct Resource {
  int8_t type;
  std::string name;
  int8_t pattern;
  auto operator<=>(const Resource&) const = default;
  std::string text(std::string_view kind) const {
    return fmt::format("{}(resourceType={}, name={}, patternType={})", kind, word(kResources, type), name,
                       word(kPatterns, pattern));
  }
};

struct Entry {
  std::string principal;
  std::string host;
  int8_t operation;
  int8_t permission;
  auto operator<=>(const Entry&) const = default;
  std::string text() const {
    return fmt::format("(principal={}, host={}, operation={}, permissionType={})", principal, host,
                       word(kOperations, operation), word(kPermissions, permission));
  }
};

using Acls = std::map<Resource, std::set<Entry>>;

std::string entries_text(const std::set<Entry>& entries) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) lines.push_back("\t" + entry.text());
  return fmt::format("{}", fmt::join(lines, "\n"));
}

class AclsTool {
 public:
  AclsTool(const ToolIo& io, const ParsedOptions& options, int8_t pattern)
      : io_(io), options_(options), pattern_(pattern) {}

  std::vector<Resource> resources() const {
    std::vector<Resource> all;
    const auto add = [&](const char* option, int8_t type) {
      for (const std::string& name : options_.values(option)) all.push_back({type, name, pattern_});
    };
    add("topic", kTopic);
    if (pattern_ == kLiteral && (options_.has("cluster") || options_.has("idempotent"))) all.push_back(cluster());
    add("group", kGroup);
    add("transactional-id", kTransactionalId);
    add("delegation-token", kDelegationToken);
    add("user-principal", kUser);
    return all;
  }

  /// What --add and --remove are about. Errors: kInvalidConfig.
  Expected<Acls> acls() const {
    Acls all;
    const std::vector<Resource> named = resources();
    if (!options_.has("producer") && !options_.has("consumer")) {
      std::vector<int8_t> operations;
      for (const std::string& text : options_.values("operation")) {
        const int8_t operation = number_of(kOperations, text);
        if (operation == 0) return fail(terse(fmt::format("Unknown operation: {}", text)));
        operations.push_back(operation);
      }
      if (operations.empty()) operations.push_back(kAll);
      for (const Resource& resource : named) all[resource].merge(entries(operations));
    }
    if (options_.has("producer")) {
      for (const Resource& resource : named) {
        if (resource.type == kTopic) all[resource].merge(entries({kWrite, kDescribe, kCreate}));
        if (resource.type == kTransactionalId) all[resource].merge(entries({kWrite, kDescribe}));
      }
      if (options_.has("idempotent")) all[cluster()].merge(entries({kIdempotentWrite}));
    }
    if (options_.has("consumer")) {
      for (const Resource& resource : named) {
        if (resource.type == kTopic) all[resource].merge(entries({kRead, kDescribe}));
        if (resource.type == kGroup) all[resource].merge(entries({kRead}));
      }
    }
    return all;
  }

  Status add(WireClient& client, const Acls& acls) {
    for (const auto& [resource, entries] : acls) {
      io_.print(fmt::format("Adding ACLs for resource `{}`: \n {} \n\n", resource.text("ResourcePattern"),
                            entries_text(entries)));
      CreateAclsRequest request;
      for (const Entry& entry : entries) {
        request.creations.push_back({resource.type, resource.name, resource.pattern, entry.principal, entry.host,
                                     entry.operation, entry.permission});
      }
      auto answer = client.call<CreateAclsResponse>(WireClient::kAnyBroker, request);
      if (!answer) return fail(std::move(answer.error()));
      for (const auto& result : answer->message.results) {
        if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
      }
    }
    std::vector<Resource> touched;
    for (const auto& [resource, entries] : acls) touched.push_back(resource);
    return list(client, touched);
  }

  Status remove(WireClient& client, const Acls& acls) {
    for (const auto& [resource, entries] : acls) {
      const std::string what = resource.text("ResourcePattern");
      const std::string question =
          entries.empty()
              ? fmt::format("Are you sure you want to delete all ACLs for resource filter `{}`? (y/n)", what)
              : fmt::format("Are you sure you want to remove ACLs: \n {} \n from resource filter `{}`? (y/n)",
                            entries_text(entries), what);
      if (!confirmed(question)) continue;
      DeleteAclsRequest request;
      if (entries.empty())
        request.filters.push_back(
            {resource.type, resource.name, resource.pattern, std::nullopt, std::nullopt, kAny, kAny});
      for (const Entry& entry : entries) {
        request.filters.push_back({resource.type, resource.name, resource.pattern, entry.principal, entry.host,
                                   entry.operation, entry.permission});
      }
      auto answer = client.call<DeleteAclsResponse>(WireClient::kAnyBroker, request);
      if (!answer) return fail(std::move(answer.error()));
      for (const auto& result : answer->message.filter_results) {
        if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
      }
    }
    std::vector<Resource> touched;
    for (const auto& [resource, entries] : acls) touched.push_back(resource);
    return list(client, touched);
  }

  Status list(WireClient& client, const std::vector<Resource>& filters) {
    Acls found;
    if (filters.empty()) {
      if (auto read = describe(client, {kAny, "", kAny}, found); !read) return read;
    }
    for (const Resource& filter : filters) {
      if (auto read = describe(client, filter, found); !read) return read;
    }
    const std::vector<std::string> principals = options_.values("principal");
    if (principals.empty()) print(found, nullptr);
    for (const std::string& principal : principals) {
      io_.print(fmt::format("ACLs for principal `{}`\n", principal));
      print(found, &principal);
    }
    return {};
  }

 private:
  static Resource cluster() { return {kCluster, "kafka-cluster", kLiteral}; }

  std::set<Entry> entries(const std::vector<int8_t>& operations) const {
    std::set<Entry> all;
    const auto add = [&](const char* principals, const char* hosts_option, int8_t permission) {
      std::vector<std::string> hosts = options_.values(hosts_option);
      if (hosts.empty()) hosts.emplace_back("*");
      for (const std::string& principal : options_.values(principals)) {
        for (const std::string& host : hosts) {
          for (const int8_t operation : operations) all.insert({principal, host, operation, permission});
        }
      }
    };
    add("allow-principal", "allow-host", kAllow);
    add("deny-principal", "deny-host", kDeny);
    return all;
  }

  bool confirmed(const std::string& question) const {
    if (options_.has("force")) return true;
    io_.print(question + "\n");
    std::fflush(io_.out);
    char answer = 0, rest = 0;
    if (::read(io_.in, &answer, 1) != 1) return false;
    while (::read(io_.in, &rest, 1) == 1 && rest != '\n') {
    }
    return answer == 'y' || answer == 'Y';
  }

  Status describe(WireClient& client, const Resource& filter, Acls& found) {
    DescribeAclsRequest request;
    request.resource_type_filter = filter.type;
    request.resource_name_filter = std::nullopt;
    if (filter.type != kAny) request.resource_name_filter = filter.name;
    request.pattern_type_filter = filter.pattern;
    request.principal_filter = std::nullopt;
    request.host_filter = std::nullopt;
    request.operation = kAny;
    request.permission_type = kAny;
    auto answer = client.call<DescribeAclsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.error_code != 0)
      return fail(wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
    for (const auto& resource : answer->message.resources) {
      auto& entries = found[{resource.resource_type, std::string(resource.resource_name), resource.pattern_type}];
      for (const auto& acl : resource.acls)
        entries.insert({std::string(acl.principal), std::string(acl.host), acl.operation, acl.permission_type});
    }
    return {};
  }

  void print(const Acls& found, const std::string* principal) const {
    for (const auto& [resource, all] : found) {
      std::set<Entry> entries = all;
      if (principal != nullptr)
        std::erase_if(entries, [&](const Entry& entry) { return entry.principal != *principal; });
      if (entries.empty()) continue;
      io_.print(fmt::format("Current ACLs for resource `{}`: \n {} \n\n", resource.text("ResourcePattern"),
                            entries_text(entries)));
    }
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  const int8_t pattern_;
};

/// What is wrong with the combination of options; empty when nothing is.
std::string problem(const ParsedOptions& options, const AclsTool& tool, int8_t pattern) {
  const int actions = (options.has("add") ? 1 : 0) + (options.has("remove") ? 1 : 0) + (options.has("list") ? 1 : 0);
  if (actions != 1) return "Command must include exactly one action: --list, --add, --remove. ";
  if (pattern == 0) return fmt::format("{} is no resource pattern type", options.text("resource-pattern-type"));
  if (options.has("list")) return {};
  if (tool.resources().empty())
    return "You must provide at least one resource: --topic <topic> or --cluster or --group <group> or "
           "--delegation-token <Delegation Token ID>";
  if (options.has("add") && !options.has("allow-principal") && !options.has("deny-principal"))
    return "You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.";
  if (options.has("add") && pattern != kLiteral && pattern != kPrefixed)
    return fmt::format("A '--resource-pattern-type' value of '{}' is not valid when adding acls.",
                       word(kPatterns, pattern));
  if (options.has("producer") && !options.has("topic")) return "With --producer you must specify a --topic";
  if (options.has("consumer") && (!options.has("topic") || !options.has("group")))
    return "With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option "
           "should be specified.";
  return {};
}

}  // namespace

int run_acls(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  const int8_t pattern = number_of(kPatterns, options->text("resource-pattern-type"));
  AclsTool tool(io, *options, pattern);
  if (const std::string wrong = problem(*options, tool, pattern); !wrong.empty()) return usage_error(spec, io, wrong);
  const Status done = [&]() -> Status {
    auto acls = tool.acls();
    if (!acls) return fail(std::move(acls.error()));
    auto client = open_admin(io, *options);
    if (!client) return fail(std::move(client.error()));
    if (options->has("add")) return tool.add(**client, *acls);
    if (options->has("remove")) return tool.remove(**client, *acls);
    return tool.list(**client, tool.resources());
  }();
  if (done) return kToolOk;
  io.print(fmt::format("Error while executing ACL command: {}\n", failure_text(done.error())));
  return kToolFailed;
}

}  // namespace millrace
