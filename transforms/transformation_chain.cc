#include "transforms/transformation_chain.h"

#include <fmt/format.h>

#include "core/java_text.h"
#include "transforms/options.h"

namespace millrace {
namespace {

constexpr std::string_view kConnectException = "org.apache.kafka.connect.errors.ConnectException";

tl::unexpected<Error> invalid(std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); }

/// Connect wraps whatever fails while it builds the stages, and repeats it in its own message.
tl::unexpected<Error> wrapped(Error cause) {
  std::string text = error_trace(cause);
  text = text.substr(0, text.find("Caused by: "));
  while (text.ends_with('\n')) text.pop_back();
  Error outer{ErrorCode::kInvalidConfig, std::move(text), std::string(kConnectException), {}, {}};
  outer.cause.push_back(std::move(cause));
  return fail(std::move(outer));
}

const std::string* find_setting(const ConfigMap& config, const std::string& key) {
  const auto found = config.find(key);
  return found == config.end() ? nullptr : &found->second;
}

ConfigMap without_prefix(const ConfigMap& config, std::string_view prefix) {
  ConfigMap settings;
  for (auto it = config.lower_bound(std::string(prefix)); it != config.end() && it->first.starts_with(prefix); ++it)
    settings[it->first.substr(prefix.size())] = it->second;
  return settings;
}

Expected<std::vector<std::string>> aliases(const ConfigMap& config, std::string_view key) {
  static const ConfigDef def = [] {
    const auto list = [](std::string name) {
      return ConfigKey{.name = std::move(name),
                       .type = ConfigType::kList,
                       .default_value = "",
                       .validator = validators::unique_list()};
    };
    return smt::make_options({list("transforms"), list("predicates")});
  }();
  auto parsed = def.parse(config);
  if (!parsed) return fail(std::move(parsed.error()));
  return parsed->list(key);
}

/// Why `name` is no class of the wanted sort.
std::string no_such_class(const std::string& key, const std::string& given, std::string_view sort) {
  const std::string name(java_trim(given));
  const auto* transformation = find_transformation(name);
  const auto* predicate = find_predicate(name);
  if (transformation != nullptr || predicate != nullptr) {
    return fmt::format("Class class {} does not implement the {} interface",
                       transformation != nullptr ? transformation->name : predicate->name, sort);
  }
  const auto *of_value = find_transformation(name + "$Value"), *of_key = find_transformation(name + "$Key");
  if (of_value != nullptr && of_key != nullptr) {
    return fmt::format("This class is abstract and cannot be created. Did you mean {}, {}?", of_value->name,
                       of_key->name);
  }
  return invalid_config_value(key, given, fmt::format("Class {} could not be found.", given));
}

/// The class that `<prefix>type` names; `find` looks it up, `sort` is Transformation or Predicate. Its options are
/// checked too, as Connect does before it builds the first stage.
template <class Class>
Expected<const Class*> checked_class(const ConfigMap& config, const std::string& prefix, std::string_view sort,
                                     const Class* (*find)(std::string_view)) {
  const std::string key = prefix + "type";
  const std::string* given = find_setting(config, key);
  if (given == nullptr) return invalid(invalid_config_value(key, {}, fmt::format("Not a {}", sort)));
  const Class* found = find(java_trim(*given));
  if (found == nullptr) return invalid(no_such_class(key, *given, sort));
  const ConfigMap settings = without_prefix(config, prefix);
  for (const ConfigKey& option : found->options().keys()) {
    if (option.required() && !settings.contains(option.name)) {
      return invalid(
          fmt::format("Missing required configuration \"{}{}\" which has no default value.", prefix, option.name));
    }
  }
  if (auto parsed = found->options().parse(settings); !parsed) return fail(std::move(parsed.error()));
  return found;
}

Status check_negate(const ConfigMap& config, const std::string& prefix) {
  const std::string* negate = find_setting(config, prefix + "negate");
  if (negate == nullptr) return {};
  if (!config.contains(prefix + "predicate")) {
    return invalid(fmt::format(
        "Config '{0}negate' was provided but there is no config '{0}predicate' defining a predicate to be negated.",
        prefix));
  }
  static const ConfigDef def = smt::make_options({});
  auto parsed = def.parse_value(prefix + "negate", *negate, ConfigType::kBoolean);
  if (!parsed) return fail(std::move(parsed.error()));
  return {};
}

/// Boolean.parseBoolean, which does not trim: " true " passes the check above and means false.
bool java_boolean(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text == "true";
}

bool listed(const std::vector<std::string>& names, const std::string& name) {
  for (const std::string& one : names) {
    if (one == name) return true;
  }
  return false;
}

}  // namespace

Expected<TransformationChain> TransformationChain::create(const ConfigMap& config) {
  const auto names = aliases(config, "transforms"), predicates = aliases(config, "predicates");
  if (!names) return fail(names.error());
  if (!predicates) return fail(predicates.error());

  std::vector<const TransformationClass*> classes;
  for (const std::string& name : *names) {
    const std::string prefix = "transforms." + name + ".";
    auto found = checked_class(config, prefix, "Transformation", find_transformation);
    if (!found) return fail(std::move(found.error()));
    if (auto status = check_negate(config, prefix); !status) return fail(std::move(status.error()));
    classes.push_back(*found);
  }
  for (const std::string& name : *predicates) {
    auto found = checked_class(config, "predicates." + name + ".", "Predicate", find_predicate);
    if (!found) return fail(std::move(found.error()));
  }

  TransformationChain chain;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::string prefix = "transforms." + (*names)[i] + ".";
    Stage stage{classes[i]->make(), classes[i]->name, nullptr, {}, false};
    if (auto status = stage.transformation->configure(without_prefix(config, prefix)); !status)
      return wrapped(std::move(status.error()));
    if (const std::string* given = find_setting(config, prefix + "predicate")) {
      const std::string predicate_prefix = "predicates." + *given + ".";
      if (!listed(*predicates, *given)) {
        return wrapped(
            {ErrorCode::kInvalidConfig, fmt::format("Unknown configuration '{}type'", predicate_prefix), {}, {}, {}});
      }
      const auto* found = find_predicate(java_trim(config.at(predicate_prefix + "type")));
      stage.predicate = found->make();
      stage.predicate_class = found->name;
      if (auto status = stage.predicate->configure(without_prefix(config, predicate_prefix)); !status)
        return wrapped(std::move(status.error()));
      const std::string* negate = find_setting(config, prefix + "negate");
      stage.negate = negate != nullptr && java_boolean(*negate);
    }
    chain.stages_.push_back(std::move(stage));
  }
  return chain;
}

Expected<bool> TransformationChain::apply(ConnectRecord& record, Arena& arena) {
  failed_class_ = {};
  for (Stage& stage : stages_) {
    if (stage.predicate != nullptr) {
      auto holds = stage.predicate->test(record);
      if (!holds) {
        failed_class_ = stage.predicate_class;
        return fail(std::move(holds.error()));
      }
      if (*holds == stage.negate) continue;
    }
    auto kept = stage.transformation->apply(record, arena);
    if (!kept) failed_class_ = stage.class_name;
    if (!kept || !*kept) return kept;
  }
  return true;
}

void TransformationChain::new_batch() {
  for (Stage& stage : stages_) stage.transformation->new_batch();
}

}  // namespace millrace
