#include "log/log_manager.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>

#include "log/file_names.h"

namespace millrace {
namespace {

constexpr std::string_view kLockFile = ".lock";
constexpr std::string_view kCleanShutdownFile = ".kafka_cleanshutdown";
constexpr std::string_view kRecoveryPointFile = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStartFile = "log-start-offset-checkpoint";
constexpr std::string_view kHighWatermarkFile = "replication-offset-checkpoint";
constexpr std::string_view kCleanerFile = "cleaner-offset-checkpoint";
/// How often logs are asked what time has brought.
constexpr std::chrono::milliseconds kMaintenanceInterval{1000};
constexpr std::string_view kDeleteSuffix = "-delete";

/// "<topic>-<partition>"; nothing for other folders.
std::optional<PartitionKey> parse_folder(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return std::nullopt;
  int32_t partition = 0;
  const auto [end, error] = std::from_chars(name.data() + dash + 1, name.data() + name.size(), partition);
  if (error != std::errc() || end != name.data() + name.size() || partition < 0) return std::nullopt;
  return PartitionKey{std::string(name.substr(0, dash)), partition};
}

}  // namespace

LogManager::LogManager(FileSystem& fs, Clock& clock, Logger logger, Options options)
    : fs_(fs),
      clock_(clock),
      logger_(std::move(logger)),
      options_(std::move(options)),
      cleaner_(fs_, clock_, logger_, options_.cleaner_options, [this] { return stopping_.load(); }) {}

Expected<std::unique_ptr<LogManager>> LogManager::open(FileSystem& fs, Clock& clock, Logger logger, Options options) {
  std::unique_ptr<LogManager> manager(new LogManager(fs, clock, std::move(logger), std::move(options)));
  if (auto locked = manager->lock_directory(); !locked) {
    manager->closed_ = true;
    return fail(std::move(locked.error()));
  }
  if (auto loaded = manager->load(); !loaded) {
    manager->closed_ = true;  // a directory that could not be read whole must not be marked clean
    return fail(std::move(loaded.error()));
  }
  if (manager->options_.background) manager->background_ = std::thread([m = manager.get()] { m->run_background(); });
  if (manager->options_.background && manager->options_.cleaner)
    manager->cleaner_thread_ = std::thread([m = manager.get()] { m->run_cleaner(); });
  return manager;
}

LogManager::~LogManager() { [[maybe_unused]] const Status closed = close(); }

Path LogManager::folder(const PartitionKey& key) const {
  return options_.directory / fmt::format("{}-{}", key.first, key.second);
}

Status LogManager::lock_directory() {
  const std::string place = options_.directory.string();
  const std::string advice =
      fmt::format("make the log directory {} writable for this user, or set log.dirs to another one", place);
  if (auto made = fs_.create_directories(options_.directory); !made) return fail(std::move(made.error()).wrap(advice));
  auto file = fs_.open(options_.directory / kLockFile, FileSystem::Open::kCreate);
  if (!file) return fail(std::move(file.error()).wrap(advice));
  if ((*file)->descriptor() >= 0) {
    // A lock of the open file: it also keeps out a second manager of this process, and a JVM broker's lock.
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl((*file)->descriptor(), F_OFD_SETLK, &lock) != 0) {
      return fail(ErrorCode::kConflict, fmt::format("another worker or broker is using the log directory {} (its file "
                                                    ".lock is locked): stop it, or set log.dirs "
                                                    "to another directory",
                                                    place));
    }
  }
  lock_file_ = std::move(*file);
  return {};
}

Status LogManager::load() {
  auto names = fs_.list(options_.directory);
  if (!names) return fail(std::move(names.error()));
  auto recovery_points = read_offset_checkpoint(fs_, options_.directory / kRecoveryPointFile);
  auto log_starts = read_offset_checkpoint(fs_, options_.directory / kLogStartFile);
  // Checkpoints only shorten the work: without one everything is recovered. The log start must not be guessed.
  if (!recovery_points) logger_.warn("checkpoint_ignored", {{"error", recovery_points.error().message}});
  if (!log_starts) return fail(std::move(log_starts.error()));
  auto clean_offsets = read_offset_checkpoint(fs_, options_.directory / kCleanerFile);
  if (clean_offsets) {
    clean_offsets_ = std::move(*clean_offsets);
  } else {
    logger_.warn("checkpoint_ignored", {{"error", clean_offsets.error().message}});
  }
  const bool clean = fs_.exists(options_.directory / kCleanShutdownFile) && recovery_points.has_value();
  for (const std::string& name : *names) {
    if (name.ends_with(kDeleteSuffix)) {
      if (auto removed = fs_.remove_all(options_.directory / name); !removed) return removed;
      continue;
    }
    const auto key = parse_folder(name);
    if (!key || options_.ignored.contains(key->first)) continue;
    LogOpenOptions open_options;
    open_options.clean = clean;
    if (recovery_points && recovery_points->contains(*key)) open_options.recovery_point = recovery_points->at(*key);
    if (log_starts->contains(*key)) open_options.log_start_offset = log_starts->at(*key);
    auto log = open_log(*key, options_.config_of(key->first), open_options);
    if (!log) return fail(std::move(log.error()));
    logs_[*key] = std::move(*log);
  }
  // From here on the folders are in use: a crash must be seen as one.
  if (auto removed = fs_.remove(options_.directory / kCleanShutdownFile); !removed) return removed;
  return fs_.sync_directory(options_.directory);
}

