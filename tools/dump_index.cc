// Index files, each entry checked against the log beside it; aborted transactions; producer snapshots.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "log/batch_scanner.h"
#include "log/file_names.h"
#include "log/segment_index.h"
#include "tools/dump_files.h"

namespace millrace {
namespace {

/// An index file taken apart without judging it. Entries from the first zero one on are room that was set aside.
struct RawIndex {
  int64_t base_offset = 0;
  size_t entries = 0;  ///< as the size of the file says
  size_t entry_bytes = 0;
  std::string bytes;
};

Expected<RawIndex> read_index(const ToolIo& io, const Path& file, size_t entry_bytes) {
  RawIndex index{.entry_bytes = entry_bytes, .bytes = {}};
  index.base_offset = std::strtoll(file.stem().string().c_str(), nullptr, 10);
  auto bytes = io.files.read_file(file);
  if (!bytes) return fail(std::move(bytes.error()));
  index.bytes = std::move(*bytes);
  index.entries = index.bytes.size() / entry_bytes;
  return index;
}

Path beside(const Path& file, std::string_view suffix) {
  return file.parent_path() / (file.stem().string() + std::string(suffix));
}

tl::unexpected<Error> insane(const Path& file, std::string what) {
  return fail(ErrorCode::kCorruption,
              fmt::format("Corrupt index found, index file ({}) {}. A broker rebuilds it when it starts.",
                          std::filesystem::absolute(file).string(), what));
}

/// The checks that both kinds of index have in common; `last` is the offset of the last entry.
Status check_index(const Path& file, const RawIndex& index, int64_t last) {
  if (index.bytes.size() % index.entry_bytes != 0) {
    return insane(file,
                  fmt::format("has {} bytes which is not a multiple of {}", index.bytes.size(), index.entry_bytes));
  }
  if (index.entries > 0 && last < index.base_offset) {
    return insane(file, fmt::format("has non-zero size but the last offset is {} which is less than the base offset {}",
                                    last, index.base_offset));
  }
  return {};
}

/// The log beside an index.
class LogBeside {
 public:
  static Expected<LogBeside> open(const ToolIo& io, const Path& index) {
    auto file = io.files.open(beside(index, kLogSuffix), FileSystem::Open::kRead);
    if (!file) return fail(std::move(file.error()));
    auto size = (*file)->size();
    if (!size) return fail(std::move(size.error()));
    return LogBeside(std::move(*file), *size);
  }
  BatchScanner scan(uint64_t position) const { return BatchScanner(*file_, position, size_); }

