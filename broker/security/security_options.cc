#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/security/jaas.h"
#include "broker/security/security.h"

namespace millrace {
namespace {

constexpr std::string_view kPlain = "PLAIN";
constexpr std::array<std::string_view, 4> kAuthorizers = {
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "kafka.security.authorizer.AclAuthorizer",
    "kafka.security.auth.SimpleAclAuthorizer", "millrace.Authorizer"};
constexpr std::string_view kListenerPrefix = "listener.name.";
constexpr std::string_view kJaasSuffix = ".sasl.jaas.config";
constexpr std::string_view kMechanismsKey = "sasl.enabled.mechanisms";
constexpr std::string_view kUserOption = "user_";

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    std::string_view item = text.substr(0, end);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

tl::unexpected<Error> bad(std::string_view key, std::string_view value, std::string_view why) {
  return fail(Error{ErrorCode::kInvalidConfig,
                    fmt::format("Invalid value {} for configuration {}: {}", value, key, why),
                    "org.apache.kafka.common.config.ConfigException"});
}

Expected<std::vector<std::string>> parse_mechanisms(std::string_view key, const std::string& value) {
  auto names = split(value, ',');
  for (std::string& name : names) {
    name = upper(name);
    if (name != kPlain && scram_mechanism(name) == ScramMechanism::kUnknown)
      return bad(key, name, "PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are supported");
  }
  return names;
}

/// `listener.name.<listener>.<mechanism>.sasl.jaas.config`
Status read_users(const std::string& key, const std::string& value, SecurityOptions& options) {
  const std::string_view middle =
      std::string_view(key).substr(kListenerPrefix.size(), key.size() - kListenerPrefix.size() - kJaasSuffix.size());
  const size_t dot = middle.find('.');
  if (dot == std::string_view::npos) return {};
  auto entry = parse_jaas(value);
  if (!entry) return fail(std::move(entry.error()).wrap(fmt::format("{} cannot be read", key)));
  auto& users = options.users[{upper(middle.substr(0, dot)), upper(middle.substr(dot + 1))}];
  for (auto& [option, password] : entry->options) {
    if (option.starts_with(kUserOption)) users[option.substr(kUserOption.size())] = std::move(password);
  }
  return {};
}

Status read_listener_setting(const std::string& key, const std::string& value, SecurityOptions& options) {
  if (key.ends_with(kJaasSuffix)) return read_users(key, value, options);
  if (!key.ends_with(kMechanismsKey)) return {};
  auto mechanisms = parse_mechanisms(key, value);
  if (!mechanisms) return fail(std::move(mechanisms.error()));
  const size_t name_size = key.size() - kListenerPrefix.size() - kMechanismsKey.size() - 1;
  options.listener_mechanisms[upper(key.substr(kListenerPrefix.size(), name_size))] = std::move(*mechanisms);
  return {};
}

Status read_authorizer(const ConfigMap& settings, SecurityOptions& options) {
  const std::string key = "authorizer.class.name";
  const auto found = settings.find(key);
  if (found == settings.end() || found->second.empty()) return {};
  if (std::find(kAuthorizers.begin(), kAuthorizers.end(), found->second) == kAuthorizers.end())
    return bad(key, found->second, fmt::format("use {} or {}", kAuthorizers.front(), kAuthorizers.back()));
  options.authorizer = true;
  return {};
}

}  // namespace

Expected<SecurityOptions> SecurityOptions::parse(const ConfigMap& settings) {
  SecurityOptions options;
  if (auto read = read_authorizer(settings, options); !read) return fail(std::move(read.error()));
  for (const auto& [key, value] : settings) {
    if (key == "allow.everyone.if.no.acl.found") options.allow_everyone_if_no_acl_found = upper(value) == "TRUE";
    if (key == "super.users") {
      for (std::string& user : split(value, ';')) options.super_users.insert(std::move(user));
    }
    if (key == kMechanismsKey) {
      auto mechanisms = parse_mechanisms(key, value);
      if (!mechanisms) return fail(std::move(mechanisms.error()));
      options.sasl_mechanisms = std::move(*mechanisms);
    }
    if (key == "connection.failed.authentication.delay.ms") {
      int64_t delay = -1;
      std::from_chars(value.data(), value.data() + value.size(), delay);
      if (delay < 0) return bad(key, value, "must be a number of milliseconds, 0 or more");
      options.failed_authentication_delay = std::chrono::milliseconds(delay);
    }
    if (key.starts_with(kListenerPrefix)) {
      if (auto read = read_listener_setting(key, value, options); !read) return fail(std::move(read.error()));
    }
  }
  return options;
}

}  // namespace millrace
