#include "tools/perf_payload.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

PerfPayload PerfPayload::random(size_t bytes) {
  PerfPayload payload(Kind::kRandom);
  payload.buffer_.resize(bytes);
  return payload;
}

PerfPayload PerfPayload::monotonic() { return PerfPayload(Kind::kMonotonic); }

Expected<PerfPayload> PerfPayload::file(FileSystem& files, const Path& path, std::string_view delimiter) {
  auto text = files.read_file(path);
  if (!text) return fail(std::move(text.error()));
  PerfPayload payload(Kind::kFile);
  for (size_t at = 0; at <= text->size();) {
    const size_t end = delimiter.empty() ? text->size() : std::min(text->find(delimiter, at), text->size());
    payload.lines_.push_back(text->substr(at, end - at));
    at = end + std::max<size_t>(delimiter.size(), 1);
  }
  while (!payload.lines_.empty() && payload.lines_.back().empty()) payload.lines_.pop_back();
  if (payload.lines_.empty())
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: File does not exist or empty file provided.", path.string()));
  return payload;
}

uint64_t PerfPayload::random_bits() {  // xorshift64*: fast, and good enough not to compress
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545F4914F6CDD1D;
}

std::string_view PerfPayload::next(int64_t number) {
  switch (kind_) {
    case Kind::kFile:
      return lines_[random_bits() % lines_.size()];
    case Kind::kMonotonic:
      buffer_ = fmt::format("{}", number);
      return buffer_;
    case Kind::kRandom:
      break;
  }
  // Capital letters, eight of them of each random number.
  uint64_t bits = 0;
  for (size_t i = 0; i < buffer_.size(); ++i) {
    if (i % 8 == 0) bits = random_bits();
    buffer_[i] = static_cast<char>('A' + ((bits & 0xFF) * 26 >> 8));
    bits >>= 8;
  }
  return buffer_;
}

}  // namespace millrace
