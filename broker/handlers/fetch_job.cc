#include "broker/handlers/fetch_job.h"

#include <algorithm>

#include "broker/handlers/data_handlers.h"
#include "broker/handlers/fetch_down_convert.h"
#include "protocol/messages/fetch.h"

namespace millrace {
namespace {

constexpr int16_t kTopicIdsSince = 13;
constexpr int16_t kRecordBatchesSince = 4;
constexpr int16_t kMagicOneSince = 2;

using PartitionData = FetchResponse::PartitionData;

PartitionData describe(const FetchItem& item, Isolation isolation) {
  const FetchItem::Result& found = item.result;
  PartitionData data;
  data.partition_index = item.partition;
  data.error_code = code_of(found.error);
  data.records.is_null = false;
  data.high_watermark = -1;
  if (found.known) data.aborted_transactions.reset();
  if (found.error != KafkaError::kNone) return data;
  data.high_watermark = found.slice.high_watermark;
  data.last_stable_offset = found.slice.last_stable_offset;
  data.log_start_offset = found.slice.log_start_offset;
  if (found.diverging) data.diverging_epoch = {found.diverging->epoch, found.diverging->end_offset};
  if (isolation == Isolation::kCommitted) {
    auto& aborted = data.aborted_transactions.emplace();
    aborted.reserve(found.slice.aborted.size());
    for (const AbortedTransaction& each : found.slice.aborted) aborted.push_back({each.producer_id, each.first_offset});
  }
  return data;
}

}  // namespace

void FetchJob::start(BrokerServices& services, std::unique_ptr<Exchange> exchange, FetchLimits limits,
                     std::vector<FetchItem> items, std::shared_ptr<FetchSession> session, bool incremental) {
  const auto job = std::make_shared<FetchJob>(services, std::move(exchange), limits, std::move(items),
                                              std::move(session), incremental);
  if (job->look() || limits.wait_ms <= 0) return job->finish();
  job->wait();
}

FetchJob::FetchJob(BrokerServices& services, std::unique_ptr<Exchange> exchange, FetchLimits limits,
                   std::vector<FetchItem> items, std::shared_ptr<FetchSession> session, bool incremental)
    : services_(services),
      limits_(limits),
      session_(std::move(session)),
      incremental_(incremental),
      sink_(exchange->sink()),
      exchange_(std::move(exchange)),
      items_(std::move(items)) {}

FetchJob::~FetchJob() { stop_listening(); }

/// Looks at every partition in turn; true when there is enough for an answer.
bool FetchJob::look() {
  const bool by_id = exchange_->version() >= kTopicIdsSince;
  std::shared_ptr<const TopicEntry> topic;
  const FetchItem* before = nullptr;
  size_t room = limits_.bytes_max, bytes = 0;
  bool unusual = false;
  for (FetchItem& item : items_) {
    const bool same_topic = before != nullptr && before->topic == item.topic && before->topic_id == item.topic_id;
    if (!same_topic) {
      topic = by_id ? services_.broker.find_topic(item.topic_id) : services_.broker.find_topic(item.topic);
    }
    before = &item;
    look_at(item, topic.get(), room, bytes == 0);
    const FetchItem::Result& found = item.result;
    unusual = unusual || found.error != KafkaError::kNone || found.diverging;
    bytes += found.slice.size;
    room -= std::min<size_t>(room, found.slice.size);
  }
  return unusual || items_.empty() || bytes >= limits_.bytes_min || (bytes > 0 && more_in_later_segments());
}

void FetchJob::look_at(FetchItem& item, const TopicEntry* topic, size_t room, bool at_least_one) {
  item.result = {};
  item.log = nullptr;
  const auto refuse = [&](KafkaError error) { item.result.error = error; };
  if (topic == nullptr) {
    return refuse(exchange_->version() >= kTopicIdsSince ? KafkaError::kUnknownTopicId
                                                         : KafkaError::kUnknownTopicOrPartition);
  }
  if (!may(services_, exchange_->session(), AclOperation::kRead, topic->name))
    return refuse(KafkaError::kTopicAuthorizationFailed);
  if (!topic->has(item.partition)) return refuse(KafkaError::kUnknownTopicOrPartition);
  item.result.known = true;
  item.log = topic->log(item.partition);
  if (item.log == nullptr) return;  // a partition of __consumer_offsets without a folder is empty
  if (const KafkaError error = check_leader_epoch(*item.log, item.leader_epoch); error != KafkaError::kNone)
    return refuse(error);
  const auto limit = std::min(room, static_cast<size_t>(std::max(item.bytes_max, 0)));
  if (item.last_fetched_epoch >= 0) {
    const EpochEndOffset end = item.log->end_offset_for_epoch(item.last_fetched_epoch);
    if (end.epoch < 0 || end.end_offset < 0) return refuse(KafkaError::kOffsetOutOfRange);
    if (end.epoch < item.last_fetched_epoch || end.end_offset < item.offset) {
      item.result.diverging = end;
      item.result.slice.high_watermark = item.log->high_watermark();
      item.result.slice.last_stable_offset = item.log->last_stable_offset();
      item.result.slice.log_start_offset = item.log->log_start_offset();
      return;
    }
  }
  auto slice = item.log->locate(item.offset, limit, limits_.isolation, at_least_one);
  if (!slice) return refuse(kafka_error_of(slice.error()));
  item.result.slice = std::move(*slice);
}

/// An answer never spans segments: at the end of one there is no use in waiting for more.
bool FetchJob::more_in_later_segments() const {
  return std::any_of(items_.begin(), items_.end(), [](const FetchItem& item) {
    const LogSlice& slice = item.result.slice;
    if (item.log == nullptr || slice.segment == nullptr || slice.size == 0) return false;
    const auto starts = item.log->segment_starts();
    return !starts.empty() && slice.segment->base_offset < starts.back().base_offset;
  });
}

void FetchJob::wait() {
  {
    std::lock_guard lock(mutex_);
    for (const FetchItem& item : items_) {
      if (item.log == nullptr) continue;
      item.log->add_listener(this);
      listened_.push_back(item.log);
    }
    // The timer keeps the job alive; whoever answers cancels it.
    timer_ = services_.executor.run_after(std::chrono::milliseconds(limits_.wait_ms),
                                          [self = shared_from_this()] { self->finish(); });
    // A client that has gone is answered at once, whoever may still read it.
    sink_->when_gone([job = weak_from_this()] {
      if (const auto self = job.lock()) self->finish();
    });
  }
  wake();  // what came between the first look and listening
}

/// On the committing thread, under the log's lock for listeners: only hands on. The closure must not keep the job
/// alive, as its destructor takes that lock.
void FetchJob::on_advance() {
  if (wake_asked_.exchange(true)) return;
  std::function<void()> work = [job = weak_from_this()] {
    if (const auto self = job.lock()) self->wake();
  };
  if (!sink_->run_soon(work)) services_.executor.run(std::move(work));
}

void FetchJob::wake() {
  wake_asked_ = false;
  {
    std::lock_guard lock(mutex_);
    if (exchange_ == nullptr || !look()) return;
  }
  finish();
}

void FetchJob::finish() {
  std::unique_ptr<Exchange> exchange;
  {
    std::lock_guard lock(mutex_);
    exchange = std::move(exchange_);
    if (exchange == nullptr) return;
    if (timer_) {
      services_.executor.cancel(*timer_);
    }
  }
  stop_listening();
  answer(*exchange);
}

void FetchJob::stop_listening() {
  std::vector<std::shared_ptr<PartitionLog>> listened;
  {
    std::lock_guard lock(mutex_);
    listened.swap(listened_);
  }
  for (const auto& log : listened) log->remove_listener(this);
}

/// Whether the answer names the partition; notes what the client is told.
bool FetchJob::to_be_told(FetchItem& item) {
  if (item.cached == nullptr) return true;
  FetchSessionPartition& cached = *item.cached;
  const FetchItem::Result& found = item.result;
  const bool changed = found.slice.size > 0 || found.error != KafkaError::kNone || found.diverging ||
                       cached.told_high_watermark != found.slice.high_watermark ||
                       cached.told_log_start != found.slice.log_start_offset;
  // An error is told again until it is over, and then the partition is, too.
  cached.told_high_watermark = found.error == KafkaError::kNone ? found.slice.high_watermark : -1;
  cached.told_log_start = found.slice.log_start_offset;
  if (incremental_ && found.slice.size > 0) session_->move_to_end(cached);
  return changed || !incremental_;
}

void FetchJob::answer(Exchange& exchange) {
  const int16_t version = exchange.version();
  FetchResponse response;
  std::vector<FileRange> files;
  std::unique_lock<std::mutex> session_lock;
  if (session_ != nullptr) {
    session_lock = std::unique_lock(session_->mutex);
    response.session_id = session_->id();
  }
  for (FetchItem& item : items_) {
    if (!to_be_told(item)) continue;
    if (response.responses.empty() || response.responses.back().topic != item.topic ||
        response.responses.back().topic_id != item.topic_id) {
      auto& topic = response.responses.emplace_back();
      topic.topic = item.topic;
      topic.topic_id = item.topic_id;
    }
    PartitionData& data = response.responses.back().partitions.emplace_back(describe(item, limits_.isolation));
    const LogSlice& slice = item.result.slice;
    if (item.result.error != KafkaError::kNone || slice.size == 0) continue;
    if (version >= kRecordBatchesSince) {
      data.records.external_bytes = static_cast<uint32_t>(slice.size);
      files.push_back({slice.segment, slice.segment->file.get(), slice.position, slice.size});
      continue;
    }
    auto converted = down_convert(*item.log, item.offset, slice, version < kMagicOneSince ? 0 : 1);
    if (converted) {
      data.records.bytes = exchange.keep(std::move(*converted));
    } else {
      data.error_code = code_of(kafka_error_of(converted.error()));
    }
  }
  exchange.reply(response, std::move(files));
}

}  // namespace millrace
