#include "broker/group/offsets_log.h"

#include <fmt/format.h>

namespace millrace {
namespace {

constexpr size_t kReadBytes = 1 << 20;

}  // namespace

BrokerOffsetsLog::BrokerOffsetsLog(Broker& broker) : broker_(broker) {
  const auto known = broker.topic(std::string(kOffsetsTopic));
  partition_count_ = known ? known->partitions : broker.options().offsets_partitions;
}

void BrokerOffsetsLog::append(int32_t partition, std::string batch, Done done) {
  const auto topic = broker_.find_topic(kOffsetsTopic);
  std::shared_ptr<PartitionLog> log = topic == nullptr ? nullptr : topic->log(partition);
  if (log == nullptr) {
    auto made = broker_.log(std::string(kOffsetsTopic), partition);  // its first record
    if (!made) return done(fail(std::move(made.error())));
    log = std::move(*made);
  }
  auto appended = log->append(batch, {}, done);
  if (!appended) done(fail(std::move(appended.error())));
}

Status BrokerOffsetsLog::replay(const Visitor& visit) {
  const auto topic = broker_.find_topic(kOffsetsTopic);
  if (topic == nullptr) return {};
  for (int32_t partition = 0; partition < partition_count_; ++partition) {
    const auto log = topic->log(partition);
    if (log == nullptr) continue;
    if (auto replayed = replay_partition(partition, *log, visit); !replayed) {
      return fail(
          std::move(replayed.error()).wrap(fmt::format("cannot load groups from {}-{}", kOffsetsTopic, partition)));
    }
  }
  return {};
}

Status BrokerOffsetsLog::replay_partition(int32_t partition, const PartitionLog& log, const Visitor& visit) {
  for (int64_t offset = log.log_start_offset(); offset < log.high_watermark();) {
    auto read = log.read(offset, kReadBytes);
    if (!read) return fail(std::move(read.error()));
    BytesView bytes = read->bytes;
    while (!bytes.empty()) {
      auto batch = RecordBatchView::parse(bytes);
      if (!batch) return fail(std::move(batch.error()));
      bytes.remove_prefix(batch->size_bytes());
      if (auto visited = visit(partition, *batch); !visited) return visited;
    }
    if (read->next_offset <= offset) break;
    offset = read->next_offset;
  }
  return {};
}

}  // namespace millrace
