#include "runtime/config_providers.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/java_text.h"
#include "core/properties.h"

extern char** environ;

namespace millrace {

/// One configured provider. Threads: any (immutable).
class ConfigProviders::Provider {
 public:
  virtual ~Provider() = default;
  /// All values under `path`, which is empty for a variable without one. Errors: kInvalidConfig with Kafka's text.
  virtual Expected<ConfigMap> read(const std::string& path) const = 0;
};

namespace {

using Provider = ConfigProviders::Provider;
using ProviderPtr = std::shared_ptr<const Provider>;

tl::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

/// The parameter `allowed.paths`: files outside of these folders are as if they had no values.
class AllowedPaths {
 public:
  static Expected<AllowedPaths> parse(const ConfigMap& params, const FileSystem& files) {
    AllowedPaths allowed;
    const auto given = params.find("allowed.paths");
    if (given == params.end() || java_trim(given->second).empty()) return allowed;
    std::string_view rest = given->second;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const Path path = Path(java_trim(rest.substr(0, comma))).lexically_normal();
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (!path.is_absolute()) return refuse(fmt::format("Path {} is not absolute", path.string()));
      if (!files.exists(path)) return refuse(fmt::format("Path {} does not exist", path.string()));
      allowed.folders_.push_back(path);
    }
    return allowed;
  }

  bool permits(const Path& path) const {
    return folders_.empty() || std::ranges::any_of(folders_, [normal = path.lexically_normal()](const Path& folder) {
             return starts_with(normal, folder);
           });
  }

 private:
  /// Element by element: /a/bc does not lie in /a/b.
  static bool starts_with(const Path& path, const Path& folder) {
    auto at = path.begin();
    for (const Path& element : folder) {
      if (element.empty()) continue;  // what a slash at the end leaves
      if (at == path.end() || *at != element) return false;
      ++at;
    }
    return true;
  }

  std::vector<Path> folders_;  // empty = everywhere
};

/// `${file:/path/of.properties:key}`
class FileProvider final : public Provider {
 public:
  FileProvider(FileSystem& files, AllowedPaths allowed) : files_(files), allowed_(std::move(allowed)) {}

  Expected<ConfigMap> read(const std::string& path) const override {
    if (path.empty() || !allowed_.permits(path)) return ConfigMap();
    auto text = files_.read_file(path);
    if (!text) return unreadable(path, std::move(text.error()));
    auto pairs = parse_properties(*text);
    if (!pairs) return unreadable(path, std::move(pairs.error()));
    ConfigMap values;
    for (auto& [key, value] : *pairs) values.insert_or_assign(std::move(key), std::move(value));
    return values;
  }

 private:
  static tl::unexpected<Error> unreadable(const std::string& path, Error cause) {
    return fail(
        std::move(cause).wrap(ErrorCode::kInvalidConfig, fmt::format("Could not read properties from file {}", path)));
  }

  FileSystem& files_;
  AllowedPaths allowed_;
};

/// `${directory:/path:name}`: each file of a folder is a value, named after the file.
class DirectoryProvider final : public Provider {
 public:
  DirectoryProvider(FileSystem& files, AllowedPaths allowed) : files_(files), allowed_(std::move(allowed)) {}

  Expected<ConfigMap> read(const std::string& path) const override {
    std::error_code error;
    if (path.empty() || !allowed_.permits(path) || !std::filesystem::is_directory(path, error)) return ConfigMap();
    const auto names = files_.list(path);
    if (!names) return refuse(fmt::format("Could not list directory {}", path));
    ConfigMap values;
    for (const std::string& name : *names) {
      const Path file = Path(path) / name;
      if (!std::filesystem::is_regular_file(file, error)) continue;
      auto text = files_.read_file(file);
      if (!text) return refuse(fmt::format("Could not read file {} for property {}", file.string(), name));
      values.emplace(name, std::move(*text));
    }
    return values;
  }

 private:
  FileSystem& files_;
  AllowedPaths allowed_;
};

/// `${env:NAME}`: the environment as it was when the worker started.
class EnvironmentProvider final : public Provider {
 public:
  static Expected<ProviderPtr> create(const ConfigMap& params) {
    const auto given = params.find("allowlist.pattern");
    RE2::Options quiet;
    quiet.set_log_errors(false);
    const RE2 allowed(given == params.end() ? ".*" : given->second, quiet);
    if (!allowed.ok()) {
      return refuse(
          invalid_config_value("allowlist.pattern", given->second, fmt::format("Invalid regex: {}", allowed.error())));
    }
    auto provider = std::make_shared<EnvironmentProvider>();
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
      const std::string_view entry = *each;
      const size_t equals = entry.find('=');
      if (equals == entry.npos || !RE2::FullMatch(entry.substr(0, equals), allowed)) continue;
      provider->values_.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return provider;
  }

  Expected<ConfigMap> read(const std::string& path) const override {
    if (path.empty()) return values_;
    return refuse(fmt::format("Path is not supported for EnvVarConfigProvider, invalid value '{}'", path));
  }

