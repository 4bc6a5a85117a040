#include "broker/group_offsets.h"

#include <fmt/format.h>

#include <future>

#include "protocol/hash.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

constexpr int16_t kOffsetKeyVersion = 1;
constexpr int16_t kOffsetValueVersion = 3;
constexpr int64_t kReadBytes = 1 << 20;

void append_string(std::string& out, std::string_view text) {
  append_be(out, static_cast<int16_t>(text.size()));
  out.append(text);
}

std::string encode_key(std::string_view group, const PartitionKey& partition) {
  std::string key;
  append_be(key, kOffsetKeyVersion);
  append_string(key, group);
  append_string(key, partition.first);
  append_be(key, partition.second);
  return key;
}

std::string encode_value(const CommittedOffset& committed) {
  std::string value;
  append_be(value, kOffsetValueVersion);
  append_be(value, committed.offset);
  append_be(value, committed.leader_epoch);
  append_string(value, committed.metadata);
  append_be(value, committed.commit_ms);
  return value;
}

/// Reads big-endian fields; once something does not fit, everything reads as zero and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(BytesView bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  template <class T>
  T number() {
    if (bytes_.size() < sizeof(T)) return fail_with(T{});
    const T value = load_be<T>(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  std::string string() { return take(number<int16_t>()); }
  std::string compact_string() {
    uint32_t length = 0;
    const char* at = read_unsigned_varint(bytes_.data(), bytes_.data() + bytes_.size(), length);
    if (at == nullptr || length == 0) return fail_with(std::string());
    bytes_.remove_prefix(static_cast<size_t>(at - bytes_.data()));
    return take(static_cast<int64_t>(length) - 1);
  }

 private:
  template <class T>
  T fail_with(T value) {
    ok_ = false;
    return value;
  }
  std::string take(int64_t length) {
    if (length < 0 || static_cast<size_t>(length) > bytes_.size()) return fail_with(std::string());
    std::string text(bytes_.substr(0, static_cast<size_t>(length)));
    bytes_.remove_prefix(static_cast<size_t>(length));
    return text;
  }
  BytesView bytes_;
  bool ok_ = true;
};

std::optional<CommittedOffset> decode_value(BytesView bytes) {
  FieldReader in(bytes);
  const auto version = in.number<int16_t>();
  if (version < 0 || version > 4) return std::nullopt;
  CommittedOffset committed;
  committed.offset = in.number<int64_t>();
  if (version >= 3) committed.leader_epoch = in.number<int32_t>();
  committed.metadata = version >= 4 ? in.compact_string() : in.string();
  committed.commit_ms = in.number<int64_t>();
  if (!in.ok()) return std::nullopt;
  return committed;
}

}  // namespace

void GroupOffsets::replay(const RecordView& record) {
  if (!record.key) return;
  FieldReader in(*record.key);
  const auto version = in.number<int16_t>();
  if (version < 0 || version > kOffsetKeyVersion) return;  // group metadata and newer kinds are not ours to keep
  const std::string group = in.string();
  PartitionKey partition;
  partition.first = in.string();
  partition.second = in.number<int32_t>();
  if (!in.ok()) return;
  const auto committed = record.value ? decode_value(*record.value) : std::nullopt;
  if (committed) {
    groups_[group][partition] = *committed;
  } else if (const auto found = groups_.find(group); found != groups_.end()) {
    found->second.erase(partition);
    if (found->second.empty()) groups_.erase(found);
  }
}

Status GroupOffsets::load(const PartitionLog& log) {
  std::lock_guard lock(mutex_);
  std::string scratch;
  for (int64_t offset = log.log_start_offset(); offset < log.high_watermark();) {
    auto read = log.read(offset, kReadBytes);
    if (!read) return fail(std::move(read.error()));
    BytesView bytes = read->bytes;
    while (!bytes.empty()) {
      auto batch = RecordBatchView::parse(bytes);
      if (!batch) return fail(std::move(batch.error()));
      bytes.remove_prefix(batch->size_bytes());
      if (batch->control()) continue;
      auto records = RecordIterator::open(*batch, scratch);
      if (!records) return fail(std::move(records.error()));
      RecordView record;
      while (records->next(record)) replay(record);
      if (!records->status()) return records->status();
    }
    if (read->next_offset <= offset) break;
    offset = read->next_offset;
  }
  return {};
}

Status GroupOffsets::append_and_wait(const std::string& group, RecordBatchBuilder batch) {
  auto log = partition_log_(partition_of_group(group, partitions_));
  if (!log) return fail(std::move(log.error()));
  if (auto finished = batch.finish(); !finished) return finished;
  std::string bytes = batch.take();
  auto durable = std::make_shared<std::promise<Status>>();  // co-owned by the committer until it has answered
  auto answer = durable->get_future();
  auto appended = (*log)->append(bytes, {}, [durable](Expected<int64_t> offset) {
    durable->set_value(offset ? Status{} : Status(tl::unexpected<Error>(std::move(offset.error()))));
  });
  if (!appended) return fail(std::move(appended.error()));
  return answer.get();
}

Status GroupOffsets::commit(const std::string& group, const Offsets& offsets) {
  if (offsets.empty()) return {};
  const int64_t now = clock_.wall_ms();
  RecordBatchBuilder batch({.bytes_reserved = 256 + offsets.size() * 128});
  Offsets stamped = offsets;
  for (auto& [partition, committed] : stamped) {
    committed.commit_ms = now;
    batch.append(now, encode_key(group, partition), encode_value(committed));
  }
  if (auto done = append_and_wait(group, std::move(batch)); !done) {
    return fail(std::move(done.error()).wrap(fmt::format("cannot commit offsets of group {}", group)));
  }
  std::lock_guard lock(mutex_);
  for (auto& [partition, committed] : stamped) groups_[group][partition] = std::move(committed);
  return {};
}

std::optional<CommittedOffset> GroupOffsets::find(const std::string& group, const PartitionKey& partition) const {
  std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return std::nullopt;
  const auto committed = found->second.find(partition);
  if (committed == found->second.end()) return std::nullopt;
  return committed->second;
}

GroupOffsets::Offsets GroupOffsets::group(const std::string& group) const {
  std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? Offsets{} : found->second;
}

std::vector<std::string> GroupOffsets::groups() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, offsets] : groups_) names.push_back(name);
  return names;
}

Status GroupOffsets::remove(const std::string& group, const std::vector<PartitionKey>& partitions) {
  const int64_t now = clock_.wall_ms();
  RecordBatchBuilder batch;
  const Offsets known = this->group(group);
  for (const PartitionKey& partition : partitions) {
    if (known.contains(partition)) batch.append(now, encode_key(group, partition), std::nullopt);
  }
  if (batch.empty()) return {};
  if (auto done = append_and_wait(group, std::move(batch)); !done) {
    return fail(std::move(done.error()).wrap(fmt::format("cannot delete offsets of group {}", group)));
  }
  std::lock_guard lock(mutex_);
  for (const PartitionKey& partition : partitions) groups_[group].erase(partition);
  if (groups_[group].empty()) groups_.erase(group);
  return {};
}

Status GroupOffsets::remove_topic(const std::string& topic) {
  for (const std::string& name : groups()) {
    std::vector<PartitionKey> doomed;
    for (const auto& [partition, committed] : group(name)) {
      if (partition.first == topic) doomed.push_back(partition);
    }
    if (auto removed = remove(name, doomed); !removed) return removed;
  }
  return {};
}

}  // namespace millrace
