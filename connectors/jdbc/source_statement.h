/// What a source asks the database for one table or query: the rows after an offset, and whether there are any.
/// Threads: any (immutable once made).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "connectors/jdbc/source_config.h"
#include "connectors/jdbc/sql.h"

namespace millrace::jdbc {

/// How far a table has been read.
struct SourceOffset {
  int64_t incrementing = -1;
  Instant timestamp;
  bool has_timestamp = false;
};

class SourceStatement {
 public:
  /// `table` empty: the configured query. The columns are those of the mode, as the user wrote them.
  SourceStatement(const SourceConfig& config, const Dialect& dialect, const TableId& table,
                  const std::string& incrementing, const std::vector<std::string>& timestamps);

  /// The SELECT, with ? for each of parameters().
  const std::string& text() const { return text_; }
  /// As text(), fit for messages: a masked query stays masked.
  const std::string& told() const { return told_; }
  /// `end`: timestamps from there on wait for a later query.
  std::vector<Parameter> parameters(const SourceOffset& from, const Instant& end) const;

  /// Whether probe() may stand for text() where there are no rows: not for bulk reads, nor with texts of the user in
  /// the statement.
  bool can_probe() const { return can_probe_; }
  /// A SELECT of the constant `number` with one row if text() would have any; many of them make one UNION ALL.
  std::string probe(size_t number, const SourceOffset& from, const Instant& end, const Dialect& dialect,
                    const WallClock& clock) const;

 private:
  Mode mode_;
  bool can_probe_ = false;
  std::string source_;               // what stands behind FROM
  std::vector<std::string> pieces_;  // of the condition, between its parameters
  std::string text_, told_;
};

/// The database's time less timestamp.delay.interval.ms. Errors: as Session::now().
Result<Instant> end_of_read(Session& session, const SourceConfig& config);

}  // namespace millrace::jdbc
