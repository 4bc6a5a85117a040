#include "connectors/jdbc/sink_lanes.h"

#include <algorithm>
#include <system_error>
#include <thread>

namespace millrace::jdbc {
namespace {

constexpr size_t kLaneRecordsMin = 64;  // fewer are written before another commit would be

uint64_t mixed(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29);
}

uint64_t text_hash(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  uint64_t hash = text.size();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hash = mixed(hash, byte >= 'A' && byte <= 'Z' ? byte | 0x20U : byte);
  }
  return hash;
}

}  // namespace

uint64_t lane_hash(const mr_value& key) {
  switch (key.kind) {
    case MR_NULL:
      return 0;
    case MR_STRING:
      return text_hash({key.u.bytes, key.size});
    case MR_BYTES:
    case MR_DECIMAL: {
      uint64_t hash = key.size;
      for (uint32_t i = 0; i < key.size; ++i) hash = mixed(hash, static_cast<unsigned char>(key.u.bytes[i]));
      return hash;
    }
    case MR_ARRAY:
    case MR_MAP:
    case MR_STRUCT: {
      uint64_t hash = key.size;
      const size_t count = key.kind == MR_MAP ? size_t{2} * key.size : key.size;
      for (size_t i = 0; i < count; ++i) hash = mixed(hash, lane_hash(key.u.items[i]));
      return hash;
    }
    default:  // numbers; the bits of a floating one
      return mixed(0, static_cast<uint64_t>(key.u.i64));
  }
}

/// One connection and the records of the current put that are its.
class SinkLane final : public JdbcSinkTask {
 public:
  SinkLane(Parse parse, bool first, std::mutex& reports) : JdbcSinkTask(parse, first), reports_(reports) {}

  /// Where each record stands in the put; empty while the lane has the whole put.
  std::vector<size_t> places;
  std::vector<mr_record> records;
  bool written = false;  ///< in this try of the put or one before
  Status status;

  void clear() {
    places.clear();
    records.clear();
  }
  void work(sdk::SinkContext context) {
    status = put(context, records);
    written = status.ok();
  }

 private:
  Status report_to_host(sdk::SinkContext& context, size_t index, const Status& why) override {
    std::lock_guard lock(reports_);
    return context.report(places.empty() ? index : places[index], why);
  }

  std::mutex& reports_;
};

JdbcSinkLanes::JdbcSinkLanes(JdbcSinkTask::Parse parse) : parse_(parse) {}
JdbcSinkLanes::~JdbcSinkLanes() = default;

Status JdbcSinkLanes::start(sdk::SinkContext& context) {
  auto config = parse_(context.config());
  if (!config.ok()) return config.status();
  config_ = std::move(*config);
  unfinished_.records = 0;
  std::vector<std::unique_ptr<SinkLane>> lanes;
  for (size_t i = 0; i < config_.connections; ++i) {
    lanes.push_back(std::make_unique<SinkLane>(parse_, i == 0, guard_));
    if (Status s = lanes.back()->start(context); !s.ok()) return s;
  }
  std::lock_guard lock(guard_);
  lanes_ = std::move(lanes);
  return sdk::ok();
}

Status JdbcSinkLanes::open(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) {
  unfinished_.records = 0;
  return lanes_.front()->open(context, partitions);
}

Status JdbcSinkLanes::close(sdk::SinkContext& context, std::span<const mr_topic_partition> partitions) {
  return lanes_.front()->close(context, partitions);
}

Status JdbcSinkLanes::stop(sdk::SinkContext& context) {
  for (const auto& lane : lanes_) {
    if (Status s = lane->stop(context); !s.ok()) return s;
  }
  return sdk::ok();
}

void JdbcSinkLanes::interrupt() {
  std::lock_guard lock(guard_);
  for (const auto& lane : lanes_) lane->interrupt();
}

