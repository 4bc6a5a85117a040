// Produce: appends batches where they lie in the request's frame; the answer leaves when all of them are durable.
#include <atomic>
#include <span>

#include <fmt/format.h>

#include "broker/handlers/data_handlers.h"
#include "broker/transaction/transaction_coordinator.h"
#include "protocol/messages/produce.h"
#include "protocol/record_batch_format.h"

namespace millrace {
namespace {

namespace format = batch_format;

constexpr int16_t kTopicIdsSince = 13;
constexpr int16_t kAddsPartitionsSince = 12;  // KIP-890: Produce takes its partitions into the transaction by itself
constexpr int16_t kRecordBatchesSince = 3;
constexpr std::string_view kAdminClient = "__admin_client";  // may write to internal topics

using Answer = ProduceResponse::PartitionProduceResponse;

/// One partition of a request.
struct Part {
  Answer* answer = nullptr;
  std::span<char> bytes;
  std::shared_ptr<const TopicEntry> topic = nullptr;  // null when the part is refused already
  std::vector<RecordError> record_errors = {};
  KafkaError durable_error = KafkaError::kNone;  // written by the committing thread

  PartitionLog* log() const { return topic->log(answer->index).get(); }
  bool refused() const { return answer->error_code != 0; }
  void refuse(KafkaError error) { answer->error_code = code_of(error); }
};

struct Header {
  int8_t magic = -1;
  bool transactional = false;
  bool whole = false;  ///< exactly one batch
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
};

Header peek(std::span<const char> bytes) {
  Header header;
  if (bytes.size() <= format::kMagicAt) return header;
  header.magic = static_cast<int8_t>(bytes[format::kMagicAt]);
  if (header.magic < format::kMagic || bytes.size() < format::kHeaderBytes) return header;
  header.transactional = (load_be<int16_t>(bytes.data() + format::kAttributesAt) & format::kTransactionalBit) != 0;
  header.whole =
      static_cast<uint64_t>(load_be<uint32_t>(bytes.data() + format::kLengthAt)) + format::kLogOverhead == bytes.size();
  header.producer_id = load_be<int64_t>(bytes.data() + format::kProducerIdAt);
  header.producer_epoch = load_be<int16_t>(bytes.data() + format::kProducerEpochAt);
  return header;
}

/// A request under way. Deletes itself with its answer: whoever brings `waiting_` to zero gives it.
/// Threads: parts are appended by one thread at a time; waiters come from the committing thread.
class ProduceJob {
 public:
  ProduceJob(BrokerServices& services, const ProduceRequest& request, std::unique_ptr<Exchange> exchange)
      : services_(services),
        exchange_(std::move(exchange)),
        acks_(request.acks),
        transactional_id_(request.transactional_id) {
    make_parts(request);
  }

  void run() {
    find_topics();
    const bool transactional = check_transactional();
    if (transactional && transactional_id_) {
      verify_and_append();
    } else {
      append_all();
    }
    release();
  }

 private:
  int16_t version() const { return exchange_->version(); }

  void make_parts(const ProduceRequest& request) {
    size_t count = 0;
    for (const auto& topic : request.topic_data) count += topic.partition_data.size();
    parts_.reserve(count);
    response_.responses.reserve(request.topic_data.size());
    for (const auto& asked : request.topic_data) {
      auto& topic = response_.responses.emplace_back();
      topic.name = asked.name;
      topic.topic_id = asked.topic_id;
      topic.partition_responses.reserve(asked.partition_data.size());
      for (const auto& partition : asked.partition_data) {
        Answer& answer = topic.partition_responses.emplace_back();
        answer.index = partition.index;
        answer.base_offset = -1;
        // The frame is ours, and batches are stamped in place.
        char* bytes = const_cast<char*>(partition.records.bytes.data());
        parts_.push_back({&answer, {bytes, partition.records.bytes.size()}});
      }
    }
  }