Expected<std::shared_ptr<PartitionLog>> LogManager::open_log(const PartitionKey& key, const LogConfig& config,
                                                             const LogOpenOptions& options) {
  return PartitionLog::open({fs_, clock_, logger_, &committer_}, folder(key), config, options);
}

std::shared_ptr<PartitionLog> LogManager::find(const std::string& topic, int32_t partition) const {
  std::lock_guard lock(mutex_);
  const auto found = logs_.find({topic, partition});
  return found == logs_.end() ? nullptr : found->second;
}

Expected<std::shared_ptr<PartitionLog>> LogManager::create(const std::string& topic, int32_t partition,
                                                           const LogConfig& config, std::string_view topic_id) {
  std::lock_guard lock(mutex_);
  if (closed_)
    return fail(ErrorCode::kStopped, fmt::format("the log directory {} is closed", options_.directory.string()));
  const PartitionKey key{topic, partition};
  if (const auto found = logs_.find(key); found != logs_.end()) return found->second;
  auto log = open_log(key, config, {});
  if (!log) return log;
  if (!topic_id.empty()) {
    if (auto written = write_topic_id(fs_, folder(key) / kPartitionMetadataFile, topic_id); !written)
      return fail(std::move(written.error()));
  }
  logs_[key] = *log;
  return log;
}

Status LogManager::remove(const std::string& topic, int32_t partition) {
  const PartitionKey key{topic, partition};
  std::lock_guard lock(mutex_);
  const auto found = logs_.find(key);
  if (found == logs_.end()) return {};
  found->second->abandon();
  const Path doomed = options_.directory / fmt::format("{}-{}.{}{}", topic, partition, make_topic_id(), kDeleteSuffix);
  if (auto renamed = fs_.rename(folder(key), doomed); !renamed) return renamed;
  logs_.erase(found);
  clean_offsets_.erase(key);
  uncleanable_.erase(key);
  if (auto synced = fs_.sync_directory(options_.directory); !synced) return synced;
  return fs_.remove_all(doomed);
}

std::vector<PartitionKey> LogManager::partitions() const {
  std::lock_guard lock(mutex_);
  std::vector<PartitionKey> keys;
  for (const auto& [key, log] : logs_) keys.push_back(key);
  return keys;
}

Status LogManager::write_checkpoints() {
  std::lock_guard one_writer(checkpoint_mutex_);
  OffsetCheckpoint recovery_points, log_starts, high_watermarks;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, log] : logs_) {
      recovery_points[key] = log->recovery_point();
      high_watermarks[key] = log->high_watermark();
      if (log->log_start_offset() > log->first_segment_offset()) log_starts[key] = log->log_start_offset();
    }
  }
  if (auto written = write_offset_checkpoint(fs_, options_.directory / kRecoveryPointFile, recovery_points); !written)
    return written;
  if (auto written = write_offset_checkpoint(fs_, options_.directory / kHighWatermarkFile, high_watermarks); !written)
    return written;
  return write_offset_checkpoint(fs_, options_.directory / kLogStartFile, log_starts);
}

std::vector<std::pair<PartitionKey, std::shared_ptr<PartitionLog>>> LogManager::all() const {
  std::lock_guard lock(mutex_);
  return {logs_.begin(), logs_.end()};
}

void LogManager::flush_all() {
  for (const auto& [key, log] : all()) {
    // The log itself reports a failed sync.
    [[maybe_unused]] const Status flushed = log->flush();
  }
}

void LogManager::apply_retention() {
  for (const auto& [key, log] : all()) {
    if (auto applied = log->apply_retention(); !applied) {
      logger_.warn("retention_failed",
                   {{"topic", key.first}, {"partition", key.second}, {"error", applied.error().message}});
    }
  }
}

void LogManager::maintain_all() {
  for (const auto& [key, log] : all()) log->maintain();
}

