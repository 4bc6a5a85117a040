// Loaded into a database server with LD_PRELOAD: while the file $FULL_DISK is there, files with $FULL_DISK_OF in their
// names do not grow, as if the disk of the tables were full; what they have can be overwritten, and all other files grow.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

bool is_full(int fd, off64_t end) {
  const char* flag = std::getenv("FULL_DISK");
  const char* part = std::getenv("FULL_DISK_OF");
  if (flag == nullptr || part == nullptr || access(flag, F_OK) != 0) return false;
  struct stat64 status;
  if (fstat64(fd, &status) != 0 || !S_ISREG(status.st_mode) || end <= status.st_size) return false;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return false;
  path[size] = 0;
  return std::strstr(path, part) != nullptr;
}

template <typename Function>
Function* real(const char* name, Function*) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

ssize_t no_space() {
  errno = ENOSPC;
  return -1;
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  static auto* const next = real("pwrite", &pwrite);
  return is_full(fd, at + static_cast<off_t>(size)) ? no_space() : next(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static auto* const next = real("pwrite64", &pwrite64);
  return is_full(fd, at + static_cast<off64_t>(size)) ? no_space() : next(fd, data, size, at);
}
int posix_fallocate(int fd, off_t at, off_t size) {
  static auto* const next = real("posix_fallocate", &posix_fallocate);
  return is_full(fd, at + size) ? ENOSPC : next(fd, at, size);
}
int posix_fallocate64(int fd, off64_t at, off64_t size) {
  static auto* const next = real("posix_fallocate64", &posix_fallocate64);
  return is_full(fd, at + size) ? ENOSPC : next(fd, at, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
  static auto* const next = real("fallocate", &fallocate);
  return is_full(fd, at + size) ? static_cast<int>(no_space()) : next(fd, mode, at, size);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  static auto* const next = real("fallocate64", &fallocate64);
  return is_full(fd, at + size) ? static_cast<int>(no_space()) : next(fd, mode, at, size);
}
int ftruncate(int fd, off_t size) noexcept {
  static auto* const next = real("ftruncate", &ftruncate);
  return is_full(fd, size) ? static_cast<int>(no_space()) : next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  static auto* const next = real("ftruncate64", &ftruncate64);
  return is_full(fd, size) ? static_cast<int>(no_space()) : next(fd, size);
}

}  // extern "C"
