/// A source task: polls the plugin, converts what it emits straight into record batches, sends them, and stores source
/// offsets once the log has acknowledged the records.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/log_client.h"
#include "runtime/converter_set.h"
#include "runtime/offset_store.h"
#include "runtime/offset_tracker.h"
#include "runtime/schema_table.h"
#include "runtime/worker_task.h"

namespace millrace {

class SourceTask final : public WorkerTask {
 public:
  struct Services {
    LogClient& client;
    OffsetStore& offsets;
  };
  SourceTask(const ConnectorPlugin& plugin, Identity identity, ConfigMap task_config, ErrorPolicy policy, Logger logger,
             ConverterSet converters, Services services)
      : WorkerTask(plugin, std::move(identity), std::move(task_config), std::move(policy), std::move(logger)),
        converters_(std::move(converters)),
        services_(services) {}

  /// Stores the offsets of all records acknowledged so far. Called by the worker's commit thread and at the end.
  /// Threads: any.
  Status commit_offsets();

  // mr_context, on the task's thread
  Expected<mr_schema_id> register_schema(const mr_schema& schema) override { return schemas_.register_schema(schema); }
  const mr_schema* describe_schema(mr_schema_id id) override { return schemas_.describe(id); }
  Expected<mr_value> stored_offset(const mr_value& partition) override;
  Status emit(std::span<const mr_record> records) override;

 protected:
  Status execute() override;

 private:
  /// The batches being built for one topic, one slot a partition.
  struct TopicBatches {
    int32_t partitions = 0;
    int32_t next_partition = 0;  // for records without a key: moves on with each emit
    std::vector<RecordBatchBuilder> open;
  };
  Status poll_until_stopped(PluginTask& task);
  Status check(const mr_record& record) const;
  Expected<TopicBatches*> batches_of(std::string_view topic);
  Status append(const mr_record& record, int64_t now_ms, const OffsetTracker::UnitPtr& unit);
  Status convert(const mr_record& record, bool& has_key, bool& has_value);
  Status convert_headers(const mr_record& record);
  void send(const std::string& topic, int32_t partition, RecordBatchBuilder& batch, const OffsetTracker::UnitPtr& unit);
  void send_all(const OffsetTracker::UnitPtr& unit);
  Status tolerate(const mr_record& record, Error error);

  ConverterSet converters_;
  const Services services_;
  SchemaTable schemas_;
  std::unique_ptr<Producer> producer_;
  std::map<std::string, TopicBatches, std::less<>> topics_;
  std::pair<std::string_view, TopicBatches*> last_topic_{{}, nullptr};
  OffsetTracker tracker_;
  std::mutex commit_mutex_;
  std::atomic<bool> offsets_stored_{false};  // the plugin's commit() is due
  OwnedValue last_stored_offset_;            // what stored_offset() lent out
  std::string key_bytes_, value_bytes_;      // scratch, reused for every record
  std::vector<std::string> header_bytes_;
  std::vector<RecordHeader> headers_;
};

}  // namespace millrace
