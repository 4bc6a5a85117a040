/// The source connector: watches which tables there are and deals them out to tasks.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "connectors/common/interruptible.h"
#include "connectors/jdbc/source_task.h"

namespace millrace::jdbc {

/// Which tables a connector copies: the filters of its configuration.
class TableFilter {
 public:
  static TableFilter of(const sdk::Config& config);
  /// The chosen ones of `tables`, in their order. `dialect` quotes names for the comparison. Tables outside the
  /// database `home` (empty = any) must be named in full.
  std::vector<TableId> choose(const std::vector<TableId>& tables, const Dialect& dialect,
                              const std::string& home) const;

 private:
  std::set<std::string, std::less<>> whitelist_, blacklist_;
  std::vector<std::shared_ptr<const re2::RE2>> include_, exclude_;  ///< expressions
};

/// An error naming the tables that share a bare name, since topics are named after it; ok when there are none.
Status check_duplicates(const std::vector<TableId>& tables, const sdk::Config& config);

/// Threads: the worker's, plus one of its own that lists tables. stop() breaks off what it asks and joins it.
class JdbcSourceConnector final : public sdk::Connector {
 public:
  ~JdbcSourceConnector() override;
  Status start(sdk::ConnectorContext& context, const sdk::Config& config) override;
  Status task_configs(sdk::ConnectorContext& context, int tasks_max) override;
  Status stop(sdk::ConnectorContext& context) override;

 private:
  void monitor(sdk::ConnectorContext context);
  Result<std::vector<TableId>> list(Session& session) const;
  void join();
  bool stopping();

  sdk::Config config_;
  ConnectionSettings settings_;
  std::unique_ptr<Dialect> dialect_;
  TableFilter filter_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<std::vector<TableId>> tables_;  // nothing until the first list
  bool idle_tasks_ = false;                     // were made before it
  Status fatal_;
  connectors::Interruptible<Session> session_;  // the thread's
  std::thread thread_;
};

/// What the plugin registers.
struct JdbcSource {
  using Task = JdbcSourceTask;
  using Instance = JdbcSourceConnector;
  static constexpr std::string_view kName = "io.confluent.connect.jdbc.JdbcSourceConnector", kVersion = "1.0.0";
  static constexpr std::string_view kAliases[] = {"JdbcSource", "JdbcSourceConnector",
                                                  "io.aiven.connect.jdbc.JdbcSourceConnector"};
  static std::span<const sdk::ConfigKey> config() { return source_config_keys(); }
  static Status validate(sdk::ConnectorContext& context, const sdk::Config& config) {
    return validate_source(context, config);
  }
  /// Only a unique column tells exactly which rows came before: timestamps alone may repeat the rows of the last one,
  /// and bulk mode reads everything each time.
  static sdk::Support exactly_once_support(const sdk::Config& config) {
    const std::string mode = config.string("mode");
    return mode == "incrementing" || mode == "timestamp+incrementing" ? sdk::Support::kSupported
                                                                      : sdk::Support::kUnsupported;
  }
  static Status alter_offset(const sdk::Config& config, const mr_value& partition, const mr_value& offset);
};

}  // namespace millrace::jdbc
