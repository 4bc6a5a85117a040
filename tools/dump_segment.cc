// Log files: a line a batch, and below it a line a record.
#include <fmt/format.h>

#include <iterator>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "log/batch_scanner.h"
#include "log/file_names.h"
#include "protocol/messages/registry.h"
#include "tools/dump_files.h"

namespace millrace {
namespace {

constexpr std::string_view kCheckpointSuffix = ".checkpoint";
constexpr int8_t kMagic2 = 2;

std::string_view codec_name(int16_t attributes) {
  constexpr std::string_view kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};
  const auto codec = static_cast<size_t>(attributes & batch_format::kCodecMask);
  return codec < std::size(kNames) ? kNames[codec] : "unknown";
}

bool is_valid(const RecordBatchView& batch) {
  return batch.size_bytes() >= batch_format::kHeaderBytes && batch.verify_crc().has_value();
}

/// Offset, position and check sum of a message of the time before record batches; what is inside is not decoded.
std::string old_message_line(const RecordBatchView& batch, uint64_t position) {
  const auto attributes = static_cast<int16_t>(batch.bytes()[17]);
  const bool timed = batch.magic() == 1;
  const int64_t timestamp = timed ? load_be<int64_t>(batch.bytes().data() + 18) : -1;
  return fmt::format("offset: {} position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {}\n",
                     batch.base_offset(), position,
                     !timed                  ? "NoTimestampType"
                     : (attributes & 8) != 0 ? "LogAppendTime"
                                             : "CreateTime",
                     timestamp, batch.size_bytes(), batch.magic(), codec_name(attributes),
                     load_be<uint32_t>(batch.bytes().data() + 12));
}

std::string batch_line(const RecordBatchView& batch, uint64_t position) {
  return fmt::format(
      "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} "
      "partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {} position: {} {}: {} size: {} "
      "magic: {} "
      "compresscodec: {} crc: {} isvalid: {}\n",
      batch.base_offset(), batch.last_offset(), batch.record_count(), batch.base_sequence(), batch.last_sequence(),
      batch.producer_id(), batch.producer_epoch(), batch.leader_epoch(), batch.transactional(), batch.control(),
      batch.has_delete_horizon() ? fmt::format("OptionalLong[{}]", batch.base_timestamp()) : "OptionalLong.empty",
      position, batch.log_append_time() ? "LogAppendTime" : "CreateTime", batch.max_timestamp(), batch.size_bytes(),
      batch.magic(), codec_name(batch.attributes()), batch.crc(), is_valid(batch));
}

std::string json_of(std::string_view message, const NullableBytes& value) {
  for (const MessageInfo* info : all_messages()) {
    if (info->name != message || !value || value->size() < sizeof(int16_t)) continue;
    size_t left = 0;
    if (auto json = info->to_json(*value, load_be<int16_t>(value->data()), left)) return *json;
  }
  return "{}";
}

std::string control_text(const RecordView& record) {
  constexpr size_t kKeyBytes = 4;
  if (!record.key || record.key->size() < kKeyBytes) return " controlType: UNKNOWN(-1)";
  const auto type = load_be<int16_t>(record.key->data() + 2);
  switch (type) {
    case 0:
    case 1: {
      const bool whole = record.value && record.value->size() >= 6;
      return fmt::format(" endTxnMarker: {} coordinatorEpoch: {}", type == 0 ? "ABORT" : "COMMIT",
                         whole ? load_be<int32_t>(record.value->data() + 2) : -1);
    }
    case 2:
      return fmt::format(" controlType: LEADER_CHANGE({})", type);
    case 3:
      return fmt::format(" SnapshotHeader {}", json_of("SnapshotHeaderRecord", record.value));
    case 4:
      return fmt::format(" SnapshotFooter {}", json_of("SnapshotFooterRecord", record.value));
    case 5:
      return fmt::format(" KRaftVersion {}", json_of("KRaftVersionRecord", record.value));
    case 6:
      return fmt::format(" KRaftVoters {}", json_of("VotersRecord", record.value));
    default:
      return fmt::format(" controlType: UNKNOWN({})", type);
  }
}

std::string decoded(RecordDecoder decoder, BytesView bytes) {
  switch (decoder) {
    case RecordDecoder::kInteger:
      return bytes.size() == sizeof(int32_t) ? fmt::format("{}", load_be<int32_t>(bytes.data()))
                                             : fmt::format("({} bytes, not 4)", bytes.size());
    case RecordDecoder::kLong:
      return bytes.size() == sizeof(int64_t) ? fmt::format("{}", load_be<int64_t>(bytes.data()))
                                             : fmt::format("({} bytes, not 8)", bytes.size());
    case RecordDecoder::kBytes: {
      std::string hex;
      for (const char c : bytes) fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
      return hex;
    }
    default:
      return std::string(bytes);
  }
}

/// Prints the batches of one file.
class LogDump {
 public:
  LogDump(const ToolIo& io, const Path& path, const DumpOptions& options, DumpFindings& findings)
      : io_(io), path_(path), options_(options), findings_(findings) {}

