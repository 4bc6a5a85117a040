#include "broker/kafka_metadata.h"

#include <fmt/format.h>

#include <charconv>

#include "protocol/record_batch.h"
#include "protocol/wire.h"

namespace millrace {
namespace {

constexpr uint32_t kFrameVersion = 1;
constexpr uint32_t kTopicRecord = 2;
constexpr uint32_t kConfigRecord = 4;
constexpr uint32_t kRemoveTopicRecord = 9;
constexpr int8_t kTopicResource = 2;
constexpr size_t kOffsetDigits = 20;
constexpr std::string_view kSnapshotSuffix = ".checkpoint";
constexpr std::string_view kLogSuffix = ".log";

using KafkaTopics = std::map<std::string, KafkaTopic>;

void apply_config(WireReader& in, KafkaTopics& topics) {
  const auto type = in.number<int8_t>();
  const std::string topic(in.string(true));
  const std::string name(in.string(true));
  const auto value = in.nullable_string(true);
  if (in.bad() || type != kTopicResource) return;
  const auto found = topics.find(topic);
  if (found == topics.end()) return;
  if (value) {
    found->second.configs[name] = std::string(*value);
  } else {
    found->second.configs.erase(name);
  }
}

/// False for a record that breaks its own format.
bool apply_record(BytesView value, KafkaTopics& topics) {
  WireReader in(value);
  if (in.unsigned_varint() != kFrameVersion) return false;
  const uint32_t kind = in.unsigned_varint();
  in.unsigned_varint();  // all three are at version 0, and flexible versions only add tagged fields at the end
  if (kind == kTopicRecord) {
    const std::string name(in.string(true));
    const Uuid id = in.uuid();
    if (!in.bad()) topics[name] = {id.text(), {}};
  } else if (kind == kRemoveTopicRecord) {
    const std::string id = in.uuid().text();
    std::erase_if(topics, [&](const auto& each) { return each.second.id == id; });
  } else if (kind == kConfigRecord) {
    apply_config(in, topics);
  }
  return !in.bad();
}

Status apply_batch(const RecordBatchView& batch, KafkaTopics& topics) {
  if (auto checked = batch.verify_crc(); !checked) return checked;
  if (batch.control()) return {};
  std::string scratch;
  auto records = RecordIterator::open(batch, scratch);
  if (!records) return fail(std::move(records.error()));
  RecordView record;
  while (records->next(record)) {
    if (record.value && !apply_record(*record.value, topics)) {
      return fail(ErrorCode::kBadRecord, fmt::format("the metadata record at offset {} is damaged", record.offset));
    }
  }
  return records->status();
}

/// Applies the batches of a file that start at `from` or later.
Status apply_file(FileSystem& fs, const Path& path, int64_t from, KafkaTopics& topics) {
  auto content = fs.read_file(path);
  if (!content) return fail(std::move(content.error()));
  for (BytesView bytes = *content; !bytes.empty();) {
    const auto batch = RecordBatchView::parse(bytes);
    if (!batch) break;
    bytes.remove_prefix(batch->size_bytes());
    if (batch->base_offset() < from) continue;
    if (auto applied = apply_batch(*batch, topics); !applied) {
      return fail(std::move(applied.error()).wrap(fmt::format("cannot take topic configs from {}", path.string())));
    }
  }
  return {};
}

}  // namespace

Expected<KafkaTopics> read_kafka_topics(FileSystem& fs, const Path& directory) {
  const Path folder = directory / fmt::format("{}-0", kClusterMetadataTopic);
  KafkaTopics topics;
  if (!fs.exists(folder)) return topics;
  const auto names = fs.list(folder);  // sorted, and offsets have leading zeros
  if (!names) return fail(names.error());
  int64_t from = 0;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    if (!name->ends_with(kSnapshotSuffix) || name->size() < kOffsetDigits) continue;
    std::from_chars(name->data(), name->data() + kOffsetDigits, from);
    if (auto applied = apply_file(fs, folder / *name, 0, topics); !applied) return fail(std::move(applied.error()));
    break;
  }
  for (const std::string& name : *names) {
    if (!name.ends_with(kLogSuffix)) continue;
    if (auto applied = apply_file(fs, folder / name, from, topics); !applied) return fail(std::move(applied.error()));
  }
  return topics;
}

}  // namespace millrace
