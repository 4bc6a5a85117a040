#include "broker/handlers/fetch_down_convert.h"

#include <zlib.h>

#include "protocol/record_batch.h"

namespace millrace {
namespace {

constexpr size_t kCrcAt = 12;  // behind offset and size; the CRC-32 covers what follows it
constexpr size_t kMagicAt = 16;

void append_field(std::string& out, const NullableBytes& field) {
  append_be<int32_t>(out, field ? static_cast<int32_t>(field->size()) : -1);
  if (field) out.append(*field);
}

void append_message(std::string& out, const RecordView& record, int8_t magic, bool log_append_time) {
  const size_t start = out.size();
  append_be(out, record.offset);
  append_be<int32_t>(out, 0);   // size
  append_be<uint32_t>(out, 0);  // CRC
  out.push_back(static_cast<char>(magic));
  out.push_back(magic > 0 && log_append_time ? '\x08' : '\0');
  if (magic > 0) append_be(out, record.timestamp);
  append_field(out, record.key);
  append_field(out, record.value);
  char* const message = out.data() + start;
  const size_t size = out.size() - start;
  store_be(message + sizeof(int64_t), static_cast<int32_t>(size - kCrcAt));
  store_be(message + kCrcAt, static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(message + kMagicAt),
                                                           static_cast<uInt>(size - kMagicAt))));
}

Status convert_batch(const RecordBatchView& batch, int64_t offset, int8_t magic, std::string& out) {
  if (batch.control() || batch.last_offset() < offset) return {};
  if (batch.codec() == Codec::kZstd) {
    return fail(Error{ErrorCode::kBadRecord,
                      "a batch is compressed with zstd, which Fetch requests below version 10 do not know",
                      "org.apache.kafka.common.errors.UnsupportedCompressionTypeException",
                      {},
                      {}});
  }
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return fail(std::move(records.error()));
  RecordView record;
  while (records->next(record)) {
    if (record.offset >= offset) append_message(out, record, magic, batch.log_append_time());
  }
  return records->status();
}

}  // namespace

Expected<std::string> down_convert(const PartitionLog& log, int64_t offset, const LogSlice& slice, int8_t magic) {
  std::string out;
  const int64_t end = slice.high_watermark;
  for (int64_t at = offset; out.empty() && at < end;) {
    auto read = log.read(at, slice.size);
    if (!read) return fail(std::move(read.error()));
    if (read->bytes.empty()) break;
    for (BytesView rest = read->bytes; !rest.empty();) {
      auto batch = RecordBatchView::parse(rest);
      if (!batch) return fail(std::move(batch.error()));
      if (auto converted = convert_batch(*batch, offset, magic, out); !converted) return fail(converted.error());
      rest.remove_prefix(batch->size_bytes());
    }
    at = read->next_offset;
  }
  return out;
}

}  // namespace millrace