  Status run() {
    auto file = io_.files.open(path_, FileSystem::Open::kRead);
    if (!file) return fail(std::move(file.error()));
    auto size = (*file)->size();
    if (!size) return fail(std::move(size.error()));
    const bool whole = options_.bytes_max >= static_cast<int64_t>(INT32_MAX);
    const uint64_t end = whole ? *size : std::min(*size, static_cast<uint64_t>(options_.bytes_max));
    BatchScanner scanner(**file, 0, end);
    Status status;
    while (status) {
      auto batch = scanner.next();
      if (!batch)
        status = fail(std::move(batch.error()));
      else if (!*batch)
        break;
      else
        status = print_batch(**batch, scanner.position());
      if (out_.size() > kBufferBytes) flush();
    }
    if (scanner.next_position() < *size && whole) {
      fmt::format_to(std::back_inserter(out_), "Found {} invalid bytes at the end of {}\n",
                     *size - scanner.next_position(), path_.filename().string());
    }
    flush();
    return status;
  }

 private:
  static constexpr size_t kBufferBytes = 1 << 16;

  void flush() {
    io_.print(out_);
    out_.clear();
  }

  Status print_batch(const RecordBatchView& batch, uint64_t position) {
    if (batch.magic() < kMagic2) {
      out_ += old_message_line(batch, position);
      return {};
    }
    out_ += batch_line(batch, position);
    if (!options_.deep) return {};
    auto records = RecordIterator::open(batch, scratch_);
    if (!records) return fail(std::move(records.error()));
    int32_t index = 0;
    for (RecordView record; records->next(record); ++index) print_record(batch, record);
    return records->status();
  }

  void print_record(const RecordBatchView& batch, const RecordView& record) {
    if (last_offset_ >= 0 && record.offset != last_offset_ + 1) {
      auto& gaps = findings_.gaps[std::filesystem::absolute(path_).string()];
      gaps.insert(gaps.begin(), {last_offset_, record.offset});
    }
    last_offset_ = record.offset;
    std::string_view prefix = "| ";
    if (!options_.skip_metadata) {
      print_metadata(batch, record);
      prefix = " ";
    }
    if (options_.print_records && !batch.control()) print_content(record, prefix);
    out_ += '\n';
  }

  void print_metadata(const RecordBatchView& batch, const RecordView& record) {
    const auto size = [](const NullableBytes& bytes) { return bytes ? static_cast<int64_t>(bytes->size()) : -1; };
    const int64_t delta = record.offset - batch.base_offset();
    // Sequences wrap from 2147483647 to 0.
    const int64_t sequence = batch.base_sequence() < 0 ? -1 : (batch.base_sequence() + delta) & INT32_MAX;
    fmt::format_to(std::back_inserter(out_), "| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [",
                   record.offset, batch.log_append_time() ? "LogAppendTime" : "CreateTime", record.timestamp,
                   size(record.key), size(record.value), sequence);
    RecordHeader header;
    HeaderIterator headers(record.headers);
    for (bool first = true; headers.next(header); first = false) {
      if (!first) out_ += ',';
      out_ += header.key;
    }
    out_ += ']';
    if (batch.control()) out_ += control_text(record);
  }

  void print_content(const RecordView& record, std::string_view prefix) {
    DecodedText text;
    if (options_.value_decoder == RecordDecoder::kOffsets) {
      text = offsets_record_text(record.offset, record.key, record.value);
    } else if (options_.value_decoder == RecordDecoder::kTransactions) {
      text = transaction_record_text(record.offset, record.key, record.value);
    } else {
      if (record.key) text.key = decoded(options_.key_decoder, *record.key);
      if (record.value) text.payload = decoded(options_.value_decoder, *record.value);
    }
    if (text.key) out_.append(prefix).append("key: ").append(*text.key);
    if (text.payload) out_.append(" payload: ").append(*text.payload);
  }

  const ToolIo& io_;
  const Path& path_;
  const DumpOptions& options_;
  DumpFindings& findings_;
  std::string out_;
  std::string scratch_;
  int64_t last_offset_ = -1;
};

}  // namespace

Status dump_log_file(const ToolIo& io, const Path& file, const DumpOptions& options, DumpFindings& findings) {
  const std::string name = file.filename().string();
  if (const auto offset = offset_of_file(name, kLogSuffix)) {
    io.print(fmt::format("Log starting offset: {}\n", *offset));
  } else if (name == "bootstrap.checkpoint") {
    io.print("KRaft bootstrap snapshot\n");
  } else if (name.ends_with(kCheckpointSuffix) && name.size() == 20 + 1 + 10 + kCheckpointSuffix.size()) {
    io.print(fmt::format("Snapshot end offset: {}, epoch: {}\n", std::strtoll(name.substr(0, 20).c_str(), nullptr, 10),
                         std::strtoll(name.substr(21, 10).c_str(), nullptr, 10)));
  } else {
    return fail(ErrorCode::kNotFound,
                fmt::format("{} is not named like a log file: 20 digits and .log", file.string()));
  }
  return LogDump(io, file, options, findings).run();
}

}  // namespace millrace
