/// A file descriptor that closes itself, and what tells one file from another.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace millrace::file {

/// Owns a descriptor, or borrows one (stdin, stdout). Move-only.
class FileHandle {
 public:
  FileHandle() = default;
  static FileHandle owned(int descriptor) { return FileHandle(descriptor, true); }
  static FileHandle borrowed(int descriptor) { return FileHandle(descriptor, false); }
  FileHandle(FileHandle&& other) noexcept { swap(other); }
  FileHandle& operator=(FileHandle&& other) noexcept {
    FileHandle taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~FileHandle() {
    if (owned_ && descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  FileHandle(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {}
  void swap(FileHandle& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(owned_, other.owned_);
  }
  int descriptor_ = -1;
  bool owned_ = false;
};

inline bool same_file(const struct ::stat& a, const struct ::stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace millrace::file
