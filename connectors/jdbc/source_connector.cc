#include "connectors/jdbc/source_connector.h"

#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "connectors/jdbc/source_naming.h"

namespace millrace::jdbc {
namespace {

using Names = std::set<std::string, std::less<>>;

bool named(const Names& names, const TableId& table, const Dialect& dialect, bool full_name_only) {
  return names.contains(dotted(table)) || names.contains(dialect.qualified(table)) ||
         (!full_name_only && names.contains(table.table));
}

Names set_of(const std::vector<std::string>& names) {
  Names set(names.begin(), names.end());
  set.erase("");
  return set;
}

std::vector<std::shared_ptr<const RE2>> compiled(const std::vector<std::string>& expressions) {
  std::vector<std::shared_ptr<const RE2>> out;
  for (const std::string& expression : expressions) {
    if (!expression.empty()) out.push_back(std::make_shared<const RE2>(expression, RE2::Quiet));
  }
  return out;
}

bool matches(const std::vector<std::shared_ptr<const RE2>>& expressions, const TableId& table) {
  const std::string full = dotted(table);
  return std::any_of(expressions.begin(), expressions.end(),
                     [&](const auto& expression) { return RE2::FullMatch(full, *expression); });
}

/// Which setting the user has to change when two tables share a name.
std::string filter_keys(const sdk::Config& config) {
  const bool white = !config.string("table.whitelist").empty(), black = !config.string("table.blacklist").empty();
  if (white && black) return "'table.whitelist' or 'table.blacklist'";
  if (black) return "'table.blacklist'";
  if (white) return "'table.whitelist'";
  return config.string("table.include.list").empty() ? "'table.whitelist' or 'table.blacklist'"
                                                     : "'table.include.list'";
}

}  // namespace

TableFilter TableFilter::of(const sdk::Config& config) {
  TableFilter filter;
  filter.whitelist_ = set_of(config.list("table.whitelist"));
  filter.blacklist_ = set_of(config.list("table.blacklist"));
  filter.include_ = compiled(config.list("table.include.list"));
  filter.exclude_ = compiled(config.list("table.exclude.list"));
  return filter;
}

std::vector<TableId> TableFilter::choose(const std::vector<TableId>& tables, const Dialect& dialect,
                                         const std::string& home) const {
  std::vector<TableId> chosen;
  for (const TableId& table : tables) {
    bool take = true;
    const bool elsewhere = !home.empty() && table.catalog != home;
    if (!include_.empty()) {
      take = matches(include_, table) && !matches(exclude_, table);
    } else if (!whitelist_.empty()) {
      take = named(whitelist_, table, dialect, elsewhere);
    } else if (elsewhere) {
      take = false;
    } else if (!blacklist_.empty()) {
      take = !named(blacklist_, table, dialect, false);
    }
    if (take) chosen.push_back(table);
  }
  return chosen;
}

Status check_duplicates(const std::vector<TableId>& tables, const sdk::Config& config) {
  const std::string format = config.string("millrace.topic.format");
  const bool bare = format.empty() || format == kTopicFormat;
  std::map<std::string, std::vector<std::string>> by_name;
  for (const TableId& table : tables)
    by_name[bare ? table.table : topic_of("", format, table, "")].push_back(double_quoted(table));
  std::string found;
  for (const auto& [name, ids] : by_name) {
    if (ids.size() < 2) continue;
    std::string group;
    for (const std::string& id : ids) group += (group.empty() ? "" : ", ") + id;
    found += (found.empty() ? "[" : ", [") + group + "]";
  }
  if (found.empty()) return sdk::ok();
  if (!bare) {
    return {Code::kInvalidConfig,
            "Several tables would have the same topic; add ${schema} or ${database} to "
            "millrace.topic.format or leave one of each group out:\n\t[" +
                found + "]"};
  }
  return {Code::kInvalidConfig,
          "The connector uses the unqualified table name as the topic name and has detected duplicate unqualified "
          "table names. This could lead to "
          "mixed data types in the topic and downstream processing errors. To prevent such processing errors, the JDBC "
          "Source connector fails to "
          "start when it detects duplicate table name configurations. Update the connector's " +
              filter_keys(config) + " config to include exactly one table in each of the tables listed below.\n\t[" +
              found + "]"};
}

JdbcSourceConnector::~JdbcSourceConnector() { join(); }

void JdbcSourceConnector::join() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  session_.interrupt();  // one that is opened later finds that it is to stop
  if (thread_.joinable()) thread_.join();
}

bool JdbcSourceConnector::stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

Status JdbcSourceConnector::start(sdk::ConnectorContext& context, const sdk::Config& config) {
  join();
  config_ = config;
  auto settings = connection_settings(config);
  if (!settings.ok()) return settings.status();
  settings_ = std::move(*settings);
  if (!source_query(config).empty()) {
    for (const char* key : {"table.whitelist", "table.blacklist", "table.include.list", "table.exclude.list"}) {
      if (!config.string(key).empty())
        return {Code::kInvalidConfig, "query may not be combined with whole-table copying settings."};
    }
    return sdk::ok();
  }
  auto quotes = quotes_identifiers(config);
  if (!quotes.ok()) return quotes.status();
  dialect_ = make_dialect(settings_.url, *quotes);
  filter_ = TableFilter::of(config);
  stopping_ = false;
  fatal_ = sdk::ok();
  tables_.reset();
  idle_tasks_ = false;
  thread_ = std::thread([this, context] { monitor(context); });
  return sdk::ok();
}