  /// Resolves each topic once; parts of unknown, forbidden and internal topics are refused.
  void find_topics() {
    auto part = parts_.begin();
    for (const auto& topic : response_.responses) {
      const bool by_id = version() >= kTopicIdsSince;
      auto entry = by_id ? services_.broker.find_topic(topic.topic_id) : services_.broker.find_topic(topic.name);
      const std::string_view name = entry != nullptr ? std::string_view(entry->name) : topic.name;
      const KafkaError topic_error = check_topic(entry.get(), name, by_id);
      for (size_t i = 0; i < topic.partition_responses.size(); ++i, ++part) {
        if (topic_error != KafkaError::kNone) {
          part->refuse(topic_error);
        } else if (entry->log(part->answer->index) == nullptr) {
          part->refuse(KafkaError::kUnknownTopicOrPartition);
        } else if (acks_ < -1 || acks_ > 1) {
          part->refuse(KafkaError::kInvalidRequiredAcks);
        } else {
          part->topic = entry;
        }
      }
    }
  }

  KafkaError check_topic(const TopicEntry* entry, std::string_view name, bool by_id) const {
    if (entry == nullptr && by_id) return KafkaError::kUnknownTopicId;
    if (!may(services_, exchange_->session(), AclOperation::kWrite, name)) return KafkaError::kTopicAuthorizationFailed;
    const bool internal = name == kOffsetsTopic || name == kTransactionsTopic;
    if (internal && exchange_->header().client_id != kAdminClient) return KafkaError::kInvalidTopicException;
    return entry == nullptr ? KafkaError::kUnknownTopicOrPartition : KafkaError::kNone;
  }

  /// True when a part belongs to a transaction. Without the right to it the whole request is refused.
  bool check_transactional() {
    bool found = false;
    for (const Part& part : parts_) found = found || peek(part.bytes).transactional;
    if (!found) return false;
    const bool allowed =
        transactional_id_ && services_.security.authorized(exchange_->session(), AclOperation::kWrite,
                                                           ResourceType::kTransactionalId, *transactional_id_);
    if (allowed) return true;
    for (Part& part : parts_) {
      part.refuse(KafkaError::kTransactionalIdAuthorizationFailed);
      part.topic = nullptr;
    }
    return true;
  }

  /// Appends what belongs to the transaction; partitions that are new to it are taken in first.
  void verify_and_append() {
    std::vector<PartitionKey> added;
    ProducerIdAndEpoch producer{};
    for (Part& part : parts_) {
      if (part.topic == nullptr) continue;
      const Header header = peek(part.bytes);
      if (!header.transactional) {
        append(part);
        continue;
      }
      const PartitionKey key(part.topic->name, part.answer->index);
      const KafkaError verdict =
          services_.transactions.verify(*transactional_id_, header.producer_id, header.producer_epoch, key);
      if (verdict == KafkaError::kNone) {
        append(part);
      } else if (verdict == KafkaError::kTransactionAbortable && version() >= kAddsPartitionsSince) {
        producer = {header.producer_id, header.producer_epoch};
        added.push_back(key);
        new_parts_.push_back(&part);
      } else {
        refuse_outside(part, verdict);
      }
    }
    if (added.empty()) return;
    waiting_.fetch_add(1, std::memory_order_relaxed);
    services_.transactions.add_partitions(*transactional_id_, producer, std::move(added), kTransactionsV2,
                                          [this](KafkaError error) { append_new(error); });
  }

  void append_new(KafkaError error) {
    for (Part* part : new_parts_) {
      if (error == KafkaError::kNone) {
        append(*part);
      } else {
        refuse_outside(*part, error);
      }
    }
    release();
  }

  void append_all() {
    for (Part& part : parts_) {
      if (part.topic != nullptr) append(part);
    }
  }