Status JdbcSinkLanes::put(sdk::SinkContext& context, std::span<const mr_record> records) {
  if (takes_one_lane(context, records)) {
    lanes_.front()->clear();
    return lanes_.front()->put(context, records);
  }
  const bool again = comes_again(records);
  for (const auto& lane : lanes_) {
    lane->clear();
    lane->written = again && lane->written;
  }
  describe_schemas(context);
  divide(context, records);
  std::vector<std::thread> threads;
  std::vector<SinkLane*> here{lanes_.front().get()};
  for (size_t i = 1; i < lanes_.size(); ++i) {
    SinkLane* lane = lanes_[i].get();
    if (lane->written || lane->records.empty()) continue;
    try {
      threads.emplace_back([lane, context] { lane->work(context); });
    } catch (const std::system_error&) {
      here.push_back(lane);  // no thread to be had
    }
  }
  for (SinkLane* lane : here) {
    if (!lane->written && !lane->records.empty()) lane->work(context);
  }
  for (std::thread& thread : threads) thread.join();
  Status status = outcome();
  const mr_record& front = records.front();
  unfinished_ = {std::string(sdk::view(front.topic)), front.partition, front.offset, status.ok() ? 0 : records.size()};
  return status;
}

bool JdbcSinkLanes::takes_one_lane(const sdk::SinkContext& context, std::span<const mr_record> records) {
  if (lanes_.size() == 1 || records.size() < 2 * kLaneRecordsMin) return true;
  return std::any_of(records.begin(), records.end(), [&](const mr_record& record) {
    const RecordShape& shape = shapes_.of(context, record.value_schema);
    // A TRUNCATE comes between rows of all keys.
    return shape.kind == RecordShape::Kind::kEnvelope && record.value.kind == MR_STRUCT &&
           operation_of(record, shape) == 't';
  });
}

void JdbcSinkLanes::describe_schemas(const sdk::SinkContext& context) {
  while (context.describe(described_ + 1) != nullptr) ++described_;
}

void JdbcSinkLanes::divide(const sdk::SinkContext& context, std::span<const mr_record> records) {
  const bool slices = config_.key_mode == KeyMode::kNone || config_.key_mode == KeyMode::kKafka;  // no key comes twice
  for (size_t i = 0; i < records.size(); ++i) {
    SinkLane& lane = *lanes_[slices ? i * lanes_.size() / records.size() : lane_of(context, records[i])];
    lane.records.push_back(records[i]);
    lane.places.push_back(i);
  }
}

/// By the fields that make the row's key; what has none, or not these, is for the first lane to refuse.
size_t JdbcSinkLanes::lane_of(const sdk::SinkContext& context, const mr_record& record) {
  const mr_value* row = &record.key;
  mr_schema_id schema = record.key_schema;
  if (config_.key_mode == KeyMode::kRecordValue) {
    const RecordShape& shape = shapes_.of(context, record.value_schema);
    const bool envelope = shape.kind == RecordShape::Kind::kEnvelope && record.value.kind == MR_STRUCT;
    row = envelope ? &record.value.u.items[shape.after] : &record.value;
    schema = envelope ? shape.row_schema : record.value_schema;
  }
  if (config_.key_fields.empty() || row->kind != MR_STRUCT) return lane_hash(*row) % lanes_.size();
  const mr_schema* described = schema == 0 ? nullptr : context.describe(schema);
  uint64_t hash = 0;
  for (const std::string& name : config_.key_fields) {
    for (size_t i = 0; described != nullptr && i < std::min<size_t>(described->field_count, row->size); ++i) {
      if (sdk::view(described->fields[i].name) == name) hash = mixed(hash, lane_hash(row->u.items[i]));
    }
  }
  return hash % lanes_.size();
}

bool JdbcSinkLanes::comes_again(std::span<const mr_record> records) const {
  const mr_record& front = records.front();
  return records.size() == unfinished_.records && sdk::view(front.topic) == unfinished_.topic &&
         front.partition == unfinished_.partition && front.offset == unfinished_.offset;
}

/// Of the lanes at work: the failure that ends the task, before one that is tried again.
Status JdbcSinkLanes::outcome() const {
  const SinkLane* failed = nullptr;
  for (const auto& lane : lanes_) {
    if (lane->records.empty() || lane->written) continue;
    if (failed == nullptr || lane->status.code() != Code::kUnavailable) failed = lane.get();
  }
  return failed == nullptr ? sdk::ok() : failed->status;
}

}  // namespace millrace::jdbc
