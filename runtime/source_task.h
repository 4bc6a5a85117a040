/// A source task: polls the plugin, transforms what it emits, converts it straight into record batches, sends them, and
/// stores source offsets once the log has acknowledged the records; with exactly-once support both in one transaction.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/log_client.h"
#include "data/arena.h"
#include "runtime/client_settings.h"
#include "runtime/converter_set.h"
#include "runtime/error_handler.h"
#include "runtime/exactly_once.h"
#include "runtime/offset_store.h"
#include "runtime/offset_tracker.h"
#include "runtime/schema_table.h"
#include "runtime/task_metrics.h"
#include "runtime/topic_creation.h"
#include "runtime/worker_task.h"
#include "transforms/transformation_chain.h"

namespace millrace {

class SourceTask final : public WorkerTask {
 public:
  struct Services {
    LogClient& client;
    OffsetStore& offsets;
  };
  /// What a record passes on its way, in order.
  struct Pipeline {
    TransformationChain transforms = {};
    ConverterSet converters = {};
    std::optional<TopicCreation> topic_creation = {};
    ProducerSettings producer = {};
    std::optional<ExactlyOnce> exactly_once = {};
  };
  SourceTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy, Logger logger,
             Pipeline pipeline, Services services);

  /// Stores the offsets of all records acknowledged so far. Called by the worker's commit thread and at the end. With
  /// exactly-once support the transactions store them, and nothing happens here. Threads: any.
  Status commit_offsets();
  /// Threads: any.
  const TaskMetrics& metrics() const { return metrics_; }
  bool exactly_once() const { return pipeline_.exactly_once.has_value(); }

  // mr_context, on the task's thread
  Expected<mr_schema_id> register_schema(const mr_schema& schema) override { return schemas_.register_schema(schema); }
  const mr_schema* describe_schema(mr_schema_id id) override { return schemas_.describe(id); }
  Expected<mr_value> stored_offset(const mr_value& partition) override;
  Status emit(std::span<const mr_record> records) override;
  bool defines_transactions() override;
  Status commit_transaction() override;
  Status abort_transaction() override;

 protected:
  Status execute() override;

 private:
  // source_task.cc: the life of the task, offsets and transactions
  Status open_producer();
  Status poll_until_stopped(PluginTask& task);
  Status poll_once(PluginTask& task);
  bool wait_until_unpaused();
  void tell_plugin_of_commit(PluginTask& task);
  Status end_transaction();
  void send_offsets(const std::vector<TopicStore::Entry>& entries);
  Status finish_transaction(bool failed);
  bool transaction_due() const;
  tl::unexpected<Error> transaction_failed(Error error) const;

  // source_task_records.cc: the way of a record
  /// The batches being built for one topic, one slot a partition.
  struct TopicBatches {
    int32_t partitions = 0;
    int32_t next_partition = 0;  // for records without a key: moves on with each emit
    size_t batch_bytes = 0;      // a batch is sent when it has grown to this
    std::vector<RecordBatchBuilder> open;
  };
  /// A record behind the transformations; borrowed.
  struct Outgoing {
    std::string_view topic;
    int32_t partition;
    const Schema* key_schema;
    const Value* key;
    const Schema* value_schema;
    const Value* value;
    int64_t timestamp_ms;
  };
  enum class Fate { kWritten, kFiltered, kSkipped };
  Status write_all(std::span<const mr_record> records);
  Status check(const mr_record& record) const;
  Expected<Fate> process(const mr_record& record, const OffsetTracker::UnitPtr& unit);
  Expected<Fate> transform_and_write(const mr_record& record, const OffsetTracker::UnitPtr& unit);
  Expected<Fate> write(const mr_record& record, const Outgoing& out, const OffsetTracker::UnitPtr& unit);
  Status convert(const Outgoing& out);
  Status convert_headers(std::string_view topic);
  void read_headers(const mr_record& record);
  bool has_headers_of_before(const mr_record& record) const;
  RawHeaders encoded_headers();
  Expected<Fate> skip(const mr_record& record, Stage stage, std::string_view class_name, const Error& error);
  Status check_size() const;
  Expected<TopicBatches*> batches_of(std::string_view topic);
  Expected<TopicBatches> open_topic(const std::string& topic);
  BatchOptions batch_options() const;
  void note_offset(const mr_record& record, Fate fate);
  Expected<std::vector<OffsetStore::Change>> take_noted_offsets();
  void send(const std::string& topic, int32_t partition, RecordBatchBuilder& batch, const OffsetTracker::UnitPtr& unit);
  void send_all(const OffsetTracker::UnitPtr& unit);
  /// Whether a batch that the log has refused may be left out.
  bool may_skip_unsent() const { return policy().tolerate_all && !pipeline_.exactly_once; }
  Failure failure_of(const mr_record& record, Stage stage, std::string_view class_name, const Error& error) const;

  Pipeline pipeline_;
  const Services services_;
  TaskMetrics metrics_;
  ErrorHandler errors_;
  SchemaTable schemas_;
  std::map<std::string, TopicBatches, std::less<>> topics_;
  std::pair<std::string_view, TopicBatches*> last_topic_{{}, nullptr};
  OffsetTracker tracker_;
  std::mutex commit_mutex_;
  std::atomic<bool> offsets_stored_{false};  // the plugin's commit() is due
  OwnedValue last_stored_offset_;            // what stored_offset() lent out

  /// Scratch of one emit call, reused: source partition → its last offset, and what transformations made.
  std::vector<std::pair<const Value*, const Value*>> noted_;
  Arena arena_;
  ConnectRecord record_;  // its headers serve the plain path, too
  int64_t now_ms_ = 0;
  std::optional<Error> given_;  // what emit() last refused with
  /// Scratch of one record.
  std::string key_bytes_, value_bytes_;
  bool has_key_ = false, has_value_ = false;
  std::vector<std::string> header_bytes_;
  std::vector<RecordHeader> headers_;
  std::string raw_headers_;                  // headers_ as a batch has them, once a second record has the same
  const mr_record* headers_from_ = nullptr;  // the record of this emit that headers_ were rendered for, untransformed
  bool headers_kept_ = false;                // the record being written has these
  Stage failed_stage_ = Stage::kValueConverter;

  /// With exactly-once support: what goes out with the next commit, by the partition's JSON.
  std::map<std::string, OffsetStore::Change> pending_offsets_;
  int64_t transaction_records_ = 0;
  bool emit_broken_off_ = false;  // an emit ended before its records' offsets were noted
  std::chrono::steady_clock::time_point transaction_ended_{};
  TransactionalProducer* transactions_ = nullptr;  // = producer_, or null
  std::unique_ptr<Producer> producer_;             // last: waits for its callbacks, which use the rest
};

}  // namespace millrace
