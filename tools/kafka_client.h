/// librdkafka behind RAII: the client of the tools that produce and consume.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tools/client_properties.h"
#include "tools/tool.h"

namespace millrace {

struct RdKafkaDelete {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using RdClient = std::unique_ptr<rd_kafka_t, RdKafkaDelete>;
using RdMessage = std::unique_ptr<rd_kafka_message_t, RdKafkaDelete>;
using RdPartitions = std::unique_ptr<rd_kafka_topic_partition_list_t, RdKafkaDelete>;
using RdHeaders = std::unique_ptr<rd_kafka_headers_t, RdKafkaDelete>;
using RdQueue = std::unique_ptr<rd_kafka_queue_t, RdKafkaDelete>;

/// What librdkafka calls back; all are called in the thread that polls the client. `opaque` is handed to each.
struct KafkaCallbacks {
  void* opaque = nullptr;
  void (*delivered)(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) = nullptr;
  void (*rebalanced)(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                     void* opaque) = nullptr;
  void (*committed)(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
                    void* opaque) = nullptr;
  int (*statistics)(rd_kafka_t* client, char* json, size_t size, void* opaque) = nullptr;
};

/// A client for `properties` (Java's names). Warnings of the library, and settings that nobody knows, go to the error
/// stream of `io`, which must outlive the client. Errors: kInvalidConfig, naming setting and value.
Expected<RdClient> open_kafka_client(const ToolIo& io, const ClientProperties& properties, ClientKind kind,
                                     const KafkaCallbacks& callbacks = {});

/// An error of the library as ours. Errors are kUnavailable.
Error kafka_error(std::string what, rd_kafka_resp_err_t error);
/// Takes ownership of `error`, which may be null (success).
Status kafka_status(std::string what, rd_kafka_error_t* error);

/// "[2026-01-31 12:00:00,123] ERROR text" on the error stream, as the log lines of Kafka's tools look.
void log_line(const ToolIo& io, std::string_view level, std::string_view text);

/// Partitions of a topic. Errors: kNotFound, kUnavailable after `timeout`.
Expected<int32_t> partition_count(rd_kafka_t* client, const std::string& topic, std::chrono::milliseconds timeout);

/// Follows group assignments eagerly or incrementally, as the group's strategy asks: what a rebalance callback does.
void follow_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions);

/// Waits until all messages that were produced are acknowledged or have failed, or `stop` says so. True when none is
/// left.
template <class Stop>
bool flush_producer(rd_kafka_t* client, Stop&& stop) {
  while (rd_kafka_outq_len(client) > 0 && !stop()) rd_kafka_flush(client, 100);
  return rd_kafka_outq_len(client) == 0;
}

}  // namespace millrace
