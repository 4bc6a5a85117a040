/// The values that kafka-producer-perf-test sends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file_system.h"

namespace millrace {

/// Threads: one. The same values in each run, for equal options.
class PerfPayload {
 public:
  static PerfPayload random(size_t bytes);
  static PerfPayload monotonic();
  /// Lines of a text file, taken at random. Errors: kUnavailable, kInvalidConfig for an empty file.
  static Expected<PerfPayload> file(FileSystem& files, const Path& path, std::string_view delimiter);

  /// The value of record `number`; valid until the next call.
  std::string_view next(int64_t number);
  size_t choices() const { return lines_.size(); }

 private:
  enum class Kind { kRandom, kMonotonic, kFile };
  explicit PerfPayload(Kind kind) : kind_(kind) {}
  uint64_t random_bits();

  Kind kind_;
  std::string buffer_;
  std::vector<std::string> lines_;
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

}  // namespace millrace
