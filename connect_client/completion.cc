#include "connect_client/completion.h"

#include <algorithm>
#include <cstdlib>

#include "connect_client/command_line.h"
#include "connect_client/completion_script.h"
#include "connect_client/connect_client.h"

namespace millrace::connect {
namespace {

constexpr double kWorkerPatience_s = 1;

const CLI::Option* option_named(const CLI::App* at, const std::string& word) {
  for (; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      if (word.starts_with('-') && option->check_name(word)) return option;
    }
  }
  return nullptr;
}

/// How far the words before the last one have come: the command, and what they say about the worker.
struct Place {
  const CLI::App* command = nullptr;
  size_t positionals = 0;
  bool value_of_option = false;  ///< the last word is the value of an option
  ConnectionOptions connection = {};
};

Place place_of(const CommandLine& line, const std::vector<std::string>& words) {
  Place place{&line.app};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const CLI::Option* option = option_named(place.command, words[i]);
    if (option != nullptr) {
      if (option->get_expected_min() == 0) continue;  // a flag
      if (i + 2 == words.size()) place.value_of_option = true;
      const std::string& value = words[++i];
      if (option->check_name("--url")) place.connection.urls = value;
      if (option->check_name("--user")) place.connection.user = value;
      if (option->check_name("--password-file")) place.connection.password_file = value;
      continue;
    }
    if (words[i].starts_with('-')) continue;
    const auto below =
        place.command->get_subcommands([&](const CLI::App* each) { return each->get_name() == words[i]; });
    if (below.empty()) {
      ++place.positionals;
    } else {
      place.command = below.front();
    }
  }
  return place;
}

void add_option_names(const CLI::App* at, std::vector<std::string>& to) {
  for (; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) to.push_back("--" + name);
    }
  }
}

/// The positional that the last word would be; the last one when it takes several. Empty when there is none.
std::string positional_at(const CLI::App* command, size_t index) {
  std::string name;
  for (const CLI::Option* option : command->get_options()) {
    if (!option->get_positional()) continue;
    name = option->get_name(true);
    if (index-- == 0) return name;
    if (option->get_expected_max() > 1) return name;
  }
  return {};
}

void add_names_of_worker(const std::string& positional, ConnectionOptions options, std::vector<std::string>& to) {
  options.timeout_s = kWorkerPatience_s;
  options.conflict_patience = std::chrono::milliseconds(0);
  auto connection = Connection::open(std::move(options));
  if (!connection) return;
  WorkerApi api(**connection);
  if (positional == "NAME") {
    if (auto names = api.names()) to.insert(to.end(), names->begin(), names->end());
  }
  if (positional == "PLUGIN") {
    auto plugins = (*connection)->call("GET", "/connector-plugins?connectorsOnly=false");
    for (const Json& plugin : plugins ? *plugins : Json::array()) to.push_back(text_at(plugin, "class"));
  }
  if (positional == "LOGGER") {
    auto loggers = (*connection)->call("GET", "/admin/loggers");
    if (!loggers || !loggers->is_object()) return;
    for (const auto& [name, level] : loggers->items()) to.push_back(name);
  }
}

void take_environment(ConnectionOptions& options) {
  const auto take = [](const char* variable, std::string& to) {
    if (const char* value = std::getenv(variable)) to = value;
  };
  take("MILLRACE_URL", options.urls);
  take("MILLRACE_USER", options.user);
  take("MILLRACE_PASSWORD", options.password);
}

}  // namespace

std::vector<std::string> completion_candidates(const std::vector<std::string>& words,
                                               const std::vector<std::string>& programs_commands) {
  const std::string last = words.empty() ? std::string() : words.back();
  std::vector<std::string> all;
  if (words.size() <= 1) {
    all = programs_commands;
    for (const ClientCommand& each : client_commands()) all.emplace_back(each.name);
  } else if (words.front() == "completion") {
    all = {"bash"};
  } else if (is_client_command(words.front())) {
    CommandLine line;
    take_environment(line.connection);
    Place place = place_of(line, words);
    if (place.connection.urls == ConnectionOptions().urls) place.connection.urls = line.connection.urls;
    if (place.connection.user.empty()) place.connection.user = line.connection.user;
    place.connection.password = line.connection.password;
    if (place.value_of_option) {
      const CLI::Option* option = option_named(place.command, words[words.size() - 2]);
      if (option->check_name("--until")) all = {"RUNNING", "PAUSED", "STOPPED", "FAILED"};
      if (option->check_name("--scope")) all = {"worker", "cluster"};
    } else if (last.starts_with('-')) {
      add_option_names(place.command, all);
    } else {
      for (const CLI::App* each : place.command->get_subcommands([](const CLI::App*) { return true; }))
        all.push_back(each->get_name());
      const std::string positional = positional_at(place.command, place.positionals);
      if (positional == "LEVEL") all = {"OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"};
      if (all.empty() && !positional.empty()) add_names_of_worker(positional, place.connection, all);
    }
  }
  std::erase_if(all, [&](const std::string& each) { return !each.starts_with(last); });
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

int run_completion(const std::vector<std::string>& arguments, const std::vector<std::string>& programs_commands,
                   Terminal& terminal) {
  if (!arguments.empty() && arguments.front() == "candidates") {
    for (const std::string& each : completion_candidates({arguments.begin() + 1, arguments.end()}, programs_commands))
      terminal.out << each << '\n';
    return kOk;
  }
  if (arguments.size() == 1 && arguments.front() == "bash") {
    terminal.out << kBashCompletion;
    return kOk;
  }
  const bool help = !arguments.empty() && (arguments.front() == "--help" || arguments.front() == "-h");
  (help ? terminal.out : terminal.err)
      << "Usage: millrace completion bash\n"
         "Prints the completion script; put into ~/.bashrc: source <(millrace completion bash)\n";
  return help ? kOk : kUsage;
}

}  // namespace millrace::connect
