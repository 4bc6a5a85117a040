/// A sink task: takes partitions from its consumer group, converts and transforms records in place, hands batches to
/// the plugin, and commits offsets of what the plugin has made durable.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/log_client.h"
#include "data/arena.h"
#include "runtime/converter_set.h"
#include "runtime/dead_letter_queue.h"
#include "runtime/error_handler.h"
#include "runtime/schema_table.h"
#include "runtime/task_metrics.h"
#include "runtime/worker_task.h"
#include "transforms/transformation_chain.h"

namespace millrace {

class SinkTask final : public WorkerTask, private RebalanceListener {
 public:
  struct Options {
    std::vector<std::string> topics;  ///< or
    std::string topics_regex;
    ConsumerConfig consumer;
    ProducerSettings dead_letters;  ///< how the dead letter queue writes
    std::chrono::milliseconds commit_interval{60'000};
  };
  /// What a record passes on its way, in order.
  struct Pipeline {
    ConverterSet converters = {};
    TransformationChain transforms = {};
  };
  SinkTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy, Logger logger,
           Pipeline pipeline, LogClient& client, Options options);

  /// Threads: any.
  const TaskMetrics& metrics() const { return metrics_; }

  // mr_context, on the task's thread
  Expected<mr_schema_id> register_schema(const mr_schema& schema) override { return schemas_.register_schema(schema); }
  const mr_schema* describe_schema(mr_schema_id id) override { return schemas_.describe(id); }
  void request_commit() override { commit_requested_ = true; }
  Status report(size_t record_index, Error why) override;
  Status seek(const mr_topic_partition& to) override;
  Status pause(std::span<const mr_topic_partition> partitions) override;
  Status resume(std::span<const mr_topic_partition> partitions) override;
  void limit_next_wait(std::chrono::milliseconds wait) override { next_wait_ = wait; }

 protected:
  Status execute() override;
  void interrupt_blocking() override;

 private:
  using Offsets = std::map<TopicPartition, int64_t>;

  // sink_task.cc: the loop, partitions and offsets
  void on_revoked(const std::vector<TopicPartition>& partitions) override;
  void on_assigned(const std::vector<TopicPartition>& partitions) override;
  Status run();
  Status run_until_stopped();
  Status iterate(Backoff& backoff);
  Status subscribe();
  void follow_pause();
  Status apply_seeks();
  std::chrono::milliseconds poll_wait();
  /// Gives batch_ to the plugin until it takes it; false when a stop was asked for or the partitions changed meanwhile.
  Expected<bool> put_with_retries();
  Status put_once();
  /// Polls with every partition paused: the membership stays alive and partitions may move away.
  Status wait_polling(std::chrono::milliseconds wait);
  /// Reads again those partitions that neither the user nor the plugin has paused.
  void resume_reading();
  /// Reads on after what the plugin took, for every partition still assigned: the dropped batch comes again.
  Status rewind_to(const Offsets& offsets);
  bool commit_due() const;
  void commit_and_log();
  Status commit();
  /// The plugin makes durable what it has; returns up to where that is. Empty: nothing is new.
  Expected<Offsets> pre_commit();
  Status commit_offsets(const Offsets& durable);
  Status close_partitions(const std::vector<TopicPartition>& partitions);
  /// The end of a hold on partitions: pre_commit, close, commit. Errors: of the plugin's close.
  Status give_up(const std::vector<TopicPartition>& partitions);
  std::vector<mr_topic_partition> to_abi(const std::vector<TopicPartition>& partitions) const;

  // sink_task_records.cc: the way of a record
  /// Converts what was fetched into batch_; bad records are left out under errors.tolerance=all.
  Status convert(const std::vector<FetchedPartition>& fetched);
  /// False: a transformation has dropped it.
  Expected<bool> convert_record(const FetchedPartition& from, const RecordView& record, mr_record& out);
  Status convert_parts(const FetchedPartition& from, const RecordView& record, mr_record& out);
  Status convert_headers(const FetchedPartition& from, const RecordView& record);
  Expected<bool> transform(const FetchedPartition& from, const RecordView& record, mr_record& out);
  void give_headers(mr_record& out);
  std::string_view failed_class() const;
  Status handle_bad_record(const TopicPartition& from, const RecordView& record, Stage stage,
                           std::string_view class_name, const Error& error);

  Pipeline pipeline_;
  LogClient& client_;
  const Options options_;
  TaskMetrics metrics_;
  ErrorHandler errors_;
  SchemaTable schemas_;
  Arena arena_;
  ConnectRecord record_;  // scratch
  SchemaAndValue key_, value_;
  Stage failed_stage_ = Stage::kValueConverter;

  std::unique_ptr<Consumer> consumer_;
  std::mutex consumer_mutex_;  // guards the pointer for interrupt_blocking()
  std::unique_ptr<DeadLetterQueue> dead_letters_;
  void* task_ = nullptr;

  /// The batch in the plugin's hands; the views point into fetched_ and arena_.
  std::vector<FetchedPartition> fetched_;
  std::vector<mr_record> batch_;
  struct Origin {
    const FetchedPartition* from;
    const RecordView* record;
  };
  std::vector<Origin> origins_;  // of batch_[i]
  Offsets delivered_;            // next offset after what was put
  Offsets committed_;
  Offsets seeks_;  // asked for by the plugin; done before the next poll
  std::set<TopicPartition> paused_by_plugin_;
  std::optional<Error> given_;  // what report() last refused with
  bool holding_ = false;        // a batch waits for a retry: nothing is read meanwhile
  bool reading_paused_ = false;
  bool batch_dropped_ = false;  // the assignment changed while the batch waited for a retry
  Status listener_failure_;
  std::atomic<bool> commit_requested_{false};
  std::chrono::milliseconds next_wait_{-1};  // negative: not limited
  std::chrono::steady_clock::time_point last_commit_{};
};

}  // namespace millrace
