/// The entry points of the tools, for the table only.
#pragma once

#include "tools/tool.h"

namespace millrace {

int run_console_consumer(const ToolIo& io, ToolArguments arguments);
int run_console_producer(const ToolIo& io, ToolArguments arguments);
int run_consumer_perf_test(const ToolIo& io, ToolArguments arguments);
int run_dump_log(const ToolIo& io, ToolArguments arguments);
int run_e2e_latency(const ToolIo& io, ToolArguments arguments);
int run_producer_perf_test(const ToolIo& io, ToolArguments arguments);
int run_verifiable_consumer(const ToolIo& io, ToolArguments arguments);
int run_verifiable_producer(const ToolIo& io, ToolArguments arguments);

}  // namespace millrace
