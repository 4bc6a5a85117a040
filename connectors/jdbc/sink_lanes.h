/// The sink task over several connections (millrace.connections): a put is divided among lanes, each a JdbcSinkTask
/// with a connection and a transaction of its own, and returns when all have committed. Records of one key keep their
/// order, since they take the same lane and puts follow one another; rows of different keys are written in any order.
/// With one connection there is one lane, which gets the put as it is.
///
/// Threads: the worker's task thread, which waits while the lanes' threads work; interrupt() from any other.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "connectors/jdbc/sink_task.h"

namespace millrace::jdbc {

class SinkLane;

class JdbcSinkLanes : public sdk::SinkTask {
 public:
  explicit JdbcSinkLanes(JdbcSinkTask::Parse parse = &SinkConfig::parse);
  ~JdbcSinkLanes() override;

  Status start(sdk::SinkContext& context) override;
  Status open(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) override;
  /// Failures: a lane's; the lanes that have committed leave the same records alone when they come again.
  Status put(sdk::SinkContext& context, std::span<const mr_record> records) override;
  Status close(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) override;
  Status stop(sdk::SinkContext& context) override;
  void interrupt() override;

 private:
  /// Schemas are described when they are first asked for, by one thread at a time: so all of them before lanes work.
  void describe_schemas(const sdk::SinkContext& context);
  /// Whether the order between different keys matters, or there is too little to divide.
  bool takes_one_lane(const sdk::SinkContext& context, std::span<const mr_record> records);
  void divide(const sdk::SinkContext& context, std::span<const mr_record> records);
  size_t lane_of(const sdk::SinkContext& context, const mr_record& record);
  bool comes_again(std::span<const mr_record> records) const;
  Status outcome() const;

  const JdbcSinkTask::Parse parse_;
  SinkConfig config_;
  std::mutex guard_;  // lanes_ against interrupt(); the lanes' reports against one another
  std::vector<std::unique_ptr<SinkLane>> lanes_;
  ShapeCache shapes_;
  mr_schema_id described_ = 0;
  struct {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
    size_t records = 0;  // 0: the last put has been written
  } unfinished_;
};

/// Spreads keys over lanes: equal keys get equal numbers, whatever the width of an integer, and texts also where they
/// differ in ASCII case or trailing spaces, as many columns hold these equal.
uint64_t lane_hash(const mr_value& key);

}  // namespace millrace::jdbc
