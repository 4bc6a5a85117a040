#include "connect_client/import_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "connect_client/import_plan.h"

namespace millrace::connect {
namespace {

constexpr auto kStopPatience = std::chrono::seconds(60);

/// Which connectors ran or were paused before --stop-old, by the old cluster's URL and the connector's name.
class Journal {
 public:
  Journal(FileSystem& files, Path path, std::string cluster)
      : files_(files), path_(std::move(path)), cluster_(std::move(cluster)) {}

  Status load() {
    if (!files_.exists(path_)) return {};
    auto text = files_.read_file(path_);
    if (!text) return fail(std::move(text.error()));
    all_ = Json::parse(*text, nullptr, false);
    if (all_.is_object()) return {};
    return fail(ErrorCode::kCorruption, fmt::format("{} is no journal of an import; remove it, or name another file "
                                                    "with --journal",
                                                    path_.string()));
  }
  std::string state_of(const std::string& connector) const { return text_at(all_.value(cluster_, Json()), connector); }
  /// Durable when it returns: the connector is stopped only after that.
  Status note(const std::string& connector, const std::string& state) {
    all_[cluster_][connector] = state;
    return files_.write_file_atomically(path_, all_.dump(2) + "\n");
  }

 private:
  FileSystem& files_;
  Path path_;
  std::string cluster_;
  Json all_ = Json::object();
};

/// One run. `old` and `here` are sessions so that waiting works on both.
struct Import {
  const ImportOptions& options;
  Session& old;
  Session& here;
  Journal& journal;
};

std::string cluster_id(Session& session) {
  auto answer = session.api.connection().call("GET", "/");
  return answer ? text_at(*answer, "kafka_cluster_id") : std::string();
}

Status stop_there(Import& import, ImportPlan& plan) {
  const std::string& name = plan.old.name;
  if (plan.old_state != "STOPPED") {
    if (Status noted = import.journal.note(name, plan.old_state); !noted) return noted;
  }
  if (!plan.moving) return {};
  if (Status stopped = import.old.api.change_state(name, "stop"); !stopped)
    return fail(Error(stopped.error()).wrap(fmt::format("'{}' cannot be stopped in the old cluster", name)));
  if (auto waited = wait_for_state(import.old, name, "STOPPED", kStopPatience); !waited)
    return fail(std::move(waited.error()));
  return refresh_offsets(import.old.api, plan);
}

Status create_here(Import& import, const ImportPlan& plan) {
  if (Status created = import.here.api.create(plan.old.name, plan.old.config, "STOPPED"); !created) return created;
  auto waited = wait_for_state(import.here, plan.old.name, "STOPPED", kStopPatience);
  if (!waited) return fail(std::move(waited.error()));
  return {};
}

/// Sets the offsets and reads them back; does nothing when they are there already, as those of a sink's group are in
/// a worker of the same Kafka cluster.
Status place_here(Import& import, const ImportPlan& plan) {
  const std::string& name = plan.old.name;
  auto before = import.here.api.offsets(name);
  if (!before) return fail(std::move(before.error()));
  if (holds_offsets(*before, plan.offsets)) return {};
  if (auto set = import.here.api.set_offsets(name, plan.offsets); !set)
    return fail(
        std::move(set.error())
            .wrap(fmt::format("'{}' is here now, STOPPED, but its offsets could not be set{}", name,
                              plan.old.type == "sink" ? "; its topics must be here first, then run this again" : "")));
  auto after = import.here.api.offsets(name);
  if (!after) return fail(std::move(after.error()));
  if (holds_offsets(*after, plan.offsets)) return {};
  return fail(ErrorCode::kInternal, fmt::format("the offsets of '{}' are not those that were set: {} instead of {}. It "
                                                "stays STOPPED; see: millrace connectors offsets get {}",
                                                name, after->dump(), plan.offsets.dump(), name));
}

/// Starts what ran there, and says what comes of it. One that still runs there would do its work twice.
Expected<std::string> start_here(Import& import, const ImportPlan& plan) {
  const std::string& name = plan.old.name;
  const std::string noted = import.journal.state_of(name);
  const std::string wanted = plan.old_state == "STOPPED" && !noted.empty() ? noted : plan.old_state;
  if (!import.options.start || wanted == "STOPPED") return "STOPPED";
  if (plan.moving)
    return "STOPPED, since it is not stopped there: use --stop-old, or stop it there, and run this again";
  if (Status done = back_to(import.here, name, wanted); !done) return fail(std::move(done.error()));
  return wanted == "PAUSED" ? "PAUSED" : "resumed";
}

Expected<std::string> take_over(Import& import, ImportPlan& plan) {
  if (import.options.stop_old) {
    if (Status stopped = stop_there(import, plan); !stopped) return fail(stopped.error());
  }
  if (plan.step == ImportStep::kRunningHere) return "not touched: it is not stopped here";
  std::string said = "here already";
  if (plan.step == ImportStep::kCreate) {
    if (Status created = create_here(import, plan); !created) return fail(created.error());
    said = "created";
  }
  if (Status placed = place_here(import, plan); !placed) return fail(placed.error());
  auto state = start_here(import, plan);
  if (!state) return state;
  return fmt::format("{}, {} offset(s){} verified, {}", said, plan.offsets.size(), plan.moving ? " (moving)" : "",
                     *state);
}

Expected<std::vector<ImportPlan>> plan_all(Import& import) {
  auto connectors = import.old.api.connectors();
  if (!connectors) return fail(std::move(connectors.error()));
  const auto& only = import.options.only;
  for (const std::string& name : only) {
    if (!std::ranges::any_of(*connectors, [&](const Connector& each) { return each.name == name; }))
      return fail(ErrorCode::kNotFound, fmt::format("the old cluster has no connector '{}'", name));
  }
  const bool other_kafka = cluster_id(import.old) != cluster_id(import.here);
  std::vector<ImportPlan> plans;
  for (const Connector& connector : *connectors) {
    if (!only.empty() && std::ranges::find(only, connector.name) == only.end()) continue;
    auto plan = plan_import(import.old.api, import.here.api, connector);
    if (!plan) return fail(std::move(plan.error()));
    if (other_kafka && connector.type == "sink" && !plan->offsets.empty())
      plan->warnings.push_back(
          "reads topics of another Kafka cluster than this worker's: its offsets mean the same records here only if "
          "the topics were copied with their offsets");
    plans.push_back(std::move(*plan));
  }
  return plans;
}

int report_plans(Import& import, const std::vector<ImportPlan>& plans) {
  const bool all =
      std::ranges::none_of(plans, [](const ImportPlan& plan) { return plan.step == ImportStep::kRefused; });
  if (import.here.json) {
    Json json = Json::array();
    for (const ImportPlan& plan : plans) json.push_back(plan_json(plan));
    import.here.print_json(json);
    return all ? kOk : kFailed;
  }
  import.here.print(plan_table(plans, import.here.terminal.colour));
  const bool moving = std::ranges::any_of(plans, &ImportPlan::moving);
  if (moving)
    import.here.print(
        "Moving: the connector is not stopped there, so its offsets go on changing; --stop-old stops it first.\n");
  import.here.print("Nothing was changed; --apply does it.\n");
  return all ? kOk : kFailed;
}

int apply_plans(Import& import, std::vector<ImportPlan>& plans) {
  int code = kOk;
  Json results = Json::array();
  for (ImportPlan& plan : plans) {
    Expected<std::string> said = plan.step == ImportStep::kRefused
                                     ? fail(ErrorCode::kConflict, fmt::format("'{}' is not taken over: {}",
                                                                              plan.old.name, plan.problems.front()))
                                     : take_over(import, plan);
    if (!said) {
      code = kFailed;
      print_error(import.here.terminal.err, said.error());
    }
    Json result = plan_json(plan);
    result["ok"] = said.has_value();
    result["result"] = said ? *said : said.error().message;
    results.push_back(std::move(result));
    if (import.here.json) continue;
    for (const std::string& warning : plan.warnings)
      import.here.print_error(fmt::format("{}: warning: {}\n", plan.old.name, warning));
    if (said) import.here.print(fmt::format("{}: {}\n", plan.old.name, *said));
  }
  if (import.here.json) import.here.print_json(results);
  return code;
}

}  // namespace

Expected<int> run_import(const ImportOptions& options, Terminal& terminal) {
  if (!options.apply && (options.start || options.stop_old)) {
    terminal.err << "millrace: --start and --stop-old change something, so they need --apply\n";
    return kUsage;
  }
  auto old_connection = Connection::open(options.old);
  if (!old_connection) return fail(std::move(old_connection.error()));
  auto connection = Connection::open(options.here);
  if (!connection) return fail(std::move(connection.error()));
  Session old_session{terminal, WorkerApi(**old_connection), options.json};
  Session session{terminal, WorkerApi(**connection), options.json};
  if ((*old_connection)->shown() == (*connection)->shown()) {
    terminal.err << "millrace: the old worker and this one are the same; name this one with --to\n";
    return kUsage;
  }
  Journal journal(terminal.files, options.journal, (*old_connection)->shown());
  if (options.apply) {
    if (Status loaded = journal.load(); !loaded) return fail(loaded.error());
  }
  Import import{options, old_session, session, journal};
  auto plans = plan_all(import);
  if (!plans) return fail(std::move(plans.error()));
  return options.apply ? apply_plans(import, *plans) : report_plans(import, *plans);
}

}  // namespace millrace::connect
