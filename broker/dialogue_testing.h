/// Golden dialogues: recorded requests to Kafka's broker and its answers, replayed against a Node in process.
///
/// The frames go through the ApiTable as a connection would hand them on; the answers are compared as JSON, field by
/// field. What a broker chooses itself (ids of producers, members, topics, sessions) is learnt from the answers and
/// carried into the requests that follow. Not compared: clocks, wording of messages, and the order of lists that come
/// out of hash maps. Format: README.md of the recordings.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/node.h"

namespace millrace::testing {

/// What became of one request.
struct Outcome {
  enum class Kind { kPending, kAnswer, kNothing, kClosed };
  Kind kind = Kind::kPending;
  std::string bytes;  ///< the answer with its file ranges put in, length first
  bool close_after = false;
};

/// Collects the outcome of one request. Threads: any.
class OutcomeSink final : public ExchangeSink {
 public:
  void answer(uint64_t sequence, ResponseFrame frame) override;
  void answer_nothing(uint64_t sequence) override;
  void close(uint64_t sequence) override;
  /// Waits for it, at most `patience`.
  Outcome wait(std::chrono::milliseconds patience = std::chrono::seconds(15));

 private:
  void settle(Outcome outcome);
  std::mutex mutex_;
  std::condition_variable settled_;
  Outcome outcome_;
};

/// Gives `frame` (length first) to its handler, as a connection does. The session is that of an anonymous client.
std::shared_ptr<OutcomeSink> send_frame(Node& node, std::string_view frame);

struct TopicSpec {
  std::string name;
  int32_t partitions = 1;
  TopicConfigs configs = {};
};

struct DialogueOptions {
  bool golden_logs = false;  ///< start on the partition folders of the recordings of `kafka-log`
  std::vector<TopicSpec> topics = {};
  /// Changed before the node opens; directory, node id and advertised listener are set already.
  std::function<void(NodeOptions&)> configure = {};
};

/// The topics that produce.jsonl, idempotent.jsonl and transactional.jsonl need.
std::vector<TopicSpec> dialogue_topics();

/// The wall clock stands where it stood at the recordings of produce.jsonl; time passes as it does.
class RecordingClock final : public Clock {
 public:
  int64_t wall_ms() const override {
    constexpr int64_t kRecordedMs = 1'795'228'920'240;
    return kRecordedMs + std::chrono::duration_cast<std::chrono::milliseconds>(monotonic() - start_).count() / 1000;
  }
  std::chrono::nanoseconds monotonic() const override { return clock_.monotonic(); }

 private:
  SystemClock clock_;
  std::chrono::nanoseconds start_ = clock_.monotonic();
};

/// A node in a temporary folder and what has been learnt about the peer's own values. Threads: one.
class Dialogue {
 public:
  explicit Dialogue(DialogueOptions options = {});
  ~Dialogue();

  Node& node() { return *node_; }
  /// Steps that are not compared: `file/step` of tests/golden/known-differences.json ("kafka-dialogue/groups/24"), and
  /// those added here.
  void skip(int step) { skipped_.insert(step); }
  /// Called for a step instead of the comparison, with the recorded and the given answer.
  using Check = std::function<void(const nlohmann::json& expected, const nlohmann::json& actual)>;
  void check(int step, Check check) { checks_[step] = std::move(check); }
  /// Replays `<name>.jsonl`, step by step; the first wrong answers are reported as failures of the test.
  void replay(const std::string& name);

 private:
  void step(const nlohmann::json& line, const std::string& file);
  std::string request_frame(const nlohmann::json& line);
  void carry_over(nlohmann::json& request, const std::string& key);
  void compare(const nlohmann::json& expected, const nlohmann::json& actual, const std::string& key,
               std::vector<std::string>& differences, const std::string& path);
  bool same_chosen(const nlohmann::json& expected, const nlohmann::json& actual, const std::string& kind);

  std::filesystem::path folder_;
  PosixFileSystem files_;
  RecordingClock clock_;
  std::unique_ptr<Node> node_;
  bool closed_ = false;       // the broker has closed the connection on which the next request would come
  bool tells_epoch_ = false;  // the answer tells current leader epochs
  std::set<int> skipped_;
  std::map<int, Check> checks_;
  std::map<std::string, std::map<std::string, nlohmann::json>> learnt_;  // kind, recorded value: our value
};

}  // namespace millrace::testing