 private:
  ConfigMap values_;
};

ConfigMap below(const ConfigMap& settings, const std::string& prefix) {
  ConfigMap found;
  for (auto at = settings.lower_bound(prefix); at != settings.end() && at->first.starts_with(prefix); ++at)
    found.emplace(at->first.substr(prefix.size()), at->second);
  return found;
}

/// Null when no provider has this class.
Expected<ProviderPtr> make_provider(std::string_view class_name, const ConfigMap& params, FileSystem& files) {
  constexpr std::string_view kPackage = "org.apache.kafka.common.config.provider.";
  if (class_name.starts_with(kPackage)) class_name.remove_prefix(kPackage.size());
  if (class_name == "EnvVarConfigProvider") return EnvironmentProvider::create(params);
  const bool file = class_name == "FileConfigProvider";
  if (!file && class_name != "DirectoryConfigProvider") return ProviderPtr();
  auto allowed = AllowedPaths::parse(params, files);
  if (!allowed) return fail(std::move(allowed.error()));
  if (file) return std::make_shared<FileProvider>(files, std::move(*allowed));
  return std::make_shared<DirectoryProvider>(files, std::move(*allowed));
}

/// What Kafka's \$\{([^}]*?):(([^}]*?):)?([^}]*?)\} finds in a text.
struct Variable {
  size_t begin, end;  ///< in the text
  std::string provider, path, key;
};

std::optional<Variable> next_variable(std::string_view text, size_t from) {
  for (size_t begin = text.find("${", from); begin != text.npos; begin = text.find("${", begin + 1)) {
    const size_t close = text.find('}', begin);
    if (close == text.npos) return {};
    const std::string_view inner = text.substr(begin + 2, close - begin - 2);
    const size_t first = inner.find(':');
    if (first == inner.npos) continue;
    const size_t second = inner.find(':', first + 1);
    const bool has_path = second != inner.npos;
    return Variable{begin, close + 1, std::string(inner.substr(0, first)),
                    std::string(has_path ? inner.substr(first + 1, second - first - 1) : ""),
                    std::string(inner.substr((has_path ? second : first) + 1))};
  }
  return {};
}

/// The values of one resolve(): each source is read once.
class Reading {
 public:
  using Providers = std::map<std::string, ProviderPtr, std::less<>>;
  explicit Reading(const Providers& providers) : providers_(providers) {}

  Expected<std::string> replace(const std::string& text) {
    std::string result;
    size_t done = 0;
    for (auto variable = next_variable(text, 0); variable; variable = next_variable(text, variable->end)) {
      auto value = find(*variable);
      if (!value) return fail(std::move(value.error()));
      result.append(text, done, (*value ? variable->begin : variable->end) - done);
      if (*value) result += **value;
      done = variable->end;
    }
    return result.append(text, done);
  }

 private:
  Expected<const std::string*> find(const Variable& variable) {
    const auto provider = providers_.find(variable.provider);
    if (provider == providers_.end()) return nullptr;
    const auto source = std::pair(variable.provider, variable.path);
    auto known = values_.find(source);
    if (known == values_.end()) {
      auto read = provider->second->read(variable.path);
      if (!read) return fail(std::move(read.error()));
      known = values_.emplace(source, std::move(*read)).first;
    }
    const auto value = known->second.find(variable.key);
    return value == known->second.end() ? nullptr : &value->second;
  }

  const Providers& providers_;
  std::map<std::pair<std::string, std::string>, ConfigMap> values_;
};

}  // namespace

Expected<ConfigProviders> ConfigProviders::create(const ConfigMap& worker_settings, FileSystem& files) {
  ConfigProviders all;
  const auto names = worker_settings.find("config.providers");
  if (names == worker_settings.end()) return all;
  std::string_view rest = names->second;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string name(java_trim(rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::string prefix = fmt::format("config.providers.{}.", name);
    const auto class_setting = worker_settings.find(prefix + "class");
    if (name.empty() || class_setting == worker_settings.end()) continue;  // as in Kafka: its variables stay
    const std::string class_name(java_trim(class_setting->second));
    auto provider = make_provider(class_name, below(worker_settings, prefix + "param."), files);
    if (!provider) return fail(std::move(provider.error()));
    if (*provider == nullptr) {
      return refuse(
          invalid_config_value(prefix + "class", class_name, fmt::format("Class {} could not be found.", class_name)));
    }
    all.providers_.emplace(name, std::move(*provider));
  }
  return all;
}

Expected<ConfigMap> ConfigProviders::resolve(const ConfigMap& settings) const {
  if (providers_.empty()) return settings;
  Reading reading(providers_);
  ConfigMap resolved;
  for (const auto& [key, value] : settings) {
    auto text = reading.replace(value);
    if (!text) return fail(std::move(text.error()));
    resolved.emplace(key, std::move(*text));
  }
  return resolved;
}

Expected<RawConfig> ConfigProviders::resolve(const RawConfig& settings) const {
  if (providers_.empty()) return settings;
  Reading reading(providers_);
  RawConfig resolved;
  for (const auto& [key, value] : settings) {
    if (!value) {
      resolved.emplace(key, std::nullopt);
      continue;
    }
    auto text = reading.replace(*value);
    if (!text) return fail(std::move(text.error()));
    resolved.emplace(key, std::move(*text));
  }
  return resolved;
}

}  // namespace millrace
