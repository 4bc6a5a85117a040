/// What is known of connectors and tasks, and the topics they use, in Kafka Connect's own status topic format:
/// `status-connector-<c>`, `status-task-<c>-<i>` → {"state","trace","worker_id","generation"} and
/// `status-topic-<t>:connector-<c>` → {"topic":{…}}. Other workers and tools read it there.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/logger.h"
#include "runtime/herder.h"
#include "runtime/topic_store.h"

namespace millrace {

/// Threads: any. Writing is done by a thread of its own: a task that changes its state never waits for the log, and of
/// several states in a row only the last may be written.
class StatusStore {
 public:
  struct Identity {
    std::string worker_id;
    int generation = 0;  ///< of the worker's group; 0 for a worker alone
  };
  StatusStore(std::unique_ptr<TopicStore> topic, Identity identity, Logger logger);
  /// Writes what is waiting.
  ~StatusStore();

  struct Stored {
    State state = State::kUnassigned;
    std::string trace;
  };
  std::optional<Stored> connector(const std::string& name) const;
  void put_connector(const std::string& name, State state, const std::string& trace);
  void put_task(const std::string& connector, int task, State state, const std::string& trace);
  void remove_task(const std::string& connector, int task);
  /// Forgets the connector, its tasks and its topics.
  void remove_connector(const std::string& name);

  /// The active topics of all connectors, as read at start.
  std::map<std::string, std::set<std::string>> topics() const;
  void put_topic(const std::string& connector, int task, const std::string& topic);
  void remove_topic(const std::string& connector, const std::string& topic);

  /// Removes what is stored of connectors other than these: deleted while no worker ran.
  void keep_only(const std::set<std::string>& connectors);
  /// Returns when all of the above is in the topic, or could not be written.
  void flush();

 private:
  void put(std::string key, std::optional<std::string> value);
  void run();
  /// As stored or about to be; the caller holds mutex_.
  std::map<std::string, std::string> current() const;
  std::string status_json(State state, const std::string& trace) const;

  const std::unique_ptr<TopicStore> topic_;
  const Identity identity_;
  const Logger logger_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::optional<std::string>> waiting_;
  bool writing_ = false;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace millrace