Expected<bool> LogManager::clean_once() {
  std::lock_guard one_round(cleaner_mutex_);
  std::optional<std::pair<PartitionKey, std::shared_ptr<PartitionLog>>> dirtiest;
  int64_t first_dirty = 0;
  double most = -1;
  for (const auto& [key, log] : all()) {
    if (!log->config().cleanup_compact) continue;
    int64_t dirty = 0;
    {
      std::lock_guard lock(mutex_);
      if (uncleanable_.contains(key)) continue;
      if (const auto found = clean_offsets_.find(key); found != clean_offsets_.end()) dirty = found->second;
    }
    const CompactionPlan plan = log->plan_compaction(dirty);
    if (!plan.due() || plan.dirty_ratio() <= most) continue;
    most = plan.dirty_ratio();
    first_dirty = plan.first_dirty;
    dirtiest = {key, log};
  }
  if (!dirtiest) return false;
  const auto& [key, log] = *dirtiest;
  auto cleaned = cleaner_.clean(*log, first_dirty);
  std::unique_lock lock(mutex_);
  if (!logs_.contains(key)) return true;  // deleted meanwhile
  if (!cleaned) {
    const ErrorCode code = cleaned.error().code;
    const bool passing = code == ErrorCode::kUnavailable || code == ErrorCode::kConflict || code == ErrorCode::kStopped;
    if (!passing) uncleanable_.insert(key);
    return fail(std::move(cleaned.error()).wrap(fmt::format("cannot compact {}-{}", key.first, key.second)));
  }
  clean_offsets_[key] = cleaned->next_dirty;
  lock.unlock();
  logger_.info("log_compacted", {{"topic", key.first},
                                 {"partition", key.second},
                                 {"bytes_before", cleaned->stats.bytes_read},
                                 {"bytes_after", cleaned->stats.bytes_written},
                                 {"records_before", cleaned->stats.records_read},
                                 {"records_after", cleaned->stats.records_kept}});
  if (auto written = write_cleaner_checkpoint(); !written) return fail(std::move(written.error()));
  return true;
}

Status LogManager::write_cleaner_checkpoint() {
  OffsetCheckpoint offsets;
  {
    std::lock_guard lock(mutex_);
    offsets = clean_offsets_;
  }
  return write_offset_checkpoint(fs_, options_.directory / kCleanerFile, offsets);
}

void LogManager::run_cleaner() {
  while (!stopping_) {
    const auto cleaned = clean_once();
    if (!cleaned && cleaned.error().code != ErrorCode::kStopped && cleaned.error().code != ErrorCode::kConflict) {
      logger_.warn("compaction_failed", {{"error", error_trace(cleaned.error())}});
    }
    if (cleaned && *cleaned) continue;
    std::unique_lock lock(mutex_);
    cleaner_stop_.wait_for(lock, options_.cleaner_backoff, [&] { return stopping_.load(); });
  }
}

void LogManager::run_background() {
  auto next_checkpoint = std::chrono::steady_clock::now() + options_.checkpoint_interval;
  auto next_retention =
      std::chrono::steady_clock::now() + std::min(options_.retention_interval, std::chrono::milliseconds(30'000));
  std::unique_lock lock(mutex_);
  while (!closed_) {
    const auto wake = std::chrono::steady_clock::now() + kMaintenanceInterval;
    stop_.wait_until(lock, std::min({wake, next_checkpoint, next_retention}));
    if (closed_) return;
    const auto now = std::chrono::steady_clock::now();
    lock.unlock();
    maintain_all();
    if (now >= next_checkpoint) {
      flush_all();  // logs that acknowledge from the page cache would else never move their recovery point
      if (auto written = write_checkpoints(); !written)
        logger_.warn("checkpoint_failed", {{"error", written.error().message}});
      next_checkpoint = now + options_.checkpoint_interval;
    }
    if (now >= next_retention) {
      apply_retention();
      next_retention = now + options_.retention_interval;
    }
    lock.lock();
  }
}

Status LogManager::close() {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return {};
    closed_ = true;
    stopping_ = true;
  }
  stop_.notify_all();
  cleaner_stop_.notify_all();
  if (background_.joinable()) background_.join();
  if (cleaner_thread_.joinable()) cleaner_thread_.join();
  Status result;
  for (const auto& [key, log] : logs_) {
    if (auto closed = log->close(); !closed && result) result = closed;
  }
  if (result) result = write_checkpoints();
  if (result)
    result = fs_.write_file_atomically(options_.directory / kCleanShutdownFile, R"({"version":0,"brokerEpoch":0})");
  lock_file_.reset();
  return result;
}

}  // namespace millrace
