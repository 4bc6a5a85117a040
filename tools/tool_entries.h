/// The entry points of the tools, for the table only.
#pragma once

#include "tools/tool.h"

namespace millrace {

int run_acls(const ToolIo& io, ToolArguments arguments);
int run_broker_api_versions(const ToolIo& io, ToolArguments arguments);
int run_client_metrics(const ToolIo& io, ToolArguments arguments);
int run_cluster(const ToolIo& io, ToolArguments arguments);
int run_configs(const ToolIo& io, ToolArguments arguments);
int run_console_consumer(const ToolIo& io, ToolArguments arguments);
int run_console_producer(const ToolIo& io, ToolArguments arguments);
int run_consumer_groups(const ToolIo& io, ToolArguments arguments);
int run_consumer_perf_test(const ToolIo& io, ToolArguments arguments);
int run_delete_records(const ToolIo& io, ToolArguments arguments);
int run_dump_log(const ToolIo& io, ToolArguments arguments);
int run_e2e_latency(const ToolIo& io, ToolArguments arguments);
int run_features(const ToolIo& io, ToolArguments arguments);
int run_get_offsets(const ToolIo& io, ToolArguments arguments);
int run_groups(const ToolIo& io, ToolArguments arguments);
int run_leader_election(const ToolIo& io, ToolArguments arguments);
int run_log_dirs(const ToolIo& io, ToolArguments arguments);
int run_metadata_quorum(const ToolIo& io, ToolArguments arguments);
int run_producer_perf_test(const ToolIo& io, ToolArguments arguments);
int run_reassign_partitions(const ToolIo& io, ToolArguments arguments);
int run_streams_application_reset(const ToolIo& io, ToolArguments arguments);
int run_topics(const ToolIo& io, ToolArguments arguments);
int run_transactions(const ToolIo& io, ToolArguments arguments);
int run_verifiable_consumer(const ToolIo& io, ToolArguments arguments);
int run_verifiable_producer(const ToolIo& io, ToolArguments arguments);

}  // namespace millrace
