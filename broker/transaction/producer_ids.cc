#include "broker/transaction/producer_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

namespace millrace {
namespace {

constexpr std::string_view kFile = "producer-ids";
constexpr std::string_view kVersionLine = "0\n";

std::optional<int64_t> parse(std::string_view content) {
  if (!content.starts_with(kVersionLine)) return std::nullopt;
  content.remove_prefix(kVersionLine.size());
  int64_t next = -1;
  const char* const end = content.data() + content.size();
  const auto [at, error] = std::from_chars(content.data(), end, next);
  if (error != std::errc() || next < 0 || std::string_view(at, static_cast<size_t>(end - at)) != "\n")
    return std::nullopt;
  return next;
}

}  // namespace

Expected<std::shared_ptr<ProducerIds>> ProducerIds::open(FileSystem& fs, Executor& executor, const Path& directory,
                                                         int64_t used_max) {
  const Path path = directory / kFile;
  int64_t next_block = used_max < 0 ? 0 : (used_max / kBlock + 1) * kBlock;
  if (fs.exists(path)) {
    auto content = fs.read_file(path);
    if (!content) return fail(std::move(content.error()));
    const auto next = parse(*content);
    if (!next) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{} should hold the line \"0\" and the first producer id that is free: restore it, or "
                              "remove it to go on behind the largest id found in the logs ({})",
                              path.string(), used_max));
    }
    next_block = std::max(next_block, *next);
  }
  return std::shared_ptr<ProducerIds>(new ProducerIds(fs, executor, path, next_block));
}

void ProducerIds::allocate(Done done) {
  int64_t id = -1;
  {
    std::lock_guard lock(mutex_);
    if (next_ < end_) {
      id = next_++;
    } else {
      waiting_.push_back(std::move(done));
      if (std::exchange(reserving_, true)) return;
    }
  }
  if (id >= 0) return done(id);
  executor_.run([self = shared_from_this()] { self->reserve_block(); });
}

void ProducerIds::stop() {
  std::deque<Done> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (Done& done : waiting) done(fail(ErrorCode::kStopped, "the broker stops"));
}

void ProducerIds::reserve_block() {
  int64_t first = 0;
  {
    std::lock_guard lock(mutex_);
    first = next_block_;
  }
  const int64_t end = first + kBlock;
  // Id 0 is left out: to a careless reader it says that there is none.
  first = std::max<int64_t>(first, 1);
  const Status written = fs_.write_file_atomically(path_, fmt::format("{}{}\n", kVersionLine, end));
  std::deque<Done> ready;
  std::deque<Done> unlucky;
  bool more = false;
  int64_t next = first;
  {
    std::lock_guard lock(mutex_);
    reserving_ = false;
    if (!written) {
      unlucky.swap(waiting_);
    } else {
      next_block_ = end;
      for (; next < next_block_ && !waiting_.empty(); ++next) {
        ready.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      // Ids of the block before are all given away: nobody waits otherwise.
      std::tie(next_, end_) = std::pair(next, next_block_);
      reserving_ = more = !waiting_.empty();
    }
  }
  for (Done& done : unlucky) done(fail(Error(written.error())));
  int64_t id = first;
  for (Done& done : ready) done(id++);
  if (more) executor_.run([self = shared_from_this()] { self->reserve_block(); });
}

}  // namespace millrace
