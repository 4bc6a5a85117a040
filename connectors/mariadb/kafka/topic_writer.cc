#include "connectors/mariadb/kafka/client_settings.h"

namespace millrace::mariadb {
namespace {

struct Delivery {
  bool done = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* const delivery = static_cast<Delivery*>(message->_private);
  if (delivery == nullptr) return;
  delivery->done = true;
  delivery->error = message->err;
}

class Writer final : public TopicWriter {
 public:
  Writer(RdKafka client, std::string topic, const KafkaOptions& options)
      : client_(std::move(client)), topic_(std::move(topic)), options_(options) {}

  /// One partition; kept for ever.
  Status create() {
    rd_kafka_resp_err_t error = create_with(-1);
    if (error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR || error == RD_KAFKA_RESP_ERR__INVALID_ARG ||
        error == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
      error = create_with(1);  // brokers before 2.4 have no default
    switch (error) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
      case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:  // someone else's to create: appending tells whether it is
                                                          // there
      case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return {};
      default:
        return failed("created", rd_kafka_err2str(error));
    }
  }

  Status append(const std::optional<std::string>& key, std::string_view value) override {
    Delivery delivery;
    const void* const key_bytes = key ? key->data() : nullptr;
    const size_t key_size = key ? key->size() : 0;
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key_bytes, key_size),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_OPAQUE(&delivery), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed("written", rd_kafka_err2str(error));
    // The report always comes: message.timeout.ms ends the attempts.
    while (!delivery.done) rd_kafka_poll(client_.get(), 100);
    if (delivery.error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return failed("written", rd_kafka_err2str(delivery.error));
  }

 private:
  rd_kafka_resp_err_t create_with(int replication) {
    char text[256] = "";
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(topic_.c_str(), 1, replication, text, sizeof text);
    if (topic == nullptr) return RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1");
    rd_kafka_NewTopic_set_config(topic, "retention.bytes", "-1");
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(client_.get());
    rd_kafka_AdminOptions_t* const admin = rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(admin, static_cast<int>(options_.timeout_ms), text, sizeof text);
    rd_kafka_CreateTopics(client_.get(), &topic, 1, admin, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, static_cast<int>(options_.timeout_ms) + 1000);
    const rd_kafka_resp_err_t error = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT : result_of(event);
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return error;
  }

  static rd_kafka_resp_err_t result_of(rd_kafka_event_t* event) {
    if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return error;
    size_t count = 0;
    const rd_kafka_topic_result_t** const topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    return count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
  }

  Status failed(const char* what, const char* why) const {
    return Status(Code::kUnavailable,
                  "Topic " + topic_ + " at " + options_.bootstrap_servers + " cannot be " + what + ": " + why);
  }

  RdKafka client_;
  std::string topic_;
  KafkaOptions options_;
};

}  // namespace

Result<std::unique_ptr<TopicWriter>> TopicWriter::open(const KafkaOptions& options, const std::string& topic) {
  std::map<std::string, std::string> own = {{"enable.idempotence", "true"}, {"acks", "all"}, {"linger.ms", "0"}};
  if (!options.client.contains("max.request.size")) own["message.max.bytes"] = "67108864";
  own["message.timeout.ms"] = std::to_string(options.timeout_ms);
  Result<RdKafka> client = make_client(RD_KAFKA_PRODUCER, options, own, delivered);
  if (!client.ok()) return client.status();
  auto writer = std::make_unique<Writer>(std::move(client.value()), topic, options);
  if (Status status = writer->create(); !status.ok()) return status;
  return std::unique_ptr<TopicWriter>(std::move(writer));
}

}  // namespace millrace::mariadb
