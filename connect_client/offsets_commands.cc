// millrace connectors offsets get, set, reset.
#include <fmt/format.h>

#include <iterator>

#include "connect_client/command.h"
#include "connect_client/offsets_dump.h"
#include "connect_client/text.h"

namespace millrace::connect {
namespace {

constexpr auto kStopPatience = std::chrono::seconds(60);

struct GetOptions {
  std::string name;
};

struct ChangeOptions {
  std::string name;
  std::string file;
  bool stop = false;
  bool yes = false;
};

/// {"filename":"a","b":1} as filename=a, b=1; deeper values stay JSON.
std::string pairs_text(const Json& json) {
  if (!json.is_object()) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items())
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key,
                        value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

Expected<int> get(Session& session, const GetOptions& options) {
  auto offsets = session.api.offsets(options.name);
  if (!offsets) return fail(std::move(offsets.error()));
  if (session.json) {
    session.print_json({{"offsets", *offsets}});
    return kOk;
  }
  if (offsets->empty()) {
    session.print(fmt::format("{} has no stored offsets.\n", options.name));
    return kOk;
  }
  Table table({"PARTITION", "OFFSET"});
  for (const Json& each : *offsets)
    table.add({pairs_text(each.value("partition", Json())), pairs_text(each.value("offset", Json()))});
  session.print(table.text());
  return kOk;
}

/// The list to set: {"offsets":[…]} as `get --json` prints it, the list alone, or those of `name` in a dump of an
/// offset topic.
Expected<Json> read_offsets(Session& session, const std::string& name, const std::string& file) {
  auto text = file == "-" ? Expected<std::string>(std::string(std::istreambuf_iterator<char>(session.terminal.in), {}))
                          : session.terminal.files.read_file(file);
  if (!text) return fail(std::move(text.error()));
  if (auto dumped = offsets_of_dump(*text, name)) {
    if (!dumped->empty()) return std::move(*dumped);
    return fail(ErrorCode::kNotFound, fmt::format("the dump of the offset topic holds no offsets of '{}'", name));
  }
  Json json = Json::parse(*text, nullptr, false);
  if (json.is_object() && json.contains("offsets")) json = Json(json["offsets"]);
  if (!json.is_array() || json.empty())
    return fail(
        ErrorCode::kInvalidConfig,
        fmt::format(
            "{} holds no offsets; it must look like what `millrace connectors offsets get NAME --json` "
            "prints: {{\"offsets\":[{{\"partition\":{{…}},\"offset\":{{…}}}}]}}, or like kafka-console-consumer's "
            "dump of the offset topic with print.key=true",
            file == "-" ? "standard input" : file));
  return json;
}

/// Stops the connector if it may, does `act`, and puts the connector back into the state it had, also after a failure.
template <class Act>
Expected<int> while_stopped(Session& session, const ChangeOptions& options, Act act) {
  auto before = stopped(session, options.name, options.stop, kStopPatience);
  if (!before) return fail(std::move(before.error()));
  Expected<std::string> said = act();
  const Status back = options.stop ? back_to(session, options.name, *before) : Status();
  if (!said) return fail(std::move(said.error()));
  if (!back)
    return fail(
        Error(back.error()).wrap(fmt::format("the offsets are changed, but '{}' is still STOPPED", options.name)));
  if (session.json) {
    session.print_json({{"name", options.name}, {"message", *said}});
  } else {
    session.print(fmt::format("{}: {}\n", options.name, *said));
  }
  return kOk;
}

Expected<int> set(Session& session, const ChangeOptions& options) {
  auto offsets = read_offsets(session, options.name, options.file);
  if (!offsets) return fail(std::move(offsets.error()));
  return while_stopped(session, options, [&] { return session.api.set_offsets(options.name, *offsets); });
}

Expected<int> reset(Session& session, const ChangeOptions& options) {
  if (!options.yes) {
    if (!session.terminal.can_ask) {
      session.print_error(
          "millrace: resetting offsets makes the connector begin anew; say --yes when nobody can be asked\n");
      return kUsage;
    }
    session.print_error(fmt::format("Forget all offsets of '{}', so that it begins anew? [y/N] ", options.name));
    std::string answer;
    std::getline(session.terminal.in, answer);
    if (answer != "y" && answer != "Y" && answer != "yes") {
      session.print_error("Nothing was changed.\n");
      return kFailed;
    }
  }
  return while_stopped(session, options, [&] { return session.api.reset_offsets(options.name); });
}

}  // namespace

void add_offsets_commands(CLI::App& app, Run& chosen) {
  CLI::App* offsets = app.add_subcommand("offsets", "Where a connector has got to: get, set, reset");
  offsets->require_subcommand(1);
  offsets->fallthrough();
  auto [get_command, get_options] = add_command<GetOptions>(*offsets, chosen, "get", "Show the stored offsets", get);
  get_command->add_option("NAME", get_options->name, "Connector")->required();
  auto [set_command, set_options] = add_command<ChangeOptions>(
      *offsets, chosen, "set", "Set offsets of partitions; an offset of null forgets that partition", set);
  set_command->add_option("NAME", set_options->name, "Connector")->required();
  set_command
      ->add_option("FILE", set_options->file,
                   "JSON as `get --json` prints it, or a dump of an offset topic; - for standard input")
      ->required();
  auto [reset_command, reset_options] =
      add_command<ChangeOptions>(*offsets, chosen, "reset", "Forget all offsets, so that it begins anew", reset);
  reset_command->add_option("NAME", reset_options->name, "Connector")->required();
  reset_command->add_flag("--yes,-y", reset_options->yes, "Do not ask");
  for (auto [command, options] : {std::pair(set_command, set_options), std::pair(reset_command, reset_options)})
    command->add_flag("--stop", options->stop, "Stop the connector for it, and put it back afterwards");
}

}  // namespace millrace::connect
