#include "connectors/mariadb/capture/capture_config.h"

#include <strings.h>

#include "connectors/mariadb/capture/new_tables.h"

#include "connectors/mariadb/config/connection_settings.h"

namespace millrace::mariadb {
namespace {

FailureMode failure_mode(std::string_view text) {
  if (text == "warn") return FailureMode::kWarn;
  return text == "skip" || text == "ignore" ? FailureMode::kSkip : FailureMode::kFail;
}

Status parse_gtid_filters(const sdk::Config& config, CaptureConfig& to) {
  auto includes = RegexList::parse("gtid.source.includes", config.string("gtid.source.includes"));
  if (!includes.ok()) return includes.status();
  auto excludes = RegexList::parse("gtid.source.excludes", config.string("gtid.source.excludes"));
  if (!excludes.ok()) return excludes.status();
  to.gtid_includes = std::move(*includes);
  to.gtid_excludes = std::move(*excludes);
  to.gtid_filter_rows = config.boolean("gtid.source.filter.dml.events");
  to.gtid_ignore_on_recovery = config.boolean("gtid.ignore.on.recovery");
  return sdk::ok();
}

StreamOptions stream_options(const sdk::Config& config) {
  StreamOptions stream;
  stream.server_id = static_cast<uint32_t>(config.int64("database.server.id"));
  stream.annotate = config.boolean("include.query");
  // Silence is found out in seconds, whatever longer interval was chosen for the JVM's threads.
  if (config.boolean("connect.keep.alive")) {
    stream.heartbeat_ms = std::clamp<int64_t>(config.int64("connect.keep.alive.interval.ms") * 8 / 10, 500, 10'000);
  }
  stream.net_write_timeout_s = config.int64("binlog.net.write.timeout");
  stream.net_read_timeout_s = config.int64("binlog.net.read.timeout");
  if (const int64_t bytes = config.int64("max.queue.size.in.bytes"); bytes > 0)
    stream.queue_bytes_max = static_cast<size_t>(bytes);
  return stream;
}

}  // namespace

Result<CaptureConfig> CaptureConfig::parse(const sdk::Config& config) {
  CaptureConfig parsed;
  const auto take = [](auto& to, auto result) {
    if (result.ok()) to = std::move(*result);
    return result.ok() ? sdk::ok() : result.status();
  };
  if (Status s = take(parsed.connection, connection_options(config)); !s.ok()) return s;
  if (Status s = take(parsed.tables, TableFilter::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.events, EventOptions::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.values, ValueOptions::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.snapshot, SnapshotOptions::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.history, HistoryOptions::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.incremental, IncrementalOptions::parse(config)); !s.ok()) return s;
  if (Status s = take(parsed.signals, SignalOptions::parse(config)); !s.ok()) return s;
  if (Status s = parse_gtid_filters(config, parsed); !s.ok()) return s;
  parsed.stream = stream_options(config);
  parsed.back_fill = strcasecmp(config.string("snapshot.new.tables").c_str(), "parallel") == 0;
  parsed.table_lists = mariadb::table_lists(config);
  parsed.signal_table = config.string("signal.data.collection");
  parsed.heartbeat_ms = config.int64("heartbeat.interval.ms");
  parsed.heartbeat_query = config.string("heartbeat.action.query");
  std::string bad_event = config.string("event.processing.failure.handling.mode");
  if (!config.is_set("event.processing.failure.handling.mode") &&
      config.is_set("event.deserialization.failure.handling.mode")) {
    bad_event = config.string("event.deserialization.failure.handling.mode");
  }
  parsed.on_bad_event = failure_mode(bad_event);
  parsed.on_unknown_schema = failure_mode(config.string("inconsistent.schema.handling.mode"));
  parsed.retries_max = config.int64("errors.max.retries");
  return parsed;
}

}  // namespace millrace::mariadb