 private:
  LogBeside(std::unique_ptr<File> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  std::unique_ptr<File> file_;
  uint64_t size_;
};

int64_t largest_timestamp(const RecordBatchView& batch, std::string& scratch) {
  int64_t largest = -1;
  if (auto records = RecordIterator::open(batch, scratch)) {
    for (RecordView record; records->next(record);) largest = std::max(largest, record.timestamp);
  }
  return largest;
}

OffsetIndex::Entry offset_entry(const RawIndex& index, size_t i) {
  const char* at = index.bytes.data() + i * index.entry_bytes;
  return {load_be<int32_t>(at), load_be<int32_t>(at + 4)};
}

TimeIndex::Entry time_entry(const RawIndex& index, size_t i) {
  const char* at = index.bytes.data() + i * index.entry_bytes;
  return {load_be<int64_t>(at), load_be<int32_t>(at + 8)};
}

/// Position of the last entry at or before `relative_offset`; 0 when there is none.
uint64_t position_before(const RawIndex& offsets, int32_t relative_offset) {
  uint64_t position = 0;
  for (size_t i = 0; i < offsets.entries; ++i) {
    const OffsetIndex::Entry entry = offset_entry(offsets, i);
    if (entry.relative_offset > relative_offset || (entry.relative_offset == 0 && i > 0)) break;
    position = static_cast<uint64_t>(entry.position);
  }
  return position;
}

void tell(std::string& text, const std::map<std::string, DumpFindings::Pairs>& findings, std::string_view title,
          fmt::format_string<const int64_t&, const int64_t&> line) {
  for (const auto& [file, pairs] : findings) {
    text += fmt::format("{}{}\n", title, file);
    for (const auto& [first, second] : pairs) text += fmt::format(line, first, second);
  }
}

}  // namespace

std::string DumpFindings::text() const {
  std::string text;
  tell(text, index_mismatches, "Mismatches in :", "  Index offset: {}, log offset: {}\n");
  tell(text, timestamp_mismatches, "Found timestamp mismatch in :", "  Index timestamp: {}, log timestamp: {}\n");
  tell(text, timestamps_unordered,
       "Found out of order timestamp in :", "  Index timestamp: {}, Previously indexed timestamp: {}\n");
  for (const auto& [file, pairs] : timestamp_offsets_lost) {
    text += "The following indexed offsets are not found in the log.\n";
    for (const auto& [indexed, found] : pairs)
      text += fmt::format("Indexed offset: {}, found log offset: {}\n", indexed, found);
  }
  tell(text, gaps, "Non-consecutive offsets in ", "  {} is followed by {}\n");
  return text;
}

Status dump_offset_index(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings) {
  auto log = LogBeside::open(io, file);
  if (!log) return fail(std::move(log.error()));
  auto index = read_index(io, file, OffsetIndex::kEntryBytes);
  if (!index) return fail(std::move(index.error()));
  if (index->entries == 0) {
    io.print(fmt::format("{} is empty.\n", file.string()));
    return {};
  }
  if (options.sanity_only) {
    const int64_t last = index->base_offset + offset_entry(*index, index->entries - 1).relative_offset;
    if (Status sane = check_index(file, *index, last); !sane) return sane;
    io.print(fmt::format("{} passed sanity check.\n", file.string()));
    return {};
  }
  for (size_t i = 0; i < index->entries; ++i) {
    const OffsetIndex::Entry entry = offset_entry(*index, i);
    if (entry.relative_offset == 0 && i > 0) break;
    const int64_t offset = index->base_offset + entry.relative_offset;
    BatchScanner scanner = log->scan(static_cast<uint64_t>(entry.position));
    auto batch = scanner.next();
    if (!batch)
      return fail(std::move(batch.error())
                      .wrap(fmt::format("{} points into the middle of a batch at {}", file.string(), entry.position)));
    const int64_t in_log = *batch ? (*batch)->last_offset() : -1;
    if (in_log != offset) {
      auto& mismatches = findings.index_mismatches[std::filesystem::absolute(file).string()];
      mismatches.insert(mismatches.begin(), {offset, in_log});
    }
    if (!options.verify_only) io.print(fmt::format("offset: {} position: {}\n", offset, entry.position));
  }
  return {};
}

Status dump_time_index(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings) {
  auto log = LogBeside::open(io, file);
  if (!log) return fail(std::move(log.error()));
  auto index = read_index(io, file, TimeIndex::kEntryBytes);
  if (!index) return fail(std::move(index.error()));
  auto offsets = read_index(io, beside(file, kOffsetIndexSuffix), OffsetIndex::kEntryBytes);
  if (!offsets) return fail(std::move(offsets.error()));
  if (options.sanity_only) {
    const int64_t last = index->entries == 0
                             ? index->base_offset
                             : index->base_offset + time_entry(*index, index->entries - 1).relative_offset;
    if (Status sane = check_index(file, *index, last); !sane) return sane;
    io.print(fmt::format("{} passed sanity check.\n", file.string()));
    return {};
  }
  const std::string path = std::filesystem::absolute(file).string();
  std::string scratch;
  int64_t previous = -1;
  for (size_t i = 0; i < index->entries; ++i) {
    const TimeIndex::Entry entry = time_entry(*index, i);
    if (entry.relative_offset == 0 && i > 0) break;
    const int64_t offset = index->base_offset + entry.relative_offset;
    BatchScanner scanner = log->scan(position_before(*offsets, entry.relative_offset));
    auto batch = scanner.next();
    while (batch && *batch && (*batch)->last_offset() < offset) batch = scanner.next();
    if (!batch || !*batch || (*batch)->last_offset() != offset) {
      findings.timestamp_offsets_lost[path].emplace_back(offset, batch && *batch ? (*batch)->last_offset() : -1);
    } else {
      const int64_t largest = largest_timestamp(**batch, scratch);
      if (largest != entry.timestamp) findings.timestamp_mismatches[path].emplace_back(entry.timestamp, largest);
      if (previous >= entry.timestamp) findings.timestamps_unordered[path].emplace_back(entry.timestamp, previous);
    }
    if (!options.verify_only) io.print(fmt::format("timestamp: {} offset: {}\n", entry.timestamp, offset));
    previous = entry.timestamp;
  }
  return {};
}

Status dump_transaction_index(const ToolIo& io, const Path& file) {
  auto bytes = io.files.read_file(file);
  if (!bytes) return fail(std::move(bytes.error()));
  auto transactions = AbortedTransaction::decode(*bytes);
  if (!transactions) return fail(std::move(transactions.error()).wrap(file.string()));
  for (const AbortedTransaction& aborted : *transactions) {
    io.print(fmt::format("version: 0 producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n",
                         aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset));
  }
  return {};
}

Status dump_snapshot(const ToolIo& io, const Path& file) {
  constexpr size_t kHeaderBytes = 10;
  constexpr size_t kEntryBytes = 46;
  auto bytes = io.files.read_file(file);
  if (!bytes) return fail(std::move(bytes.error()));
  const char* at = bytes->data();
  const auto corrupt = [&](std::string_view what) {
    return fail(ErrorCode::kCorruption, fmt::format("Snapshot file '{}' is corrupted: {}", file.string(), what));
  };
  if (bytes->size() < kHeaderBytes) return corrupt("it ends inside its header");
  if (const auto version = load_be<int16_t>(at); version != 1)
    return corrupt(fmt::format("its version is {}, this tool knows 1", version));
  const auto stored = load_be<uint32_t>(at + 2);
  const uint32_t computed = crc32c(BytesView(*bytes).substr(6));
  if (stored != computed) return corrupt(fmt::format("CRC is {:08x}, the file says {:08x}", computed, stored));
  const auto count = static_cast<size_t>(load_be<int32_t>(at + 6));
  if (bytes->size() != kHeaderBytes + count * kEntryBytes)
    return corrupt(fmt::format("{} bytes do not hold {} producers", bytes->size(), count));
  for (size_t i = 0; i < count; ++i) {
    const char* entry = at + kHeaderBytes + i * kEntryBytes;
    const auto last_sequence = load_be<int32_t>(entry + 10);
    const auto last_offset = load_be<int64_t>(entry + 14);
    const auto delta = load_be<int32_t>(entry + 22);
    const auto timestamp = load_be<int64_t>(entry + 26);
    const auto transaction = load_be<int64_t>(entry + 38);
    std::string line = fmt::format(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {} ",
        load_be<int64_t>(entry), load_be<int16_t>(entry + 8), load_be<int32_t>(entry + 34),
        transaction < 0 ? "OptionalLong.empty" : fmt::format("OptionalLong[{}]", transaction), timestamp);
    if (last_offset >= 0) {
      // Sequences wrap from 2147483647 to 0.
      const int64_t first = (static_cast<int64_t>(last_sequence) - delta) & INT32_MAX;
      line += fmt::format("firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}", first,
                          last_sequence, last_offset, delta, timestamp);
    }
    io.print(line + '\n');
  }
  return {};
}

}  // namespace millrace
