/// A Fetch on its way: looks at its partitions, and while there is too little in them waits for appends, the clock or
/// the end of its connection. Nothing polls: a waiting fetch listens to its partitions' logs.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/handlers/fetch_session.h"
#include "broker/server/exchange.h"
#include "broker/server/services.h"
#include "broker/topic_index.h"
#include "log/partition_log.h"
#include "protocol/kafka_error.h"

namespace millrace {

/// One partition: what is asked for, and what was found when it was last looked at.
struct FetchItem {
  std::string_view topic;  ///< of the request or of `cached`
  Uuid topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  int32_t bytes_max = 0;
  int32_t leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  std::shared_ptr<FetchSessionPartition> cached = nullptr;  ///< with a session: its memory of the partition

  struct Result {
    KafkaError error = KafkaError::kNone;
    bool known = false;  ///< the partition is there, so the error comes from reading it
    LogSlice slice = {};
    std::optional<EpochEndOffset> diverging = std::nullopt;
  };
  Result result = {};
  std::shared_ptr<PartitionLog> log = nullptr;  ///< that was looked at
};

struct FetchLimits {
  int32_t wait_ms = 0;
  size_t bytes_min = 0;
  size_t bytes_max = 0;
  Isolation isolation = Isolation::kUncommitted;
};

/// Threads: one looks and answers at a time, whichever: the connection's, the timers'.
class FetchJob final : public LogListener, public std::enable_shared_from_this<FetchJob> {
 public:
  /// Answers at once or later. `session` may be null; `incremental`: the answer leaves out what has not changed.
  static void start(BrokerServices& services, std::unique_ptr<Exchange> exchange, FetchLimits limits,
                    std::vector<FetchItem> items, std::shared_ptr<FetchSession> session, bool incremental);
  FetchJob(BrokerServices& services, std::unique_ptr<Exchange> exchange, FetchLimits limits,
           std::vector<FetchItem> items, std::shared_ptr<FetchSession> session, bool incremental);
  ~FetchJob() override;

  void on_advance() override;

 private:
  bool look();
  void look_at(FetchItem& item, const TopicEntry* topic, size_t room, bool at_least_one);
  bool more_in_later_segments() const;
  void wait();
  void wake();
  void finish();
  void stop_listening();
  void answer(Exchange& exchange);
  bool to_be_told(FetchItem& item);

  BrokerServices& services_;
  const FetchLimits limits_;
  const std::shared_ptr<FetchSession> session_;  // co-owned with the cache
  const bool incremental_;
  const std::shared_ptr<ExchangeSink> sink_;  // co-owned with the exchange
  std::mutex mutex_;                          // guards what follows, but for the atomic
  std::unique_ptr<Exchange> exchange_;        // null once answered
  std::vector<FetchItem> items_;
  std::vector<std::shared_ptr<PartitionLog>> listened_;
  std::optional<uint64_t> timer_;
  std::atomic<bool> wake_asked_{false};
};

}  // namespace millrace
