#include "log/client_batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/crc32c.h"
#include "protocol/legacy_messages.h"
#include "protocol/record_batch.h"
#include "protocol/varint.h"

namespace millrace {
namespace {

namespace format = batch_format;

constexpr std::string_view kInvalidRecord = "org.apache.kafka.common.InvalidRecordException";
constexpr std::string_view kCorruptRecord = "org.apache.kafka.common.errors.CorruptRecordException";
constexpr std::string_view kTooLarge = "org.apache.kafka.common.errors.RecordTooLargeException";
constexpr std::string_view kInvalidTimestamp = "org.apache.kafka.common.errors.InvalidTimestampException";
constexpr std::string_view kUnsupportedCodec = "org.apache.kafka.common.errors.UnsupportedCompressionTypeException";
constexpr std::string_view kBroken = "org.apache.kafka.common.KafkaException";
constexpr int16_t kZstdSince = 7;
constexpr int16_t kRecordBatchesSince = 3;

tl::unexpected<Error> refuse(std::string_view exception, std::string message) {
  const ErrorCode code = exception == kCorruptRecord ? ErrorCode::kCorruption : ErrorCode::kBadRecord;
  return fail(Error{code, std::move(message), std::string(exception), {}, {}});
}

/// Collects what single records do wrong; nothing is allocated while all is well.
class RecordRules {
 public:
  RecordRules(const ClientBatchRules& rules, bool log_append_time_claimed)
      : rules_(rules),
        compacted_(rules.config.cleanup_compact),
        claimed_(log_append_time_claimed),
        bounded_(rules.config.timestamp_before_max_ms != INT64_MAX ||
                 rules.config.timestamp_after_max_ms != INT64_MAX) {}

  void check(int32_t index, int64_t timestamp, int64_t offset, bool has_key) {
    if (compacted_ && !has_key) [[unlikely]] {
      add(index,
          fmt::format("Compacted topic cannot accept message without key in topic partition {}.", rules_.partition));
      return;
    }
    if (!rules_.config.log_append_time && timestamp != format::kNoTimestamp) {
      if (bounded_) check_bounds(index, timestamp, offset);
    } else if (claimed_) {
      timestamps_ = true;
      add(index, "Producer should not set timestamp type to LogAppendTime.");
    }
  }

  Status verdict(std::vector<RecordError>* errors) {
    if (errors_.empty()) return {};
    std::string message = "One or more records have been rejected due to invalid timestamp";
    if (!timestamps_) {
      message = fmt::format("One or more records have been rejected due to {} record errors, the first: {}",
                            errors_.size(), errors_.front().message);
    }
    if (errors != nullptr) *errors = std::move(errors_);
    return refuse(timestamps_ ? kInvalidTimestamp : kInvalidRecord, std::move(message));
  }

 private:
  void check_bounds(int32_t index, int64_t timestamp, int64_t offset) {
    // Wraps as Java does for absurd timestamps.
    const auto age = static_cast<int64_t>(static_cast<uint64_t>(rules_.now_ms) - static_cast<uint64_t>(timestamp));
    const auto ahead = static_cast<int64_t>(0 - static_cast<uint64_t>(age));
    if (age <= rules_.config.timestamp_before_max_ms && ahead <= rules_.config.timestamp_after_max_ms) return;
    timestamps_ = true;
    const auto from = static_cast<int64_t>(static_cast<uint64_t>(rules_.now_ms) -
                                           static_cast<uint64_t>(rules_.config.timestamp_before_max_ms));
    const auto to = static_cast<int64_t>(static_cast<uint64_t>(rules_.now_ms) +
                                         static_cast<uint64_t>(rules_.config.timestamp_after_max_ms));
    add(index, fmt::format("Timestamp {} of message with offset {} is out of range. The timestamp should be within "
                           "[{}, {}]",
                           timestamp, offset, from, to));
  }
  void add(int32_t index, std::string message) { errors_.push_back({index, std::move(message)}); }

