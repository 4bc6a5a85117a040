/// The task of a CDC connector: snapshot when one is due, then the binlog, for ever.
/// Threads: the worker's task thread; interrupt() from any other.
#pragma once

#include <millrace/connector.hpp>

#include <memory>
#include <mutex>
#include <optional>

#include "connectors/mariadb/capture/blocking_snapshot.h"
#include "connectors/mariadb/capture/capture_config.h"
#include "connectors/mariadb/capture/incremental_capture.h"
#include "connectors/mariadb/capture/initial_snapshot.h"
#include "connectors/mariadb/capture/streaming.h"

namespace millrace::mariadb {

class MariaDbTask final : public sdk::SourceTask {
 public:
  Status start(sdk::SourceContext& context) override;
  Status poll(sdk::SourceContext& context) override;
  Status commit(sdk::SourceContext& context) override;
  Status stop(sdk::SourceContext& context) override;
  void interrupt() override;

 private:
  Status begin(sdk::SourceContext& context);
  Status check_server_of(sdk::SourceContext& context, Connection& connection);
  Status decide(sdk::SourceContext& context);
  Status recover_schemas(sdk::SourceContext& context);
  Status step(sdk::SourceContext& context);
  Status read_snapshot();
  Status heartbeat();
  Status work_on_signals(sdk::SourceContext& context);
  Status open_blocking(sdk::SourceContext& context);
  Status read_blocking(sdk::SourceContext& context);
  Status blocking_failed(sdk::SourceContext& context, const Status& why);
  void tell_progress(sdk::SourceContext& context);
  Status open_chunk_session();
  Result<Connection*> session();
  Status judged(const Status& why);

  std::optional<CaptureConfig> config_;
  std::unique_ptr<OffsetState> offset_;
  std::unique_ptr<EventWriter> writer_;
  std::unique_ptr<SchemaTracker> schemas_;
  std::unique_ptr<HistoryWriter> history_;
  std::unique_ptr<InitialSnapshot> snapshot_;
  std::unique_ptr<Streaming> streaming_;
  std::unique_ptr<IncrementalCapture> incremental_;
  std::unique_ptr<BlockingCapture> blocking_;
  std::unique_ptr<Connection> chunk_session_;  // for incremental snapshots alone: it holds a read view
  std::unique_ptr<Connection> session_;        // for information_schema and SHOW CREATE TABLE
  std::mutex guard_;                           // the pointers above against interrupt()
  bool begun_ = false, stream_after_snapshot_ = true;
  int64_t failures_ = 0, next_heartbeat_ms_ = 0, next_progress_ms_ = 0;
};

}  // namespace millrace::mariadb
