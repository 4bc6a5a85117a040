/// What every command line tool is: a function from arguments to an exit code, with its streams passed in so that tests
/// can read what it says. One file a tool; tool_table.cc lists them all.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "core/file_system.h"

namespace millrace {

/// The Kafka whose tools these are: the answer to --version.
inline constexpr const char* kKafkaToolsVersion = "3.9.1";

/// Lifetime: of the one call. Threads: the caller's, unless a tool says otherwise.
struct ToolIo {
  FileSystem& files;
  FILE* out;
  FILE* err;
  int in = 0;  ///< descriptor of the standard input

  void print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), out); }
  void print_error(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), err); }
};

using ToolArguments = std::span<const std::string>;

/// The exit codes of Kafka's tools.
inline constexpr int kToolOk = 0;
inline constexpr int kToolFailed = 1;

/// "Error: …" with its causes on the error stream; returns kToolFailed.
int report_tool_error(const ToolIo& io, const Error& error);

}  // namespace millrace
