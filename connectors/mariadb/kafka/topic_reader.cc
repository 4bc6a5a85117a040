#include <chrono>

#include "connectors/mariadb/kafka/client_settings.h"

namespace millrace::mariadb {
namespace {

using Clock = std::chrono::steady_clock;
using Documents = std::vector<TopicDocument>;

struct MessageDelete {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, MessageDelete>;

std::optional<std::string> bytes(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(data), size);
}

TopicDocument document_of(const rd_kafka_message_t& message) {
  TopicDocument document;
  document.offset = message.offset;
  document.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  document.key = bytes(message.key, message.key_len);
  document.value = bytes(message.payload, message.len);
  return document;
}

class Reader final : public TopicReader {
 public:
  Reader(RdKafka client, std::string topic, const KafkaOptions& options, bool grouped, int64_t least)
      : client_(std::move(client)), topic_(std::move(topic)), options_(options), grouped_(grouped), least_(least) {}
  ~Reader() override { rd_kafka_consumer_close(client_.get()); }

  Status assign(int64_t from_offset) {
    from_offset_ = from_offset;
    if (Status status = exists(); !status.ok()) {
      was_missing_ = was_missing_ || status.code() == Code::kNotFound;
      return status;
    }
    if (grouped_) {
      if (Status status = find_place(); !status.ok()) return status;
    }
    const Partitions list = place(from_offset_);
    const rd_kafka_resp_err_t error = rd_kafka_assign(client_.get(), list.get());
    assigned_ = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    return assigned_ ? Status() : failed(rd_kafka_err2str(error));
  }

  Result<Documents> read_to_end() override {
    if (Status status = assign_once(); !status.ok()) return status;
    Documents documents;
    Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(options_.timeout_ms);
    while (Clock::now() < deadline) {
      const Message message(rd_kafka_consumer_poll(client_.get(), 100));
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return documents;
      if (Status status = take(*message, documents); !status.ok()) return status;
      deadline = Clock::now() + std::chrono::milliseconds(options_.timeout_ms);  // it goes on
    }
    return failed(last_error_.empty() ? "no answer in time" : last_error_);
  }

  int64_t place() const override { return next_; }

  Status commit() override {
    if (!grouped_ || next_ == committed_) return {};
    const Partitions list = place(next_);
    const rd_kafka_resp_err_t error = rd_kafka_commit(client_.get(), list.get(), 0);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Status(Code::kUnavailable, "The group's place in topic " + topic_ + " at " + options_.bootstrap_servers +
                                            " cannot be kept: " + rd_kafka_err2str(error));
    }
    committed_ = next_;
    return {};
  }

  Result<Documents> poll(int64_t wait_ms) override {
    if (Status status = assign_once(); !status.ok()) return status;
    Documents documents;
    const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(wait_ms);
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      const int wait = documents.empty() ? static_cast<int>(std::max<int64_t>(left, 0)) : 0;
      const Message message(rd_kafka_consumer_poll(client_.get(), wait));
      if (message == nullptr) return documents;
      if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        if (Status status = take(*message, documents); !status.ok()) return status;
    }
  }

 private:
  struct PartitionsDelete {
    void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  };
  using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionsDelete>;

  Partitions place(int64_t offset) const {
    Partitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), 0)->offset = offset;
    return list;
  }

  /// Where the group is; a new one is put at the end at once, so that what comes while nobody reads is not passed over.
  Status find_place() {
    const int timeout_ms = static_cast<int>(options_.timeout_ms);
    const Partitions list = place(RD_KAFKA_OFFSET_INVALID);
    const rd_kafka_resp_err_t error = rd_kafka_committed(client_.get(), list.get(), timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(rd_kafka_err2str(error));
    committed_ = list->elems[0].offset;
    from_offset_ = next_ = std::max(committed_, least_);
    if (committed_ >= 0) return {};
    int64_t low = 0, high = 0;
    const rd_kafka_resp_err_t asked =
        rd_kafka_query_watermark_offsets(client_.get(), topic_.c_str(), 0, &low, &high, timeout_ms);
    if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(rd_kafka_err2str(asked));
    from_offset_ = next_ = std::max(was_missing_ ? low : high, least_);
    return commit();
  }

  /// A topic that was missing at first may have come since.
  Status assign_once() { return assigned_ ? Status() : assign(from_offset_); }

  Status take(const rd_kafka_message_t& message, Documents& documents) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      documents.push_back(document_of(message));
      next_ = message.offset + 1;
      return {};
    }
    last_error_ = rd_kafka_message_errstr(&message);
    if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || message.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
      return missing();
    return {};  // librdkafka tries again; the caller's time limit ends it
  }

  Status exists() {
    rd_kafka_topic_t* const topic = rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_.get(), 0, topic, &metadata, static_cast<int>(options_.timeout_ms));
    rd_kafka_topic_destroy(topic);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(rd_kafka_err2str(error));
    const rd_kafka_resp_err_t own = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(metadata);
    if (own == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return missing();
    return own == RD_KAFKA_RESP_ERR_NO_ERROR ? Status() : failed(rd_kafka_err2str(own));
  }

  Status missing() const { return Status(Code::kNotFound, "Topic " + topic_ + " does not exist"); }
  Status failed(const std::string& why) const {
    return Status(Code::kUnavailable,
                  "Topic " + topic_ + " at " + options_.bootstrap_servers + " cannot be read: " + why);
  }

  RdKafka client_;
  std::string topic_;
  KafkaOptions options_;
  const bool grouped_;
  const int64_t least_;                                 // of a group
  int64_t from_offset_ = 0, next_ = 0, committed_ = 0;  // the last two of a group
  bool was_missing_ = false;
  bool assigned_ = false;
  std::string last_error_;
};

Result<std::unique_ptr<TopicReader>> open_reader(const KafkaOptions& options, const std::string& topic,
                                                 int64_t from_offset, const std::string* group) {
  std::map<std::string, std::string> own = {{"enable.partition.eof", "true"},
                                            {"enable.auto.commit", "false"},
                                            {"enable.auto.offset.store", "false"},
                                            {"auto.offset.reset", "earliest"},
                                            {"allow.auto.create.topics", "false"}};
  if (group != nullptr)
    own["group.id"] = *group;
  else if (!options.client.contains("group.id"))
    own["group.id"] = "millrace-" + topic;  // needed, though never joined
  Result<RdKafka> client = make_client(RD_KAFKA_CONSUMER, options, own);
  if (!client.ok()) return client.status();
  rd_kafka_poll_set_consumer(client->get());
  auto reader = std::make_unique<Reader>(std::move(client.value()), topic, options, group != nullptr, from_offset);
  const Status status = reader->assign(from_offset);
  if (!status.ok() && status.code() != Code::kNotFound) return status;
  return std::unique_ptr<TopicReader>(std::move(reader));
}

}  // namespace

Result<std::unique_ptr<TopicReader>> TopicReader::open(const KafkaOptions& options, const std::string& topic,
                                                       int64_t from_offset) {
  return open_reader(options, topic, from_offset, nullptr);
}

Result<std::unique_ptr<TopicReader>> TopicReader::open_group(const KafkaOptions& options, const std::string& topic,
                                                             const std::string& group, int64_t at_least) {
  return open_reader(options, topic, at_least, &group);
}

}  // namespace millrace::mariadb
