/// The source task: reads its tables one after another, each again poll.interval.ms after its last query ended. Of
/// many tables that are due it asks with one statement which have new rows, and then reads only those.
/// Threads: the worker's task thread; interrupt() from any other.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "connectors/jdbc/source_querier.h"

namespace millrace::jdbc {

class JdbcSourceTask final : public sdk::SourceTask {
 public:
  Status start(sdk::SourceContext& context) override;
  Status poll(sdk::SourceContext& context) override;
  Status stop(sdk::SourceContext& context) override;
  void interrupt() override;

 private:
  Status make_queriers(sdk::SourceContext& context);
  Status connect(sdk::SourceContext& context);
  Querier* next_due();
  Status probe(sdk::SourceContext& context);
  void disconnect();
  Status read(sdk::SourceContext& context);
  Status failed(const Status& why);
  void warn_of_time_zone(sdk::SourceContext& context);

  std::optional<SourceConfig> config_;
  std::unique_ptr<Dialect> dialect_;
  std::unique_ptr<Session> session_;
  std::mutex session_guard_;  // session_ against interrupt()
  std::vector<std::unique_ptr<Querier>> queriers_;
  Querier* current_ = nullptr;
  std::vector<Querier*> probed_;  // scratch
  int64_t last_use_ms_ = 0;       // of the session
  bool idle_ = false;
  int64_t failures_ = 0;
};

}  // namespace millrace::jdbc
