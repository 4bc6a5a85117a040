#include "core/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace {
namespace {

tl::unexpected<Error> fail_errno(std::string_view verb, const Path& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return fail(code, fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error)));
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, Path path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Expected<size_t> read_at(uint64_t position, char* to, size_t size) const override {
    size_t done = 0;
    while (done < size) {
      const ssize_t got = ::pread(descriptor_, to + done, size - done, static_cast<off_t>(position + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status write_at(uint64_t position, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail_errno("write", path_);
      position += static_cast<uint64_t>(put);
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return {};
  }

  Status truncate(uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return fail_errno("truncate", path_);
    return {};
  }

  Status sync() override {
    if (::fdatasync(descriptor_) != 0) return fail_errno("fdatasync", path_);
    return {};
  }

  Expected<uint64_t> size() const override {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0) return fail_errno("stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

  int descriptor() const override { return descriptor_; }

 private:
  const int descriptor_;
  const Path path_;
};

Status sync_path(const Path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return fail_errno("open", path);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (result != 0) return fail_errno("fsync", path);
  return {};
}

}  // namespace

Expected<std::string> FileSystem::read_file(const Path& path) {
  auto file = open(path, Open::kRead);
  if (!file) return fail(std::move(file.error()));
  auto size = (*file)->size();
  if (!size) return fail(std::move(size.error()));
  std::string content(*size, '\0');
  auto got = (*file)->read_at(0, content.data(), content.size());
  if (!got) return fail(std::move(got.error()));
  content.resize(*got);
  return content;
}

Status FileSystem::write_file_atomically(const Path& path, std::string_view content) {
  const Path temporary = path.string() + ".tmp";
  if (auto removed = remove(temporary); !removed) return removed;
  {
    auto file = open(temporary, Open::kCreate);
    if (!file) return fail(std::move(file.error()));
    if (auto written = (*file)->write_at(0, content); !written) return written;
    if (auto synced = (*file)->sync(); !synced) return synced;
  }
  if (auto renamed = rename(temporary, path); !renamed) return renamed;
  return sync_directory(path.parent_path());
}

Expected<std::unique_ptr<File>> PosixFileSystem::open(const Path& path, Open mode) {
  int flags = O_CLOEXEC;
  flags |= mode == Open::kRead ? O_RDONLY : O_RDWR;
  if (mode == Open::kCreate) flags |= O_CREAT;
  const int descriptor = ::open(path.c_str(), flags, 0644);
  if (descriptor < 0) return fail_errno("open", path);
  return std::make_unique<PosixFile>(descriptor, path);
}

Expected<std::vector<std::string>> PosixFileSystem::list(const Path& directory) {
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) return fail_errno("list", directory);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(handle)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(handle);
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::create_directories(const Path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return fail(ErrorCode::kUnavailable,
                fmt::format("cannot create folder {}: {}", directory.string(), error.message()));
  return {};
}

Status PosixFileSystem::rename(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename", from);
  return {};
}

Status PosixFileSystem::remove(const Path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", path);
  return {};
}

Status PosixFileSystem::remove_all(const Path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(ErrorCode::kUnavailable, fmt::format("cannot remove {}: {}", path.string(), error.message()));
  return {};
}

bool PosixFileSystem::exists(const Path& path) const { return ::access(path.c_str(), F_OK) == 0; }

Status PosixFileSystem::sync_directory(const Path& directory) {
  return sync_path(directory.empty() ? Path(".") : directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace millrace
