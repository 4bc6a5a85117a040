#include "runtime/herder/offset_committer.h"

#include <algorithm>

#include "runtime/source_task.h"

namespace millrace {

Status OffsetFileKeeper::import() {
  auto entries = read_offset_file(files_, path_);
  if (!entries) return fail(std::move(entries.error()));
  auto imported = offsets_.import(*entries);
  if (!imported) return fail(std::move(imported.error()));
  if (*imported > 0) logger_.info("offsets_imported", {{"file", path_.string()}, {"partitions", *imported}});
  return {};
}

void OffsetFileKeeper::tick() {
  std::lock_guard lock(mutex_);
  if (std::chrono::steady_clock::now() - last_write_ >= interval_) write_if_changed();
}

void OffsetFileKeeper::flush() {
  std::lock_guard lock(mutex_);
  write_if_changed();
}

void OffsetFileKeeper::write_if_changed() {
  const uint64_t version = offsets_.version();
  if (version == written_version_) return;
  last_write_ = std::chrono::steady_clock::now();
  if (auto written = write_offset_file(files_, path_, offsets_.entries()); !written) {
    logger_.warn("offset_file_failed", {{"file", path_.string()}, {"error", written.error().message}});
    return;
  }
  written_version_ = version;
}

OffsetCommitter::OffsetCommitter(std::chrono::milliseconds interval, Tasks tasks, OffsetFileKeeper* file, Logger logger)
    : interval_(std::max(interval, std::chrono::milliseconds(1))),
      tasks_(std::move(tasks)),
      file_(file),
      logger_(std::move(logger)) {
  thread_ = std::thread([this] { run(); });
}

void OffsetCommitter::stop() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void OffsetCommitter::run() {
  while (!stop_.wait_for(interval_)) {
    commit_all();
    if (file_ != nullptr) file_->tick();
  }
}

void OffsetCommitter::commit_all() {
  for (const auto& task : tasks_()) {
    auto* source = dynamic_cast<SourceTask*>(task.get());
    if (source == nullptr) continue;
    if (auto committed = source->commit_offsets(); !committed) {
      logger_.warn("offset_commit_failed",
                   {{"connector", task->connector_name()}, {"error", committed.error().message}});
    }
  }
}

}  // namespace millrace
