/// Signals: what a user asks of a running connector, in Debezium's form {id, type, data}, from the signal table, a
/// Kafka topic, a file or the worker's API, into one queue. Threads: SignalQueue any; the channels the task's.
#pragma once

#include <millrace/connector.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connectors/mariadb/binlog/gtid.h"
#include "connectors/mariadb/cell.h"
#include "connectors/mariadb/kafka/topic_io.h"

namespace millrace::mariadb {

/// A line, from 1, of a file that was taken at `stamp`, nanoseconds since the epoch and different for each file.
struct SignalPlace {
  int64_t stamp = 0;
  uint64_t line = 0;
  auto operator<=>(const SignalPlace&) const = default;
  std::string text() const;
  static SignalPlace parse(std::string_view text);  ///< {0, 0}: not such a text
};

struct Signal {
  enum class Type {
    kExecuteSnapshot,
    kStopSnapshot,
    kPauseSnapshot,
    kResumeSnapshot,
    kLog,
    kSetBinlogPosition,
    kWindowOpen,  ///< ours, by the signal table
    kWindowClose
  } type = Type::kLog;
  std::string id;
  std::optional<SignalPlace> place;               ///< of a signal that came by a file
  bool blocking = false;                          ///< execute-snapshot
  std::vector<std::string> collections;           ///< regular expressions over "db.table"; stop: empty = all
  std::map<std::string, std::string> conditions;  ///< expression → filter (of a blocking snapshot: a SELECT)
  std::string surrogate_key;
  std::string message;  ///< log
  std::string file;     ///< set-binlog-position: file and position, or gtids
  uint64_t position = 0;
  std::optional<GtidList> gtids;
};

/// kBadRecord: unknown type, or data that does not say what the type needs.
Result<Signal> parse_signal(std::string_view id, std::string_view type, std::string_view data);

class SignalQueue {
 public:
  /// `warn` is told of signals that cannot be understood, with their text; called on the feeding thread.
  explicit SignalQueue(std::function<void(const std::string&)> warn) : warn_(std::move(warn)) {}
  /// False: it is not understood. `place`: of the line, when it comes by a file.
  bool offer(std::string_view id, std::string_view type, std::string_view data,
             const std::optional<SignalPlace>& place = std::nullopt);
  /// A row inserted into the signal table: its first three columns are id, type, data.
  void offer_row(std::span<const Cell> row);
  /// {"id":…,"type":…,"data":{…} or text}; an id is made up when there is none.
  bool offer_document(std::string_view json, const std::optional<SignalPlace>& place = std::nullopt);
  std::optional<Signal> take();
  /// To be taken next: a signal that could not be worked on.
  void put_back(Signal signal);

 private:
  std::function<void(const std::string&)> warn_;
  std::mutex mutex_;
  std::deque<Signal> signals_;
};

struct SignalOptions {
  bool source = true, kafka = false, file = false;
  int64_t poll_interval_ms = 5'000;
  std::string kafka_topic, kafka_group, key;  ///< key: topic.prefix
  KafkaOptions kafka_options;
  std::string file_path;
  static Result<SignalOptions> parse(const sdk::Config& config);
};

/// Offers the documents of a topic whose key is `key`; others are not for this connector. kUnavailable as the reader.
Status poll_topic(TopicReader& reader, std::string_view key, int64_t wait_ms, SignalQueue& queue);

}  // namespace millrace::mariadb
