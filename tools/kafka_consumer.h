/// Consuming for the tools: subscribe or assign, take records one by one, close with offsets committed.
#pragma once

#include <optional>
#include <string>

#include "tools/kafka_client.h"
#include "tools/message_formatter.h"

namespace millrace {

/// The rebalance callback of a consumer that commits as Java's does. Partitions without a committed offset start at the
/// end that `auto.offset.reset` names (`opaque`: a StartOfGroup) and that position is committed at once, so that a
/// group shows all of its partitions, those without records too. librdkafka by itself commits only what has been read.
struct StartOfGroup {
  int64_t at = RD_KAFKA_OFFSET_INVALID;  ///< RD_KAFKA_OFFSET_BEGINNING or _END; otherwise nothing is committed
};
void follow_rebalance_and_commit(rd_kafka_t* client, rd_kafka_resp_err_t error,
                                 rd_kafka_topic_partition_list_t* partitions, void* opaque);

/// Threads: one. Records and errors come in the thread that calls next().
class ToolConsumer {
 public:
  explicit ToolConsumer(RdClient client) : client_(std::move(client)) {}
  ~ToolConsumer() { close(); }
  ToolConsumer(const ToolConsumer&) = delete;
  ToolConsumer& operator=(const ToolConsumer&) = delete;

  /// A topic, or with a leading ^ a regular expression.
  Status subscribe(const std::string& topic);
  /// `offset`: a number, RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END.
  Status assign(const std::string& topic, int32_t partition, int64_t offset);
  /// The next message, or null after `timeout_ms` without one. Trouble that passes has been logged by the library and
  /// is waited out. Errors: kUnavailable for what does not pass (authorization, unknown group, a fatal error).
  Expected<RdMessage> next(int timeout_ms);
  /// Leaves the group; commits first when enable.auto.commit says so.
  void close();
  rd_kafka_t* get() const { return client_.get(); }

 private:
  RdClient client_;
  bool closed_ = false;
};

/// `message` as a formatter takes it; views of the message.
ConsumedRecord consumed_record(const rd_kafka_message_t& message);

}  // namespace millrace
