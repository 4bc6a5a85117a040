// kafka-configs: shows and changes the configs of topics, brokers, groups and client metrics subscriptions, the quotas
// of users, clients and addresses, and the SCRAM credentials of users.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "core/java_text.h"
#include "protocol/messages/alter_client_quotas.h"
#include "protocol/messages/alter_user_scram_credentials.h"
#include "protocol/messages/describe_client_quotas.h"
#include "protocol/messages/describe_configs.h"
#include "protocol/messages/describe_user_scram_credentials.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "protocol/messages/list_config_resources.h"
#include "tools/admin_tool.h"
#include "tools/client_properties.h"
#include "tools/group_client.h"
#include "tools/tool_entries.h"

namespace millrace {
namespace {

struct EntityType {
  std::string_view plural;    ///< --entity-type
  std::string_view flag;      ///< --topic
  std::string_view defaults;  ///< --client-defaults; may be empty
  int8_t resource = 0;        ///< of DescribeConfigs
  std::string_view quota_type = {};
};
constexpr auto kEntityTypes = std::to_array<EntityType>({
    {"topics", "topic", "", 2},
    {"brokers", "broker", "broker-defaults", 4},
    {"broker-loggers", "broker-logger", "", 8},
    {"client-metrics", "client-metrics", "", 16},
    {"groups", "group", "", 32},
    {"users", "user", "user-defaults", 0, "user"},
    {"clients", "client", "client-defaults", 0, "client-id"},
    {"ips", "ip", "ip-defaults", 0, "ip"},
});

struct Entity {
  const EntityType* type;
  /// Nothing: all of the type. Empty: the default entity.
  std::optional<std::string> name;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

OptionSpec flag(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .type = OptionType::kFlag};
}

CommandSpec command() {
  CommandSpec spec;
  spec.program = "kafka-configs";
  spec.description =
      "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics "
      "or group";
  spec.options = {
      bootstrap_option(),
      command_config_option(),
      flag("alter", "Change the configs of the entity."),
      flag("describe", "Show the configs of the entity."),
      flag("all", "With --describe: all configs, those that are not set too."),
      {.name = "entity-type",
       .argument = "entity type",
       .description = "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups.",
       .repeatable = true},
      {.name = "entity-name", .argument = "entity name", .description = "Name of the entity.", .repeatable = true},
      flag("entity-default", "The default entity of clients, users, brokers or ips."),
      {.name = "add-config",
       .argument = "k1=v1,k2=[v1,v2]",
       .description = "Configs to set; square brackets group values with commas."},
      {.name = "add-config-file", .argument = "file", .description = "Property file with configs to set."},
      {.name = "delete-config", .argument = "k1,k2", .description = "Configs to remove.", .repeatable = true},
      flag("force", "Accepted: nothing is asked."),
  };
  for (const EntityType& type : kEntityTypes) {
    spec.options.push_back({.name = type.flag, .argument = "name", .description = "The entity by its kind and name."});
    if (!type.defaults.empty()) spec.options.push_back(flag(type.defaults, "The default entity of the kind."));
  }
  return spec;
}

const EntityType* type_named(std::string_view plural) {
  const auto found = std::ranges::find(kEntityTypes, plural, &EntityType::plural);
  return found == kEntityTypes.end() ? nullptr : &*found;
}

/// Names and defaults in the order in which they stand on the command line, which pairs them with the types.
std::vector<std::optional<std::string>> names_in_order(ToolArguments arguments) {
  std::vector<std::optional<std::string>> names;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--entity-default") names.emplace_back("");
    if (word.starts_with("--entity-name=")) names.emplace_back(word.substr(word.find('=') + 1));
    if (word == "--entity-name" && i + 1 < arguments.size()) names.emplace_back(arguments[i + 1]);
  }
  return names;
}

Expected<std::vector<Entity>> read_entities(const ParsedOptions& options, ToolArguments arguments) {
  std::vector<Entity> entities;
  const auto names = names_in_order(arguments);
  for (const std::string& plural : options.values("entity-type")) {
    const EntityType* type = type_named(plural);
    if (type == nullptr) {
      return fail(
          terse(fmt::format("Invalid entity type {}, the entity type must be one of topics, clients, users, brokers, "
                            "broker-loggers, ips, "
                            "client-metrics, groups with a --bootstrap-server or --bootstrap-controller argument",
                            plural)));
    }
    const size_t index = entities.size();
    entities.push_back({type, index < names.size() ? names[index] : std::nullopt});
  }
  if (names.size() > entities.size()) return fail(terse("More entity names specified than entity types"));
  for (const EntityType& type : kEntityTypes) {
    if (options.has(type.flag)) entities.push_back({&type, options.text(type.flag)});
    if (!type.defaults.empty() && options.has(type.defaults)) entities.push_back({&type, ""});
  }
  if (entities.empty()) return fail(terse("At least one entity type must be specified"));
  const auto plural = [](const Entity& entity) { return entity.type->plural; };
  if (entities.size() > 1) {
    const bool user_and_client = entities.size() == 2 &&
                                 std::ranges::find(entities, "users", plural) != entities.end() &&
                                 std::ranges::find(entities, "clients", plural) != entities.end();
    if (!user_and_client) return fail(terse("Only 'users' and 'clients' entity types may be specified together"));
  }
  return entities;
}

/// "a=1,b=[2,3]" in pairs. Errors: kInvalidConfig.
Expected<Pairs> read_pairs(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(
          terse("requirement failed: Invalid entity config: all configs to be added must be in the format "
                "\"key=val\" or \"key=[val1,val2]\" to group values which contain commas."));
    std::string key(java_trim(text.substr(0, equals)));
    text.remove_prefix(equals + 1);
    size_t end = text.find(',');
    if (text.starts_with('[')) {
      const size_t close = text.find(']');
      if (close == std::string_view::npos) return fail(terse(fmt::format("config {}: '[' without ']'", key)));
      pairs.emplace_back(std::move(key), text.substr(1, close - 1));
      end = text.find(',', close);
    } else {
      pairs.emplace_back(std::move(key), java_trim(text.substr(0, end)));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return pairs;
}

int8_t scram_number(std::string_view mechanism) {
  return mechanism == "SCRAM-SHA-256" ? int8_t{1} : mechanism == "SCRAM-SHA-512" ? int8_t{2} : int8_t{0};
}

std::string_view source_name(int8_t source) {
  constexpr std::array<std::string_view, 9> kNames = {"UNKNOWN",
                                                      "DYNAMIC_TOPIC_CONFIG",
                                                      "DYNAMIC_BROKER_CONFIG",
                                                      "DYNAMIC_DEFAULT_BROKER_CONFIG",
                                                      "STATIC_BROKER_CONFIG",
                                                      "DEFAULT_CONFIG",
                                                      "DYNAMIC_BROKER_LOGGER_CONFIG",
                                                      "DYNAMIC_CLIENT_METRICS_CONFIG",
                                                      "DYNAMIC_GROUP_CONFIG"};
  const auto index = static_cast<size_t>(source);
  return source < 0 || index >= kNames.size() ? kNames[0] : kNames[index];
}

class ConfigsTool {
 public:
  ConfigsTool(const ToolIo& io, const ParsedOptions& options, WireClient& client, std::vector<Entity> entities)
      : io_(io), options_(options), client_(client), entities_(std::move(entities)) {}

  Status run() {
    const bool resource = entities_.front().type->resource != 0;
    if (options_.has("describe")) return resource ? describe_resources() : describe_quotas();
    auto pairs = changes();
    if (!pairs) return fail(std::move(pairs.error()));
    if (pairs->empty() && removals().empty())
      return fail(
          terse("At least one of --add-config, --add-config-file, or --delete-config must be specified with "
                "--alter"));
    if (auto done = resource ? alter_resource(*pairs) : alter_quotas_or_scram(*pairs); !done) return done;
    const Entity& first = entities_.front();
    if (first.name->empty()) {
      io_.print(fmt::format("Completed updating default config for {} in the cluster.\n", first.type->plural));
    } else {
      io_.print(fmt::format("Completed updating config for {} {}.\n", singular(first), *first.name));
    }
    return {};
  }

 private:
  static std::string_view singular(const Entity& entity) {
    return entity.type->plural.substr(0, entity.type->plural.size() - 1);
  }

  Expected<Pairs> changes() {
    if (!options_.has("add-config-file")) return read_pairs(options_.text("add-config"));
    auto file = load_client_properties(io_.files, options_.text("add-config-file"));
    if (!file) return fail(std::move(file.error()));
    return Pairs(file->begin(), file->end());
  }
  std::vector<std::string> removals() const {
    std::vector<std::string> keys;
    for (const std::string& word : options_.values("delete-config")) {
      for (const std::string& key : split(word)) keys.emplace_back(java_trim(key));
    }
    return keys;
  }

  /// A broker answers for its own configs.
  Expected<int32_t> node_of(const EntityType& type, const std::string& name) {
    if ((type.plural != "brokers" && type.plural != "broker-loggers") || name.empty()) return WireClient::kAnyBroker;
    const auto id = parse_java_integer(name, 0, INT32_MAX);
    if (id) return static_cast<int32_t>(*id);
    return fail(terse(
        fmt::format("The entity name for {} must be a valid integer broker id, but it is: {}", type.plural, name)));
  }

  Expected<std::vector<std::string>> all_names(const EntityType& type) {
    std::vector<std::string> names;
    if (type.plural == "topics") {
      auto topics = describe_topics(client_, nullptr);
      if (!topics) return fail(std::move(topics.error()));
      for (const auto& [name, topic] : *topics) names.push_back(name);
    } else if (type.plural == "groups") {
      auto groups = list_groups(client_);
      if (!groups) return fail(std::move(groups.error()));
      for (const WireGroupListing& group : *groups) names.push_back(group.id);
    } else if (type.plural == "client-metrics") {
      ListConfigResourcesRequest request;
      request.resource_types = {type.resource};
      auto answer = client_.call<ListConfigResourcesResponse>(WireClient::kAnyBroker, request);
      if (!answer) return fail(std::move(answer.error()));
      if (answer->message.error_code != 0) return fail(wire_error(answer->message.error_code));
      for (const auto& resource : answer->message.config_resources) names.emplace_back(resource.resource_name);
    } else {
      auto brokers = client_.brokers();
      if (!brokers) return fail(std::move(brokers.error()));
      for (const WireBroker& broker : *brokers) names.push_back(std::to_string(broker.id));
      if (type.plural == "brokers") names.emplace_back();
    }
    return names;
  }

  Status describe_resources() {
    const Entity& entity = entities_.front();
    std::vector<std::string> names;
    if (entity.name) {
      names.push_back(*entity.name);
    } else {
      auto all = all_names(*entity.type);
      if (!all) return fail(std::move(all.error()));
      names = std::move(*all);
    }
    for (const std::string& name : names) {
      if (auto shown = describe_resource(*entity.type, name); !shown) return shown;
    }
    return {};
  }

  static DescribeConfigsRequest describe_request(const EntityType& type, const std::string& name) {
    DescribeConfigsRequest request;
    request.include_synonyms = true;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type.resource;
    resource.resource_name = name;
    resource.configuration_keys = std::nullopt;
    return request;
  }

  Status describe_resource(const EntityType& type, const std::string& name) {
    auto node = node_of(type, name);
    if (!node) return fail(std::move(node.error()));
    auto answer = client_.call<DescribeConfigsResponse>(*node, describe_request(type, name), 1);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.results.empty()) return {};
    const auto& result = answer->message.results.front();
    if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    const bool all = options_.has("all") || type.plural == "broker-loggers";
    if (name.empty()) {
      io_.print(fmt::format("Default configs for {} in the cluster are:\n", type.plural));
    } else {
      io_.print(fmt::format("{} configs for {} {} are:\n", all ? "All" : "Dynamic",
                            type.plural.substr(0, type.plural.size() - 1), name));
    }
    std::map<std::string_view, std::string> lines;
    for (const auto& config : result.configs) {
      if (!all && !is_set_here(type, name, config.config_source)) continue;
      lines[config.name] = config_line(config);
    }
    for (const auto& [config, line] : lines) io_.print(line);
    return {};
  }

  static bool is_set_here(const EntityType& type, const std::string& name, int8_t source) {
    if (type.plural == "brokers") return source == (name.empty() ? 3 : 2);
    if (type.plural == "topics") return source == 1;
    if (type.plural == "broker-loggers") return true;
    return source == (type.plural == "groups" ? 8 : 7);
  }

  static std::string config_line(const DescribeConfigsResponse::DescribeConfigsResourceResult& config) {
    std::vector<std::string> synonyms;
    for (const auto& synonym : config.synonyms)
      synonyms.push_back(
          fmt::format("{}:{}={}", source_name(synonym.source), synonym.name, synonym.value.value_or("null")));
    return fmt::format("  {}={} sensitive={} synonyms={{{}}}\n", config.name, config.value.value_or("null"),
                       config.is_sensitive, fmt::join(synonyms, ", "));
  }

  /// Removing what is not set is most likely a slip of the pen: Kafka's tool refuses it, the broker would not.
  Status check_removals(const Entity& entity, int32_t node, const std::vector<std::string>& removed) {
    if (removed.empty()) return {};
    auto answer = client_.call<DescribeConfigsResponse>(node, describe_request(*entity.type, *entity.name), 1);
    if (!answer) return fail(std::move(answer.error()));
    std::set<std::string_view> present;
    for (const auto& result : answer->message.results) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
      for (const auto& config : result.configs) {
        if (is_set_here(*entity.type, *entity.name, config.config_source)) present.insert(config.name);
      }
    }
    std::vector<std::string> absent;
    std::ranges::copy_if(removed, std::back_inserter(absent), [&](const auto& key) { return !present.contains(key); });
    return absent.empty() ? Status() : fail(terse(fmt::format("Invalid config(s): {}", fmt::join(absent, ","))));
  }

