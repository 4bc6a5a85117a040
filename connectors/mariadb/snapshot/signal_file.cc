#include "connectors/mariadb/snapshot/signal_file.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

namespace millrace::mariadb {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnd = ".taken";

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string SignalPlace::text() const { return std::to_string(stamp) + ":" + std::to_string(line); }

SignalPlace SignalPlace::parse(std::string_view text) {
  SignalPlace place;
  const char* end = text.data() + text.size();
  const auto stamp = std::from_chars(text.data(), end, place.stamp);
  if (stamp.ec != std::errc() || stamp.ptr == end || *stamp.ptr != ':') return {};
  const auto line = std::from_chars(stamp.ptr + 1, end, place.line);
  return line.ec == std::errc() ? place : SignalPlace{};
}

std::string SignalFile::name_of(int64_t stamp) const { return path_ + "." + std::to_string(stamp) + std::string(kEnd); }

void SignalFile::restore(const SignalPlace& done) {
  done_ = std::max(done_, done);
  last_stamp_ = std::max(last_stamp_, done.stamp);
}

Status SignalFile::poll(SignalQueue& queue) {
  if (!looked_) {
    looked_ = true;
    if (Status s = find_left(queue); !s.ok()) return s;
  }
  std::error_code none;
  if (fs::file_size(path_, none) == 0 || none) return sdk::ok();
  // Taken away first: what is written from now on comes with the next look.
  last_stamp_ = std::max(now_ns(), last_stamp_ + 1);
  fs::rename(path_, name_of(last_stamp_), none);
  if (none) return {Code::kUnavailable, "signal.file " + path_ + " cannot be taken: " + none.message()};
  return offer(last_stamp_, queue);
}

Status SignalFile::find_left(SignalQueue& queue) {
  const fs::path path(path_);
  const std::string begin = path.filename().string() + ".";
  std::vector<int64_t> stamps;
  std::error_code none;
  for (fs::directory_iterator at(path.has_parent_path() ? path.parent_path() : fs::path("."), none), end;
       !none && at != end; at.increment(none)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(kEnd) || name.size() <= begin.size() + kEnd.size()) continue;
    int64_t stamp = 0;
    const char *first = name.data() + begin.size(), *last = name.data() + name.size() - kEnd.size();
    const auto [rest, error] = std::from_chars(first, last, stamp);
    if (error == std::errc() && rest == last) stamps.push_back(stamp);
  }
  std::ranges::sort(stamps);
  Status status = sdk::ok();
  for (const int64_t stamp : stamps) {
    last_stamp_ = std::max(last_stamp_, stamp);
    if (Status s = offer(stamp, queue); !s.ok()) status = s;
  }
  return status;
}

Status SignalFile::offer(int64_t stamp, SignalQueue& queue) {
  const std::string name = name_of(stamp);
  std::ifstream lines(name);
  if (!lines) return {Code::kUnavailable, "the signals in " + name + " cannot be read"};
  SignalPlace place{stamp, 0};
  std::optional<SignalPlace> last;
  for (std::string line; std::getline(lines, line);) {
    ++place.line;
    if (place <= done_ || line.find_first_not_of(" \t\r") == line.npos) continue;
    if (queue.offer_document(line, place)) last = place;
  }
  std::error_code none;
  if (last)
    taken_.push_back(*last);
  else
    fs::remove(name, none);
  return sdk::ok();
}

void SignalFile::stored(const SignalPlace& done) {
  std::erase_if(taken_, [&](const SignalPlace& last) {
    std::error_code none;
    if (last <= done) fs::remove(name_of(last.stamp), none);
    return last <= done;
  });
}

}  // namespace millrace::mariadb
