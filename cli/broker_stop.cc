// kafka-server-stop: finds the brokers of this machine in /proc.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "cli/broker_command.h"
#include "core/file_system.h"
#include "core/properties.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

constexpr int kFailed = 1;
constexpr const char* kLockFile = ".lock";
constexpr int kPatienceMs = 60'000;

std::vector<std::string> command_line(const fs::path& process) {
  std::ifstream file(process / "cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

bool is_broker(const fs::path& process) {
  std::error_code error;
  const std::string program = fs::read_symlink(process / "exe", error).filename().string();
  if (error || !(program == "millrace" || program == "millrace (deleted)")) return false;
  const auto words = command_line(process);
  if (words.empty()) return false;
  const std::string name = fs::path(words[0]).filename().string();
  return name.starts_with("kafka-server-start") || (words.size() > 1 && words[1] == "broker");
}

/// Whether the process holds the lock file of `folder` open.
bool uses(const fs::path& process, const fs::path& folder) {
  std::error_code error;
  const fs::path lock = fs::weakly_canonical(folder / kLockFile, error);
  for (const auto& entry : fs::directory_iterator(process / "fd", error)) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == lock) return true;
  }
  return false;
}

std::vector<pid_t> find_brokers(const std::optional<fs::path>& folder) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!is_broker(entry.path()) || (folder && !uses(entry.path(), *folder))) continue;
    found.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return found;
}

/// The folder that the argument names: itself, or log.dirs of the file it is.
std::optional<fs::path> folder_of(const std::string& argument) {
  if (fs::is_directory(argument)) return argument;
  PosixFileSystem files;
  const auto text = files.read_file(argument);
  const auto pairs = text ? parse_properties(*text) : Expected<std::vector<std::pair<std::string, std::string>>>();
  std::optional<fs::path> folder;
  if (!text || !pairs) return folder;
  for (const auto& [key, value] : *pairs) {
    if (key == "log.dirs" || (key == "log.dir" && !folder)) folder = value;
  }
  return folder;
}

/// Asks the process to stop and waits until it has; false when it does not within a minute.
bool stop(pid_t process) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) return true;  // gone already
  const bool asked = ::kill(process, SIGTERM) == 0;
  pollfd wait{handle, POLLIN, 0};
  const bool ended = asked && ::poll(&wait, 1, kPatienceMs) == 1;
  ::close(handle);
  if (!ended) {
    std::fprintf(stderr, "millrace: broker process %d %s\n", static_cast<int>(process),
                 asked ? "has not stopped within a minute" : "belongs to another user: stop it as that user");
  }
  return ended;
}

}  // namespace

int stop_brokers(const std::vector<std::string>& arguments) {
  std::optional<fs::path> folder;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--process-role") || arguments[i].starts_with("--node-id")) {
      if (arguments[i].find('=') == std::string::npos) ++i;  // there is one role, and a folder tells nodes apart
      continue;
    }
    folder = folder_of(arguments[i]);
    if (!folder) {
      std::fprintf(stderr, "millrace: %s is neither a log folder nor a file that names one (log.dirs)\n",
                   arguments[i].c_str());
      return kFailed;
    }
  }
  const std::vector<pid_t> brokers = find_brokers(folder);
  if (brokers.empty()) {
    std::printf("No kafka server to stop\n");
    return kFailed;
  }
  bool all = true;
  for (const pid_t broker : brokers) all = stop(broker) && all;
  return all ? 0 : kFailed;
}

}  // namespace millrace