  Status alter_resource(const Pairs& pairs) {
    const Entity& entity = entities_.front();
    auto node = node_of(*entity.type, *entity.name);
    if (!node) return fail(std::move(node.error()));
    const std::vector<std::string> removed = removals();
    if (auto present = check_removals(entity, *node, removed); !present) return present;
    IncrementalAlterConfigsRequest request;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = entity.type->resource;
    resource.resource_name = *entity.name;
    for (const auto& [key, value] : pairs) resource.configs.push_back({key, 0, value});
    for (const std::string& key : removed) resource.configs.push_back({key, 1, ""});
    auto answer = client_.call<IncrementalAlterConfigsResponse>(*node, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.responses) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  Status alter_quotas_or_scram(const Pairs& pairs) {
    const std::vector<std::string> removed = removals();
    const bool scram = std::ranges::any_of(pairs, [](const auto& pair) { return scram_number(pair.first) != 0; }) ||
                       std::ranges::any_of(removed, [](const auto& key) { return scram_number(key) != 0; });
    return scram ? alter_scram(pairs, removed) : alter_quotas(pairs, removed);
  }

  Status alter_quotas(const Pairs& pairs, const std::vector<std::string>& removed) {
    AlterClientQuotasRequest request;
    auto& entry = request.entries.emplace_back();
    for (const Entity& entity : entities_) {
      std::optional<std::string_view> name;
      if (!entity.name->empty()) name = *entity.name;
      entry.entity.push_back({entity.type->quota_type, name});
    }
    for (const auto& [key, text] : pairs) {
      const auto value = parse_java_double(text);
      if (!value) return fail(terse(fmt::format("Cannot parse quota configuration value for {}: {}", key, text)));
      entry.ops.push_back({key, *value, false});
    }
    for (const std::string& key : removed) entry.ops.push_back({key, 0, true});
    auto answer = client_.call<AlterClientQuotasResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.entries) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  /// The password of "[iterations=8192,password=secret]". Errors: kInvalidConfig.
  static Status read_scram(const std::string& mechanism, const std::string& text, int32_t& iterations,
                           std::string& password) {
    auto parts = read_pairs(text);
    if (!parts) return fail(std::move(parts.error()));
    iterations = 4096;
    for (const auto& [key, value] : *parts) {
      if (key == "iterations") {
        iterations = static_cast<int32_t>(parse_java_integer(value, 0, INT32_MAX).value_or(0));
      } else if (key == "password") {
        password = value;
      }
    }
    if (password.empty()) return fail(terse(fmt::format("Invalid credential property {}={}", mechanism, "...")));
    if (iterations >= 4096) return {};
    return fail(
        terse(fmt::format("Iterations {} is less than the minimum 4096 required for {}", iterations, mechanism)));
  }

  Status alter_scram(const Pairs& pairs, const std::vector<std::string>& removed) {
    const Entity& entity = entities_.front();
    if (entities_.size() != 1 || entity.type->plural != "users" || entity.name->empty())
      return fail(terse("SCRAM credentials belong to one user: --entity-type users --entity-name NAME"));
    AlterUserScramCredentialsRequest request;
    std::vector<std::string> kept;
    kept.reserve(2 * pairs.size());  // views point into them
    for (const auto& [mechanism, text] : pairs) {
      if (scram_number(mechanism) == 0)
        return fail(
            terse("Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using "
                  "--bootstrap-server."));
      int32_t iterations = 0;
      std::string password;
      if (auto read = read_scram(mechanism, text, iterations, password); !read) return read;
      const EVP_MD* digest = mechanism == "SCRAM-SHA-256" ? ::EVP_sha256() : ::EVP_sha512();
      std::string salt(20, '\0'), salted(static_cast<size_t>(::EVP_MD_get_size(digest)), '\0');
      auto* const salt_bytes = reinterpret_cast<unsigned char*>(salt.data());
      ::RAND_bytes(salt_bytes, static_cast<int>(salt.size()));
      ::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt_bytes, static_cast<int>(salt.size()),
                          iterations, digest, static_cast<int>(salted.size()),
                          reinterpret_cast<unsigned char*>(salted.data()));
      const std::string& kept_salt = kept.emplace_back(std::move(salt));
      const std::string& kept_password = kept.emplace_back(std::move(salted));
      request.upsertions.push_back({*entity.name, scram_number(mechanism), iterations, kept_salt, kept_password});
    }
    for (const std::string& mechanism : removed) request.deletions.push_back({*entity.name, scram_number(mechanism)});
    auto answer = client_.call<AlterUserScramCredentialsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.results) {
      if (result.error_code != 0) return fail(wire_error(result.error_code, result.error_message.value_or("")));
    }
    return {};
  }

  Status describe_quotas() {
    DescribeClientQuotasRequest request;
    for (const Entity& entity : entities_) {
      auto& component = request.components.emplace_back();
      component.entity_type = entity.type->quota_type;
      component.match_type = !entity.name ? 2 : entity.name->empty() ? 1 : 0;
      component.match = std::nullopt;
      if (entity.name && !entity.name->empty()) component.match = *entity.name;
    }
    request.strict = entities_.size() > 1 || entities_.front().type->plural == "ips";
    auto answer = client_.call<DescribeClientQuotasResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    if (answer->message.error_code != 0)
      return fail(wire_error(answer->message.error_code, answer->message.error_message.value_or("")));
    if (answer->message.entries) {
      for (const auto& entry : *answer->message.entries) print_quota(entry);
    }
    const bool users = entities_.size() == 1 && entities_.front().type->plural == "users";
    const bool default_user = entities_.front().name && entities_.front().name->empty();
    return users && !default_user ? describe_scram() : Status{};
  }

  void print_quota(const DescribeClientQuotasResponse::EntryData& entry) {
    const auto word = [](std::string_view type) -> std::string_view {
      return type == "user" ? "user-principal" : type;
    };
    // Users before clients, as Kafka prints them.
    std::vector<std::string> parts;
    for (const std::string_view type : {"user", "client-id", "ip"}) {
      for (const auto& part : entry.entity) {
        if (part.entity_type != type) continue;
        parts.push_back(part.entity_name ? fmt::format("{} '{}'", word(type), *part.entity_name)
                                         : fmt::format("the default {}", word(type)));
      }
    }
    std::vector<std::string> values;
    for (const auto& value : entry.values)
      values.push_back(fmt::format("{}={}", value.key, java_double_text(value.value)));
    io_.print(fmt::format("Quota configs for {} are {}\n", fmt::join(parts, ", "), fmt::join(values, ", ")));
  }

  Status describe_scram() {
    const Entity& entity = entities_.front();
    DescribeUserScramCredentialsRequest request;
    request.users = std::nullopt;
    if (entity.name) request.users.emplace().push_back({*entity.name});
    auto answer = client_.call<DescribeUserScramCredentialsResponse>(WireClient::kAnyBroker, request);
    if (!answer) return fail(std::move(answer.error()));
    for (const auto& result : answer->message.results) {
      if (result.error_code == code_of(KafkaError::kResourceNotFound)) continue;
      if (result.error_code != 0) {
        const Error error = wire_error(result.error_code, result.error_message.value_or(""));
        const std::string name = error.exception.substr(error.exception.rfind('.') + 1);
        io_.print(fmt::format("Error retrieving SCRAM credential configs for user-principal '{}': {}: {}\n",
                              result.user, name, error.message));
        continue;
      }
      std::vector<std::string> credentials;
      for (const auto& info : result.credential_infos)
        credentials.push_back(
            fmt::format("SCRAM-SHA-{}=iterations={}", info.mechanism == 1 ? 256 : 512, info.iterations));
      io_.print(fmt::format("SCRAM credential configs for user-principal '{}' are {}\n", result.user,
                            fmt::join(credentials, ", ")));
    }
    return {};
  }

  const ToolIo& io_;
  const ParsedOptions& options_;
  WireClient& client_;
  const std::vector<Entity> entities_;
};

}  // namespace

