#include "tools/kafka_client.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "core/clock.h"

namespace millrace {
namespace {

struct ConfDelete {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

void log_callback(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  // The library logs while a client is opened, too, when only the default stream is known.
  std::fprintf(stderr, "[%s] %s %s (%s)\n", client != nullptr ? rd_kafka_name(client) : "client",
               level <= 3 ? "ERROR" : "WARN", text, facility);
}

/// Without this the library logs each error a second time. That no broker can be reached comes once an outage.
void error_callback(rd_kafka_t* client, int error, const char* reason, void* /*opaque*/) {
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    char servers[1024] = "";
    size_t size = sizeof(servers);
    rd_kafka_conf_get(rd_kafka_conf(client), "bootstrap.servers", servers, &size);
    std::fprintf(stderr,
                 "[%s] WARN no broker answers at %s: is it running, and is the address right? Trying again until it "
                 "does\n",
                 rd_kafka_name(client), servers);
  }
  if (error == RD_KAFKA_RESP_ERR__FATAL) std::fprintf(stderr, "[%s] ERROR %s\n", rd_kafka_name(client), reason);
}

}  // namespace

Expected<RdClient> open_kafka_client(const ToolIo& io, const ClientProperties& properties, ClientKind kind,
                                     const KafkaCallbacks& callbacks) {
  auto native = to_librdkafka(properties, kind);
  if (!native) return fail(std::move(native.error()));
  std::unique_ptr<rd_kafka_conf_t, ConfDelete> conf(rd_kafka_conf_new());
  char reason[512] = "";
  for (const auto& [name, value] : *native) {
    switch (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason, sizeof(reason))) {
      case RD_KAFKA_CONF_OK:
        break;
      case RD_KAFKA_CONF_UNKNOWN:
        log_line(io, "WARN", fmt::format("The client setting {} is unknown and has no effect", name));
        break;
      default:
        return fail(ErrorCode::kInvalidConfig,
                    fmt::format("Invalid value {} for the client setting {}: {}", value, name, reason));
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), callbacks.opaque);
  rd_kafka_conf_set_log_cb(conf.get(), log_callback);
  rd_kafka_conf_set_error_cb(conf.get(), error_callback);
  if (callbacks.delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), callbacks.delivered);
  if (callbacks.rebalanced != nullptr) rd_kafka_conf_set_rebalance_cb(conf.get(), callbacks.rebalanced);
  if (callbacks.committed != nullptr) rd_kafka_conf_set_offset_commit_cb(conf.get(), callbacks.committed);
  if (callbacks.statistics != nullptr) rd_kafka_conf_set_stats_cb(conf.get(), callbacks.statistics);
  const auto type = kind == ClientKind::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  RdClient client(rd_kafka_new(type, conf.get(), reason, sizeof(reason)));
  if (client == nullptr)
    return fail(ErrorCode::kInvalidConfig, fmt::format("the Kafka client cannot be made: {}", reason));
  static_cast<void>(conf.release());  // the client owns it now
  if (kind == ClientKind::kConsumer) rd_kafka_poll_set_consumer(client.get());
  return client;
}

Error kafka_error(std::string what, rd_kafka_resp_err_t error) {
  return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", what, rd_kafka_err2str(error)), {}, {}, {}};
}

Status kafka_status(std::string what, rd_kafka_error_t* error) {
  if (error == nullptr) return {};
  std::string message = fmt::format("{}: {}", what, rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return fail(ErrorCode::kUnavailable, std::move(message));
}

void log_line(const ToolIo& io, std::string_view level, std::string_view text) {
  const int64_t now = SystemClock().wall_ms();
  const std::time_t seconds = now / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  io.print_error(fmt::format("[{:%Y-%m-%d %H:%M:%S},{:03}] {} {}\n", local, now % 1000, level, text));
}

Expected<int32_t> partition_count(rd_kafka_t* client, const std::string& topic, std::chrono::milliseconds timeout) {
  // All topics are asked for: naming one would create it.
  const struct rd_kafka_metadata* metadata = nullptr;
  const auto error = rd_kafka_metadata(client, 1, nullptr, &metadata, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(kafka_error(fmt::format("cannot look up topic {}", topic), error));
  int32_t count = 0;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (metadata->topics[i].topic == topic) count = metadata->topics[i].partition_cnt;
  }
  rd_kafka_metadata_destroy(metadata);
  if (count == 0) return fail(ErrorCode::kNotFound, fmt::format("topic {} does not exist", topic));
  return count;
}

void follow_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions) {
  const bool incremental = std::string_view(rd_kafka_rebalance_protocol(client)) == "COOPERATIVE";
  rd_kafka_error_t* failed = nullptr;
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    if (incremental)
      failed = rd_kafka_incremental_assign(client, partitions);
    else
      rd_kafka_assign(client, partitions);
  } else {
    if (incremental)
      failed = rd_kafka_incremental_unassign(client, partitions);
    else
      rd_kafka_assign(client, nullptr);
  }
  if (failed != nullptr) rd_kafka_error_destroy(failed);
}

}  // namespace millrace
