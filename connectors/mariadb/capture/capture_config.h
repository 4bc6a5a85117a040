/// All settings of a CDC connector, each part parsed by the folder that uses it.
#pragma once

#include <millrace/connector.hpp>

#include <algorithm>
#include <string>

#include "connectors/mariadb/binlog/stream.h"
#include "connectors/mariadb/config/filters.h"
#include "connectors/mariadb/events/event_options.h"
#include "connectors/mariadb/schema/history/history_store.h"
#include "connectors/mariadb/snapshot/incremental_snapshot.h"
#include "connectors/mariadb/snapshot/signals.h"
#include "connectors/mariadb/snapshot/snapshot_options.h"
#include "connectors/mariadb/sql/connection.h"
#include "connectors/mariadb/types/value_options.h"

namespace millrace::mariadb {

enum class FailureMode { kFail, kWarn, kSkip };

struct CaptureConfig {
  ConnectionOptions connection;
  StreamOptions stream;
  TableFilter tables;
  EventOptions events;
  ValueOptions values;
  SnapshotOptions snapshot;
  IncrementalOptions incremental;
  SignalOptions signals;
  HistoryOptions history;
  bool back_fill = false;                  ///< snapshot.new.tables=parallel
  std::string table_lists;                 ///< table_lists() of the configuration
  RegexList gtid_includes, gtid_excludes;  ///< on "domain-server"
  bool gtid_filter_rows = true, gtid_ignore_on_recovery = false;
  std::string signal_table;  ///< "db.table", or empty
  int64_t heartbeat_ms = 0;
  std::string heartbeat_query;
  FailureMode on_bad_event = FailureMode::kFail, on_unknown_schema = FailureMode::kFail;
  int64_t retries_max = -1;  ///< errors.max.retries; -1 = for ever

  static Result<CaptureConfig> parse(const sdk::Config& config);
};

}  // namespace millrace::mariadb
