/// Exactly once: how far each partition has been written, kept in a table of the target database and moved in the
/// transactions that write the rows. Whatever the consumer group remembers, the table says where to go on.
///
/// A row (connector, topic, partition) belongs to the task that raised its epoch last. A task that still believes to
/// own the partition finds another epoch, and its transaction fails: no row is written twice. Threads: the task's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "connectors/jdbc/sink_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

class SinkOffsets {
 public:
  /// `config` outlives the object.
  SinkOffsets(const SinkConfig& config, std::string connector);

  void open(std::span<const mr_topic_partition> partitions);
  void close(std::span<const mr_topic_partition> partitions);
  /// The session is gone, and with it what is certain: the last commit may or may not have happened.
  void forget_session();

  /// Nothing to ask the database before `records` are written.
  bool settled(std::span<const mr_record> records) const;
  /// Takes over the partitions that are new and asks for those held before; a transaction of its own. True: the
  /// database stands elsewhere than the reader, which must go to positions(); what it has read is not to be written.
  /// Errors: the server's, or lost().
  Result<bool> settle(Session& session, std::span<const mr_record> records);
  /// The reader knows positions().
  void told();
  /// Where to read on. The topics' texts live as long as the partitions are open.
  std::vector<mr_topic_partition> positions() const;

  /// First statement of a transaction that writes `records`: moves the offsets behind them.
  /// Errors: the server's, or lost().
  Status advance(Session& session, std::span<const mr_record> records);
  /// The transaction has been committed.
  void committed();

  /// The task must not write any more, whatever is tried: the partitions belong to another one, or the topic is
  /// another one. The last Status said which.
  bool lost() const { return lost_; }
  /// For messages: the table, in quotes.
  const std::string& table() const { return name_; }

 private:
  struct Position {
    int64_t next = 0;      // the offset after what was committed, or where the reader stands
    int64_t epoch = 0;     // ours; 0 = not taken over yet
    int64_t raised = 0;    // what it becomes when the transaction that takes the partition over has been committed
    int64_t reached = -1;  // the offset after the records of the current transaction
    bool known = false;    // asked for in this session
    bool moved = false;    // the reader stands elsewhere and has not been told
  };
  using Key = std::pair<std::string, int32_t>;
  struct ByKey {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const int order = std::string_view(a.first).compare(b.first);
      return order < 0 || (order == 0 && a.second < b.second);
    }
  };
  using Positions = std::map<Key, Position, ByKey>;

  Status find_table(Session& session);
  Status take_over(Session& session, const Key& key, Position& position);
  Status ask(Session& session, const Key& key, Position& position);
  std::string where(const Key& key) const;
  std::string text(std::string_view value) const;
  Status give_up(std::string why);

  const SinkConfig& config_;
  const std::string connector_;
  const std::unique_ptr<Dialect> dialect_;  // quotes always: offset and partition are words of SQL
  TableId id_;
  std::string name_;
  std::string topic_, partition_, offset_, epoch_;  // quoted columns
  bool found_ = false, lost_ = false;
  Positions positions_;
};

}  // namespace millrace::jdbc
