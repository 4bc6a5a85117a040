#include "cli/lint.h"

#include <fmt/format.h>

#include "cli/lint_files.h"
#include "cli/options_document.h"

namespace millrace {
namespace {

constexpr int kWrongArguments = 1;
constexpr const char* kUsage =
    "usage: millrace lint [--strict] [--json] [--online] worker.properties [connector.properties|connector.json ...]\n"
    "       millrace lint --print-options\n"
    "Checks settings as the worker would, and for misspelt names and insecure values, without starting anything.\n"
    "  --strict         warnings make the exit code 1\n"
    "  --json           print the findings as JSON\n"
    "  --online         ask the connectors too, which may connect to their databases\n"
    "  --print-options  print all settings as Markdown (docs/configuration.md)\n"
    "Exit code: 0 nothing wrong, 1 warnings with --strict, 2 errors.\n";

struct LintArguments {
  bool strict = false, json = false, online = false, print_options = false, help = false;
  std::vector<std::string> files;  ///< the worker's, then connectors
};

Expected<LintArguments> parse(const std::vector<std::string>& arguments) {
  LintArguments parsed;
  for (const std::string& each : arguments) {
    if (each == "--strict") {
      parsed.strict = true;
    } else if (each == "--json") {
      parsed.json = true;
    } else if (each == "--online") {
      parsed.online = true;
    } else if (each == "--print-options") {
      parsed.print_options = true;
    } else if (each == "--help" || each == "-h") {
      parsed.help = true;
    } else if (each.starts_with("-")) {
      return fail(ErrorCode::kInvalidConfig, fmt::format("unexpected argument {}", each));
    } else {
      parsed.files.push_back(each);
    }
  }
  if (parsed.files.empty() && !parsed.help && !parsed.print_options)
    return fail(ErrorCode::kInvalidConfig, "the worker's .properties file is missing");
  return parsed;
}

}  // namespace

int run_lint(const std::vector<std::string>& arguments, const std::string& built_in_plugins, std::FILE* out,
             std::FILE* err) {
  const auto parsed = parse(arguments);
  if (!parsed) {
    fmt::print(err, "millrace lint: {}\n{}", parsed.error().message, kUsage);
    return kWrongArguments;
  }
  if (parsed->help) return std::fputs(kUsage, out), 0;
  if (parsed->print_options) return std::fputs(options_document().c_str(), out), 0;
  PosixFileSystem files;
  const Findings findings = lint_files({.worker = parsed->files.front(),
                                        .connectors = {parsed->files.begin() + 1, parsed->files.end()},
                                        .online = parsed->online},
                                       files, built_in_plugins);
  std::fputs((parsed->json ? findings.json() : findings.text()).c_str(), out);
  return findings.exit_code(parsed->strict);
}

}  // namespace millrace
