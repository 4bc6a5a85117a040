#include "protocol/legacy_messages.h"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>

namespace millrace {
namespace {

constexpr size_t kCrcAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kTimestampAt = 18;  // magic 1
constexpr int32_t kSizeMin = batch_format::kLengthMin;

tl::unexpected<Error> refuse(ErrorCode code, std::string_view exception, std::string message) {
  return fail(Error{code, std::move(message), std::string(exception), {}, {}});
}
tl::unexpected<Error> invalid(std::string message) {
  return refuse(ErrorCode::kBadRecord, "org.apache.kafka.common.InvalidRecordException", std::move(message));
}
tl::unexpected<Error> corrupt(std::string message) {
  return refuse(ErrorCode::kCorruption, "org.apache.kafka.common.errors.CorruptRecordException", std::move(message));
}

/// An int32 length (below zero: null) and that many bytes; false when they pass the end.
bool read_sized(const char*& at, const char* end, NullableBytes& bytes) {
  if (end - at < 4) return false;
  const auto length = load_be<int32_t>(at);
  at += 4;
  bytes.reset();
  if (length < 0) return true;
  if (length > end - at) return false;
  bytes.emplace(at, static_cast<size_t>(length));
  at += length;
  return true;
}

/// XXH32 of fewer than 16 bytes with seed 0: all that an LZ4 frame header needs.
uint32_t short_xxh32(BytesView bytes) {
  constexpr uint32_t kPrime1 = 2654435761U, kPrime2 = 2246822519U, kPrime3 = 3266489917U, kPrime4 = 668265263U,
                     kPrime5 = 374761393U;
  uint32_t hash = kPrime5 + static_cast<uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    uint32_t word = 0;
    std::memcpy(&word, bytes.data(), 4);
    hash = std::rotl(hash + word * kPrime3, 17) * kPrime4;
  }
  for (const char byte : bytes) hash = std::rotl(hash + static_cast<uint8_t>(byte) * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

/// Magic 0 writers computed the checksum of the frame header over the wrong bytes; readers have to overlook it.
std::string with_right_header_checksum(BytesView frame) {
  std::string mended(frame);
  if (frame.size() < 7) return mended;
  const auto flags = static_cast<uint8_t>(frame[4]);
  const size_t descriptor = 2U + ((flags & 0x08) != 0 ? 8U : 0U) + ((flags & 0x01) != 0 ? 4U : 0U);
  if (frame.size() <= 4 + descriptor) return mended;
  mended[4 + descriptor] = static_cast<char>((short_xxh32(frame.substr(4, descriptor)) >> 8) & 0xFF);
  return mended;
}

}  // namespace

Expected<std::optional<BytesView>> BatchSequence::next() {
  const BytesView rest = bytes_.substr(position_);
  if (rest.size() < batch_format::kLogOverhead) return std::nullopt;
  const auto length = load_be<int32_t>(rest.data() + batch_format::kLengthAt);
  if (length < kSizeMin) {
    return corrupt(fmt::format("Record size {} is less than the minimum record overhead ({})", length, kSizeMin));
  }
  if (rest.size() <= kMagicAt) return std::nullopt;
  const auto magic = static_cast<int8_t>(rest[kMagicAt]);
  if (magic < 0 || magic > batch_format::kMagic) {
    return corrupt(fmt::format("Invalid magic found in record: {}", magic));
  }
  const size_t size = batch_format::kLogOverhead + static_cast<size_t>(length);
  if (size > INT32_MAX) {
    return refuse(ErrorCode::kCorruption, "java.lang.IllegalArgumentException",
                  fmt::format("a batch of {} bytes cannot be", size));
  }
  if (size > rest.size()) return std::nullopt;
  position_ += size;
  return rest.substr(0, size);
}

Status LegacyMessage::verify_crc() const {
  const auto* from = reinterpret_cast<const Bytef*>(bytes_.data() + kMagicAt);
  const auto computed = static_cast<uint32_t>(::crc32(0, from, static_cast<uInt>(bytes_.size() - kMagicAt)));
  if (computed == crc()) return {};
  return corrupt(fmt::format("message at offset {}: crc of the bytes is {:08x}, the header says {:08x}", offset(),
                             computed, crc()));
}

Status LegacyMessage::own_record(RecordView& record) const {
  const char* at = bytes_.data() + kTimestampAt + (magic() == 0 ? 0 : 8);
  const char* const end = bytes_.data() + bytes_.size();
  record = {};
  record.offset = offset();
  record.timestamp = timestamp();
  if (at > end || !read_sized(at, end, record.key) || !read_sized(at, end, record.value)) {
    return refuse(ErrorCode::kBadRecord, "java.lang.IllegalArgumentException",
                  fmt::format("message at offset {}: key or value does not fit the message", offset()));
  }
  return {};
}

Status LegacyMessage::inner_records(BytesView set, std::vector<RecordView>& records) const {
  const size_t first = records.size();
  while (set.size() >= batch_format::kLogOverhead) {
    const auto length = load_be<int32_t>(set.data() + batch_format::kLengthAt);
    if (length < kSizeMin) return corrupt(fmt::format("inner message of {} bytes is too small", length));
    const size_t size = batch_format::kLogOverhead + static_cast<size_t>(length);
    if (size > set.size()) break;
    const LegacyMessage inner(set.substr(0, size));
    set.remove_prefix(size);
    if (inner.magic() < 0 || inner.magic() > 1 || inner.magic() != magic()) {
      return invalid(fmt::format("inner message of magic {} in a wrapper of magic {}", inner.magic(), magic()));
    }
    if (auto valid = inner.verify_crc(); !valid) return valid;
    if (inner.codec() != Codec::kNone) return invalid("inner messages must not be compressed");
    RecordView record;
    if (auto read = inner.own_record(record); !read) return read;
    if (log_append_time()) record.timestamp = timestamp();
    records.push_back(record);
  }
  if (records.size() == first) return invalid("a compressed message set holds no messages");
  if (magic() == 0) return {};
  // Magic 1 counts the inner offsets from zero; some old clients left the wrapper's offset at zero, too.
  const int64_t last = records.back().offset;
  if (offset() != 0 && offset() < last) {
    return invalid(fmt::format("wrapper offset {} is below its last message's offset {}", offset(), last));
  }
  const int64_t base = offset() == 0 ? 0 : offset() - last;
  for (size_t i = first; i < records.size(); ++i) records[i].offset += base;
  return {};
}

Status LegacyMessage::records(std::string& scratch, std::vector<RecordView>& records) const {
  if (static_cast<int8_t>(codec()) > static_cast<int8_t>(Codec::kZstd)) {
    return refuse(ErrorCode::kBadRecord, "java.lang.IllegalArgumentException",
                  fmt::format("unknown compression codec {}", static_cast<int>(codec())));
  }
  RecordView own;
  if (codec() == Codec::kZstd) return invalid(fmt::format("magic {} has no zstd", magic()));
  if (auto read = own_record(own); !read) return read;
  if (codec() == Codec::kNone) {
    records.push_back(own);
    return {};
  }
  if (!own.value) return invalid(fmt::format("compressed message set with a null value (magic {})", magic()));
  const bool mend = codec() == Codec::kLz4 && magic() == 0;
  const std::string mended = mend ? with_right_header_checksum(*own.value) : std::string();
  if (auto done = decompress(codec(), mend ? BytesView(mended) : *own.value, scratch); !done) {
    Error error = std::move(done.error());
    error.exception = "org.apache.kafka.common.KafkaException";
    return fail(std::move(error));
  }
  return inner_records(scratch, records);
}

}  // namespace millrace