  const ClientBatchRules& rules_;
  const bool compacted_;
  const bool claimed_;
  const bool bounded_;
  bool timestamps_ = false;
  std::vector<RecordError> errors_;
};

/// What a walk over the records has found.
struct Walk {
  int64_t max_timestamp = format::kNoTimestamp;
  bool dense = true;  ///< offset deltas are 0, 1, 2, …
};

const char* skip_sized(const char* at, const char* end, bool& present) {
  int32_t length = 0;
  at = read_varint(at, end, length);
  present = length >= 0;
  if (at == nullptr || !present) return at;
  return length > end - at ? nullptr : at + length;
}

/// Passes one record of a compressed batch. Like Kafka's broker it does not hold the fields against the record's
/// length, so that both refuse the same batches.
const char* skip_record(const char* at, const char* end, int64_t& timestamp_delta, int32_t& offset_delta,
                        bool& has_key) {
  int32_t length = 0, headers = 0;
  if ((at = read_varint(at, end, length)) == nullptr || at == end) return nullptr;
  ++at;  // attributes
  if ((at = read_varlong(at, end, timestamp_delta)) == nullptr) return nullptr;
  if ((at = read_varint(at, end, offset_delta)) == nullptr) return nullptr;
  bool present = false;
  if ((at = skip_sized(at, end, has_key)) == nullptr) return nullptr;
  if ((at = skip_sized(at, end, present)) == nullptr) return nullptr;
  if ((at = read_varint(at, end, headers)) == nullptr || headers < 0) return nullptr;
  for (; headers > 0; --headers) {
    if ((at = skip_sized(at, end, present)) == nullptr || !present) return nullptr;
    if ((at = skip_sized(at, end, present)) == nullptr) return nullptr;
  }
  return at;
}

Expected<Walk> walk_compressed(const RecordBatchView& batch, BytesView records, RecordRules& rules) {
  Walk walk;
  const char* at = records.data();
  const char* const end = at + records.size();
  const bool stamped = batch.log_append_time();
  for (int32_t i = 0; i < batch.record_count(); ++i) {
    int64_t timestamp_delta = 0;
    int32_t offset_delta = 0;
    bool has_key = false;
    at = skip_record(at, end, timestamp_delta, offset_delta, has_key);
    if (at == nullptr) return refuse(kInvalidRecord, fmt::format("record {} of the batch is damaged", i));
    const auto timestamp = stamped ? batch.max_timestamp()
                                   : static_cast<int64_t>(static_cast<uint64_t>(batch.base_timestamp()) +
                                                          static_cast<uint64_t>(timestamp_delta));
    rules.check(i, timestamp, batch.base_offset() + offset_delta, has_key);
    walk.max_timestamp = std::max(walk.max_timestamp, timestamp);
    walk.dense = walk.dense && offset_delta == i;
  }
  if (at != end) return refuse(kInvalidRecord, "bytes follow the last record of the batch");
  return walk;
}

/// A length whose varint is too long is not InvalidRecordException in Kafka but an unforeseen failure.
bool overlong_length(const RecordBatchView& batch, const RecordIterator& records) {
  const BytesView rest = batch.bytes().substr(static_cast<size_t>(records.position() - batch.bytes().data()));
  return rest.size() > kVarintBytesMax &&
         std::all_of(rest.begin(), rest.begin() + kVarintBytesMax, [](char c) { return (c & 0x80) != 0; });
}

Expected<Walk> walk_plain(const RecordBatchView& batch, RecordRules& rules) {
  std::string unused;
  auto records = RecordIterator::open(batch, unused);
  if (!records) return refuse(kInvalidRecord, records.error().message);
  Walk walk;
  RecordView record;
  for (int32_t i = 0; records->next(record); ++i) {
    rules.check(i, record.timestamp, record.offset, record.key.has_value());
    walk.max_timestamp = std::max(walk.max_timestamp, record.timestamp);
  }
  if (records->status()) return walk;
  return refuse(overlong_length(batch, *records) ? kBroken : kInvalidRecord, records->status().error().message);
}

Status check_header(const RecordBatchView& batch, std::string_view partition) {
  const int64_t span = int64_t{batch.last_offset_delta()} + 1;
  if (span <= 0 || batch.record_count() <= 0 || span != batch.record_count()) {
    return refuse(kInvalidRecord, fmt::format("a batch for {} contradicts itself: {} records, last offset delta {}",
                                              partition, batch.record_count(), batch.last_offset_delta()));
  }
  if (batch.control()) {
    return refuse(kInvalidRecord, fmt::format("clients are not allowed to write control records to {}", partition));
  }
  if (batch.producer_id() >= 0 && batch.base_sequence() < 0) {
    return refuse(kInvalidRecord, fmt::format("a batch for {} of producer {} has the sequence {}", partition,
                                              batch.producer_id(), batch.base_sequence()));
  }
  return {};
}

Status check_size(size_t bytes, const ClientBatchRules& rules) {
  if (bytes <= static_cast<uint64_t>(rules.config.message_bytes_max)) return {};
  return refuse(kTooLarge,
                fmt::format("a batch of {} bytes for {} is larger than max.message.bytes {}: send less at once or "
                            "raise it",
                            bytes, rules.partition, rules.config.message_bytes_max));
}

/// Kafka keeps a header that is right, and else drops attribute bits it does not know.
void set_max_timestamp(std::span<char> bytes, int64_t max_timestamp) {
  const RecordBatchView batch = RecordBatchView::unchecked({bytes.data(), bytes.size()});
  if (!batch.log_append_time() && batch.max_timestamp() == max_timestamp) return;
  constexpr int16_t kKept =
      format::kCodecMask | format::kTransactionalBit | format::kControlBit | format::kDeleteHorizonBit;
  store_be(bytes.data() + format::kAttributesAt, static_cast<int16_t>(batch.attributes() & kKept));
  store_be(bytes.data() + format::kMaxTimestampAt, max_timestamp);
  store_be(bytes.data() + format::kCrcAt, crc32c(batch.bytes().substr(format::kAttributesAt)));
}

Expected<std::span<char>> finish(RecordBatchBuilder& builder, const ClientBatchRules& rules, std::string& rewritten) {
  if (auto done = builder.finish(); !done) return refuse(kBroken, done.error().message);
  rewritten = builder.take();
  if (auto fits = check_size(rewritten.size(), rules); !fits) return fail(std::move(fits.error()));
  return std::span<char>(rewritten);
}

/// Builds the batch anew: with another codec, or with dense offsets.
Expected<std::span<char>> rebuild(const RecordBatchView& batch, const CompressionOptions& target,
                                  const ClientBatchRules& rules, std::vector<RecordError>* errors,
                                  std::string& rewritten) {
  RecordRules record_rules(rules, batch.log_append_time());
  BatchOptions options;
  options.compression = target;
  options.producer_id = batch.producer_id();
  options.producer_epoch = batch.producer_epoch();
  options.base_sequence = batch.base_sequence();
  options.transactional = batch.transactional();
  RecordBatchBuilder builder(options);
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return refuse(kBroken, records.error().message);
  RecordView record;
  for (int32_t i = 0; records->next(record); ++i) {
    record_rules.check(i, record.timestamp, record.offset, record.key.has_value());
    builder.append(record.timestamp, record.key, record.value, record.headers);
  }
  if (!records->status()) return refuse(kInvalidRecord, records->status().error().message);
  if (auto verdict = record_rules.verdict(errors); !verdict) return fail(std::move(verdict.error()));
  return finish(builder, rules, rewritten);
}

Expected<std::span<char>> check_batch(std::span<char> bytes, const ClientBatchRules& rules,
                                      std::vector<RecordError>* errors, std::string& rewritten) {
  const RecordBatchView batch = RecordBatchView::unchecked({bytes.data(), bytes.size()});
  if (bytes.size() < format::kHeaderBytes) {
    return refuse(kCorruptRecord, fmt::format("{} bytes are too few for a record batch", bytes.size()));
  }
  if (batch.base_offset() != 0) {
    return refuse(kInvalidRecord, fmt::format("a batch for {} from a client has the base offset {}, it must be 0",
                                              rules.partition, batch.base_offset()));
  }
  if (auto fits = check_size(bytes.size(), rules); !fits) return fail(std::move(fits.error()));
  if (auto valid = batch.verify_crc(); !valid) return refuse(kCorruptRecord, valid.error().message);
  if (batch.codec() > Codec::kZstd) {
    return refuse(kBroken, fmt::format("unknown compression codec {}", static_cast<int>(batch.codec())));
  }
  if (auto header = check_header(batch, rules.partition); !header) return fail(std::move(header.error()));
  const CompressionOptions target = rules.config.compression.value_or(CompressionOptions{batch.codec(), {}});
  if (target.codec != batch.codec()) return rebuild(batch, target, rules, errors, rewritten);

  RecordRules record_rules(rules, batch.log_append_time());
  Expected<Walk> walk = Walk{};
  if (batch.codec() == Codec::kNone) {
    walk = walk_plain(batch, record_rules);
  } else {
    std::string records;
    // To zstd's reader no bytes are no records, to the others a broken stream.
    const bool nothing = batch.codec() == Codec::kZstd && batch.payload().empty();
    if (!nothing) {
      if (auto done = decompress(batch.codec(), batch.payload(), records); !done)
        return refuse(kBroken, done.error().message);
    }
    walk = walk_compressed(batch, records, record_rules);
  }
  if (!walk) return fail(std::move(walk.error()));
  if (auto verdict = record_rules.verdict(errors); !verdict) return fail(std::move(verdict.error()));
  if (!walk->dense) return rebuild(batch, target, rules, errors, rewritten);
  if (!rules.config.log_append_time) set_max_timestamp(bytes, walk->max_timestamp);
  return bytes;
}

/// Turns a message set of magic 0 or 1 into one record batch.
Expected<std::span<char>> convert_messages(BytesView bytes, const ClientBatchRules& rules,
                                           std::vector<RecordError>* errors, std::string& rewritten) {
  BatchSequence sequence(bytes);
  std::vector<BytesView> messages;
  Codec codec = Codec::kNone;
  while (true) {
    auto next = sequence.next();
    if (!next) return fail(std::move(next.error()));
    if (!*next) break;
    const LegacyMessage message(**next);
    if (auto fits = check_size(message.size_bytes(), rules); !fits) return fail(std::move(fits.error()));
    if (message.magic() == format::kMagic)
      return refuse(kInvalidRecord, fmt::format("messages for {} mix old and new formats", rules.partition));
    if (auto valid = message.verify_crc(); !valid) return fail(std::move(valid.error()));
    if (message.codec() != Codec::kNone) codec = message.codec();
    messages.push_back(**next);
  }
  if (messages.empty()) return std::span<char>();
  if (codec != Codec::kNone && messages.size() > 1)
    return refuse(kInvalidRecord, fmt::format("more than one compressed message set for {}", rules.partition));
  BatchOptions options;
  options.compression = rules.config.compression.value_or(CompressionOptions{codec, {}});
  RecordBatchBuilder builder(options);
  RecordRules record_rules(rules, LegacyMessage(messages.front()).log_append_time());
  std::string scratch;
  std::vector<RecordView> records;
  int32_t index = 0;
  for (const BytesView each : messages) {
    if (magic_of(each) != magic_of(messages.front()))
      return refuse(kInvalidRecord, fmt::format("messages for {} mix magic 0 and 1", rules.partition));
    records.clear();
    if (auto read = LegacyMessage(each).records(scratch, records); !read) return fail(std::move(read.error()));
    for (const RecordView& record : records) {
      record_rules.check(index++, record.timestamp, record.offset, record.key.has_value());
      builder.append(record.timestamp, record.key, record.value);
    }
  }
  if (auto verdict = record_rules.verdict(errors); !verdict) return fail(std::move(verdict.error()));
  return finish(builder, rules, rewritten);
}

}  // namespace

Expected<std::span<char>> check_client_batch(std::span<char> bytes, const ClientBatchRules& rules,
                                             std::vector<RecordError>* errors, std::string& rewritten) {
  BatchSequence sequence({bytes.data(), bytes.size()});
  auto first = sequence.next();
  if (!first) return fail(std::move(first.error()));
  const bool batches_only = rules.produce_version >= kRecordBatchesSince;
  if (!*first) {
    if (!batches_only) return std::span<char>();
    return refuse(kInvalidRecord, fmt::format("a Produce request for {} holds no whole batch", rules.partition));
  }
  if (magic_of(**first) != format::kMagic) {
    if (!batches_only) return convert_messages({bytes.data(), bytes.size()}, rules, errors, rewritten);
    return refuse(kInvalidRecord, fmt::format("Produce {} takes magic 2 only, {} was sent magic {}",
                                              rules.produce_version, rules.partition, magic_of(**first)));
  }
  const size_t size = (*first)->size();
  if (size >= format::kAttributesAt + 2 && rules.produce_version < kZstdSince &&
      RecordBatchView::unchecked(**first).codec() == Codec::kZstd) {
    return refuse(kUnsupportedCodec, fmt::format("Produce {} does not know zstd", rules.produce_version));
  }
  auto second = sequence.next();
  if (!second) return fail(std::move(second.error()));
  if (*second) {
    return refuse(kInvalidRecord, fmt::format("a Produce request for {} holds more than one batch", rules.partition));
  }
  return check_batch(bytes.first(size), rules, errors, rewritten);
}

}  // namespace millrace
