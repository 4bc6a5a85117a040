#include "cli/lint_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace {
namespace {

const char* severity_word(Severity severity) {
  switch (severity) {
    case Severity::kNotice:
      return "notice";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

std::string counted(int count, const char* word) { return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s"); }

}  // namespace

int Findings::count(Severity severity) const {
  return static_cast<int>(std::ranges::count(all_, severity, &Finding::severity));
}

std::string Findings::text() const {
  std::vector<std::string> files;  // in the order of the command line
  for (const Finding& each : all_) {
    if (std::ranges::find(files, each.file) == files.end()) files.push_back(each.file);
  }
  std::string text;
  for (const std::string& file : files) {
    for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNotice}) {
      for (const Finding& each : all_) {
        if (each.file != file || each.severity != severity) continue;
        text += fmt::format("{}:{}{} {}: {}\n", file, each.key, each.key.empty() ? "" : ":", severity_word(severity),
                            each.message);
      }
    }
  }
  return text + fmt::format("{}: {}, {}, {}\n", counted(files_, "file"), counted(count(Severity::kError), "error"),
                            counted(count(Severity::kWarning), "warning"), counted(count(Severity::kNotice), "notice"));
}

std::string Findings::json() const {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& each : all_) {
    findings.push_back({{"file", each.file},
                        {"key", each.key},
                        {"severity", severity_word(each.severity)},
                        {"message", each.message}});
  }
  const nlohmann::ordered_json all = {{"files", files_},
                                      {"errors", count(Severity::kError)},
                                      {"warnings", count(Severity::kWarning)},
                                      {"notices", count(Severity::kNotice)},
                                      {"findings", std::move(findings)}};
  return all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int Findings::exit_code(bool strict) const {
  if (count(Severity::kError) > 0) return 2;
  return strict && count(Severity::kWarning) > 0 ? 1 : 0;
}

}  // namespace millrace
