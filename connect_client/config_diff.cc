#include "connect_client/config_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace millrace::connect {
namespace {

constexpr std::string_view kHidden = "[hidden]";
constexpr std::string_view kSecretWords[] = {"password",    "passwd",      "passphrase", "secret",
                                             "token",       "apikey",      "api.key",    "credential",
                                             "jaas.config", "private.key", "access.key", "auth.info"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool sounds_secret(const std::string& key) {
  const std::string low = lower(key);
  return std::ranges::any_of(kSecretWords, [&](std::string_view word) { return low.find(word) != std::string::npos; });
}

/// True when the whole value is one variable, which a configuration provider replaces in the worker.
bool is_variable(const std::string& value) {
  return value.starts_with("${") && value.find('}') == value.size() - 1 && value.find(':') != std::string::npos;
}

/// jdbc:mysql://user:secret@host/db?password=secret: both places.
std::string masked_url(std::string value) {
  const size_t scheme = value.find("://");
  if (scheme == std::string::npos) return value;
  const size_t authority_end = std::min(value.find_first_of("/?", scheme + 3), value.size());
  const size_t at = value.rfind('@', authority_end);
  const size_t colon = value.find(':', scheme + 3);
  if (at != std::string::npos && at > scheme && colon < at) value.replace(colon + 1, at - colon - 1, kHidden);
  const std::string low = lower(value);
  const size_t found = low.find("password=");
  if (found == std::string::npos) return value;
  const size_t begin = found + std::string_view("password=").size();
  const size_t end = std::min(value.find_first_of("&;", begin), value.size());
  return value.replace(begin, end - begin, kHidden);
}

}  // namespace

std::vector<ConfigChange> diff(const Config& before, const Config& after) {
  std::vector<ConfigChange> changes;
  for (const auto& [key, value] : before) {
    const auto found = after.find(key);
    if (found == after.end()) {
      changes.push_back({key, value, std::nullopt});
    } else if (found->second != value) {
      changes.push_back({key, value, found->second});
    }
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) changes.push_back({key, std::nullopt, value});
  }
  std::ranges::sort(changes, {}, &ConfigChange::key);
  return changes;
}

std::string shown_value(const std::string& key, const std::string& value, const std::set<std::string>& passwords) {
  if (is_variable(value)) return value;
  if (!value.empty() && (passwords.contains(key) || sounds_secret(key))) return std::string(kHidden);
  return masked_url(value);
}

std::vector<std::string> diff_lines(const std::vector<ConfigChange>& changes, const std::set<std::string>& passwords) {
  std::vector<std::string> lines;
  for (const ConfigChange& change : changes) {
    const auto shown = [&](const std::string& value) { return shown_value(change.key, value, passwords); };
    if (!change.before) {
      lines.push_back(fmt::format("+ {} = {}", change.key, shown(*change.after)));
    } else if (!change.after) {
      lines.push_back(fmt::format("- {} = {}", change.key, shown(*change.before)));
    } else {
      lines.push_back(fmt::format("~ {} = {} → {}", change.key, shown(*change.before), shown(*change.after)));
    }
  }
  return lines;
}

std::set<std::string> providers_of(const Config& config) {
  std::set<std::string> providers;
  for (const auto& [key, value] : config) {
    for (size_t at = value.find("${"); at != std::string::npos; at = value.find("${", at + 2)) {
      const size_t colon = value.find(':', at);
      const size_t end = value.find('}', at);
      // ${topic} and the like, without a colon, are a connector's own placeholders.
      if (colon != std::string::npos && end != std::string::npos && colon < end)
        providers.insert(value.substr(at + 2, colon - at - 2));
    }
  }
  return providers;
}

}  // namespace millrace::connect