  void append(Part& part) {
    AppendOptions options;
    options.from_client = true;
    options.produce_version = version();
    options.record_errors = &part.record_errors;
    PartitionLog::Durable durable;
    if (acks_ != 0) {
      waiting_.fetch_add(1, std::memory_order_relaxed);
      durable = [this, &part](const Expected<int64_t>& written) {
        if (!written) part.durable_error = kafka_error_of(written.error());
        release();
      };
    }
    const auto appended = part.log()->append(part.bytes, options, std::move(durable));
    if (!appended) {
      refuse_batch(part, appended.error());
      if (acks_ != 0) waiting_.fetch_sub(1, std::memory_order_relaxed);  // never the last: the caller holds one
      return;
    }
    part.answer->base_offset = appended->base_offset;
    part.answer->log_append_time_ms = appended->append_time;
    part.answer->log_start_offset = appended->log_start_offset;
  }

  /// The batch does not belong to an open transaction.
  void refuse_outside(Part& part, KafkaError verdict) {
    const KafkaError error = TransactionCoordinator::error_for_produce(verdict, version());
    part.refuse(error);
    if (error == KafkaError::kInvalidTxnState) {
      part.answer->error_message = "Partition was not added to the transaction";
    } else if (error == KafkaError::kNotEnoughReplicas) {
      part.answer->error_message = exchange_->keep(
          fmt::format("Unable to verify the partition has been added to the transaction. Underlying error: {}",
                      kafka_error_name(verdict)));
    }
  }

  void refuse_batch(Part& part, const Error& error) {
    const KafkaError code = kafka_error_of(error);
    part.refuse(code);
    if (!part.record_errors.empty()) part.answer->error_message = exchange_->keep(error.message);
    if (tells_log_start(code, part)) part.answer->log_start_offset = part.log()->log_start_offset();
  }

  /// Kafka tells the log start with errors that come up in the log, but for some, and not with those of the request.
  bool tells_log_start(KafkaError code, const Part& part) const {
    switch (code) {
      case KafkaError::kMessageTooLarge:
      case KafkaError::kRecordListTooLarge:
      case KafkaError::kCorruptMessage:
      case KafkaError::kKafkaStorageError:
      case KafkaError::kUnsupportedCompressionType:
        return false;
      case KafkaError::kInvalidRecord: {
        const Header header = peek(part.bytes);
        return version() < kRecordBatchesSince || (header.magic == format::kMagic && header.whole);
      }
      default:
        return true;
    }
  }

  void release() {
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    finish();
    delete this;
  }

  void finish() {
    bool failed = false;
    for (Part& part : parts_) {
      if (part.durable_error != KafkaError::kNone) {
        part.answer->base_offset = -1;
        part.answer->log_append_time_ms = -1;
        part.refuse(part.durable_error);
      }
      for (const RecordError& error : part.record_errors)
        part.answer->record_errors.push_back({error.index, error.message});
      failed = failed || part.refused();
    }
    if (acks_ != 0) return exchange_->reply(response_);
    // Nobody reads an answer: a closed connection is how the producer learns that something is wrong.
    failed ? exchange_->close_connection() : exchange_->no_reply();
  }

  BrokerServices& services_;
  const std::unique_ptr<Exchange> exchange_;
  const int16_t acks_;
  const std::optional<std::string_view> transactional_id_;
  ProduceResponse response_;
  std::vector<Part> parts_;       // point into response_
  std::vector<Part*> new_parts_;  // wait until their partitions are in the transaction
  std::atomic<uint32_t> waiting_{1};
};

void handle_produce(BrokerServices& services, const ProduceRequest& request, std::unique_ptr<Exchange> exchange) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      // Kafka's broker leaves these without any answer.
      if (partition.records.is_null) return exchange->no_reply();
    }
  }
  (new ProduceJob(services, request, std::move(exchange)))->run();  // deletes itself
}

}  // namespace

Api produce_api() {
  Api api = make_api<ProduceRequest, handle_produce>(0, 13);
  api.pipelined = true;
  return api;
}

}  // namespace millrace
