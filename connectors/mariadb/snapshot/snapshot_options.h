/// The settings of snapshots (reference mariadb-cdc 1.5).
#pragma once

#include <millrace/connector.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "connectors/common/result.h"
#include "connectors/mariadb/config/filters.h"

namespace millrace::mariadb {

enum class SnapshotMode {
  kAlways,
  kInitial,
  kInitialOnly,
  kNoData,
  kRecovery,
  kWhenNeeded,
  kNever,
  kConfigurationBased
};
/// kLockFree is millrace's default: what `minimal` promises, without its lock (reference 4.3). `minimal` spelled out by
/// the user takes the lock.
enum class SnapshotLocking { kLockFree, kMinimal, kMinimalAtLeastOnce, kExtended, kNone };

struct SnapshotOptions {
  SnapshotMode mode = SnapshotMode::kInitial;
  struct {
    bool data = false, schema = false, stream = false, on_schema_error = false, on_data_error = false;
  } based;
  SnapshotLocking locking = SnapshotLocking::kLockFree;
  int64_t lock_timeout_ms = 10'000, delay_ms = 0, streaming_delay_ms = 0;
  int max_threads = 1;
  uint64_t chunk_rows = 100'000;
  enum class Order { kDisabled, kAscending, kDescending } order = Order::kDisabled;
  RegexList include;                             ///< snapshot.include.collection.list; empty = all captured
  std::map<std::string, std::string> overrides;  ///< "db.table" → SELECT

  static connectors::Result<SnapshotOptions> parse(const sdk::Config& config);
};

}  // namespace millrace::mariadb
