/// All command line tools by the names of Kafka's scripts.
#pragma once

#include <span>
#include <string_view>

#include "tools/tool.h"

namespace millrace {

struct Tool {
  std::string_view name;  ///< Kafka's script without "kafka-" and ".sh": "console-producer"
  std::string_view summary;
  int (*run)(const ToolIo& io, ToolArguments arguments);
};

/// In alphabetical order.
std::span<const Tool> tools();

/// The tool that `name` means: "topics", "kafka-topics" and "kafka-topics.sh", with or without folders before it.
/// Null when there is none.
const Tool* find_tool(std::string_view name);

}  // namespace millrace
