#include "cli/connector_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/properties.h"

namespace millrace {
namespace {

using Json = nlohmann::ordered_json;

tl::unexpected<Error> bad_file(const Path& path, std::string_view what) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("Connector configuration at '{}' {}", path.string(), what));
}

Status read_settings(const Json& json, const Path& path, RawConfig& to) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_structured())
      return bad_file(path, fmt::format("has a nested value under '{}'; settings are plain strings", key));
    if (value.is_null()) {
      to[key] = std::nullopt;
    } else {
      to[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return {};
}

Expected<TargetState> initial_state(const Json& json, const Path& path) {
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  if (text == "RUNNING") return TargetState::kStarted;
  if (text == "PAUSED") return TargetState::kPaused;
  if (text == "STOPPED") return TargetState::kStopped;
  return bad_file(path, fmt::format("has initial_state {}; it must be RUNNING, PAUSED or STOPPED", json.dump()));
}

}  // namespace

Expected<ConfigMap> read_properties_file(FileSystem& files, const Path& path) {
  auto text = files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  auto pairs = parse_properties(*text);
  if (!pairs) return fail(std::move(pairs.error()).wrap(fmt::format("cannot read {}", path.string())));
  ConfigMap settings;
  for (auto& [key, value] : *pairs) settings[std::move(key)] = std::move(value);
  return settings;
}

Expected<ConnectorFile> read_connector_file(FileSystem& files, const Path& path) {
  ConnectorFile file;
  auto text = files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  const Json json = Json::parse(*text, nullptr, false);
  if (json.is_object()) {
    const bool wrapped = json.contains("config") && json["config"].is_object();
    if (auto read = read_settings(wrapped ? json["config"] : json, path, file.config); !read)
      return fail(std::move(read.error()));
    if (wrapped && json.contains("name") && json["name"].is_string())
      file.config.try_emplace("name", json["name"].get<std::string>());
    if (wrapped && json.contains("initial_state")) {
      auto initial = initial_state(json["initial_state"], path);
      if (!initial) return fail(std::move(initial.error()));
      file.initial = *initial;
    }
  } else if (path.extension() == ".json") {
    return bad_file(path, "is not a JSON object; check it with: python3 -m json.tool " + path.string());
  } else {
    auto settings = read_properties_file(files, path);
    if (!settings) return fail(std::move(settings.error()));
    for (auto& [key, value] : *settings) file.config[key] = std::move(value);
  }
  const auto name = file.config.find("name");
  if (name == file.config.end() || !name->second)
    return bad_file(path, "is missing the mandatory 'name' configuration");
  file.name = *name->second;
  return file;
}

}  // namespace millrace
