#include "cli/broker_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

#include "broker/node_settings.h"
#include "cli/served_log.h"
#include "core/properties.h"
#include "runtime/worker_config.h"

namespace millrace {
namespace {

constexpr int kFailed = 1;
constexpr const char* kUsage =
    "usage: millrace broker [-daemon] [server.properties] [--override property=value]...\n"
    "Serves the log to Kafka clients. Without a file: PLAINTEXT on port 9092, the log in ./millrace-data.\n";

struct BrokerArguments {
  bool daemon = false;
  bool help = false;
  std::string file;
  std::vector<std::pair<std::string, std::string>> overrides;
};

Expected<std::pair<std::string, std::string>> parse_override(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("--override {}: property=value is expected", text));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Expected<BrokerArguments> parse_arguments(const std::vector<std::string>& arguments) {
  BrokerArguments parsed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& each = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (each == "-daemon") {
      parsed.daemon = true;
    } else if (each == "-loggc" || each == "-nogc") {
      continue;
    } else if (each == "-name" && has_value) {
      ++i;
    } else if (each == "--help" || each == "-h") {
      parsed.help = true;
    } else if (each == "--override" && has_value) {
      auto setting = parse_override(arguments[++i]);
      if (!setting) return fail(std::move(setting.error()));
      parsed.overrides.push_back(std::move(*setting));
    } else if (each.starts_with("--override=")) {
      auto setting = parse_override(each.substr(std::string_view("--override=").size()));
      if (!setting) return fail(std::move(setting.error()));
      parsed.overrides.push_back(std::move(*setting));
    } else if (each.starts_with("-") || !parsed.file.empty()) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("unexpected argument {}", each));
    } else {
      parsed.file = each;
    }
  }
  return parsed;
}

Expected<ConfigMap> read_settings(FileSystem& files, const BrokerArguments& arguments) {
  ConfigMap settings;
  if (!arguments.file.empty()) {
    auto text = files.read_file(arguments.file);
    if (!text) return fail(std::move(text.error()));
    auto pairs = parse_properties(*text);
    if (!pairs) return fail(std::move(pairs.error()).wrap(fmt::format("{} cannot be read", arguments.file)));
    for (auto& [key, value] : *pairs) settings[key] = std::move(value);
  }
  for (const auto& [key, value] : arguments.overrides) settings[key] = value;
  if (!settings.contains("log.dirs") && !settings.contains("log.dir"))
    settings["log.dirs"] = default_log_directory(files);
  return settings;
}

void tell_about_settings(const ConfigMap& settings, const Logger& logger) {
  if (const auto idle = settings_without_effect(settings); !idle.empty()) {
    logger.info("settings_without_effect", {{"why", "one node needs no cluster and sizes its own threads"},
                                            {"settings", fmt::format("{}", fmt::join(idle, ","))}});
  }
  for (const std::string& name : unknown_settings(settings)) {
    logger.warn("unknown_setting", {{"setting", name}, {"hint", "misspelt? It is ignored"}});
  }
}

int report(const Error& error) {
  for (const Error* at = &error; at != nullptr; at = at->cause.empty() ? nullptr : &at->cause.front()) {
    std::fprintf(stderr, "%s%s\n", at == &error ? "millrace: " : "  because: ", at->message.c_str());
  }
  return kFailed;
}

int wait_for_stop_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int signal = 0;
  sigwait(&set, &signal);
  return signal;
}

/// Opens, serves, stops. `ready` is called once clients are served.
Status serve(const ConfigMap& settings, const Logger& logger, const std::function<void()>& ready) {
  const auto began = std::chrono::steady_clock::now();
  PosixFileSystem files;
  SystemClock clock;
  tell_about_settings(settings, logger);
  auto log = ServedLog::open(files, clock, logger, settings, ServedLog::Listeners::kRequired);
  if (!log) return fail(std::move(log.error()));
  Broker& broker = (*log)->node().broker();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  logger.info("broker_started",
              {{"listeners", (*log)->addresses()},
               {"log", std::filesystem::absolute(broker.options().directory).lexically_normal().string()},
               {"cluster", broker.cluster_id()},
               {"node", (*log)->node().services().node_id},
               {"ms", took.count()}});
  ready();
  const int signal = wait_for_stop_signal();
  logger.info("broker_stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  auto closed = (*log)->close();
  if (closed) logger.info("broker_stopped");
  return closed;
}

/// Goes on in a child without a terminal, whose output is in a file. The parent waits until the child serves or fails.
/// Nothing in the child; the exit code in the parent. `ready_pipe` is what the child reports to.
std::optional<int> become_daemon(int& ready_pipe) {
  const char* folder = std::getenv("LOG_DIR");
  const std::filesystem::path output = std::filesystem::path(folder == nullptr ? "logs" : folder) / "kafkaServer.out";
  std::error_code error;
  std::filesystem::create_directories(output.parent_path(), error);
  constexpr mode_t kMode = 0644;
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  int ends[2];
  if (out < 0 || ::pipe2(ends, O_CLOEXEC) != 0) {
    std::fprintf(stderr, "millrace: %s cannot be written: set LOG_DIR to a folder that can\n", output.c_str());
    return kFailed;
  }
  const pid_t child = ::fork();
  if (child < 0) return kFailed;
  if (child > 0) {
    ::close(ends[1]);
    char ready = 0;
    const bool started = ::read(ends[0], &ready, 1) == 1;
    if (started) {
      std::printf("millrace: the broker runs as process %d and writes to %s\n", static_cast<int>(child),
                  output.c_str());
      return 0;
    }
    std::fprintf(stderr, "millrace: the broker has not started: %s tells why\n", output.c_str());
    return kFailed;
  }
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ready_pipe = ends[1];
  return std::nullopt;
}

}  // namespace

int run_broker(const std::vector<std::string>& arguments, const Logger& logger) {
  auto parsed = parse_arguments(arguments);
  if (!parsed) {
    const int code = report(parsed.error());
    std::fputs(kUsage, stderr);
    return code;
  }
  if (parsed->help) return std::fputs(kUsage, stdout), 0;
  PosixFileSystem files;
  auto settings = read_settings(files, *parsed);
  if (!settings) return report(settings.error());
  int ready_pipe = -1;
  if (parsed->daemon) {
    if (const auto code = become_daemon(ready_pipe)) return *code;
  }
  const auto ready = [ready_pipe] {
    if (ready_pipe < 0) return;
    [[maybe_unused]] const auto told = ::write(ready_pipe, "r", 1);
    ::close(ready_pipe);
  };
  const Status served = serve(*settings, logger, ready);
  return served ? 0 : report(served.error());
}

}  // namespace millrace