int run_configs(const ToolIo& io, ToolArguments arguments) {
  const CommandSpec spec = command();
  const auto options = parse_options(spec, io, arguments);
  if (!options) return options.error();
  if (options->has("alter") == options->has("describe"))
    return usage_error(spec, io, "Command must include exactly one action: --describe, --alter");
  const auto failed = [&](const Error& error) {
    std::string words;
    for (const std::string& word : arguments) words += fmt::format("{}{}", words.empty() ? "" : " ", word);
    // A command line may hold passwords.
    if (words.find("password=") == std::string::npos)
      io.print_error(fmt::format("Error while executing config command with args '{}'\n", words));
    io.print_error(failure_text(error) + "\n");
    return kToolFailed;
  };
  auto entities = read_entities(*options, arguments);
  if (!entities) {
    io.print_error(entities.error().message + "\n");
    return kToolFailed;
  }
  if (options->has("alter") && std::ranges::any_of(*entities, [](const Entity& entity) { return !entity.name; })) {
    io.print_error(
        fmt::format("An entity name must be specified with --alter of {}\n", entities->front().type->plural));
    return kToolFailed;
  }
  auto client = open_admin(io, *options);
  if (!client) return failed(client.error());
  const Status done = ConfigsTool(io, *options, **client, std::move(*entities)).run();
  return done ? kToolOk : failed(done.error());
}

}  // namespace millrace
