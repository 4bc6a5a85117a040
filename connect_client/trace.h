/// Traces of failed connectors and tasks, made readable: what happened, where, what to do, and the causes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::connect {

struct TraceCause {
  std::string exception;  ///< the class without its package; empty when the line names none
  std::string message;    ///< may have several lines
};

/// The chain of a Java-like trace, outermost first; frames ("\tat …") are left out.
std::vector<TraceCause> parse_trace(std::string_view trace);

struct Explanation {
  std::string what;   ///< the outermost message that says more than that a task has died
  std::string where;  ///< topic, partition, offset or stage if a message names them; else empty
  std::string to_do;  ///< always a sentence
  std::vector<TraceCause> causes;
};

/// `connector` is put into the commands of `to_do`.
Explanation explain(std::string_view trace, const std::string& connector);

}  // namespace millrace::connect