Result<std::vector<TableId>> JdbcSourceConnector::list(Session& session) const {
  // Other databases of the server count only where they are asked for: a second `users` elsewhere must not stop this
  // one.
  const std::optional<std::string> catalog = config_.get("catalog.pattern");
  const TableScope scope{catalog, config_.get("schema.pattern")};
  const bool all = catalog.has_value() || !settings_.url.flag("nulldatabasemeanscurrent", true) ||
                   !settings_.url.flag("nullcatalogmeanscurrent", true);
  auto tables = session.tables(scope, config_.list("table.types"));
  if (!tables.ok()) return tables.status();
  return filter_.choose(*tables, *dialect_, all ? std::string() : session.home_catalog());
}

void JdbcSourceConnector::monitor(sdk::ConnectorContext context) {
  const auto interval = std::chrono::milliseconds(std::max<int64_t>(config_.int64("table.poll.interval.ms"), 100));
  for (std::unique_lock lock(mutex_); !stopping_; changed_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    if (!session_ || !session_->alive()) {
      session_.reset();
      auto opened = open_session(settings_, false, [&](int64_t wait_ms) {
        std::unique_lock wait(mutex_);
        return changed_.wait_for(wait, std::chrono::milliseconds(wait_ms), [this] { return stopping_; });
      });
      if (opened.ok()) session_.set(std::move(*opened));
      if (!opened.ok() && opened.status().code() != Code::kStopped)
        context.warn("The table list cannot be read: " + opened.status().message());
    }
    std::optional<std::vector<TableId>> found;
    if (session_ && !stopping()) {
      auto tables = list(*session_);
      if (tables.ok()) found = std::move(*tables);
      if (!tables.ok() && !stopping())
        context.warn("The table list cannot be read, the old one stays: " + tables.status().message());
    }
    const Status duplicates = found.has_value() ? check_duplicates(*found, config_) : sdk::ok();
    lock.lock();
    if (!found.has_value() || stopping_) continue;
    // Idle tasks wait to be replaced, even where the list is empty: then they say so.
    const bool differs = tables_.has_value() ? *tables_ != *found : idle_tasks_;
    tables_ = std::move(found);
    if (!duplicates.ok()) {
      fatal_ = {Code::kInvalidConfig,
                "Encountered an unrecoverable error while reading tables from the database: " + duplicates.message()};
      context.raise_error(fatal_);
    } else if (differs) {
      context.info("The set of tables has changed; tasks are configured anew");
      context.request_reconfiguration();
    }
    changed_.notify_all();
    if (!fatal_.ok()) break;
  }
  session_.reset();
}

Status JdbcSourceConnector::task_configs(sdk::ConnectorContext& context, int tasks_max) {
  std::map<std::string, std::string, std::less<>> base = config_.all();
  if (!source_query(config_).empty()) {
    base["tables"] = "";
    context.add_task_config(base);
    return sdk::ok();
  }
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(config_.int64("table.monitoring.startup.polling.limit.ms")),
                    [this] { return tables_.has_value() || stopping_; });
  if (!fatal_.ok()) return fatal_;
  base["tables.fetched"] = tables_.has_value() ? "true" : "false";
  const std::vector<TableId> tables = tables_.value_or(std::vector<TableId>{});
  idle_tasks_ = !tables_.has_value();
  const size_t groups = std::max<size_t>(std::min(tables.size(), static_cast<size_t>(std::max(tasks_max, 1))), 1);
  for (size_t group = 0, next = 0; group < groups; ++group) {
    const size_t count = tables.size() / groups + (group < tables.size() % groups ? 1 : 0);
    std::string names;
    for (size_t i = 0; i < count; ++i, ++next) {
      const TableId& table = tables[next];
      names += (names.empty() ? "" : ",") + dialect_->qualified(table);
    }
    base["tables"] = names;
    context.add_task_config(base);
  }
  return sdk::ok();
}

Status JdbcSourceConnector::stop(sdk::ConnectorContext&) {
  join();
  return sdk::ok();
}

Status JdbcSource::alter_offset(const sdk::Config&, const mr_value& partition, const mr_value& offset) {
  const bool table = sdk::find(partition, "table") != nullptr, query = sdk::find(partition, "query") != nullptr;
  if (!table && !query) {
    return {Code::kInvalidConfig,
            R"(a partition of this connector is {"protocol":"1","table":"database.table"} or {"query":"query"})"};
  }
  if (offset.kind == MR_NULL) return sdk::ok();
  for (uint32_t i = 0; offset.kind == MR_MAP && i < offset.size; ++i) {
    const mr_value& key = offset.u.items[2 * i];
    const mr_value& value = offset.u.items[2 * i + 1];
    const std::string_view name(key.u.bytes, key.size);
    if (name != "incrementing" && name != "timestamp" && name != "timestamp_nanos") {
      return {Code::kInvalidConfig,
              "offset key '" + std::string(name) + "' is unknown; use incrementing, timestamp and timestamp_nanos"};
    }
    if (value.kind < MR_INT8 || value.kind > MR_INT64)
      return {Code::kInvalidConfig, "offset '" + std::string(name) + "' must be a whole number"};
  }
  return sdk::ok();
}

}  // namespace millrace::jdbc
