#include "connect_client/definition_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <map>

#include "core/properties.h"

namespace millrace::connect {
namespace {

tl::unexpected<Error> wrong(const std::string& from, std::string_view what) {
  return fail(ErrorCode::kInvalidConfig, fmt::format("{} {}", from, what));
}

Status read_settings(const Json& json, const std::string& from, Config& config) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_structured())
      return wrong(from, fmt::format("has a nested value under '{}'; settings are plain texts", key));
    // A null takes a key away in a PATCH; here it says the same as its absence.
    if (!value.is_null()) config[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return {};
}

Status read_initial_state(const Json& json, Definition& definition) {
  definition.initial_state = json.is_string() ? json.get<std::string>() : json.dump();
  for (char& c : definition.initial_state) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const char* known : {"RUNNING", "PAUSED", "STOPPED"}) {
    if (definition.initial_state == known) return {};
  }
  return wrong(definition.from,
               fmt::format("has initial_state {}; it must be RUNNING, PAUSED or STOPPED", json.dump()));
}

Expected<Definition> named(Definition definition) {
  if (definition.name.empty())
    return wrong(definition.from, "has no 'name': every connector needs one, beside its other settings");
  const auto [at, added] = definition.config.try_emplace("name", definition.name);
  if (at->second != definition.name)
    return wrong(definition.from, fmt::format("calls the connector '{}' and in its config '{}'; make them one",
                                              definition.name, at->second));
  return definition;
}

Expected<Definition> definition_of(const Json& json, const std::string& from) {
  Definition definition{{}, {}, {}, from};
  if (!json.is_object()) return wrong(from, "holds something else than connectors: an object of settings is needed");
  const bool wrapped = json.contains("config") && json["config"].is_object();
  if (Status read = read_settings(wrapped ? json["config"] : json, from, definition.config); !read)
    return fail(std::move(read.error()));
  definition.name = text_at(wrapped && json.contains("name") ? json : to_json(definition.config), "name");
  if (wrapped && json.contains("initial_state")) {
    if (Status read = read_initial_state(json["initial_state"], definition); !read)
      return fail(std::move(read.error()));
  }
  return named(std::move(definition));
}

Expected<std::vector<std::string>> files_of(FileSystem& files, const std::string& path) {
  if (path == "-" || !std::filesystem::is_directory(path)) return std::vector<std::string>{path};
  auto names = files.list(path);
  if (!names) return fail(std::move(names.error()));
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    if (name.ends_with(".json") || name.ends_with(".properties")) found.push_back((Path(path) / name).string());
  }
  if (found.empty()) return wrong(path, "is a folder without .json and .properties files");
  return found;
}

}  // namespace

Expected<std::vector<Definition>> parse_definitions(std::string_view text, const std::string& from) {
  std::vector<Definition> definitions;
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool is_json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  if (is_json || from.ends_with(".json")) {
    Json json;
    try {
      json = Json::parse(text);
    } catch (const Json::parse_error& problem) {
      return wrong(from, fmt::format("is not JSON: {}", problem.what()));
    }
    for (const Json& each : json.is_array() ? json : Json::array({json})) {
      auto definition = definition_of(each, from);
      if (!definition) return fail(std::move(definition.error()));
      definitions.push_back(std::move(*definition));
    }
    return definitions;
  }
  auto pairs = parse_properties(text);
  if (!pairs) return fail(std::move(pairs.error()).wrap(fmt::format("cannot read {}", from)));
  Definition definition{{}, {}, {}, from};
  for (auto& [key, value] : *pairs) definition.config[key] = std::move(value);
  if (const auto name = definition.config.find("name"); name != definition.config.end()) definition.name = name->second;
  auto complete = named(std::move(definition));
  if (!complete) return fail(std::move(complete.error()));
  definitions.push_back(std::move(*complete));
  return definitions;
}

Expected<std::vector<Definition>> read_definitions(FileSystem& files, std::istream& in,
                                                   const std::vector<std::string>& paths) {
  std::vector<Definition> all;
  std::map<std::string, std::string> from;
  for (const std::string& path : paths) {
    auto found = files_of(files, path);
    if (!found) return fail(std::move(found.error()));
    for (const std::string& file : *found) {
      auto text = file == "-" ? Expected<std::string>(std::string(std::istreambuf_iterator<char>(in), {}))
                              : files.read_file(file);
      if (!text) return fail(std::move(text.error()));
      auto definitions = parse_definitions(*text, file == "-" ? "standard input" : file);
      if (!definitions) return fail(std::move(definitions.error()));
      for (Definition& definition : *definitions) {
        const auto [at, added] = from.try_emplace(definition.name, definition.from);
        if (!added)
          return wrong(definition.from, fmt::format("defines '{}', and so does {}", definition.name, at->second));
        all.push_back(std::move(definition));
      }
    }
  }
  return all;
}

}  // namespace millrace::connect
