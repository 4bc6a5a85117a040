#include "tools/tool_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/tool_entries.h"

namespace millrace {
namespace {

// A tool is a line here, a declaration in tool_entries.h, a file of its own, and a link in cli/CMakeLists.txt.
constexpr std::array kTools = std::to_array<Tool>({
    {"acls", "Add, remove and list access control lists", run_acls},
    {"broker-api-versions", "Tell which requests each broker serves", run_broker_api_versions},
    {"client-metrics", "Subscriptions of client metrics", run_client_metrics},
    {"cluster", "The cluster's id; unregister a broker", run_cluster},
    {"configs", "Show and change configs, quotas and SCRAM credentials", run_configs},
    {"console-consumer", "Print the records of topics", run_console_consumer},
    {"console-producer", "Send lines of the standard input to a topic", run_console_producer},
    {"consumer-groups", "List, describe and delete groups, move their offsets", run_consumer_groups},
    {"consumer-perf-test", "Measure how fast a topic is read", run_consumer_perf_test},
    {"delete-records", "Delete the records before given offsets", run_delete_records},
    {"dump-log", "Print the files of a partition: logs, indexes, snapshots", run_dump_log},
    {"e2e-latency", "Measure the time from producer to consumer, one record at a time", run_e2e_latency},
    {"features", "Show the features that brokers agree on", run_features},
    {"get-offsets", "Offsets of partitions by time", run_get_offsets},
    {"groups", "List groups of all kinds", run_groups},
    {"leader-election", "Elect leaders of partitions", run_leader_election},
    {"log-dirs", "Tell where partitions lie and how large they are", run_log_dirs},
    {"metadata-quorum", "Describe the quorum that keeps the metadata", run_metadata_quorum},
    {"producer-perf-test", "Measure how fast a topic is written", run_producer_perf_test},
    {"reassign-partitions", "Move partitions between brokers", run_reassign_partitions},
    {"streams-application-reset", "Let a Kafka Streams application process its input once more",
     run_streams_application_reset},
    {"topics", "List, describe, create, alter and delete topics", run_topics},
    {"transactions", "List, describe and abort transactions", run_transactions},
    {"verifiable-consumer", "Consume and tell each event as a line of JSON", run_verifiable_consumer},
    {"verifiable-producer", "Produce integers and tell each acknowledgement as a line of JSON",
     run_verifiable_producer},
});
static_assert(std::ranges::is_sorted(kTools, {}, &Tool::name));

}  // namespace

std::span<const Tool> tools() { return kTools; }

const Tool* find_tool(std::string_view name) {
  if (const size_t slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
  if (name.ends_with(".sh")) name.remove_suffix(3);
  if (name.starts_with("kafka-")) name.remove_prefix(6);
  const auto found = std::ranges::find(kTools, name, &Tool::name);
  return found == kTools.end() ? nullptr : &*found;
}

int report_tool_error(const ToolIo& io, const Error& error) {
  io.print_error(fmt::format("Error: {}\n", error.message));
  for (const Error* at = &error; !at->cause.empty();) {
    at = &at->cause.front();
    io.print_error(fmt::format("  because: {}\n", at->message));
  }
  return kToolFailed;
}

}  // namespace millrace
