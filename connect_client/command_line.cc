#include "connect_client/command_line.h"

namespace millrace::connect {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 failed (the worker does not answer, refuses, or something is not as wanted), 2 wrong use.";

void add_connection_options(CLI::App& command, const std::string& url_option, ConnectionOptions& connection,
                            bool& json) {
  command.add_option(url_option, connection.urls, "The worker; several, comma-separated, are tried in order")
      ->envname("MILLRACE_URL")
      ->capture_default_str();
  command.add_option("--user", connection.user, "User for basic authentication")->envname("MILLRACE_USER");
  command.add_option("--password", connection.password, "Its password; others see it in the list of processes")
      ->envname("MILLRACE_PASSWORD");
  command.add_option("--password-file", connection.password_file, "File whose first line is the password");
  command.add_option("--ca", connection.ca, "PEM file of the authorities that https workers are checked against");
  command.add_option("--cert", connection.certificate, "PEM file of a client certificate");
  command.add_option("--key", connection.key, "PEM file of its private key");
  command.add_option("--timeout", connection.timeout_s, "Seconds to wait for an answer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--json", json, "Output for machines");
}

}  // namespace

void CommandLine::add_import() {
  CLI::App* import = app.add_subcommand(
      "import",
      "Take over the connectors of a running Connect cluster: configurations, states, offsets. Shows what would be "
      "done; --apply does it. The old cluster is only read, unless --stop-old is given.");
  import->footer(kExitCodes);
  import->add_option("OLD", import_options.old.urls, "URL of a worker of the old cluster")->required();
  add_connection_options(*import, "--to,--url", import_options.here, import_options.json);
  import->add_option("--only", import_options.only, "Only these connectors");
  import->add_flag("--apply", import_options.apply, "Create the connectors here, STOPPED, and set their offsets");
  import->add_flag("--start", import_options.start,
                   "With --apply: then resume those that ran in the old cluster and are stopped there");
  import->add_flag("--stop-old", import_options.stop_old,
                   "With --apply: stop the connectors in the old cluster first, so that their offsets are final");
  import
      ->add_option("--journal", import_options.journal,
                   "File that keeps the states before --stop-old, for a second run")
      ->capture_default_str();
  import->add_option("--old-user", import_options.old.user, "User in the old cluster")->envname("MILLRACE_OLD_USER");
  import->add_option("--old-password", import_options.old.password, "Its password")->envname("MILLRACE_OLD_PASSWORD");
  import->add_option("--old-password-file", import_options.old.password_file, "File whose first line is the password");
  import->add_option("--old-ca", import_options.old.ca, "PEM file of the old cluster's authorities");
  import->add_option("--old-cert", import_options.old.certificate, "PEM file of a client certificate");
  import->add_option("--old-key", import_options.old.key, "PEM file of its private key");
}

CommandLine::CommandLine() : app("Connectors of a running worker.", "millrace") {
  app.require_subcommand(1);
  CLI::App* connectors = app.add_subcommand(
      "connectors", "List, apply, watch and repair the connectors of a running worker, also one of Apache Kafka.");
  connectors->require_subcommand(1);
  connectors->fallthrough();
  connectors->footer(kExitCodes);
  add_connection_options(*connectors, "--url", connection, json);
  add_show_commands(*connectors, on_worker);
  add_apply_commands(*connectors, on_worker);
  add_lifecycle_commands(*connectors, on_worker);
  add_offsets_commands(*connectors, on_worker);
  add_worker_commands(*connectors, on_worker);
  add_watch_command(*connectors, on_worker);
  for (CLI::App* command : connectors->get_subcommands([](CLI::App*) { return true; })) {
    command->fallthrough();  // --url and the like may stand behind the command, too
    for (CLI::App* below : command->get_subcommands([](CLI::App*) { return true; })) below->fallthrough();
  }
  add_import();
}

}  // namespace millrace::connect
