#include "cli/doctor.h"

#include <fmt/format.h>

#include "cli/lint_files.h"

namespace millrace {
namespace {

constexpr int kWrongArguments = 1;
constexpr const char* kUsage =
    "usage: millrace doctor [--json] [--worker worker.properties] connector.properties|connector.json ...\n"
    "Checks connectors' settings, then connects to their servers and says what is missing there, and how to mend it.\n"
    "Nothing is changed.\n"
    "  --worker  the worker's file: its plugin.path and config providers are used\n"
    "  --json    print the findings as JSON\n"
    "Exit code: 0 nothing wrong, 1 wrong arguments, 2 errors.\n";

struct DoctorArguments {
  bool json = false, help = false;
  std::string worker, problem;
  std::vector<std::string> connectors;
};

DoctorArguments parse(const std::vector<std::string>& arguments) {
  DoctorArguments parsed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& each = arguments[i];
    if (each == "--json") {
      parsed.json = true;
    } else if (each == "--help" || each == "-h") {
      parsed.help = true;
    } else if (each == "--worker" && i + 1 < arguments.size()) {
      parsed.worker = arguments[++i];
    } else if (each.starts_with("-")) {
      parsed.problem = fmt::format("unexpected argument {}", each);
    } else {
      parsed.connectors.push_back(each);
    }
  }
  if (parsed.connectors.empty() && parsed.problem.empty()) parsed.problem = "the connector's file is missing";
  return parsed;
}

}  // namespace

int run_doctor(const std::vector<std::string>& arguments, const std::string& built_in_plugins, std::FILE* out,
               std::FILE* err) {
  const DoctorArguments parsed = parse(arguments);
  if (parsed.help) return std::fputs(kUsage, out), 0;
  if (!parsed.problem.empty()) {
    fmt::print(err, "millrace doctor: {}\n{}", parsed.problem, kUsage);
    return kWrongArguments;
  }
  PosixFileSystem files;
  const Findings findings =
      lint_files({.worker = parsed.worker, .connectors = parsed.connectors, .check_worker = false, .online = true},
                 files, built_in_plugins);
  std::fputs((parsed.json ? findings.json() : findings.text()).c_str(), out);
  return findings.exit_code(false);
}

}  // namespace millrace
