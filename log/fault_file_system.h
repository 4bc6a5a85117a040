/// A file system in memory for tests: fails the n-th operation of a kind, fills up, and forgets unsynced bytes and
/// names in a crash, as a power cut does.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "core/file_system.h"

namespace millrace {

/// Threads: any.
class FaultFileSystem final : public FileSystem {
 public:
  /// The n-th write, truncate, sync, rename or creation from now on fails (0 = the next), and `count` after it.
  void fail_nth(int64_t n, int64_t count = 1);
  /// Of the writes that fail, this share of the bytes is written all the same.
  void set_torn_writes(bool torn);
  /// From this many bytes on, writes fail as on a full disk.
  void set_capacity(uint64_t bytes);
  /// Operations so far that fail_nth() counts.
  int64_t operations() const;
  /// A power cut: files lose what was not synced but for a random part of the tail; names that were not synced are
  /// gone. Open files must not be used afterwards.
  void crash(uint64_t seed);

  Expected<std::unique_ptr<File>> open(const Path& path, Open mode) override;
  Expected<std::vector<std::string>> list(const Path& directory) override;
  Status create_directories(const Path& directory) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Status remove_all(const Path& path) override;
  bool exists(const Path& path) const override;
  Status sync_directory(const Path& directory) override;

 private:
  struct Node {
    std::string content;
    std::string synced;
  };
  class OpenFile;
  Status operate(std::string_view what, const Path& path);
  uint64_t used() const;
  mutable std::mutex mutex_;
  std::map<Path, std::shared_ptr<Node>> names_;  // nodes are co-owned by open files
  std::map<Path, std::shared_ptr<Node>> synced_names_;
  std::set<Path> directories_;
  int64_t operations_ = 0;
  int64_t fail_from_ = INT64_MAX;
  int64_t fail_to_ = INT64_MAX;
  bool torn_writes_ = false;
  uint64_t capacity_ = UINT64_MAX;
};

}  // namespace millrace
