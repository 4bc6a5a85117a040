/// The operating system's files behind one interface, so that tests can fail the n-th write or lose unsynced bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace millrace {

using Path = std::filesystem::path;

/// An open file. Threads: any number of readers beside one writer. All errors are kUnavailable (with errno's text and
/// the path), since a full or failing disk may be repaired while the process runs.
class File {
 public:
  virtual ~File() = default;
  /// Reads up to `size` bytes at `position` into `to`; fewer only at the end of the file.
  virtual Expected<size_t> read_at(uint64_t position, char* to, size_t size) const = 0;
  /// Writes all of `bytes` at `position`, extending the file. On failure an unknown part has been written.
  virtual Status write_at(uint64_t position, std::string_view bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  /// fdatasync: returns when all earlier writes survive a power cut.
  virtual Status sync() = 0;
  virtual Expected<uint64_t> size() const = 0;
  /// For mmap and sendfile; -1 when the file is not backed by a descriptor.
  virtual int descriptor() const = 0;
};

/// Threads: any.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  enum class Open { kRead, kReadWrite, kCreate /* read-write, made if absent */ };
  virtual Expected<std::unique_ptr<File>> open(const Path& path, Open mode) = 0;
  virtual Expected<std::vector<std::string>> list(const Path& directory) = 0;  ///< names, not paths; sorted
  virtual Status create_directories(const Path& directory) = 0;
  virtual Status rename(const Path& from, const Path& to) = 0;
  virtual Status remove(const Path& path) = 0;      ///< absent is no error
  virtual Status remove_all(const Path& path) = 0;  ///< a folder with all in it; absent is no error
  virtual bool exists(const Path& path) const = 0;
  /// fsync of a folder: makes creations, renames and removals in it durable.
  virtual Status sync_directory(const Path& directory) = 0;

  Expected<std::string> read_file(const Path& path);
  /// Replaces `path` so that a crash leaves the old or the new content: temporary file, fsync, rename, fsync of the
  /// folder.
  Status write_file_atomically(const Path& path, std::string_view content);
};

class PosixFileSystem final : public FileSystem {
 public:
  Expected<std::unique_ptr<File>> open(const Path& path, Open mode) override;
  Expected<std::vector<std::string>> list(const Path& directory) override;
  Status create_directories(const Path& directory) override;
  Status rename(const Path& from, const Path& to) override;
  Status remove(const Path& path) override;
  Status remove_all(const Path& path) override;
  bool exists(const Path& path) const override;
  Status sync_directory(const Path& directory) override;
};

}  // namespace millrace
