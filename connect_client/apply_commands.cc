// millrace connectors validate and apply: connectors as files say.
#include <fmt/format.h>

#include "connect_client/command.h"
#include "connect_client/config_diff.h"
#include "connect_client/definition_files.h"

namespace millrace::connect {
namespace {

struct ValidateOptions {
  std::vector<std::string> files;
};

struct ApplyOptions {
  std::vector<std::string> files;
  bool dry_run = false;
  bool wait = false;
  double wait_timeout_s = 60;
};

std::string problem_lines(const std::vector<ConfigProblem>& problems) {
  std::string lines;
  for (const ConfigProblem& problem : problems) lines += fmt::format("\n  {}: {}", problem.key, problem.message);
  return lines;
}

Json problems_json(const std::vector<ConfigProblem>& problems) {
  Json all = Json::array();
  for (const ConfigProblem& problem : problems) all.push_back({{"key", problem.key}, {"error", problem.message}});
  return all;
}

Expected<std::vector<Definition>> read(Session& session, const std::vector<std::string>& files) {
  return read_definitions(session.terminal.files, session.terminal.in, files);
}

Expected<int> validate(Session& session, const ValidateOptions& options) {
  auto definitions = read(session, options.files);
  if (!definitions) return fail(std::move(definitions.error()));
  Json results = Json::array();
  int code = kOk;
  for (const Definition& definition : *definitions) {
    auto problems = session.api.validate(definition.config);
    if (!problems && problems.error().code != ErrorCode::kNotFound) return fail(std::move(problems.error()));
    if (!problems) problems = std::vector<ConfigProblem>{{"connector.class", problems.error().message}};
    if (!problems->empty()) code = kFailed;
    results.push_back({{"name", definition.name}, {"errors", problems_json(*problems)}});
    if (session.json) continue;
    session.print(fmt::format("{}: {}{}\n", definition.name,
                              problems->empty() ? "valid" : fmt::format("{} error(s)", problems->size()),
                              problem_lines(*problems)));
  }
  if (session.json) session.print_json(results);
  return code;
}

/// Keys that the connector's class calls passwords; none when the worker does not tell.
std::set<std::string> passwords_of(Session& session, const Config& config) {
  std::set<std::string> passwords;
  const auto found = config.find("connector.class");
  if (found == config.end()) return passwords;
  auto definitions =
      session.api.connection().call("GET", "/connector-plugins/" + encode_segment(found->second) + "/config");
  if (!definitions || !definitions->is_array()) return passwords;
  for (const Json& definition : *definitions) {
    if (text_at(definition, "type") == "PASSWORD") passwords.insert(text_at(definition, "name"));
  }
  return passwords;
}

/// A worker's refusal, with the errors at their keys instead of its own list of texts.
Error refusal(Session& session, const Definition& definition, Error error) {
  if (error.code != ErrorCode::kInvalidConfig && error.code != ErrorCode::kInternal)
    return std::move(error).wrap(fmt::format("'{}' ({}) was not applied", definition.name, definition.from));
  auto problems = session.api.validate(definition.config);
  if (!problems) error = std::move(problems.error());
  const bool keyed = problems && !problems->empty();
  if (!keyed) return std::move(error).wrap(fmt::format("'{}' ({}) was not applied", definition.name, definition.from));
  return {ErrorCode::kInvalidConfig,
          fmt::format("'{}' ({}) has {} error(s):{}", definition.name, definition.from, problems->size(),
                      problem_lines(*problems)),
          {},
          {},
          {}};
}

enum class Outcome { kCreated, kUpdated, kUnchanged };

struct Applied {
  Outcome outcome = Outcome::kUnchanged;
  std::vector<ConfigChange> changes = {};
};

std::string_view outcome_word(Outcome outcome, bool dry_run) {
  switch (outcome) {
    case Outcome::kCreated:
      return dry_run ? "would be created" : "created";
    case Outcome::kUpdated:
      return dry_run ? "would be updated" : "updated";
    default:
      return "unchanged";
  }
}

Expected<Applied> apply_one(Session& session, const Definition& definition, bool dry_run) {
  auto current = session.api.find_config(definition.name);
  if (!current) return fail(std::move(current.error()));
  Applied applied;
  applied.changes = diff(current->value_or(Config()), definition.config);
  applied.outcome = !*current ? Outcome::kCreated : applied.changes.empty() ? Outcome::kUnchanged : Outcome::kUpdated;
  if (applied.outcome == Outcome::kUnchanged) return applied;
  if (dry_run) {
    auto problems = session.api.validate(definition.config);
    if (problems && problems->empty()) return applied;
    return fail(refusal(session, definition,
                        problems ? Error{ErrorCode::kInvalidConfig, "it is not valid", {}, {}, {}} : problems.error()));
  }
  const Status done = applied.outcome == Outcome::kCreated
                          ? session.api.create(definition.name, definition.config, definition.initial_state)
                          : session.api.update(definition.name, definition.config);
  if (!done) return fail(refusal(session, definition, done.error()));
  return applied;
}

void print_applied(Session& session, const Definition& definition, const Applied& applied, bool dry_run) {
  std::string keys;
  for (const ConfigChange& change : applied.changes) keys += (keys.empty() ? "" : ", ") + change.key;
  const bool names_keys = applied.outcome == Outcome::kUpdated && !dry_run;
  session.print(fmt::format("{}: {}{}{}\n", definition.name, outcome_word(applied.outcome, dry_run),
                            names_keys ? ": " : "", names_keys ? keys : ""));
  if (!dry_run) return;
  for (const std::string& line : diff_lines(applied.changes, passwords_of(session, definition.config)))
    session.print("    " + line + "\n");
}

Json applied_json(Session& session, const Definition& definition, const Applied& applied, bool dry_run) {
  Json changed = Json::array();
  const auto passwords = dry_run ? passwords_of(session, definition.config) : std::set<std::string>();
  for (const ConfigChange& change : applied.changes) {
    Json json{{"key", change.key}};
    const auto put = [&](const char* member, const std::optional<std::string>& value) {
      if (dry_run) json[member] = value ? Json(shown_value(change.key, *value, passwords)) : Json();
    };
    put("before", change.before);
    put("after", change.after);
    changed.push_back(std::move(json));
  }
  return {{"name", definition.name}, {"result", outcome_word(applied.outcome, dry_run)}, {"changes", changed}};
}

/// A connector that is meant to rest is not waited for.
Status wait_until_it_runs(Session& session, const Definition& definition, double timeout_s) {
  const std::string wanted = definition.initial_state.empty() ? "RUNNING" : definition.initial_state;
  auto status = session.api.status(definition.name);
  if (status && wanted == "RUNNING" && (status->self.state == "PAUSED" || status->self.state == "STOPPED")) {
    session.print_error(fmt::format("{0}: it is {1}; to start it: millrace connectors resume {0}\n", definition.name,
                                    status->self.state));
    return {};
  }
  if (wanted != "RUNNING" && status && status->self.state != wanted) return {};
  auto waited = wait_for_state(session, definition.name, wanted, seconds(timeout_s));
  if (!waited) return fail(std::move(waited.error()));
  if (!session.json) session.print(fmt::format("{}: {}\n", definition.name, wanted));
  return {};
}

Expected<int> apply(Session& session, const ApplyOptions& options) {
  auto definitions = read(session, options.files);
  if (!definitions) return fail(std::move(definitions.error()));
  int code = kOk;
  Json results = Json::array();
  std::vector<const Definition*> done;
  for (const Definition& definition : *definitions) {
    auto applied = apply_one(session, definition, options.dry_run);
    if (!applied) {
      // The others of a folder do not suffer for it, unless nobody answers at all.
      if (applied.error().code == ErrorCode::kUnavailable) return fail(std::move(applied.error()));
      print_error(session.terminal.err, applied.error());
      results.push_back({{"name", definition.name}, {"result", "failed"}, {"error", applied.error().message}});
      code = kFailed;
      continue;
    }
    done.push_back(&definition);
    if (session.json) {
      results.push_back(applied_json(session, definition, *applied, options.dry_run));
    } else {
      print_applied(session, definition, *applied, options.dry_run);
    }
  }
  if (session.json) session.print_json(results);
  if (!options.wait || options.dry_run) return code;
  for (const Definition* definition : done) {
    if (Status waited = wait_until_it_runs(session, *definition, options.wait_timeout_s); !waited) {
      print_error(session.terminal.err, waited.error());
      code = kFailed;
    }
  }
  return code;
}

}  // namespace

void add_apply_commands(CLI::App& app, Run& chosen) {
  auto [validate_command, validate_options] = add_command<ValidateOptions>(
      app, chosen, "validate", "Let the worker check connector files without creating anything", validate);
  validate_command->add_option("FILE", validate_options->files, "Files, folders, or - for standard input")->required();
  auto [apply_command, apply_options] = add_command<ApplyOptions>(
      app, chosen, "apply", "Create or update connectors from files; what is the same already is left alone", apply);
  apply_command
      ->add_option(
          "-f,--file", apply_options->files,
          "A .properties or .json file (flat, or with name, config, initial_state), a folder, or -; repeatable")
      ->required();
  apply_command->add_flag("--dry-run", apply_options->dry_run, "Only show what would change");
  apply_command->add_flag("--wait", apply_options->wait, "Wait until each one runs, or say why it does not");
  apply_command->add_option("--wait-timeout", apply_options->wait_timeout_s, "Seconds that --wait waits")
      ->capture_default_str();
}

}  // namespace millrace::connect
