/// What `millrace lint` finds, and how it is printed.
#pragma once

#include <string>
#include <vector>

namespace millrace {

enum class Severity { kNotice, kWarning, kError };

struct Finding {
  std::string file;
  std::string key;  ///< empty = the file as a whole
  Severity severity = Severity::kError;
  std::string message;  ///< what is wrong. What to do.
};

class Findings {
 public:
  void add(std::string file, std::string key, Severity severity, std::string message) {
    all_.push_back({std::move(file), std::move(key), severity, std::move(message)});
  }
  void count_file() { ++files_; }
  int count(Severity severity) const;
  const std::vector<Finding>& all() const { return all_; }

  /// A line each, `file:key: severity: message`, errors of a file first, and a summary.
  std::string text() const;
  /// {"files", "errors", "warnings", "notices", "findings": [{"file", "key", "severity", "message"}]}
  std::string json() const;
  /// 2 with errors, 1 with warnings if `strict`, else 0.
  int exit_code(bool strict) const;

 private:
  std::vector<Finding> all_;
  int files_ = 0;
};

}  // namespace millrace
