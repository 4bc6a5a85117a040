/// The sink task: every put is one transaction, committed before it returns; where the database commits DDL by itself
/// and a table has to change between two records, the put is cut there.
/// Threads: the worker's task thread; interrupt() from any other.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "connectors/common/interruptible.h"
#include "connectors/jdbc/sink_config.h"
#include "connectors/jdbc/sink_offsets.h"
#include "connectors/jdbc/sink_table.h"

namespace millrace::jdbc {

class JdbcSinkTask : public sdk::SinkTask {
 public:
  using Parse = Result<SinkConfig> (*)(const sdk::Config&);
  /// `warns`: tells of settings that mean nothing; of several tasks with the same settings one.
  explicit JdbcSinkTask(Parse parse = &SinkConfig::parse, bool warns = true) : parse_(parse), warns_(warns) {}

  Status start(sdk::SinkContext& context) override;
  Status open(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) override;
  Status put(sdk::SinkContext& context, std::span<const mr_record> records) override;
  Status close(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) override;
  Status stop(sdk::SinkContext& context) override;
  void interrupt() override;

  /// Tells `context` the statements that start() and put(records) would execute.
  Status preview(sdk::PreviewContext& context, std::span<const mr_record> records);

 protected:
  /// Record `index` of the current put is bad. Not ok: the put fails with that.
  virtual Status report_to_host(sdk::SinkContext& context, size_t index, const Status& why) {
    return context.report(index, why);
  }

 private:
  Status connect(sdk::SinkContext& context);
  void disconnect();
  enum class Action { kSkip, kWrite, kDelete, kTruncate };
  Action action_of(const mr_record& record, const RecordShape& shape) const;
  Status check(const sdk::SinkContext& context, const mr_record& record);
  /// Everything that comes before the rows of a transaction. False: the reader was sent elsewhere, and what is at hand
  /// is not to be written.
  Result<bool> begin(sdk::SinkContext& context, std::span<const mr_record> records);
  Status commit();
  Status try_transaction(sdk::SinkContext& context, std::span<const mr_record> records, size_t first);
  using Try = Status (JdbcSinkTask::*)(sdk::SinkContext& context, std::span<const mr_record> records, size_t first);
  /// Writes the put's records from done_ on: in one transaction, or in several where a table changes in between.
  Status write_all(sdk::SinkContext& context, std::span<const mr_record> records, Try attempt);
  /// Whether these are the records of the put of which done_ have been written.
  bool goes_on(std::span<const mr_record> records) const;
  /// `undoable`: nothing may be committed on the way.
  Status write(sdk::SinkContext& context, std::span<const mr_record> records, bool undoable);
  Status write_around_bad_records(sdk::SinkContext& context, std::span<const mr_record> records);
  Status try_around_bad_records(sdk::SinkContext& context, std::span<const mr_record> records, size_t first);
  Status write_part(sdk::SinkContext& context, std::span<const mr_record> records, size_t first);
  Status report(sdk::SinkContext& context, size_t index, const Status& why);
  Status add(sdk::SinkContext& context, SinkTable& table, const mr_record& record, const RecordShape& shape,
             bool remove);
  Status send(sdk::SinkContext& context, SinkTable& table);
  Result<SinkTable*> table_of(const sdk::SinkContext& context, const mr_record& record, const RecordShape& shape);
  Result<SinkTable*> make_table(const sdk::SinkContext& context, const mr_record& record, const RecordShape& shape);
  /// Behind a failed transaction. Sets restart_ and cut_.
  void roll_back();

  const Parse parse_;
  const bool warns_;
  std::optional<SinkConfig> config_;
  std::unique_ptr<Dialect> dialect_;
  connectors::Interruptible<Session> session_;
  std::unique_ptr<SinkOffsets> offsets_;                                   // exactly once; else null
  std::map<std::string, std::unique_ptr<SinkTable>, std::less<>> tables_;  // by table name
  std::map<std::string, SinkTable*, std::less<>> tables_by_origin_;
  std::vector<std::string> source_names_;  // fields of the source block in table.name.format
  std::string origin_, last_origin_;       // what the table's name depends on: the topic and those fields
  std::string headers_;                    // of the record at hand: header_signature()
  ShapeCache shapes_;
  SinkTable* last_table_ = nullptr;
  int64_t retries_left_ = 0;
  std::set<size_t> reported_;         // bad records of the current put, by index
  bool restart_ = false;              // the last transaction was given up for DDL: again
  const mr_record* cut_ = nullptr;    // the last transaction must end before this record
  const mr_record* first_ = nullptr;  // of the current transaction
  struct Put {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
    size_t records = 0;
  } unfinished_;            // that failed when done_ records of it had been committed
  size_t done_ = 0;         // leading records of the current put that are committed
  bool lost_race_ = false;  // the last transaction failed because of another one
};

}  // namespace millrace::jdbc
