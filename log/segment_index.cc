#include "log/segment_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {

Expected<OffsetIndex> OffsetIndex::decode(int64_t base_offset, BytesView bytes, uint64_t log_bytes) {
  OffsetIndex index(base_offset);
  if (bytes.size() % kEntryBytes != 0)
    return fail(ErrorCode::kCorruption, fmt::format("size {} is no multiple of 8", bytes.size()));
  index.entries_.reserve(bytes.size() / kEntryBytes);
  for (size_t at = 0; at < bytes.size(); at += kEntryBytes) {
    const Entry entry{load_be<int32_t>(bytes.data() + at), load_be<int32_t>(bytes.data() + at + 4)};
    const bool rises = index.entries_.empty() ? entry.relative_offset >= 0 && entry.position >= 0
                                              : entry.relative_offset > index.entries_.back().relative_offset &&
                                                    entry.position > index.entries_.back().position;
    if (!rises || static_cast<uint64_t>(entry.position) >= log_bytes) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("entry {} (offset {}, position {}) is out of order", at / kEntryBytes,
                              base_offset + entry.relative_offset, entry.position));
    }
    index.entries_.push_back(entry);
  }
  return index;
}

std::string OffsetIndex::encode() const {
  std::string bytes;
  bytes.reserve(size_bytes());
  for (const Entry& entry : entries_) {
    append_be(bytes, entry.relative_offset);
    append_be(bytes, entry.position);
  }
  return bytes;
}

Status OffsetIndex::append(int64_t last_offset, uint64_t position) {
  const int64_t relative = last_offset - base_offset_;
  if (relative < 0 || relative > INT32_MAX || (!entries_.empty() && relative <= entries_.back().relative_offset)) {
    return fail(
        ErrorCode::kCorruption,
        fmt::format("offset {} at position {} does not rise above the last index entry {}", last_offset, position,
                    entries_.empty() ? base_offset_ : base_offset_ + entries_.back().relative_offset));
  }
  entries_.push_back({static_cast<int32_t>(relative), static_cast<int32_t>(position)});
  return {};
}

uint64_t OffsetIndex::lookup(int64_t offset) const {
  const int64_t relative = offset - base_offset_;
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), relative,
                       [](int64_t target, const Entry& entry) { return target < entry.relative_offset; });
  return after == entries_.begin() ? 0 : static_cast<uint64_t>(std::prev(after)->position);
}

std::optional<int64_t> OffsetIndex::offset_at(uint64_t position) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), position, [](const Entry& entry, uint64_t target) {
    return static_cast<uint64_t>(entry.position) < target;
  });
  if (at == entries_.end()) return std::nullopt;
  return base_offset_ + at->relative_offset;
}

Expected<TimeIndex> TimeIndex::decode(int64_t base_offset, BytesView bytes) {
  TimeIndex index(base_offset);
  if (bytes.size() % kEntryBytes != 0)
    return fail(ErrorCode::kCorruption, fmt::format("size {} is no multiple of 12", bytes.size()));
  index.entries_.reserve(bytes.size() / kEntryBytes);
  for (size_t at = 0; at < bytes.size(); at += kEntryBytes) {
    const Entry entry{load_be<int64_t>(bytes.data() + at), load_be<int32_t>(bytes.data() + at + 8)};
    if (entry.relative_offset < 0 || (!index.entries_.empty() && entry.timestamp <= index.entries_.back().timestamp)) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("entry {} (timestamp {}) is out of order", at / kEntryBytes, entry.timestamp));
    }
    index.entries_.push_back(entry);
  }
  return index;
}

std::string TimeIndex::encode() const {
  std::string bytes;
  bytes.reserve(size_bytes());
  for (const Entry& entry : entries_) {
    append_be(bytes, entry.timestamp);
    append_be(bytes, entry.relative_offset);
  }
  return bytes;
}

Status TimeIndex::append_if_later(int64_t timestamp, int64_t last_offset) {
  const int64_t relative = last_offset - base_offset_;
  if (!entries_.empty() && relative < entries_.back().relative_offset) {
    return fail(ErrorCode::kCorruption,
                fmt::format("offset {} with timestamp {} falls below the last time index entry {}", last_offset,
                            timestamp, base_offset_ + entries_.back().relative_offset));
  }
  const int64_t last = entries_.empty() ? -1 : entries_.back().timestamp;
  if (timestamp > last) entries_.push_back({timestamp, static_cast<int32_t>(relative)});
  return {};
}

int64_t TimeIndex::lookup(int64_t timestamp) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), timestamp,
                                   [](const Entry& entry, int64_t target) { return entry.timestamp < target; });
  return at == entries_.begin() ? base_offset_ : base_offset_ + std::prev(at)->relative_offset;
}

std::string AbortedTransaction::encode(const std::vector<AbortedTransaction>& transactions) {
  std::string bytes;
  for (const AbortedTransaction& each : transactions) {
    append_be<int16_t>(bytes, 0);
    append_be(bytes, each.producer_id);
    append_be(bytes, each.first_offset);
    append_be(bytes, each.last_offset);
    append_be(bytes, each.last_stable_offset);
  }
  return bytes;
}

Expected<std::vector<AbortedTransaction>> AbortedTransaction::decode(BytesView bytes) {
  if (bytes.size() % kBytes != 0)
    return fail(ErrorCode::kCorruption, fmt::format("size {} is no multiple of 34", bytes.size()));
  std::vector<AbortedTransaction> transactions;
  for (const char* at = bytes.data(); at != bytes.data() + bytes.size(); at += kBytes) {
    if (load_be<int16_t>(at) != 0)
      return fail(ErrorCode::kCorruption, fmt::format("unknown version {}", load_be<int16_t>(at)));
    transactions.push_back(
        {load_be<int64_t>(at + 2), load_be<int64_t>(at + 10), load_be<int64_t>(at + 18), load_be<int64_t>(at + 26)});
  }
  return transactions;
}

}  // namespace millrace
