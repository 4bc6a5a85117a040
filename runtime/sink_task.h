/// A sink task: takes partitions from its consumer group, converts record values in place, hands batches to the plugin,
/// and commits offsets of what the plugin has made durable.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/log_client.h"
#include "data/arena.h"
#include "runtime/converter_set.h"
#include "runtime/schema_table.h"
#include "runtime/worker_task.h"

namespace millrace {

class SinkTask final : public WorkerTask, private RebalanceListener {
 public:
  struct Options {
    std::vector<std::string> topics;  ///< or
    std::string topics_regex;
    std::string group;  ///< consumer.override.group.id, else connect-<connector>
    size_t max_poll_records = 5000;
    bool from_earliest = true;
    std::chrono::milliseconds commit_interval{60'000};
  };
  SinkTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy, Logger logger,
           ConverterSet converters, LogClient& client, Options options)
      : WorkerTask(plugin, std::move(identity), std::move(task_config), std::move(policy), std::move(logger)),
        converters_(std::move(converters)),
        client_(client),
        options_(std::move(options)) {}

  // mr_context, on the task's thread
  Expected<mr_schema_id> register_schema(const mr_schema& schema) override { return schemas_.register_schema(schema); }
  const mr_schema* describe_schema(mr_schema_id id) override { return schemas_.describe(id); }
  void request_commit() override { commit_requested_ = true; }
  Status report(size_t record_index, Error why) override;
  Status seek(const mr_topic_partition& to) override;
  Status pause(std::span<const mr_topic_partition> partitions) override;
  Status resume(std::span<const mr_topic_partition> partitions) override;

 protected:
  Status execute() override;
  void interrupt_blocking() override;

 private:
  void on_revoked(const std::vector<TopicPartition>& partitions) override;
  void on_assigned(const std::vector<TopicPartition>& partitions) override;

  Status run_until_stopped();
  Status subscribe();
  /// Converts what was fetched into batch_; bad records are left out under errors.tolerance=all.
  Status convert(const std::vector<FetchedPartition>& fetched);
  Status convert_record(const FetchedPartition& from, const RecordView& record, mr_record& out);
  Status convert_headers(const FetchedPartition& from, const RecordView& record, mr_record& out);
  /// Gives batch_ to the plugin until it takes it; false when a stop was asked for or the partitions changed meanwhile.
  Expected<bool> put_with_retries();
  Status put_once();
  /// All partitions were paused while a batch was retried; those the plugin itself paused stay so.
  void resume_after_retries();
  /// Reads on after what the plugin took, for every partition still assigned: the dropped batch comes again.
  Status rewind_to_delivered();
  Status commit(bool closing);
  bool commit_due() const;
  Status handle_bad_record(const mr_record& record, size_t index, std::string_view stage, Error error);
  Status write_dead_letter(size_t index);
  std::vector<mr_topic_partition> to_abi(const std::vector<TopicPartition>& partitions) const;

  ConverterSet converters_;
  LogClient& client_;
  const Options options_;
  SchemaTable schemas_;
  Arena arena_;

  std::unique_ptr<Consumer> consumer_;
  std::mutex consumer_mutex_;  // guards the pointer for interrupt_blocking()
  std::unique_ptr<Producer> dead_letters_;
  void* task_ = nullptr;

  /// The batch in the plugin's hands; the views point into fetched_ and arena_.
  std::vector<FetchedPartition> fetched_;
  std::vector<mr_record> batch_;
  std::vector<const RecordView*> raw_;           // batch_[i] came from *raw_[i]
  std::map<TopicPartition, int64_t> delivered_;  // next offset after what was put
  std::map<TopicPartition, int64_t> committed_;
  std::set<TopicPartition> paused_by_plugin_;
  bool batch_dropped_ = false;  // the assignment changed while the batch waited for a retry
  Status listener_failure_;
  std::atomic<bool> commit_requested_{false};
  std::chrono::steady_clock::time_point last_commit_{};
};

}  // namespace millrace
