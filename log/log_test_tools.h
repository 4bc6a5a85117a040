/// What the log's tests share: batches to append, and reading a log as a client does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "log/partition_log.h"

namespace millrace::testing {

struct TestRecord {
  int64_t offset = 0;
  int64_t timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  bool operator==(const TestRecord&) const = default;
};

inline std::string make_batch(const std::vector<TestRecord>& records, BatchOptions options = {}) {
  RecordBatchBuilder builder(options);
  for (const TestRecord& record : records) {
    builder.append(record.timestamp, record.key ? NullableBytes(*record.key) : std::nullopt,
                   record.value ? NullableBytes(*record.value) : std::nullopt);
  }
  EXPECT_TRUE(builder.finish());
  return builder.take();
}

inline std::string make_marker(int64_t producer_id, int16_t epoch, bool commit, int64_t timestamp) {
  BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = epoch;
  options.transactional = options.control = true;
  RecordBatchBuilder builder(options);
  std::string key, value;
  append_be<int16_t>(key, 0);
  append_be<int16_t>(key, commit ? batch_format::kControlCommit : batch_format::kControlAbort);
  append_be<int16_t>(value, 0);
  append_be<int32_t>(value, 0);
  builder.append(timestamp, BytesView(key), BytesView(value));
  EXPECT_TRUE(builder.finish());
  return builder.take();
}

/// All data records below the high watermark (or the last stable offset, without aborted ones) as a client sees them.
inline std::vector<TestRecord> read_log(const PartitionLog& log, Isolation isolation = Isolation::kUncommitted) {
  const bool committed = isolation == Isolation::kCommitted;
  const int64_t end = committed ? log.last_stable_offset() : log.high_watermark();
  auto aborted = log.aborted_transactions(log.log_start_offset(), end);
  std::sort(aborted.begin(), aborted.end(),
            [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
  size_t next_aborted = 0;
  std::set<int64_t> aborting;
  std::vector<TestRecord> records;
  std::string scratch;
  for (int64_t offset = log.log_start_offset(); offset < end;) {
    const auto read = log.read(offset, 5000);
    EXPECT_TRUE(read) << read.error().message;
    if (!read) break;
    for (BytesView bytes = read->bytes; !bytes.empty();) {
      const auto batch = RecordBatchView::parse(bytes);
      EXPECT_TRUE(batch && batch->verify_crc());
      if (!batch) return records;
      bytes.remove_prefix(batch->size_bytes());
      if (batch->base_offset() >= end) break;
      for (; next_aborted < aborted.size() && aborted[next_aborted].first_offset <= batch->last_offset();
           ++next_aborted)
        aborting.insert(aborted[next_aborted].producer_id);
      if (batch->control()) {
        aborting.erase(batch->producer_id());
        continue;
      }
      if (committed && batch->transactional() && aborting.contains(batch->producer_id())) continue;
      auto iterator = RecordIterator::open(*batch, scratch);
      EXPECT_TRUE(iterator);
      RecordView record;
      while (iterator->next(record)) {
        if (record.offset < log.log_start_offset()) continue;
        TestRecord each{record.offset, record.timestamp, {}, {}};
        if (record.key) each.key = std::string(*record.key);
        if (record.value) each.value = std::string(*record.value);
        records.push_back(std::move(each));
      }
      EXPECT_TRUE(iterator->status());
    }
    if (read->bytes.empty() && read->next_offset <= offset) {
      ADD_FAILURE() << "the reader does not get past offset " << offset << " of " << end;
      break;
    }
    offset = read->next_offset;
  }
  return records;
}

/// Reads the log through locate() and the slices' files, as a Fetch does; the batches' base offsets.
inline std::vector<int64_t> fetch_all(const PartitionLog& log, size_t bytes_max) {
  std::vector<int64_t> bases;
  for (int64_t offset = log.log_start_offset(); offset < log.high_watermark();) {
    const auto slice = log.locate(offset, bytes_max, Isolation::kUncommitted, true);
    EXPECT_TRUE(slice) << slice.error().message;
    if (!slice || slice->size == 0) break;
    std::string bytes(slice->size, '\0');
    const auto got = slice->segment->file->read_at(slice->position, bytes.data(), bytes.size());
    EXPECT_TRUE(got && *got == bytes.size());
    const int64_t before = offset;
    for (BytesView rest = bytes; rest.size() >= batch_format::kHeaderBytes;) {
      const auto batch = RecordBatchView::parse(rest);
      if (!batch) break;  // cut by the limit
      EXPECT_GE(batch->last_offset(), offset);
      bases.push_back(batch->base_offset());
      offset = batch->next_offset();
      rest.remove_prefix(batch->size_bytes());
    }
    EXPECT_GT(offset, before);
    if (offset == before) break;
  }
  return bases;
}

}  // namespace millrace::testing
