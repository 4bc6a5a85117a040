/// Plain JSON documents in a Kafka topic, for what Debezium keeps there outside its records: the schema history and the
/// signal channel. Over librdkafka, so that any cluster works, the embedded log's listener included.
/// Threads: one a object.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/common/result.h"

namespace millrace::mariadb {

using connectors::Code;
using connectors::Result;
using connectors::Status;

struct KafkaOptions {
  std::string bootstrap_servers;
  /// Java client settings as the user wrote them after the prefix ("security.protocol", "sasl.jaas.config", …).
  std::map<std::string, std::string> client;
  int64_t timeout_ms = 10'000;  ///< of one call
};

struct TopicDocument {
  int64_t offset = 0, timestamp_ms = 0;
  std::optional<std::string> key, value;
};

/// Reads partition 0 of a topic.
class TopicReader {
 public:
  static Result<std::unique_ptr<TopicReader>> open(const KafkaOptions& options, const std::string& topic,
                                                   int64_t from_offset);
  /// Goes on after what commit() said for the consumer group `group`, which is not joined, at `at_least` if that is
  /// later. A group that is new begins with what comes from now on, in a topic that is still missing with its first
  /// document.
  static Result<std::unique_ptr<TopicReader>> open_group(const KafkaOptions& options, const std::string& topic,
                                                         const std::string& group, int64_t at_least = 0);
  virtual ~TopicReader() = default;
  /// Up to the end as it is now; kNotFound when the topic does not exist.
  virtual Result<std::vector<TopicDocument>> read_to_end() = 0;
  /// What has come within `wait_ms`.
  virtual Result<std::vector<TopicDocument>> poll(int64_t wait_ms) = 0;
  /// Of a group: after the documents given out so far.
  virtual int64_t place() const = 0;
  /// Of a group: all documents given out so far are done with. kUnavailable: not known to the cluster yet.
  virtual Status commit() = 0;
};

class TopicWriter {
 public:
  /// Creates the topic (one partition, infinite retention) when it is missing.
  static Result<std::unique_ptr<TopicWriter>> open(const KafkaOptions& options, const std::string& topic);
  virtual ~TopicWriter() = default;
  /// Durable when it returns.
  virtual Status append(const std::optional<std::string>& key, std::string_view value) = 0;
};

}  // namespace millrace::mariadb
